import Synchronization

/// Where the reading of a list stands.
final class ListPosition: Sendable {
    private let state = Mutex(0)

    /// The next places, at most `count`, of a list of `total`.
    func advance(by count: Int, upTo total: Int = .max) -> Range<Int> {
        state.withLock { start in
            let end = min(total, start + count)
            defer { start = end }
            return start..<end
        }
    }
}
