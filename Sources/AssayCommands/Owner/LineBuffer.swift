/// Bytes that arrive in pieces, given back as lines of a limited length.
package struct LineBuffer: Sendable {
    /// The longest line, without its end.
    package static let longest = 65_536

    /// A line was too long; nothing after it is read.
    package struct TooLong: Error {}

    private var bytes: [UInt8] = []

    /// Nothing yet.
    package init() {}

    /// Adds what has arrived.
    package mutating func add(_ piece: some Sequence<UInt8>) { bytes += piece }

    /// The next whole line without its end; `nil` until there is one.
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
