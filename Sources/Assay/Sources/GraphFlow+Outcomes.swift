// What becomes of items that leave a graph.

extension GraphFlow {
    /// Returns the outcome of an item that leaves the graph.
    ///
    /// - Parameter reason: why it was stopped before all of its nodes had ended; `nil`: they have.
    func outcome(of departure: Departure, stoppedBy reason: Outcome.Reason?) -> Outcome {
        let (traveller, way) = (departure.traveller, departure.flow)
        var nodes = traveller.nodes
        let (failed, responsible) = failures(of: departure)
        if let reason, way.unfinished > 0 {
            for place in nodes.indices where nodes[place].status == .pending {
                (nodes[place].status, nodes[place].reason) = (.cancelled, reason)
            }
        }
        let isFromOutside = reason == .runCancelled || reason == .runTimeout
        let isCancelled = reason != nil && (isFromOutside || failed.isEmpty)
        var outcome =
            isCancelled
            ? Outcome(traveller.entry, .cancelled, reason)
            : Outcome(
                traveller.entry, failed.isEmpty || responsible.isEmpty && reason == nil ? .succeeded : .failed, nil)
        // Results are JSON already, so encoding them cannot fail.
        if let map = try? way.resultMap(in: wiring), outcome.status == .succeeded || !way.results.isEmpty {
            outcome.output = map
        }
        outcome.isKept = traveller.isKept
        outcome.duration = session.world.time.uptime() - traveller.startedAt
        outcome.attempts = nodes.reduce(0) { max($0, $1.attempts) }
        // The costs of attempts of its batch that no longer count.
        let before = session.tally.takeCosts(of: traveller.entry.index)
        session.tally.fill(
            &outcome, cost: nodes.reduce(before.cost) { $0 + $1.cost }, avoided: traveller.avoidedCost + before.avoided)
        if !traveller.steps.isEmpty { outcome.steps = traveller.steps }
        outcome.attempts += session.attemptsBefore(traveller.entry.index)
        if outcome.status == .failed, let first = responsible.min() ?? failed.min() {
            if let error = nodes[first].error { outcome.error = error }
            outcome.reason = nodes[first].reason
        }
        outcome.passage = Passage(
            nodes: nodes, absorbed: failed.subtracting(responsible).sorted().compactMap { nodes[$0].error })
        if !failed.isEmpty || outcome.attempts > 1 {
            recovery.forget(traveller.entry.item.id, at: wiring.nodes.lazy.map(\.id))
        }
        return outcome
    }

    /// Returns the failure of an item that leaves the graph.
    func failureRecord(of departure: Departure) -> FailureRecord? {
        let (failed, responsible) = failures(of: departure)
        return (responsible.min() ?? failed.min()).flatMap { departure.traveller.nodes[$0].error }
    }
}
