/// Which runs a run descends from.
public struct Lineage: Hashable, Sendable {
    /// The first run of the chain; its own id for a first run.
    public var parentRunID: Identifier
    /// The direct predecessor.
    public var previousRunID: Identifier?
    /// How many retries lie between the first run and this one.
    public var retryCount: Int
    /// The step at which the predecessor failed; recorded, drives nothing.
    public var lastErrorStep: String?
    /// What the caller wants remembered.
    public var metadata: JSONObject

    /// A lineage of the given parts.
    public init(
        parentRunID: Identifier, previousRunID: Identifier? = nil, retryCount: Int = 0, lastErrorStep: String? = nil,
        metadata: JSONObject = [:]
    ) {
        self.parentRunID = parentRunID
        self.previousRunID = previousRunID
        self.retryCount = retryCount
        self.lastErrorStep = lastErrorStep
        self.metadata = metadata
    }
}

/// How many items ended how.
public struct Counts: Hashable, Sendable {
    /// All items of the run.
    public var total = 0
    /// Items with an output.
    public var succeeded = 0
    /// Items that failed for good.
    public var failed = 0
    /// Items that were never reached.
    public var skipped = 0
    /// Items that were not finished.
    public var cancelled = 0

    /// No items yet.
    public init(total: Int = 0) { self.total = total }

    /// Counts one more item that ended with `status`.
    public mutating func add(_ status: Status) {
        switch status {
        case .succeeded: succeeded += 1
        case .failed: failed += 1
        case .skipped: skipped += 1
        case .cancelled: cancelled += 1
        case .pending, .running, .paused, .partial, .aborted: break
        }
    }
}

/// One attempt at an execution, as a store keeps it.
public struct Run: Sendable {
    /// Names a run.
    public typealias ID = Identifier

    /// The run's name, fresh for every run.
    public let id: ID
    /// The execution it belongs to.
    public let executionID: Execution.ID
    /// The processor that works.
    public internal(set) var processorID: Identifier
    /// What the processor did when the run began: type, version, parameters, program and files.
    public internal(set) var definition: Digest
    /// For whom it works.
    public let scope: Scope
    /// Which runs it descends from.
    public let lineage: Lineage
    /// The runner's name.
    public let runner: String
    /// What the run was started with, as far as a later resume needs it; empty when started from code.
    public let request: JSONValue
    /// When it began.
    public let startedAt: Timestamp
    /// Grows whenever another program takes the run over; what carries a lower one is refused.
    public var epoch: Int
    /// Where it stands.
    public var status: Status
    /// Whether all of its inputs are on record; a run that ended earlier cannot be gone on with.
    public var isListed: Bool
    /// Whether its list was accepted. Until then it has left no mark: nothing is charged, no saved step is dropped, and
    /// later runs of the execution do not look at it.
    public var isAccepted: Bool
    /// How its items ended.
    public var counts: Counts
    /// When it ended.
    public var finishedAt: Timestamp?
    /// How long it took.
    public var duration: Duration?
    /// Why it did not succeed.
    public var error: FailureRecord?
    /// What `aggregate` returned.
    public var summary: Payload?
    /// Sums over items and steps.
    public var metrics: RunMetrics?
    /// Why the bill is not complete; `nil` when it is.
    public var incompleteReason: String?
    /// Whether it was cancelled because the program gave its work up, and not because somebody wanted its end.
    package var isGivenUp = false
    /// Where it stands still, while it is paused.
    public var pause: Pause?
    /// The parts of ``definition``, each by a digest; empty where there are none or nobody knows them.
    package var definitionParts: JSONValue = [:]
    /// The graph that it runs, whose name is then also ``processorID``; `nil` for a run of one processor.
    public var graphID: Identifier?
    /// When its items, outcomes and events were deleted; `nil` while they are on record.
    public var deletedAt: Timestamp?

    /// A run that begins.
    public init(
        id: ID, executionID: Execution.ID, processorID: Identifier, definition: Digest, scope: Scope,
        lineage: Lineage, runner: String, request: JSONValue, startedAt: Timestamp, epoch: Int = 1,
        status: Status = .running, isListed: Bool = false, isAccepted: Bool = true,
        counts: Counts = Counts()
    ) {
        self.id = id
        self.executionID = executionID
        self.processorID = processorID
        self.definition = definition
        self.scope = scope
        self.lineage = lineage
        self.runner = runner
        self.request = request
        self.startedAt = startedAt
        self.epoch = epoch
        self.status = status
        self.isListed = isListed
        self.isAccepted = isAccepted
        self.counts = counts
    }
}
