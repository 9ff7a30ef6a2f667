/// The result of one batch of a run.
public struct BatchResult: Sendable {
    /// The batch's name: `batch_` and a number of at least six digits that keeps counting over all calls of an engine.
    public let batchID: String
    /// Its place in the call, from 0.
    public let batchIndex: Int
    /// Its verdict.
    public let status: Status
    /// One outcome per item, in order.
    public let outcomes: [Outcome]
    /// Its times and counts.
    public let metrics: BatchMetrics
    /// One record per failed item, in order.
    public let errors: [BatchError]
    /// The cost of its items.
    public let bill: Bill

    /// Whether every item succeeded.
    public var isSuccessful: Bool { status == .succeeded }
    /// Whether some items succeeded and not too many failed.
    public var hasPartialSuccess: Bool { status == .partial }
    /// The outcomes of failed items, in order.
    public var failedItems: [Outcome] { outcomes.filter { $0.status == .failed } }

    /// Returns the name and output of each item that succeeded, in order.
    ///
    /// - Throws: `DecodingError` when the type does not fit.
    public func successfulResults<Output: Codable & Sendable>(
        as type: Output.Type = Output.self
    ) throws -> [(inputID: String, output: Output)] {
        try outcomes.filter { $0.status == .succeeded }.map { ($0.inputID, try $0.get(as: type)) }
    }
}

/// The times and counts of one batch.
public struct BatchMetrics: Hashable, Sendable {
    /// One attempt at a batch.
    public struct Attempt: Hashable, Sendable {
        /// The number of the attempt, from 1.
        public var number: Int
        /// The time it took.
        public var duration: Duration
        /// The number of items of the batch that had failed when it ended.
        public var failedItems: Int
        /// The messages of those failures, in item order.
        public var errorMessages: [String]
    }

    /// The batch's name.
    public var batchID: String
    /// Its place in the call, from 0.
    public var batchIndex: Int
    /// The counts of its items; the total is the size of the batch.
    public var counts: Counts
    /// Its verdict.
    public var status: Status
    /// The time it began, on the clock that never goes backward.
    var began: Duration
    /// The time it began.
    public var startedAt: Timestamp
    /// The time it ended.
    public var finishedAt: Timestamp
    /// The time in between, including waits.
    public var duration: Duration
    /// The number of the retry that decided; 0 for the first attempt.
    public var retriesUsed: Int
    /// All attempts, in order; empty when every item was carried.
    public var attempts: [Attempt]
    /// The messages of the failures that remained at the end, in item order.
    public var errorMessages: [String]
    /// The limit that failed a batch although some of its items succeeded, with what broke it; `nil` for any other
    /// batch.
    public var limit: String?
}

/// The failure of one item of a batch.
public struct BatchError: Hashable, Sendable {
    /// The batch's name.
    public var batchID: String
    /// Its place in the call, from 0.
    public var batchIndex: Int
    /// The item's place in the batch, from 0.
    public var itemIndex: Int
    /// The record of the failure.
    public var record: FailureRecord
}
