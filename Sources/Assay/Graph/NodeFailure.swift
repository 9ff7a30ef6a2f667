/// A failed attempt of a node at an item, as an ``ErrorStrategy`` sees it.
public struct NodeFailure: Sendable {
    /// What went wrong.
    public let error: ProcessingError
    /// The node.
    public let node: Identifier
    /// The item.
    public let inputID: String
    /// What the node was given of the item.
    public let inputData: JSONValue
    /// How many failures of this node at this item there have been in the run, this one included.
    public let number: Int
    /// The run, and the attempt at the item; `nil` where no attempt was made.
    public let context: Context?

    /// How the node's circuit breaker stands after this failure; `nil` when it has none.
    let breaker: CircuitBreaker.State?
    /// A number from 0 up to but not including 1.
    let chance: @Sendable () -> Double
    /// How many skips each strategy of the run has answered, by its place.
    let counts: [StrategyPlace: StrategySkips]
    /// The graph of the run.
    var graph: Identifier?
    /// The strategy that is being asked.
    var place: StrategyPlace

    /// How many times the strategy that is asked has answered skip in this run.
    public var skips: Int { counts[place]?.count ?? 0 }

    /// The items that the strategy that is asked has skipped, for a message.
    var skippedList: String { Limit.list(counts[place]?.items ?? [], of: skips) }

    /// Whose strategy is asked, for a message.
    var owner: String? { (place.node.map { "node '\($0)'" }) ?? (graph.map { "graph '\($0)'" }) }

    /// The same failure for a part of the strategy that is being asked.
    func part(_ index: Int) -> NodeFailure {
        var failure = self
        failure.place.path.append(index)
        return failure
    }
}
