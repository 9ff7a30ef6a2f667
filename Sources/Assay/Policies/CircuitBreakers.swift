import Synchronization

/// The circuit breakers of an engine by name; they live as long as it does.
public final class CircuitBreakers: Sendable {
    private let breakers = Mutex<[String: CircuitBreaker]>([:])

    init() {}

    /// Every breaker that was used, as it stands.
    public var all: [String: CircuitBreaker] { breakers.withLock { $0 } }

    /// Closes a breaker and forgets its counts; `false` when nobody has used one of that name.
    @discardableResult public func reset(_ name: String) -> Bool {
        breakers.withLock { breakers in
            guard let breaker = breakers[name] else { return false }
            breakers[name] = CircuitBreaker(breaker.policy)
            return true
        }
    }

    /// Does `body` with the breaker named `name`, which from now on keeps to `policy`.
    ///
    /// - Returns: what `body` returns, and the state it brought the breaker to if that is another.
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
