/// The place of a strategy in a run, under which its answers are counted.
struct StrategyPlace: Hashable, Sendable {
    /// The node that has the strategy; `nil` for the graph's own.
    var node: Identifier?
    /// The positions in composite strategies, from the outermost inward.
    var path: [Int] = []
}

/// The number of times a strategy has answered skip in a run, and the first items it was about.
struct StrategySkips: Hashable, Sendable {
    var count = 0
    /// The first items, as many as messages name: `doc_7`, or `doc_7 at node 'ocr'` for a strategy of the graph.
    var items: [String] = []

    mutating func add(_ item: String) {
        count += 1
        if items.count < Limit.listed { items.append(item) }
    }
}
