/// A strategy that skips items while the node's circuit breaker is closed, and halts when it opens or is open.
///
/// Each node with this strategy has its own breaker. The breaker lives as long as the engine and counts every attempt
/// of the node, including those that other strategies have retried.
public struct BreakerStrategy: ErrorStrategy, Hashable {
    /// The policy that decides when the breaker opens.
    public let policy: CircuitBreakerPolicy
    /// The place of the setting for messages: `pipeline.yaml:12`.
    package var setAt: String? {
        get { place.text }
        set { place.text = newValue }
    }
    private var place = SettingPlace()

    /// Creates a strategy with a breaker of `policy`.
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
    /// Returns a strategy that stops using a node that keeps failing.
    public static func circuitBreaker(_ policy: CircuitBreakerPolicy) -> BreakerStrategy { BreakerStrategy(policy) }
}
