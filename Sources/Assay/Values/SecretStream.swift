/// Hides secrets in a text that comes in pieces, wherever it is cut.
///
/// What may become a secret with the bytes that follow is held back until that is known.
package struct SecretStream: Sendable {
    /// How much of what was released is looked at again: the first letters of a secret that a line ended in.
    private static let remembered = 32
    /// What is held back at most, by a text that goes on as if it were a secret and never is one.
    private static let longest = 1 << 20

    private let filter: SecretFilter
    /// The end of what was released, as it was before anything was hidden, and what is held back.
    private var bytes: [UInt8] = []
    private var released = 0

    /// A stream of which nothing was read.
    package init(_ filter: SecretFilter) { self.filter = filter }

    /// What can be shown after `more` has been read.
    package mutating func read(_ more: some Sequence<UInt8>) -> [UInt8] {
        guard !filter.isEmpty else { return Array(more) }
        bytes += more
        return release(isOver: bytes.count > Self.longest)
    }

    /// What is left when nothing more comes; the beginning of a secret is hidden, too.
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
            // What was released already is as it is: of a secret that began there the rest is hidden.
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
