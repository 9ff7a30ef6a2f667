/// A policy for when a failing service is left alone and when it is tried again.
public struct CircuitBreakerPolicy: Hashable, Sendable {
    /// The number of failures beyond successes at which the breaker opens.
    public let failureThreshold: Int
    /// The time it stays open before one attempt is let through.
    public let recoveryTimeout: Duration
    /// The number of successes while half open at which it closes.
    public let successThreshold: Int

    /// Creates a policy from the given parts.
    ///
    /// - Throws: ``ProcessingError`` with code `configuration` for thresholds below 1 and a time that is not above 0.
    public init(
        failureThreshold: Int = 5, recoveryTimeout: Duration = .seconds(60), successThreshold: Int = 3
    ) throws(ProcessingError) {
        for (name, value) in [("failure_threshold", failureThreshold), ("success_threshold", successThreshold)] {
            guard value < 1 else { continue }
            throw ProcessingError(.configuration, "\(name) must be at least 1, found \(value)")
        }
        guard recoveryTimeout > .zero else {
            throw ProcessingError(
                .configuration, "recovery_timeout must be greater than 0, found \(recoveryTimeout.secondsText)")
        }
        self.failureThreshold = failureThreshold
        self.recoveryTimeout = recoveryTimeout
        self.successThreshold = successThreshold
    }
}

/// The one stateful guard: it lets attempts through while they mostly succeed, and spares a failing service.
public struct CircuitBreaker: Hashable, Sendable {
    /// The state that decides whether attempts are let through.
    public enum State: String, Codable, Sendable {
        case closed, open
        case halfOpen = "half_open"
    }

    /// The policy that it follows.
    public internal(set) var policy: CircuitBreakerPolicy
    /// The current state.
    public private(set) var state = State.closed
    /// The failures beyond successes while closed.
    public private(set) var failures = 0
    /// The successes while half open.
    public private(set) var successes = 0
    /// The time it last opened, on the monotonic clock.
    public private(set) var openedAt: Duration?
    private var isTrying = false

    /// Creates a closed breaker.
    public init(_ policy: CircuitBreakerPolicy) { self.policy = policy }

    /// Returns whether an attempt may be made at `now`; the end of every admitted attempt must be reported.
    public mutating func admits(at now: Duration) -> Bool {
        if state == .open, let openedAt, now >= openedAt + policy.recoveryTimeout {
            (state, successes, isTrying) = (.halfOpen, 0, false)
        }
        switch state {
        case .closed: return true
        case .open: return false
        case .halfOpen:
            guard !isTrying else { return false }
            isTrying = true
            return true
        }
    }

    /// Records an attempt that succeeded.
    public mutating func succeed() {
        switch state {
        case .closed: failures = max(0, failures - 1)
        case .open: break
        case .halfOpen:
            isTrying = false
            successes += 1
            if successes >= policy.successThreshold { self = CircuitBreaker(policy) }
        }
    }

    /// Records an attempt that failed at `now`.
    public mutating func fail(at now: Duration) {
        switch state {
        case .closed:
            failures += 1
            if failures >= policy.failureThreshold { open(now) }
        case .open: break
        case .halfOpen: open(now)
        }
    }

    /// Records an attempt that ended without revealing anything about the service.
    public mutating func withdraw() { isTrying = false }

    /// Returns how long the breaker stays open from `now` on.
    public func remaining(at now: Duration) -> Duration {
        guard state == .open, let openedAt else { return .zero }
        return max(.zero, openedAt + policy.recoveryTimeout - now)
    }

    private mutating func open(_ now: Duration) {
        (state, openedAt, successes, isTrying) = (.open, now, 0, false)
    }
}
