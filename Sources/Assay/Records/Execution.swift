/// A durable request to run a processor over items for a scope; it groups the runs that were made for it.
///
/// An execution either is submitted to a queue, where it waits for its turn, or is begun by a run at once. Only the
/// former has a ``number`` and what belongs to it.
public struct Execution: Sendable {
    /// The name of an execution.
    public typealias ID = Identifier

    /// The choices of an execution's next run about what earlier runs left.
    public struct Again: Hashable, Sendable {
        /// Whether only failed items run.
        public var failedOnly = false
        /// The choice for steps and outcomes.
        public var recovery = RecoveryMode.resume
        /// The choice for steps and outcomes when the processor has changed.
        public var onChange = ChangePolicy.refuse

        /// Creates the choices of a run that continues where the last run ended.
        public init() {}
    }

    /// The priority of executions that come after all others, by time of submission.
    public static let lowPriority = Double.greatestFiniteMagnitude

    /// The execution's name.
    public let id: ID
    /// The scope that it works for.
    public var scope: Scope
    /// The current status; mirrors the last run unless the execution waits for another run or ended without one.
    public var status: Status
    /// The time it was submitted or first seen.
    public let createdAt: Timestamp

    /// Its place in the order of submission, from 1, given by the store; `nil` when it was never in a queue.
    public var number: Int?
    /// The processor that works on it; `nil` when it was never in a queue.
    public var processorID: Identifier?
    /// The graph that it runs, whose name is then also ``processorID``; `nil` for a processor.
    public var graphID: Identifier?
    /// The priority; lower values are taken first.
    public var priority = 0.0
    /// The priority that was given, without what denials added; `nil` when it was derived from the time of submission.
    public var ownPriority: Double?
    /// The digest of its pipeline's definition as written; `nil` for what is known only by its name.
    public var pipeline: Digest?
    /// The key under which it may be submitted again without creating another execution.
    public var idempotencyKey: String?
    /// The digest of what was submitted under that key.
    public var content: Digest?
    /// The data that the admission policy receives.
    public var request: JSONObject = [:]
    /// The data from which its runs are made, by code that knows processors by name; it is stored with each run.
    public var runRequest: JSONValue = [:]
    /// The maximum time for each of its runs; `nil` for what the options say.
    public var timeout: Duration?
    /// Whether the output that its items emit is delivered while it runs.
    public var isStreaming = false
    /// The time before which it is not taken.
    public var notBefore: Timestamp?
    /// The data that the caller wants remembered.
    public var metadata: JSONObject = [:]

    /// The time its last run began.
    public var startedAt: Timestamp?
    /// The time it ended.
    public var finishedAt: Timestamp?
    /// The duration of its last run; zero for an execution that ended before any.
    public var duration: Duration?
    /// The reason it waits besides its turn: a postponed admission, or a worker that was given its pipeline.
    public var waitsFor: String?
    /// The reasons it was not admitted, one for each denial since it was last admitted.
    public var denials: [String] = []
    /// The number of pieces of output that its last run emitted.
    public var chunks = 0
    /// The number of runs that were made for it.
    public var runs = 0
    /// The number of times it returned to the queue because the program that held it died.
    public var recoveries = 0
    /// Its last run.
    public var lastRunID: Run.ID?
    /// The reason it did not succeed.
    public var error: FailureRecord?
    /// The reason it was skipped.
    public var reason: String?
    /// The choices of its next run about what earlier runs left.
    public var again = Again()
    /// Whether its cancellation was requested while it ran.
    public var isCancelling = false
    /// Its last report, for an execution that was restored from a snapshot without its runs.
    public var restoredResponse: JSONValue?

    /// Whether another try may help; `nil` before it has failed.
    public var retryable: Bool? { error?.retryable }

    /// Creates an execution as a store keeps it.
    public init(id: ID, scope: Scope, status: Status, createdAt: Timestamp) {
        self.id = id
        self.scope = scope
        self.status = status
        self.createdAt = createdAt
    }
}

extension Execution {
    /// Returns the priority of an execution that was given none: the time of its submission in seconds since 1970.
    static func normalPriority(at moment: Timestamp) -> Double { Double(moment.milliseconds) / 1_000 }

    /// Returns the execution as `run` begins, which admits it and clears what an earlier end left.
    package func begun(by run: Run) -> Execution {
        var execution = self
        execution.status = .running
        (execution.startedAt, execution.finishedAt, execution.duration) = (run.startedAt, nil, nil)
        (execution.denials, execution.error, execution.reason) = ([], nil, nil)
        execution.waitsFor = nil
        execution.restoredResponse = nil
        execution.runs += 1
        execution.lastRunID = run.id
        return execution
    }

    /// Returns the execution with the state of `run`. If the run was given up, the execution waits again, unless its
    /// end was requested. An execution that has ended stays unchanged.
    package func following(_ run: Run) -> Execution {
        guard !status.isTerminal else { return self }
        if run.isGivenUp, !isCancelling { return waiting(again) }
        var execution = self
        execution.status = run.status
        guard run.status.isTerminal else { return execution }
        execution.finishedAt = run.finishedAt
        execution.duration = run.duration ?? .zero
        execution.error = run.error
        execution.again = Again()
        execution.isCancelling = false
        return execution
    }

    /// Returns the execution after it ended other than by a run of its own.
    func ended(
        _ status: Status, at moment: Timestamp, error: ProcessingError? = nil, reason: String? = nil
    ) throws(ProcessingError) -> Execution {
        var execution = self
        execution.status = try self.status.moved(to: status)
        execution.finishedAt = moment
        execution.duration = execution.duration ?? .zero
        execution.error = error.map { FailureRecord($0, stage: .extraction, item: nil, attempt: 0) }
        (execution.reason, execution.waitsFor) = (reason, nil)
        execution.isCancelling = false
        return execution
    }

    /// Returns the execution as it waits again, for another run.
    func waiting(_ again: Again = Again()) -> Execution {
        var execution = self
        execution.status = .pending
        execution.again = again
        (execution.finishedAt, execution.duration, execution.error, execution.reason) = (nil, nil, nil, nil)
        (execution.notBefore, execution.denials, execution.isCancelling) = (nil, [], false)
        return execution
    }
}
