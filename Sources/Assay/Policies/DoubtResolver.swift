/// A resolver that learns from a service how a call with an unknown outcome ended.
public protocol DoubtResolver: Sendable {
    /// Returns how `call` ended; the service knows the call by its idempotency key.
    ///
    /// Throwing means the same as ``DoubtResolution/unknown``, plus a warning.
    func resolve(_ call: CallRecord) async throws -> DoubtResolution
}

/// The result of resolving a call with an unknown outcome.
public enum DoubtResolution: Sendable {
    /// The call was made: what it cost and, if the service still has it, the value it returned.
    case settled(Money, value: JSONValue? = nil)
    /// The call was not made, or costs nothing.
    case released
    /// The service does not know either.
    case unknown
}
