/// The options for caching and billing a paid call.
public struct CallOptions: Hashable, Sendable {
    /// The billing of failed calls.
    public enum Billing: String, Codable, Sendable, CaseIterable {
        case onSuccess = "on_success"
        case onAttempt = "on_attempt"
    }

    /// The caching of its value.
    public var cache: CachePolicy
    /// Whether a failed attempt is billed; `nil` means as the run's options say.
    public var billing: Billing?
    /// The policy for a call with an unknown outcome; `nil` means as the run's options say.
    public var doubtPolicy: DoubtPolicy?

    /// Creates options of the given parts.
    public init(cache: CachePolicy = CachePolicy(), billing: Billing? = nil, doubtPolicy: DoubtPolicy? = nil) {
        self.cache = cache
        self.billing = billing
        self.doubtPolicy = doubtPolicy
    }
}
