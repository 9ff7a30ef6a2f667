/// A point at which a run of a graph stops before a node, for the items that meet a condition.
public struct Breakpoint: Hashable, Sendable {
    /// The node that it stops before.
    public let processorID: Identifier
    /// The condition that must hold; `nil` for every item.
    public let condition: Condition?
    /// The number of first matches that stop the run; `nil` for every match.
    public let hitCount: Int?
    /// Whether the breakpoint is in use.
    public var isEnabled: Bool
    /// The number of times it has matched.
    public internal(set) var totalHits = 0

    /// Creates a breakpoint from the given parts.
    ///
    /// - Throws: ``ProcessingError`` with code `configuration` for a hit count below 1.
    public init(
        _ processorID: Identifier, condition: Condition? = nil, hitCount: Int? = nil, isEnabled: Bool = true
    ) throws(ProcessingError) {
        if let hitCount, hitCount < 1 {
            throw ProcessingError(.configuration, "hit_count must be at least 1, found \(hitCount)")
        }
        self.processorID = processorID
        self.condition = condition
        self.hitCount = hitCount
        self.isEnabled = isEnabled
    }

    /// Checks a node that is about to start, and counts a match.
    ///
    /// - Returns: whether the run stops here.
    mutating func meets(_ start: NodeStart) -> Bool {
        guard isEnabled, condition?.holds(start.names) ?? true else { return false }
        totalHits += 1
        return hitCount.map { totalHits <= $0 } ?? true
    }

    /// Creates the breakpoint that ``jsonValue`` wrote; `nil` for anything else.
    init?(json: JSONValue) {
        guard let id = json["processor_id"]?.string.flatMap({ Identifier($0) }), let enabled = json["enabled"]?.bool,
            let hits = json["total_hits"]?.number?.integer
        else { return nil }
        do {
            let condition: Condition? =
                if let text = json["condition"]?.string { try Condition(text, for: .breakpoint) } else { nil }
            try self.init(id, condition: condition, hitCount: json["hit_count"]?.number?.integer, isEnabled: enabled)
        } catch { return nil }
        totalHits = hits
    }

    /// The breakpoint as JSON.
    public var jsonValue: JSONValue {
        [
            "processor_id": .string(processorID.text), "condition": condition.map { .string($0.text) } ?? .null,
            "hit_count": hitCount.map { .number(Number($0)) } ?? .null, "enabled": .bool(isEnabled),
            "total_hits": .number(Number(totalHits)),
        ]
    }
}
