/// Skips items while the node's circuit breaker is closed, and halts when it opens or is open.
///
/// Each node with this strategy has a breaker of its own, which lives as long as the engine and counts every attempt
/// of the node, also those that other strategies have retried.
public struct BreakerStrategy: ErrorStrategy, Hashable {
    /// When the node is left alone.
    public let policy: CircuitBreakerPolicy

    /// A strategy that leaves a node alone by `policy`.
    public init(_ policy: CircuitBreakerPolicy) { self.policy = policy }

    public var breaker: CircuitBreakerPolicy? { policy }

    public func answer(to failure: NodeFailure) -> ErrorAnswer { failure.breaker == .closed ? .skip : .halt }
}

extension ErrorStrategy where Self == BreakerStrategy {
    /// Leaves a node alone that keeps failing.
    public static func circuitBreaker(_ policy: CircuitBreakerPolicy) -> BreakerStrategy { BreakerStrategy(policy) }
}
