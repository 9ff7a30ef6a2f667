/// Skips items while the node's circuit breaker is closed, and halts when it opens or is open.
///
/// Each node with this strategy has a breaker of its own, which lives as long as the engine and counts every attempt
/// of the node, also those that other strategies have retried.
public struct BreakerStrategy: ErrorStrategy, Hashable {
    /// When the node is left alone.
    public let policy: CircuitBreakerPolicy
    /// Where it was set, for messages: `pipeline.yaml:12`.
    package var setAt: String? {
        get { place.text }
        set { place.text = newValue }
    }
    private var place = SettingPlace()

    /// A strategy that leaves a node alone by `policy`.
    public init(_ policy: CircuitBreakerPolicy) { self.policy = policy }

    public var breaker: CircuitBreakerPolicy? { policy }

    public func answer(to failure: NodeFailure) -> ErrorAnswer { failure.breaker == .closed ? .skip : .halt }

    public func limit(after failure: NodeFailure) -> String? {
        let limit = Limit(
            "failure_threshold: \(policy.failureThreshold)", of: "the circuit breaker of node '\(failure.node)'",
            setAt: setAt)
        guard failure.error.code != .circuitOpen else { return "\(limit) was used up before" }
        let others = failure.skippedList
        return "\(limit) was used up" + (others.isEmpty ? "" : " (skipped before: \(others))")
    }
}

extension ErrorStrategy where Self == BreakerStrategy {
    /// Leaves a node alone that keeps failing.
    public static func circuitBreaker(_ policy: CircuitBreakerPolicy) -> BreakerStrategy { BreakerStrategy(policy) }
}
