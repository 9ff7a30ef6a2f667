/// The reason a file is not read as bank statements.
public struct StatementError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The kinds of refusal.
    public enum Code: String, Codable, Sendable {
        /// The file is not what its format demands; no figure of it can be trusted.
        case malformed
        /// There is no statement inside.
        case empty
        /// The file asks for a password.
        case encrypted
        /// The file is of a kind that is not read.
        case unsupported
        /// The bank answered with an error instead of a statement.
        case serverError = "server_error"
        /// The file is beyond the limits of ``StatementReader``.
        case tooLarge = "too_large"
    }

    /// The kind of refusal.
    public var code: Code
    /// The code, what is wrong, where, and what to do about it.
    public var message: String
    /// The line of the file, counted from 1, where it is known.
    public var line: Int?

    /// Makes a value of its parts.
    public init(_ code: Code, _ reason: String, line: Int? = nil) {
        self.code = code
        self.line = line
        self.message = "\(code.rawValue): " + (line.map { "line \($0): " } ?? "") + reason
    }

    /// The message.
    public var description: String { message }
}
