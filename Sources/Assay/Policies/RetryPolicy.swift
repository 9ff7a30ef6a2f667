/// A policy that decides whether and when a failed item is attempted again within its run.
public struct RetryPolicy: Hashable, Sendable {
    /// The failures that are worth another attempt.
    public enum Failures: Hashable, Sendable {
        /// Failures that report themselves as retryable.
        case retryable
        /// All failures.
        case all
        /// Failures with one of these codes.
        case codes(Set<ProcessingError.Code>)
    }

    /// The maximum number of attempts after the first.
    public let maxRetries: Int
    /// The delay before the first retry, in seconds.
    public let initialDelay: Double
    /// The factor from one delay to the next.
    public let backoffMultiplier: Double
    /// The longest delay, in seconds.
    public let maxDelay: Double
    /// The share of a delay that chance may add or subtract, 0 to 1.
    public let jitter: Double
    /// The failures that are retried.
    public let retryOn: Failures

    /// A policy without retries.
    public static let none = RetryPolicy(unchecked: 0)

    /// The retries of the error strategy that applies when none is given.
    static let ofDefaultStrategy = RetryPolicy(unchecked: 2, initialDelay: 0.5)

    /// Creates a policy of exponential delays.
    ///
    /// - Throws: ``ProcessingError`` with code `configuration` for negative or non-finite values, a multiplier below 1,
    ///   a jitter outside 0 to 1, or more than 1000 retries.
    public init(
        maxRetries: Int, initialDelay: Double = 1, backoffMultiplier: Double = 2, maxDelay: Double = 60,
        jitter: Double = 0, retryOn: Failures = .retryable
    ) throws(ProcessingError) {
        func check(_ holds: Bool, _ rule: String) throws(ProcessingError) {
            guard holds else { throw ProcessingError(.configuration, rule) }
        }
        try check((0...1_000).contains(maxRetries), "max_retries must be between 0 and 1000, found \(maxRetries)")
        let durations: [(name: String, value: Double, least: Double)] = [
            ("initial_delay", initialDelay, 0), ("backoff_multiplier", backoffMultiplier, 1),
            ("max_delay", maxDelay, 0),
        ]
        for (name, value, least) in durations {
            try check(
                value.isFinite && value >= least, "\(name) must be finite and at least \(Int(least)), found \(value)")
        }
        try check((0...1).contains(jitter), "jitter must be between 0 and 1, found \(jitter)")
        self.maxRetries = maxRetries
        self.initialDelay = initialDelay
        self.backoffMultiplier = backoffMultiplier
        self.maxDelay = maxDelay
        self.jitter = jitter
        self.retryOn = retryOn
    }

    private init(unchecked maxRetries: Int, initialDelay: Double = 1) {
        self.maxRetries = maxRetries
        self.initialDelay = initialDelay
        (backoffMultiplier, maxDelay, jitter, retryOn) = (2, 60, 0, .retryable)
    }

    /// Returns the time to wait before the attempt after `attempt`, or `nil` when there is none.
    ///
    /// - Parameters:
    ///   - attempt: the attempt that failed, from 1.
    ///   - chance: a random number from 0 up to 1, for jitter.
    public func delay(after error: ProcessingError, attempt: Int, chance: @autoclosure () -> Double) -> Duration? {
        guard attempt <= maxRetries else { return nil }
        let worthIt =
            switch retryOn {
            case .retryable: error.retryable
            case .all: true
            case .codes(let codes): codes.contains(error.code)
            }
        guard worthIt else { return nil }
        var seconds = initialDelay
        for _ in 1..<max(attempt, 1) where seconds < maxDelay { seconds *= backoffMultiplier }
        // The limit of about 30 years keeps the delay within what a clock can hold.
        let longest = min(maxDelay, 1e9)
        seconds = min(seconds, longest)
        if jitter > 0 { seconds *= 1 + jitter * (2 * chance() - 1) }
        let asked = error.retryAfter.map { min($0, .seconds(longest)) } ?? .zero
        return max(.seconds(seconds), asked)
    }
}
