import Synchronization

/// The circuit breakers of an engine by name; they live as long as the engine.
public final class CircuitBreakers: Sendable {
    private let breakers = Mutex<[String: CircuitBreaker]>([:])

    init() {}

    /// Every breaker that has been used, in its current state.
    public var all: [String: CircuitBreaker] { breakers.withLock { $0 } }

    /// Closes a breaker and resets its counts; returns `false` when no breaker of that name has been used.
    @discardableResult public func reset(_ name: String) -> Bool {
        breakers.withLock { breakers in
            guard let breaker = breakers[name] else { return false }
            breakers[name] = CircuitBreaker(breaker.policy)
            return true
        }
    }

    /// Calls `body` with the breaker named `name`, which follows `policy` from now on.
    ///
    /// - Returns: what `body` returns, and the breaker's new state if `body` changed it.
    func use<Value>(
        _ name: String, _ policy: CircuitBreakerPolicy, _ body: (inout CircuitBreaker) -> Value
    ) -> (value: Value, moved: CircuitBreaker.State?) {
        breakers.withLock { breakers in
            var breaker = breakers[name] ?? CircuitBreaker(policy)
            breaker.policy = policy
            let before = breaker.state
            let value = body(&breaker)
            breakers[name] = breaker
            return (value, breaker.state == before ? nil : breaker.state)
        }
    }
}
