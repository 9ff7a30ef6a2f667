/// A buffer that turns bytes that arrive in pieces into lines of limited length.
package struct LineBuffer: Sendable {
    /// The longest line, in bytes without its end.
    package static let longest = 65_536

    /// The error for a line that is too long; nothing after it is read.
    package struct TooLong: Error {}

    private var bytes: [UInt8] = []

    /// Creates an empty buffer.
    package init() {}

    /// Adds bytes that have arrived.
    package mutating func add(_ piece: some Sequence<UInt8>) { bytes += piece }

    /// Returns the next whole line without its end; `nil` until there is one.
    package mutating func next() throws(TooLong) -> [UInt8]? {
        guard let end = bytes.firstIndex(of: UInt8(ascii: "\n")) else {
            guard bytes.count <= Self.longest else { throw TooLong() }
            return nil
        }
        guard end <= Self.longest else { throw TooLong() }
        defer { bytes.removeSubrange(...end) }
        return Array(bytes[..<end])
    }
}
