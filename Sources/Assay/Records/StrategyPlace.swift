/// Where in a run's strategies one stands, under which its answers are counted.
struct StrategyPlace: Hashable, Sendable {
    /// The node whose strategy it is; `nil`: the one of the graph.
    var node: Identifier?
    /// Its positions in composite strategies, from the outermost inwards.
    var path: [Int] = []
}

/// How often a strategy has answered skip in a run, and about which items first.
struct StrategySkips: Hashable, Sendable {
    var count = 0
    /// As many as messages name: `doc_7`, or `doc_7 at node 'ocr'` for a strategy of the graph.
    var items: [String] = []

    mutating func add(_ item: String) {
        count += 1
        if items.count < Limit.listed { items.append(item) }
    }
}
