import Assay

extension Passage {
    /// Returns the ends of an item at the nodes of a graph and its steps, for the column that holds the steps of other
    /// items.
    func stored(with steps: [Outcome.Step]) throws -> JSONValue {
        [
            "steps": .array(steps.map(\.stored)), "nodes": .array(try nodes.map { try $0.stored() }),
            "absorbed": .array(try absorbed.map { try $0.stored() }),
        ]
    }

    init?(stored: JSONValue) {
        guard let nodes = stored["nodes"]?.array, let absorbed = stored["absorbed"]?.array else { return nil }
        self.init(
            nodes: nodes.compactMap(Node.init(stored:)), absorbed: absorbed.compactMap(FailureRecord.init(stored:)))
    }
}

extension Passage.Node {
    fileprivate func stored() throws -> JSONValue {
        [
            .string(id.text), .string(status.rawValue), reason.map { .string($0.rawValue) } ?? .null,
            .whole(attempts), .whole(duration.nanoseconds), .whole(cost.billionths), try error?.stored() ?? .null,
        ]
    }

    fileprivate init?(stored: JSONValue) {
        guard let parts = stored.array, parts.count == 7, let id = parts[0].string.flatMap({ Identifier($0) }),
            let status = parts[1].string.flatMap({ Status(rawValue: $0) }), let attempts = parts[3].whole,
            let duration = parts[4].whole, let cost = parts[5].whole
        else { return nil }
        self.init(id, status: status)
        reason = parts[2].string.flatMap { Outcome.Reason(rawValue: $0) }
        self.attempts = attempts
        self.duration = .nanoseconds(duration)
        self.cost = Money(billionths: Int64(cost))
        if parts[6] != .null { error = FailureRecord(stored: parts[6]) }
    }
}
