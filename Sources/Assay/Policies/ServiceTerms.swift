/// What is known of a service that is paid for.
public struct ServiceTerms: Hashable, Sendable {
    /// What a service does with the key under which a call is made.
    public enum Keys: String, Codable, Sendable, CaseIterable {
        /// It carries the call out once, however often it is made under the key.
        case honoured
        /// It may carry the call out every time.
        ///
        /// A call of unknown outcome then stays in doubt beside the next attempt, which is a call of its own.
        case ignored
    }

    /// What it does with keys.
    public var keys: Keys
    /// The header in which requests carry the key; `nil`: `Idempotency-Key`.
    public var keyHeader: String?

    /// A service that treats keys in that way.
    public init(keys: Keys = .honoured, keyHeader: String? = nil) {
        self.keys = keys
        self.keyHeader = keyHeader
    }
}
