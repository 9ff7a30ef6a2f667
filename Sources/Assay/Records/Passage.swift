/// The results of one item at the nodes of a graph.
public struct Passage: Hashable, Sendable {
    /// The result of the item at one node.
    public struct Node: Hashable, Sendable {
        /// The node.
        public let id: Identifier
        /// `succeeded`, `failed`, `skipped` or `cancelled`; `pending` for a node that was never reached.
        public var status: Status
        /// The reason it was skipped or cancelled, or what is special about its failure.
        public var reason: Outcome.Reason?
        /// The number of times the node was called; 0 when its output was saved or cached.
        public var attempts = 0
        /// The time from its first start on the item to its end, including waits between attempts.
        public var duration = Duration.zero
        /// The amount that the run was charged for the item there.
        public var cost = Money.zero
        private var failure: Failure?

        // Few nodes fail, and a record is large, so it is kept behind a reference.
        private final class Failure: Hashable, Sendable {
            let record: FailureRecord
            init(_ record: FailureRecord) { self.record = record }
            static func == (left: Failure, right: Failure) -> Bool { left.record == right.record }
            func hash(into hasher: inout Hasher) { hasher.combine(record) }
        }

        /// The failure, if it failed.
        public var error: FailureRecord? {
            get { failure?.record }
            set { failure = newValue.map(Failure.init) }
        }

        /// Creates a node at which nothing has happened yet.
        public init(_ id: Identifier, status: Status = .pending) {
            self.id = id
            self.status = status
        }
    }

    /// The nodes in order of insertion.
    public var nodes: [Node]
    /// The failures that left no result missing, in the order of their nodes.
    public var absorbed: [FailureRecord]

    /// Creates a passage from the given parts.
    public init(nodes: [Node], absorbed: [FailureRecord] = []) {
        self.nodes = nodes
        self.absorbed = absorbed
    }

    /// The result of the item at the node named `id`.
    public subscript(id: String) -> Node? { nodes.first { $0.id.text == id } }
}
