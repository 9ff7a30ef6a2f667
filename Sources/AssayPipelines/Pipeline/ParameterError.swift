/// The mistakes in the parameters of a processor, each with its key.
///
/// A type's `make` may throw it instead of any other error; the findings then have the positions of the keys.
public struct ParameterError: Error, Sendable, CustomStringConvertible {
    /// The mistakes: the path to the key within the parameters, and what is wrong.
    public var findings: [(path: [String], message: String)]

    /// Creates an error from its findings.
    public init(_ findings: [(path: [String], message: String)]) { self.findings = findings }

    /// The messages.
    public var description: String { findings.map(\.message).joined(separator: "; ") }
}
