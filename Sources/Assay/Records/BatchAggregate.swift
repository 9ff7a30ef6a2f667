/// Sums over the batches of a call, which can be added in any order.
public struct BatchAggregate: Sendable {
    /// The counts of the items of all batches.
    public private(set) var counts = Counts()
    /// The number of batches.
    public private(set) var totalBatches = 0
    /// The failures, by batch and item.
    public private(set) var errors: [BatchError] = []
    /// The metrics of the batches, by index.
    public private(set) var batchMetrics: [BatchMetrics] = []
    /// The sum of the times of all batches.
    public private(set) var summedTime = Duration.zero
    private var span: (first: Duration, last: Duration)?
    private var outputs: [(batch: Int, outputs: [Payload])] = []
    private let keepsOutputs: Bool

    /// Creates sums over no batches.
    ///
    /// - Parameter keepsOutputs: whether ``results(as:)`` will be called.
    public init(keepsOutputs: Bool = true) { self.keepsOutputs = keepsOutputs }

    /// Creates the sums over `batches`.
    public init(_ batches: some Sequence<BatchResult>) {
        self.init()
        for batch in batches { add(batch) }
    }

    /// Adds a batch that has ended.
    public mutating func add(_ batch: BatchResult) {
        totalBatches += 1
        counts.add(batch.metrics.counts)
        summedTime += batch.metrics.duration
        let (began, ended) = (batch.metrics.began, batch.metrics.began + batch.metrics.duration)
        span = (min(span?.first ?? began, began), max(span?.last ?? ended, ended))
        batchMetrics.insert(batch.metrics, inOrderOf: \.batchIndex)
        for error in batch.errors { errors.insert(error, inOrderOf: \.batchIndex) }
        guard keepsOutputs else { return }
        let succeeded = batch.outcomes.filter { $0.status == .succeeded }.compactMap(\.output)
        outputs.insert((batch.batchIndex, succeeded), inOrderOf: \.batch)
    }

    /// The time from the start of the first batch to the end of the last; zero without batches.
    public var duration: Duration { span.map { $0.last - $0.first } ?? .zero }

    /// The share of items that succeeded; 0 without items.
    public var successRate: Double { counts.total == 0 ? 0 : Double(counts.succeeded) / Double(counts.total) }

    /// Returns the outputs of succeeded items in item order.
    ///
    /// - Throws: `DecodingError` when the type does not fit.
    public func results<Output: Codable & Sendable>(as type: Output.Type = Output.self) throws -> [Output] {
        try outputs.flatMap { try $0.outputs.map { try $0.value(as: type) } }
    }

    /// Returns the outputs of succeeded items in item order, as JSON; `nil` when they were not kept.
    func resultsAsJSON() throws -> [JSONValue]? {
        keepsOutputs ? try outputs.flatMap { try $0.outputs.map { try $0.json() } } : nil
    }
}

extension Counts {
    /// Adds the items of `other`.
    mutating func add(_ other: Counts) {
        total += other.total
        succeeded += other.succeeded
        failed += other.failed
        skipped += other.skipped
        cancelled += other.cancelled
    }
}

extension Array {
    /// Inserts an element in the order of `key`; an element that arrives in order is appended.
    fileprivate mutating func insert<Key: Comparable>(_ element: Element, inOrderOf key: (Element) -> Key) {
        let value = key(element)
        var place = count
        while place > 0, value < key(self[place - 1]) { place -= 1 }
        insert(element, at: place)
    }
}
