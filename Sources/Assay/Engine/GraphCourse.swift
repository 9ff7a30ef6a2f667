import Synchronization

/// What holds for the whole run of a graph, however many batches it goes in: whom to ask about failures and what was
/// counted for them, which base prices are paid, and what the nodes have done.
final class GraphCourse: Sendable {
    let recovery: RunRecovery
    /// The base prices of the nodes, by place.
    let bases: [BaseCharge]
    /// What is known of the programs of the nodes, by place.
    let suspicions: [Suspicion]
    private let profile = Mutex<[Identifier: NodeMetrics]>([:])
    private let counted = Mutex<[GraphBook.Join]>([])

    init(_ work: GraphWork, _ session: RunSession) {
        bases = work.wiring.nodes.map { _ in BaseCharge() }
        suspicions = work.wiring.nodes.map { _ in Suspicion() }
        let strategies = work.wiring.nodes.compactMap { node in node.errorStrategy.map { (node.id, $0) } }
        recovery = RunRecovery(
            graph: work.graph.id, standard: work.options.errorStrategy,
            strategies: Dictionary(uniqueKeysWithValues: strategies), breakers: session.breakers, world: session.world,
            skips: work.comeback?.pause.skips ?? [:],
            tell: { node, breaker in
                let kind: Event.Kind =
                    switch breaker {
                    case .open: .breakerOpen
                    case .halfOpen: .breakerHalfOpen
                    case .closed: .breakerClosed
                    }
                session.tally.emit(kind, by: node) { ["breaker": .string("\(work.graph.id)/\(node)")] }
            })
    }

    /// The joins in order of insertion, as they ran in all batches.
    var joins: [GraphBook.Join] { counted.withLock { $0 } }

    /// Adds what nodes have done in a batch, but for their base prices, and how joins ran there.
    func add(_ nodes: [NodeMetrics], _ joins: [GraphBook.Join]) {
        profile.withLock { profile in
            for var node in nodes {
                if let before = profile[node.processorID] { node.add(before) }
                profile[node.processorID] = node
            }
        }
        counted.withLock { counted in
            guard !counted.isEmpty else { return counted = joins }
            for (place, join) in joins.enumerated() {
                counted[place].ran += join.ran
                counted[place].missed += join.missed
            }
        }
    }

    /// What the nodes have done in all batches, those that took longest first.
    ///
    /// - Parameter bases: what was charged as base prices.
    func profile(with bases: [Identifier: MoneySum]) -> [NodeMetrics] {
        let nodes = profile.withLock { Array($0.values) }.sorted {
            ($1.total, $0.processorID) < ($0.total, $1.processorID)
        }
        return nodes.prefix(GraphFlow.keptAtMost).map { node in
            var node = node
            if let base = bases[node.processorID] { node.cost += base }
            return node
        }
    }
}
