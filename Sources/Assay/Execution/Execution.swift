/// A durable request: a processor over items for a scope; it groups the runs that were made for it.
///
/// An execution is submitted to a queue, where it waits for its turn, or begun by a run at once; only the former has a
/// ``number`` and what goes with it.
public struct Execution: Sendable {
    /// Names an execution.
    public typealias ID = Identifier

    /// How the next run of an execution treats what earlier ones left.
    public struct Again: Hashable, Sendable {
        /// Whether only failed items run.
        public var failedOnly = false
        /// What becomes of steps and outcomes.
        public var recovery = RunOptions.Recovery.resume
        /// What a processor that has changed means for them.
        public var onChange = RunOptions.DefinitionChange.refuse

        /// Goes on where the last run ended.
        public init() {}
    }

    /// The priority of what goes after all others, by the time of submission.
    public static let lowPriority = Double.greatestFiniteMagnitude

    /// The execution's name.
    public let id: ID
    /// For whom it is.
    public var scope: Scope
    /// Where it stands: as its last run, unless it waits for a further one or ended without any.
    public var status: Status
    /// When it was submitted, or first seen.
    public let createdAt: Timestamp

    /// Its place in the order of submission, from 1, given by the store; `nil` when it was never in a queue.
    public var number: Int?
    /// The processor that works on it; `nil` when it was never in a queue.
    public var processorID: Identifier?
    /// The graph that it runs, whose name is then also ``processorID``; `nil` for a processor.
    public var graphID: Identifier?
    /// What is taken first: the lower, the earlier.
    public var priority = 0.0
    /// The priority that was given, without what denials added to it; `nil` when it was made of the time of submission.
    public var ownPriority: Double?
    /// The digest of its pipeline's definition as it was written; `nil` for what is known by its name alone.
    public var pipeline: Digest?
    /// Under which name it may be submitted again without being made again.
    public var idempotencyKey: String?
    /// The digest of what was submitted under that key.
    public var content: Digest?
    /// What the admission policy is shown.
    public var request: JSONObject = [:]
    /// What its runs are made of, for the code that knows processors by name; it is stored with each run.
    public var runRequest: JSONValue = [:]
    /// The longest each of its runs may take; `nil` for what the options say.
    public var timeout: Duration?
    /// Whether what its items emit is delivered while it runs.
    public var isStreaming = false
    /// The moment before which it is not taken.
    public var notBefore: Timestamp?
    /// What the caller wants remembered.
    public var metadata: JSONObject = [:]

    /// When its last run began.
    public var startedAt: Timestamp?
    /// When it ended.
    public var finishedAt: Timestamp?
    /// How long its last run took; zero for one that ended before any.
    public var duration: Duration?
    /// What it waits for besides its turn: an admission that was put off, or a worker that was given its pipeline.
    public var waitsFor: String?
    /// Why it was not admitted, once for each denial since it last was.
    public var denials: [String] = []
    /// How many pieces of output its last run emitted.
    public var chunks = 0
    /// How many runs were made for it.
    public var runs = 0
    /// How often it went back to the queue because the program that held it died.
    public var recoveries = 0
    /// Its last run.
    public var lastRunID: Run.ID?
    /// Why it did not succeed.
    public var error: FailureRecord?
    /// Why it was skipped.
    public var reason: String?
    /// What its next run does with what earlier ones left.
    public var again = Again()
    /// Whether its cancellation was asked for while it ran.
    public var isCancelling = false
    /// Its last report, for one that came out of a snapshot without its runs.
    public var restoredResponse: JSONValue?

    /// Whether it would help to try again; `nil` before it has failed.
    public var retryable: Bool? { error?.retryable }

    /// An execution as a store keeps it.
    public init(id: ID, scope: Scope, status: Status, createdAt: Timestamp) {
        self.id = id
        self.scope = scope
        self.status = status
        self.createdAt = createdAt
    }
}

extension Execution {
    /// The priority of an execution that was given none: the time of its submission in seconds since 1970.
    static func normalPriority(at moment: Timestamp) -> Double { Double(moment.milliseconds) / 1_000 }

    /// The execution as `run` begins, which admits it and leaves nothing of an earlier end.
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

    /// The execution as it stands with `run`; one whose run was given up waits again, unless its end was asked for, and
    /// one that has ended stays so.
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

    /// The execution after it ended otherwise than by a run of its own.
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

    /// The execution back among those that wait, for another run.
    func waiting(_ again: Again = Again()) -> Execution {
        var execution = self
        execution.status = .pending
        execution.again = again
        (execution.finishedAt, execution.duration, execution.error, execution.reason) = (nil, nil, nil, nil)
        (execution.notBefore, execution.denials, execution.isCancelling) = (nil, [], false)
        return execution
    }
}
