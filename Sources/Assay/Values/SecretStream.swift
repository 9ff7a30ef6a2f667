/// A stream that hides secrets in text that arrives in pieces, wherever it is cut.
///
/// Bytes that may become a secret with the bytes that follow are held back until that is known.
package struct SecretStream: Sendable {
    /// The number of released bytes that are scanned again, for the first letters of a secret before a line break.
    private static let remembered = 32
    /// The maximum number of bytes held back, for text that keeps looking like a secret and never is one.
    private static let longest = 1 << 20

    private let filter: SecretFilter
    /// The end of the released bytes, as it was before anything was hidden, and the bytes held back.
    private var bytes: [UInt8] = []
    private var released = 0

    /// Creates a stream that has read nothing.
    package init(_ filter: SecretFilter) { self.filter = filter }

    /// Reads `more` and returns what can be shown.
    package mutating func read(_ more: some Sequence<UInt8>) -> [UInt8] {
        guard !filter.isEmpty else { return Array(more) }
        bytes += more
        return release(isOver: bytes.count > Self.longest)
    }

    /// Returns the rest once nothing more comes; the beginning of a secret is hidden, too.
    package mutating func finish() -> [UInt8] {
        defer { (bytes, released) = ([], 0) }
        return release(isOver: true)
    }

    private mutating func release(isOver: Bool) -> [UInt8] {
        let (start, count) = (released, bytes.count)
        let (end, shown) = bytes.withUnsafeBufferPointer { bytes in
            let found = filter.scan(bytes, isCut: isOver)
            var end = isOver ? count : max(start, found.open ?? count)
            if let straddling = found.ranges.first(where: { $0.lowerBound < end && end < $0.upperBound }) {
                end = max(start, straddling.lowerBound)
            }
            // Released bytes cannot change: of a secret that began there, only the rest is hidden.
            let ranges = found.ranges.filter { $0.upperBound > start && $0.upperBound <= end }
                .map { max(0, $0.lowerBound - start)..<($0.upperBound - start) }
            return (end, SecretFilter.masked(UnsafeBufferPointer(rebasing: bytes[start..<end]), ranges))
        }
        let forgotten = max(0, end - Self.remembered)
        bytes.removeFirst(forgotten)
        released = end - forgotten
        return shown
    }
}
