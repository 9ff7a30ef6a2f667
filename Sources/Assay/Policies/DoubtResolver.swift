/// Learns from a service how a call ended whose outcome is unknown.
public protocol DoubtResolver: Sendable {
    /// How `call` ended, which the service knows by its idempotency key.
    ///
    /// Throwing means the same as ``DoubtResolution/unknown``, with a warning.
    func resolve(_ call: CallRecord) async throws -> DoubtResolution
}

/// How a call of unknown outcome turned out.
public enum DoubtResolution: Sendable {
    /// It was made: what it cost and, where the service still has it, the value it brought.
    case settled(Money, value: JSONValue? = nil)
    /// It was not made, or costs nothing.
    case released
    /// The service does not know either.
    case unknown
}
