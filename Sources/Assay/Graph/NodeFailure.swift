/// A failed attempt of a node at an item, as an ``ErrorStrategy`` sees it.
public struct NodeFailure: Sendable {
    /// The error of the attempt.
    public let error: ProcessingError
    /// The node.
    public let node: Identifier
    /// The item.
    public let inputID: String
    /// The node's input for the item.
    public let inputData: JSONValue
    /// The number of failures of this node at this item in the run, including this one.
    public let number: Int
    /// The context of the run and of the attempt at the item; `nil` where no attempt was made.
    public let context: Context?

    /// The state of the node's circuit breaker after this failure; `nil` when it has none.
    let breaker: CircuitBreaker.State?
    /// A source of random numbers from 0 up to but not including 1.
    let chance: @Sendable () -> Double
    /// The skips that each strategy of the run has answered, by place.
    let counts: [StrategyPlace: StrategySkips]
    /// The graph of the run.
    var graph: Identifier?
    /// The strategy that is being asked.
    var place: StrategyPlace

    /// The number of times that the current strategy has answered skip in this run.
    public var skips: Int { counts[place]?.count ?? 0 }

    /// The items that the current strategy has skipped, for a message.
    var skippedList: String { Limit.list(counts[place]?.items ?? [], of: skips) }

    /// The owner of the current strategy, for a message.
    var owner: String? { (place.node.map { "node '\($0)'" }) ?? (graph.map { "graph '\($0)'" }) }

    /// Returns the same failure for a part of the current strategy.
    func part(_ index: Int) -> NodeFailure {
        var failure = self
        failure.place.path.append(index)
        return failure
    }
}
