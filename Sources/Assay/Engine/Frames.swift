import Synchronization

/// The items that are still to be started, handed out in order in frames whose size the taker names.
///
/// One page is in memory at a time; whoever finds it used up fetches the next while the others wait.
final class Frames: Sendable {
    private struct State {
        var page: ArraySlice<StoredItem> = []
        var position = 0
        var exhausted = false
        var fetching = false
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())
    private let fetch: @Sendable (_ start: Int) async throws -> [StoredItem]

    /// - Parameter fetch: the items from a position on, at least one while there are any.
    init(_ fetch: @escaping @Sendable (_ start: Int) async throws -> [StoredItem]) { self.fetch = fetch }

    private enum Step {
        case frame(ArraySlice<StoredItem>)
        case fetch(Int)
        case wait
    }

    /// The next items, at most `limit`; empty when there are none left.
    nonisolated(nonsending) func next(_ limit: Int) async throws -> ArraySlice<StoredItem> {
        while true {
            switch state.withLock({ Self.step(&$0, limit) }) {
            case .frame(let frame): return frame
            case .wait: await wait()
            case .fetch(let start):
                do {
                    let page = try await fetch(start)
                    finishFetch(page)
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
        if state.exhausted { return .frame([]) }
        if state.fetching { return .wait }
        state.fetching = true
        return .fetch(state.position)
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
            state.position += page.count
            state.exhausted = page.isEmpty
            state.page = page.filter { !$0.settled }[...]
            state.fetching = false
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }
}
