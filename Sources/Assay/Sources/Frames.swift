import Synchronization

/// The items that are still to be started, handed out in order, in frames whose size the taker names.
///
/// One page is in memory at a time. The taker that finds it used up fetches the next while the others wait.
final class Frames: Sendable {
    private struct State {
        var page: ArraySlice<StoredItem> = []
        var places: Range<Int>
        /// Items that come after all others.
        var late: ArraySlice<StoredItem> = []
        /// The places of items that were started out of order before their page was fetched.
        var taken: Set<Int> = []
        var fetching = false
    }

    private let state: Mutex<State>
    private let fetched = Signal()
    private let fetch: @Sendable (_ start: Int, _ limit: Int) async throws -> [StoredItem]
    private let comesLate: @Sendable (_ place: Int) -> Bool

    /// Creates frames of the items at `places`.
    ///
    /// - Parameters:
    ///   - comesLate: whether an item is handed out after all others.
    ///   - fetch: returns the items to be started, from a place on.
    init(
        over places: Range<Int>, comesLate: @escaping @Sendable (_ place: Int) -> Bool = { _ in false },
        _ fetch: @escaping @Sendable (_ start: Int, _ limit: Int) async throws -> [StoredItem]
    ) {
        state = Mutex(State(places: places))
        self.fetch = fetch
        self.comesLate = comesLate
    }

    private enum Step {
        case frame(ArraySlice<StoredItem>)
        case fetch(Range<Int>)
        case wait
    }

    /// Returns the next items, at most `limit`; empty when there are none left.
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
        if state.places.isEmpty {
            guard !state.late.isEmpty else { return .frame([]) }
            (state.page, state.late) = (state.late, [])
            return step(&state, limit)
        }
        state.fetching = true
        let next = state.places.prefix(1_024)
        state.places.removeFirst(next.count)
        return .fetch(next)
    }

    private func wait() async { await fetched.waitUncancelled { state.withLock { !$0.fetching } } }

    private func finishFetch(_ page: [StoredItem]) {
        state.withLock { state in
            for entry in page where !state.taken.contains(entry.index) {
                if comesLate(entry.index) { state.late.append(entry) } else { state.page.append(entry) }
            }
            state.fetching = false
        }
        fetched.raise()
    }

    // MARK: Out of order

    /// Returns the last item that was not started, or one from the middle of those; `nil` when there is none.
    nonisolated(nonsending) func next(_ probe: Suspicion.Probe) async throws -> StoredItem? {
        while true {
            let (places, isFetching) = state.withLock { ($0.places, $0.fetching) }
            guard !isFetching else {
                await wait()
                continue
            }
            guard let found = try await candidate(probe, in: places) else { return takeFromPage(probe) }
            let isFree = state.withLock { state in
                state.places.contains(found.index) && state.taken.insert(found.index).inserted
            }
            if isFree { return found }
        }
    }

    /// Returns the requested item among those whose pages have not been fetched.
    private nonisolated(nonsending) func candidate(
        _ probe: Suspicion.Probe, in places: Range<Int>
    ) async throws -> StoredItem? {
        let taken = state.withLock { $0.taken }
        let isFree = { (entry: StoredItem) in !taken.contains(entry.index) && !self.comesLate(entry.index) }
        var upper = places.upperBound
        if probe == .middle {
            let middle = (places.lowerBound + places.upperBound) / 2
            if let found = try await fetch(middle, min(1_024, upper - middle)).first(where: isFree) { return found }
            upper = middle
        }
        while upper > places.lowerBound {
            let lower = max(places.lowerBound, upper - 1_024)
            if let found = try await fetch(lower, upper - lower).last(where: isFree) { return found }
            upper = lower
        }
        return nil
    }

    private func takeFromPage(_ probe: Suspicion.Probe) -> StoredItem? {
        state.withLock { state in
            guard !state.page.isEmpty else { return nil }
            let place = probe == .last ? state.page.endIndex - 1 : state.page.startIndex + state.page.count / 2
            return state.page.remove(at: place)
        }
    }
}
