/// A strategy that runs the node again while its policy has delays left, and then halts.
public struct RetryStrategy: ErrorStrategy, Hashable {
    /// The policy: how often, after which failures and after how long.
    public let policy: RetryPolicy
    /// The place of the setting for messages: `pipeline.yaml:12`.
    package var setAt: String? {
        get { place.text }
        set { place.text = newValue }
    }
    private var place = SettingPlace()

    /// Creates a strategy that retries by `policy`.
    public init(_ policy: RetryPolicy) { self.policy = policy }

    init(_ policy: RetryPolicy, setAt: String?) {
        self.policy = policy
        place.text = setAt
    }

    public func answer(to failure: NodeFailure) -> ErrorAnswer {
        let delay = policy.delay(after: failure.error, attempt: failure.number, chance: failure.chance())
        return delay.map { .retry(after: $0) } ?? .halt
    }

    public func limit(after failure: NodeFailure) -> String? {
        // A failure that is not worth another attempt uses nothing up.
        guard failure.number > policy.maxRetries, policy.maxRetries > 0 else { return nil }
        let limit = Limit("max_retries: \(policy.maxRetries)", of: failure.owner, setAt: setAt)
        return "\(limit) was used up by \(failure.number) attempts at \(failure.inputID.visible)"
    }
}

extension ErrorStrategy where Self == RetryStrategy {
    /// Returns a strategy that runs the node again by `policy`.
    public static func retry(_ policy: RetryPolicy) -> RetryStrategy { RetryStrategy(policy) }
}
