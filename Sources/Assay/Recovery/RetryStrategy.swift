/// Runs the node again while its policy has delays left; then halts.
public struct RetryStrategy: ErrorStrategy, Hashable {
    /// How often, after which failures, and after how long.
    public let policy: RetryPolicy

    /// A strategy that retries by `policy`.
    public init(_ policy: RetryPolicy) { self.policy = policy }

    public func answer(to failure: NodeFailure) -> ErrorAnswer {
        let delay = policy.delay(after: failure.error, attempt: failure.number, chance: failure.chance())
        return delay.map { .retry(after: $0) } ?? .halt
    }
}

extension ErrorStrategy where Self == RetryStrategy {
    /// Runs the node again by `policy`.
    public static func retry(_ policy: RetryPolicy) -> RetryStrategy { RetryStrategy(policy) }
}
