import Synchronization

/// The state of a whole run of a graph, across all of its batches: the error strategies with their counts, the base
/// prices that are paid, and what the nodes have done.
final class GraphCourse: Sendable {
    /// The limit on the nodes and on the pipes that are kept with a run. Every look at its record reads them all.
    static let keptAtMost = 1_000

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

    /// The joins in order of insertion, with how often they ran in all batches.
    var joins: [GraphBook.Join] { counted.withLock { $0 } }

    /// Adds the metrics of the nodes in a batch, without their base prices, and how often joins ran there.
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

    /// Returns the metrics of the nodes over all batches, those that took longest first.
    ///
    /// - Parameter bases: the base prices that were charged.
    func profile(with bases: [Identifier: MoneySum]) -> [NodeMetrics] {
        let nodes = profile.withLock { Array($0.values) }.sorted {
            ($1.total, $0.processorID) < ($0.total, $1.processorID)
        }
        return nodes.prefix(Self.keptAtMost).map { node in
            var node = node
            if let base = bases[node.processorID] { node.cost += base }
            return node
        }
    }
}
