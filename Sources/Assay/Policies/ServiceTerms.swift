/// The known terms of a paid service.
public struct ServiceTerms: Hashable, Sendable {
    /// The way a service treats the key of a call.
    public enum Keys: String, Codable, Sendable, CaseIterable {
        /// It performs the call once, however often the call is made under the key.
        case honoured
        /// It may perform the call every time.
        ///
        /// A call with an unknown outcome then stays in doubt beside the next attempt, which is a separate call.
        case ignored
    }

    /// The way it treats keys.
    public var keys: Keys
    /// The header that carries the key in requests; `nil` for `Idempotency-Key`.
    public var keyHeader: String?

    /// Creates the terms of a service that treats keys in that way.
    public init(keys: Keys = .honoured, keyHeader: String? = nil) {
        self.keys = keys
        self.keyHeader = keyHeader
    }
}
