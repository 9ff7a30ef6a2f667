import Synchronization

/// The items that are still to be started, handed out in order in frames whose size the taker names.
///
/// One page is in memory at a time; whoever finds it used up fetches the next while the others wait.
final class Frames: Sendable {
    private struct State {
        var page: ArraySlice<StoredItem> = []
        var places: Range<Int>
        var fetching = false
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    private let state: Mutex<State>
    private let fetch: @Sendable (_ start: Int, _ limit: Int) async throws -> [StoredItem]

    /// The items at `places`.
    ///
    /// - Parameter fetch: those of the items from a position on that are to be started.
    init(
        over places: Range<Int>,
        _ fetch: @escaping @Sendable (_ start: Int, _ limit: Int) async throws -> [StoredItem]
    ) {
        state = Mutex(State(places: places))
        self.fetch = fetch
    }

    private enum Step {
        case frame(ArraySlice<StoredItem>)
        case fetch(Range<Int>)
        case wait
    }

    /// The next items, at most `limit`; empty when there are none left.
    nonisolated(nonsending) func next(_ limit: Int) async throws -> ArraySlice<StoredItem> {
        while true {
            switch state.withLock({ Self.step(&$0, limit) }) {
            case .frame(let frame): return frame
            case .wait: await wait()
            case .fetch(let places):
                do {
                    finishFetch(try await fetch(places.lowerBound, places.count))
                } catch {
                    finishFetch([])
                    throw error
                }
            }
        }
    }

    private static func step(_ state: inout State, _ limit: Int) -> Step {
        if !state.page.isEmpty {
            let frame = state.page.prefix(limit)
            state.page = state.page.dropFirst(limit)
            return .frame(frame)
        }
        if state.fetching { return .wait }
        if state.places.isEmpty { return .frame([]) }
        state.fetching = true
        let next = state.places.prefix(1_024)
        state.places.removeFirst(next.count)
        return .fetch(next)
    }

    private func wait() async {
        await withCheckedContinuation { continuation in
            let ready = state.withLock { state in
                guard state.fetching else { return true }
                state.waiters.append(continuation)
                return false
            }
            if ready { continuation.resume() }
        }
    }

    private func finishFetch(_ page: [StoredItem]) {
        let waiters = state.withLock { state in
            state.page = page[...]
            state.fetching = false
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }
}
