/// What became of one item at the nodes of a graph.
public struct Passage: Hashable, Sendable {
    /// What became of it at one node.
    public struct Node: Hashable, Sendable {
        /// The node.
        public let id: Identifier
        /// `succeeded`, `failed`, `skipped` or `cancelled`; `pending` for one that was never reached.
        public var status: Status
        /// Why it was skipped or cancelled, or what is special about its failure.
        public var reason: Outcome.Reason?
        /// How often it was called; 0 when its output was saved or cached.
        public var attempts = 0
        /// From its first start on the item to its end, waits between attempts included.
        public var duration = Duration.zero
        /// What the run was charged for the item there.
        public var cost = Money.zero
        private var failure: Failure?

        // Few nodes fail, and a record is large.
        private final class Failure: Hashable, Sendable {
            let record: FailureRecord
            init(_ record: FailureRecord) { self.record = record }
            static func == (left: Failure, right: Failure) -> Bool { left.record == right.record }
            func hash(into hasher: inout Hasher) { hasher.combine(record) }
        }

        /// The failure, when it failed.
        public var error: FailureRecord? {
            get { failure?.record }
            set { failure = newValue.map(Failure.init) }
        }

        /// A node at which nothing has happened yet.
        public init(_ id: Identifier, status: Status = .pending) {
            self.id = id
            self.status = status
        }
    }

    /// The nodes in order of insertion.
    public var nodes: [Node]
    /// Failures that no result lacks anything for, in the order of their nodes.
    public var absorbed: [FailureRecord]

    /// What became of an item.
    public init(nodes: [Node], absorbed: [FailureRecord] = []) {
        self.nodes = nodes
        self.absorbed = absorbed
    }

    /// What became of it at the node named `id`.
    public subscript(id: String) -> Node? { nodes.first { $0.id.text == id } }
}
