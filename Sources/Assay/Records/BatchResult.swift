/// How one batch of a run ended.
public struct BatchResult: Sendable {
    /// The batch's name: `batch_` and a number of at least six digits that goes on over all calls of an engine.
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
    /// What its items cost.
    public let bill: Bill

    /// Whether every item succeeded.
    public var isSuccessful: Bool { status == .succeeded }
    /// Whether some items succeeded and not too many failed.
    public var hasPartialSuccess: Bool { status == .partial }
    /// The outcomes of failed items, in order.
    public var failedItems: [Outcome] { outcomes.filter { $0.status == .failed } }

    /// What succeeded, in order: each item's name with its output.
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
        /// Which one, from 1.
        public var number: Int
        /// How long it took.
        public var duration: Duration
        /// How many items of the batch had failed at its end.
        public var failedItems: Int
        /// Their messages, in item order.
        public var errorMessages: [String]
    }

    /// The batch's name.
    public var batchID: String
    /// Its place in the call, from 0.
    public var batchIndex: Int
    /// How its items ended; the total is the size of the batch.
    public var counts: Counts
    /// Its verdict.
    public var status: Status
    /// When it was begun, on the clock that never goes back.
    var began: Duration
    /// When it was begun.
    public var startedAt: Timestamp
    /// When it had ended.
    public var finishedAt: Timestamp
    /// The time in between, waits included.
    public var duration: Duration
    /// The retry that decided; 0 for the first attempt.
    public var retriesUsed: Int
    /// All attempts, in order; none when every item was carried.
    public var attempts: [Attempt]
    /// The messages of the failures that stood in the end, in item order.
    public var errorMessages: [String]
    /// The limit for which a batch failed of which some items succeeded, with what broke it; `nil` for any other.
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
    /// What failed.
    public var record: FailureRecord
}
