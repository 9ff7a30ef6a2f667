public import Logging

/// Something that happened; logs, metrics, alerts and pages are made of events.
public struct Event: Hashable, Sendable {
    /// The kind of an event.
    public enum Kind: String, Codable, Sendable, CaseIterable {
        case processorStart = "processor_start"
        case processorComplete = "processor_complete"
        case processorError = "processor_error"
        case pipeDataFlow = "pipe_data_flow"
        case pipeFull = "pipe_full"
        case pipeEmpty = "pipe_empty"
        case graphStart = "graph_start"
        case graphComplete = "graph_complete"
        case graphError = "graph_error"
        case runStart = "run_start"
        case runComplete = "run_complete"
        case runPaused = "run_paused"
        case runResumed = "run_resumed"
        case itemStart = "item_start"
        case itemComplete = "item_complete"
        case itemError = "item_error"
        case itemRetry = "item_retry"
        case stepSaved = "step_saved"
        case batchStart = "batch_start"
        case batchComplete = "batch_complete"
        case executionStatus = "execution_status"
        case admissionDenied = "admission_denied"
        case checkpointCreate = "checkpoint_create"
        case checkpointRestore = "checkpoint_restore"
        case charge
        case costInDoubt = "cost_in_doubt"
        case costOverrun = "cost_overrun"
        case costUnreadable = "cost_unreadable"
        case budgetWarning = "budget_warning"
        case budgetExceeded = "budget_exceeded"
        case cacheHit = "cache_hit"
        case cacheMiss = "cache_miss"
        case breakerOpen = "breaker_open"
        case breakerHalfOpen = "breaker_half_open"
        case breakerClosed = "breaker_closed"
        case alert, hint, warning

        /// The severity.
        public var level: Logger.Level {
            switch self {
            case .processorStart, .pipeDataFlow, .pipeEmpty, .itemStart, .itemComplete, .stepSaved, .charge,
                .cacheHit, .cacheMiss:
                .debug
            case .processorComplete, .graphStart, .graphComplete, .runStart, .runComplete, .runPaused, .runResumed,
                .batchStart, .batchComplete, .executionStatus, .checkpointCreate, .checkpointRestore,
                .breakerHalfOpen, .breakerClosed, .hint:
                .info
            case .pipeFull, .itemRetry, .admissionDenied, .costInDoubt, .costOverrun, .costUnreadable, .budgetWarning,
                .alert, .warning:
                .warning
            case .processorError, .graphError, .itemError, .budgetExceeded, .breakerOpen: .error
            }
        }
    }

    /// The kind of the event.
    public let kind: Kind
    /// The number among the recorded events of a run, from 1 without gaps; `nil` for an event that is not recorded.
    public var sequence: Int?
    /// The time it happened.
    public let timestamp: Timestamp
    /// The run in which it happened.
    public let runID: Run.ID?
    /// The execution of the run.
    public let executionID: Execution.ID?
    /// The processor concerned.
    public let processorID: Identifier?
    /// The graph concerned.
    public var graphID: Identifier?
    /// The item concerned.
    public let inputID: String?
    /// Further facts, by kind; see the events table in the documentation.
    public let data: JSONObject

    /// The severity.
    public var level: Logger.Level { kind.level }

    /// The event's name: its run and its number in it.
    public var eventID: String { "\(runID?.text ?? "engine")-\(sequence ?? 0)" }

    /// Creates an event from the given parts.
    public init(
        _ kind: Kind, sequence: Int? = nil, timestamp: Timestamp, runID: Run.ID?, executionID: Execution.ID?,
        processorID: Identifier?, inputID: String?, data: JSONObject
    ) {
        self.kind = kind
        self.sequence = sequence
        self.timestamp = timestamp
        self.runID = runID
        self.executionID = executionID
        self.processorID = processorID
        self.inputID = inputID
        self.data = data
    }
}
