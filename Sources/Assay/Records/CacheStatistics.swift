/// Sums over cached values.
public struct CacheStatistics: Hashable, Sendable {
    /// What cached values are added up by.
    public struct Subject: Hashable, Sendable, Comparable {
        /// The service, or the processor.
        public var service: String
        /// The operation; `extract` for the output of a processor.
        public var operation: String

        /// An operation of a service.
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
        /// How many values there are.
        public var entries = 0
        /// How many of them may no longer be used.
        public var expired = 0
        /// The length of the values as JSON.
        public var bytes = 0
        /// How often values were used.
        public var hits = 0
        /// What the values had cost.
        public var cost = MoneySum.zero
        /// What the uses would have cost.
        public var avoided = MoneySum.zero

        /// How many values may still be used.
        public var fresh: Int { entries - expired }

        /// No values.
        public init() {}

        /// Adds the sums of others.
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
    /// How many entries are not as they were written; they are in no other sum.
    public var damaged = 0

    /// No values.
    public init() {}

    /// All sums in one.
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
