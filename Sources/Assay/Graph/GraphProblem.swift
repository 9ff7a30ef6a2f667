/// Something that is wrong with a graph: that keeps it from running, or a warning.
public struct GraphProblem: Hashable, Sendable {
    /// What is wrong, in the order in which problems are listed.
    public enum Kind: String, Sendable, CaseIterable {
        /// Nodes wait for each other in a circle.
        case cycle
        /// A node that has nothing to do with the others.
        case unconnected
        /// Several pipes end at a port that takes one.
        case severalConnections = "several_connections"
        /// The same ports are joined twice.
        case duplicateConnection = "duplicate_connection"
        /// A port that nothing leads to beside others that have their pipes.
        case missingConnection = "missing_connection"
        /// More nodes or pipes than a graph may have.
        case limit
        /// A warning: a node that needs several branches, of which an item may take only one.
        case branchedJoin = "branched_join"
    }

    /// What is wrong.
    public let kind: Kind
    /// What is wrong, with the names of those concerned.
    public let message: String
    /// The node concerned; `nil` when it is the whole graph.
    public let node: Identifier?
    /// The pipe concerned, by its place in ``Graph/connections``.
    public let connection: Int?
    /// What would put it right.
    public let fix: String?

    init(_ kind: Kind, _ message: String, node: Identifier? = nil, connection: Int? = nil, fix: String? = nil) {
        self.kind = kind
        self.message = message
        self.node = node
        self.connection = connection
        self.fix = fix
    }
}

extension GraphProblem: CustomStringConvertible {
    public var description: String { message }
}

/// The problems of a graph that was to run.
struct InvalidGraph: Error {
    let problems: [GraphProblem]
}

extension ProcessingError {
    /// The refusal of the graph named `graph`.
    init(_ problems: [GraphProblem], in graph: Identifier) {
        let first = problems.first?.message ?? ""
        let rest = problems.count > 1 ? " (and \(problems.count - 1) more)" : ""
        self.init(.graph, "graph '\(graph)' is not valid: \(first)\(rest)", cause: InvalidGraph(problems: problems))
    }

    /// What keeps the graph from running, when that is what was refused; otherwise none.
    public var graphProblems: [GraphProblem] { (cause as? InvalidGraph)?.problems ?? [] }
}
