/// A graph in figures and names.
public struct GraphDescription: Hashable, Sendable {
    /// How the runs of a graph ended.
    public struct Executions: Hashable, Sendable {
        /// All of them.
        public var total = 0
        /// Those that succeeded.
        public var successful = 0
        /// Those that failed.
        public var failed = 0

        mutating func count(_ status: Status) {
            total += 1
            successful += status == .succeeded ? 1 : 0
            failed += status == .failed ? 1 : 0
        }
    }

    /// The graph.
    public let graphID: Identifier
    /// Its nodes in order of insertion.
    public let processors: [Identifier]
    /// Its pipes in order of insertion.
    public let connections: [Connection]
    /// Whether it was validated since it was last changed, and found valid.
    public let isValidated: Bool
    /// Its levels; `nil` when it is not valid.
    public let levels: [[Identifier]]?
    /// When it was made.
    public let createdAt: Timestamp
    /// How its runs ended.
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
