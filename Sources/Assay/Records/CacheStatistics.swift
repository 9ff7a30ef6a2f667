/// Sums over cached values.
public struct CacheStatistics: Hashable, Sendable {
    /// The subject by which cached values are summed.
    public struct Subject: Hashable, Sendable, Comparable {
        /// The service, or the processor.
        public var service: String
        /// The operation; `extract` for the output of a processor.
        public var operation: String

        /// Creates the subject of an operation of a service.
        public init(service: String, operation: String) {
            self.service = service
            self.operation = operation
        }

        public static func < (left: Subject, right: Subject) -> Bool {
            (left.service, left.operation) < (right.service, right.operation)
        }
    }

    /// The sums of one subject.
    public struct Line: Hashable, Sendable {
        /// The number of values.
        public var entries = 0
        /// The number of values that may no longer be used.
        public var expired = 0
        /// The length of the values as JSON, in bytes.
        public var bytes = 0
        /// The number of times values were used.
        public var hits = 0
        /// The cost of the values.
        public var cost = MoneySum.zero
        /// The amount that the uses would have cost.
        public var avoided = MoneySum.zero

        /// The number of values that may still be used.
        public var fresh: Int { entries - expired }

        /// Creates sums over no values.
        public init() {}

        /// Adds the sums in `other`.
        public mutating func add(_ other: Line) {
            cost += other.cost
            avoided += other.avoided
            entries += other.entries
            expired += other.expired
            bytes += other.bytes
            hits += other.hits
        }
    }

    /// The sums by subject.
    public private(set) var lines: [Subject: Line] = [:]
    /// The number of entries that differ from what was written; they are in no other sum.
    public var damaged = 0

    /// Creates sums over no values.
    public init() {}

    /// Returns the sums over all subjects.
    public func total() -> Line {
        var total = Line()
        for line in lines.values { total.add(line) }
        return total
    }

    /// Adds a value as it is at `moment`.
    public mutating func add(_ entry: CacheEntry, at moment: Timestamp) {
        var line = Line()
        line.entries = 1
        line.expired = entry.isFresh(at: moment) ? 0 : 1
        line.bytes = entry.value.jsonBytes.count
        line.hits = entry.hits
        (line.cost, line.avoided) = (
            MoneySum(entry.cost), MoneySum(billionths: Int128(entry.cost.billionths) * Int128(entry.hits))
        )
        lines[Subject(service: entry.service, operation: entry.operation), default: Line()].add(line)
    }
}
