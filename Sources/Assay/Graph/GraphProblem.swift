/// A problem of a graph: an error that keeps it from running, or a warning.
public struct GraphProblem: Hashable, Sendable {
    /// The kinds of problems, in the order in which problems are listed.
    public enum Kind: String, Sendable, CaseIterable {
        /// Nodes that wait for each other in a circle.
        case cycle
        /// A node without a connection to the others.
        case unconnected
        /// Several pipes that end at a port for one pipe.
        case severalConnections = "several_connections"
        /// A second pipe between the same ports.
        case duplicateConnection = "duplicate_connection"
        /// A port without a pipe beside connected ports.
        case missingConnection = "missing_connection"
        /// More nodes or pipes than a graph may have.
        case limit
        /// A warning: a node that needs several branches, of which an item may take only one.
        case branchedJoin = "branched_join"
    }

    /// The kind of the problem.
    public let kind: Kind
    /// A description of the problem, with the names involved.
    public let message: String
    /// The node with the problem; `nil` when it concerns the whole graph.
    public let node: Identifier?
    /// The pipe with the problem, by its place in ``Graph/connections``.
    public let connection: Int?
    /// A way to fix the problem.
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

/// The problems that keep a graph from running.
struct InvalidGraph: Error {
    let problems: [GraphProblem]
}

extension ProcessingError {
    /// Creates the error for the invalid graph named `graph`.
    init(_ problems: [GraphProblem], in graph: Identifier) {
        let first = problems.first?.message ?? ""
        let rest = problems.count > 1 ? " (and \(problems.count - 1) more)" : ""
        self.init(.graph, "graph '\(graph)' is not valid: \(first)\(rest)", cause: InvalidGraph(problems: problems))
    }

    /// The problems of the graph when this is the error for an invalid graph; otherwise empty.
    public var graphProblems: [GraphProblem] { (cause as? InvalidGraph)?.problems ?? [] }
}
