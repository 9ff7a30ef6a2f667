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

extension Report {
    /// The joins of `graph` that ran on no item of the run because one of their inputs never came, with how many items
    /// that was so for.
    public func missedJoins(of graph: Graph) -> [(node: Identifier, items: Int)] {
        let wiring = graph.wiring
        let joins = wiring.nodes.indices.filter { wiring.nodes[$0].isJoin(of: wiring.incoming[$0].count) }
        let passages = outcomes.compactMap(\.passage)
        return joins.compactMap { place in
            let id = wiring.nodes[place].id
            let ends = passages.compactMap { $0[id.text] }
            let missed = ends.count { $0.status == .skipped && $0.reason == .notRouted }
            return missed > 0 && ends.allSatisfy { $0.status == .skipped } ? (id, missed) : nil
        }
    }

    /// Where the nodes of a graph stand, for a drawing: `paused` where the run stands still, else the worst that happened
    /// to an item there.
    public var nodeStatuses: [Identifier: Status] {
        let order: [Status] = [.pending, .skipped, .succeeded, .cancelled, .failed]
        var statuses: [Identifier: Status] = [:]
        for node in outcomes.lazy.compactMap(\.passage).flatMap(\.nodes) {
            let known = statuses[node.id].flatMap { order.firstIndex(of: $0) } ?? -1
            if let place = order.firstIndex(of: node.status), place > known { statuses[node.id] = node.status }
        }
        if let pause = run.pause { statuses[pause.start.processorID] = .paused }
        return statuses
    }
}
