import Synchronization

/// A position in a list that is being read.
final class ListPosition: Sendable {
    private let state = Mutex(0)

    /// Returns the next places, at most `count`, of a list of `total`.
    func advance(by count: Int, upTo total: Int = .max) -> Range<Int> {
        state.withLock { start in
            let end = min(total, start + count)
            defer { start = end }
            return start..<end
        }
    }
}
