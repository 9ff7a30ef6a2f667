extension Report {
    /// Returns the joins of `graph` that ran on no item of the run because one of their inputs never came, each with
    /// the number of such items.
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

    /// The statuses of a graph's nodes for a drawing: `paused` where the run is paused, otherwise the worst that
    /// happened to an item there.
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
