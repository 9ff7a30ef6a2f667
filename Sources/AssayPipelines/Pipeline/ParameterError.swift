/// What is wrong with the parameters of a processor, each mistake with the key it is about.
///
/// A type's `make` may throw it in place of any other error; the findings then name the places of the keys.
public struct ParameterError: Error, Sendable, CustomStringConvertible {
    /// The mistakes: the way to the key within the parameters, and what is wrong.
    public var findings: [(path: [String], message: String)]

    /// Makes a value of its parts.
    public init(_ findings: [(path: [String], message: String)]) { self.findings = findings }

    /// The messages.
    public var description: String { findings.map(\.message).joined(separator: "; ") }
}
