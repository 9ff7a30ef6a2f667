/// A description of a graph in numbers and names.
public struct GraphDescription: Hashable, Sendable {
    /// The counts of a graph's ended runs.
    public struct Executions: Hashable, Sendable {
        /// The number of all runs.
        public var total = 0
        /// The number of runs that succeeded.
        public var successful = 0
        /// The number of runs that failed.
        public var failed = 0

        mutating func count(_ status: Status) {
            total += 1
            successful += status == .succeeded ? 1 : 0
            failed += status == .failed ? 1 : 0
        }
    }

    /// The name of the graph.
    public let graphID: Identifier
    /// Its nodes in order of insertion.
    public let processors: [Identifier]
    /// Its pipes in order of insertion.
    public let connections: [Connection]
    /// Whether it was validated since its last change, and found valid.
    public let isValidated: Bool
    /// Its levels; `nil` when it is not valid.
    public let levels: [[Identifier]]?
    /// The time of its creation.
    public let createdAt: Timestamp
    /// The counts of its ended runs.
    public let executions: Executions

    /// The description as JSON.
    public var jsonValue: JSONValue {
        func names(_ nodes: [Identifier]) -> JSONValue { .array(nodes.map { .string($0.text) }) }
        return [
            "graph_id": .string(graphID.text), "total_processors": JSONValue(processors.count),
            "total_connections": JSONValue(connections.count), "is_validated": .bool(isValidated),
            "execution_levels": levels.map { .array($0.map(names)) } ?? .null, "processors": names(processors),
            "connections": .array(
                connections.map { ["from": .string($0.source), "to": .string($0.target)] }),
            "created_at": createdAt.jsonValue,
            "executions": [
                "total": JSONValue(executions.total), "successful": JSONValue(executions.successful),
                "failed": JSONValue(executions.failed),
            ],
        ]
    }
}
