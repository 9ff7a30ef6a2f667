import Synchronization

/// What is said in a run, on its way into the store: filed beside the work, which never waits for it.
///
/// May be told from any thread. While a batch of lines is filed the next one gathers; of more than can be kept in memory
/// the oldest are dropped, as a store does.
final class RunLog: Sendable {
    /// How many bytes wait to be filed at most.
    private static let waitingBytes = 8 << 20

    private struct State {
        var waiting: [LogLine] = []
        var size = 0
        var dropped = 0
        var filing: Task<Void, Never>?
        var hasTold = false
    }

    private let store: any Store
    private let limits: LogLimits
    private let isFiled: @Sendable () async -> Void
    private let fails: @Sendable (String) -> Void
    private let state = Mutex(State())

    /// - Parameters:
    ///   - filed: called when further lines are in the store.
    ///   - fails: told once, when lines are lost.
    init(
        _ store: any Store, limits: LogLimits = .standard, filed: @escaping @Sendable () async -> Void,
        fails: @escaping @Sendable (String) -> Void
    ) {
        (self.store, self.limits, isFiled, self.fails) = (store, limits, filed, fails)
    }

    /// Takes a line.
    func add(_ line: LogLine) {
        let isTooMuch = state.withLock { state in
            state.waiting.append(line)
            state.size += line.size
            if state.size > Self.waitingBytes {
                let excess = state.waiting.prefix(state.waiting.count / 2)
                state.dropped += excess.count
                state.size -= excess.reduce(0) { $0 + $1.size }
                state.waiting.removeFirst(excess.count)
            }
            if state.filing == nil { state.filing = Task { await self.file() } }
            defer { state.hasTold = state.hasTold || state.dropped > 0 }
            return state.dropped > 0 && !state.hasTold
        }
        if isTooMuch { fails("more is said than can be filed; the oldest lines are dropped") }
    }

    /// Returns when every line that was taken is in the store.
    func close() async {
        while let filing = state.withLock({ $0.filing }) { await filing.value }
    }

    private func file() async {
        while let lines = take() {
            do { try await store.append(lines, keeping: limits) } catch {
                let isFirst = state.withLock { state in
                    defer { state.hasTold = true }
                    return !state.hasTold
                }
                if isFirst {
                    fails(
                        "what is said in this run is not kept: \(ProcessingError(wrapping: error, as: .store).message)")
                }
                continue
            }
            await isFiled()
        }
    }

    /// What waits; `nil` when nothing does, and then nobody files any more.
    private func take() -> [LogLine]? {
        state.withLock { state in
            guard !state.waiting.isEmpty else {
                state.filing = nil
                return nil
            }
            defer { (state.waiting, state.size) = ([], 0) }
            return state.waiting
        }
    }
}
