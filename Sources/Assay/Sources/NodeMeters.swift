import Metrics

/// The metrics that the nodes of a graph send to the backend that the program has set up.
struct NodeMeters: Sendable {
    private struct Meters: Sendable {
        let items: [Status: Counter]
        let attempts: Counter
        let duration: Timer
        let cost: FloatingPointCounter
    }

    private let nodes: [Meters]

    /// Creates the meters of the nodes of `graph`; `nil` without a backend, where creating them would be all they ever
    /// do.
    init?(_ wiring: Wiring, of graph: Identifier, factory: any MetricsFactory = MetricsSystem.factory) {
        guard !(factory is NOOPMetricsHandler) else { return nil }
        nodes = wiring.nodes.map { node in
            let dimensions = [("graph", graph.text), ("processor", node.id.text)]
            let items = [Status.succeeded, .failed, .cancelled].map { status in
                (
                    status,
                    Counter(
                        label: "assay_node_items_total", dimensions: dimensions + [("status", status.rawValue)],
                        factory: factory)
                )
            }
            return Meters(
                items: Dictionary(uniqueKeysWithValues: items),
                attempts: Counter(label: "assay_node_attempts_total", dimensions: dimensions, factory: factory),
                duration: Timer(label: "assay_node_duration_seconds", dimensions: dimensions, factory: factory),
                cost: FloatingPointCounter(label: "assay_node_cost_total", dimensions: dimensions, factory: factory))
        }
    }

    /// Counts an item that a node is done with.
    func count(_ passage: Passage.Node, at node: Int) {
        nodes[node].items[passage.status]?.increment()
        guard passage.attempts > 0 else { return }
        nodes[node].attempts.increment(by: passage.attempts)
        nodes[node].duration.recordNanoseconds(passage.duration.milliseconds * 1_000_000)
        if passage.cost != .zero { nodes[node].cost.increment(by: Double(passage.cost.billionths) / 1e9) }
    }
}
