/// The runs that a run descends from.
public struct Lineage: Hashable, Sendable {
    /// The first run of the chain; its own id for a first run.
    public var parentRunID: Identifier
    /// The direct predecessor.
    public var previousRunID: Identifier?
    /// The number of retries between the first run and this one.
    public var retryCount: Int
    /// The step at which the predecessor failed; recorded, but without effect.
    public var lastErrorStep: String?
    /// The data that the caller wants remembered.
    public var metadata: JSONObject

    /// Creates a lineage from the given parts.
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

/// The number of items for each way to end.
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

    /// Creates counts in which no item has ended yet.
    public init(total: Int = 0) { self.total = total }

    /// Counts `count` more items that ended with `status`.
    public mutating func add(_ status: Status, _ count: Int = 1) {
        switch status {
        case .succeeded: succeeded += count
        case .failed: failed += count
        case .skipped: skipped += count
        case .cancelled: cancelled += count
        case .pending, .running, .paused, .partial, .aborted: break
        }
    }
}

/// One pass over the items of an execution, as a store keeps it.
public struct Run: Sendable {
    /// The name of a run.
    public typealias ID = Identifier

    /// The run's name, fresh for every run.
    public let id: ID
    /// The execution it belongs to.
    public let executionID: Execution.ID
    /// The processor that works on the items.
    public internal(set) var processorID: Identifier
    /// The definition of the processor when the run began: type, version, parameters, program and files.
    public internal(set) var definition: Digest
    /// The scope that it works for.
    public let scope: Scope
    /// The runs that it descends from.
    public let lineage: Lineage
    /// The runner's name.
    public let runner: String
    /// The request that the run was started with, as far as a later resume needs it; empty when started from code.
    public let request: JSONValue
    /// The time it began.
    public let startedAt: Timestamp
    /// A number that grows whenever another program takes the run over; whatever carries a lower one is refused.
    public var epoch: Int
    /// The current status.
    public var status: Status
    /// Whether all of its inputs are recorded; a run that ended before that cannot be continued.
    public var isListed: Bool
    /// Whether its list was accepted. Until then it leaves no mark: nothing is charged, no saved step is dropped, and
    /// later runs of the execution ignore it.
    public var isAccepted: Bool
    /// The counts of its items.
    public var counts: Counts
    /// The time it ended.
    public var finishedAt: Timestamp?
    /// The time it took.
    public var duration: Duration?
    /// The reason it did not succeed.
    public var error: FailureRecord?
    /// The value that `aggregate` returned.
    public var summary: Payload?
    /// Sums over items and steps.
    public var metrics: RunMetrics?
    /// The reason the bill is incomplete; `nil` when it is complete.
    public var incompleteReason: String?
    /// Whether it was cancelled because the program gave up its work, and not because someone requested its end.
    package var isGivenUp = false
    /// The point at which it is paused, while it is paused.
    public var pause: Pause?
    /// The parts of ``definition``, each as a digest; empty where there are none or they are unknown.
    package var definitionParts: JSONValue = [:]
    /// The graph that it runs, whose name is then also ``processorID``; `nil` for a run of one processor.
    public var graphID: Identifier?
    /// The time its items, outcomes and events were deleted; `nil` while they are on record.
    public var deletedAt: Timestamp?

    /// Creates a run that begins.
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
