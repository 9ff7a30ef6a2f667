import Synchronization

/// The items of a run, or of one batch of it: which have ended, which have saved work, and how many failed.
final class ItemBook: Sendable {
    private struct State {
        var ended: [Bool] = []
        var resuming: Set<Int> = []
        var failures = 0
        var batch = BatchInProgress()
    }

    /// The place of the first item in the run.
    let start: Int
    private let state = Mutex(State())
    // Read for every item and almost always false: this flag spares the lock that all lanes share.
    private let hasResuming = Atomic(false)

    init(from start: Int) { self.start = start }

    /// The number of items.
    var total: Int { state.withLock { $0.ended.count } }
    /// The number of items that have no outcome yet.
    var unfinished: Int { state.withLock { $0.ended.count { !$0 } } }
    /// The places of the items in the run.
    var places: Range<Int> { start..<(start + total) }

    /// Adds the next items.
    ///
    /// - Parameter resuming: the places of those that earlier work may have saved something of.
    func add(_ count: Int, resuming: [Int]) {
        state.withLock { state in
            state.ended += repeatElement(false, count: count)
            state.resuming.formUnion(resuming)
        }
        if !resuming.isEmpty { hasResuming.store(true, ordering: .releasing) }
    }

    func resumes(_ index: Int) -> Bool {
        hasResuming.load(ordering: .acquiring) && state.withLock { $0.resuming.contains(index) }
    }

    /// Returns the first of `places` whose item has no outcome yet.
    func firstUnfinished(in places: Range<Int>) -> Int? {
        state.withLock { state in places.first { !state.ended[$0 - start] } }
    }

    func hasEnded(_ index: Int) -> Bool { state.withLock { $0.ended[index - start] } }

    /// Records how items ended.
    func noteEnd(of outcomes: [Outcome]) {
        state.withLock { state in for outcome in outcomes { state.ended[outcome.index - start] = true } }
    }

    /// Records how items ended before this program took the run over.
    func restore(_ outcomes: [Outcome]) {
        state.withLock { state in
            for outcome in outcomes {
                state.ended[outcome.index] = true
                state.failures += outcome.status == .failed ? 1 : 0
            }
        }
    }

    /// Takes over how the items of a batch ended.
    func take(_ batch: ItemBook) {
        let ended = batch.state.withLock { $0.ended }
        state.withLock { state in
            // Only a run that files its whole list first has places for them.
            for (place, hasEnded) in zip(batch.start..., ended) where state.ended.indices.contains(place) {
                state.ended[place] = hasEnded
            }
        }
    }

    /// Counts an item that failed for good.
    ///
    /// - Returns: the number of failures and of items, and whether this failure is the one that stops the others.
    func noteFailure(under policy: FailurePolicy) -> (failures: Int, total: Int, stops: Bool) {
        state.withLock { state in
            state.failures += 1
            let (failures, total) = (state.failures, state.ended.count)
            // Further failures of items in progress did not stop it.
            let continued = policy.continues(afterFailures: failures - 1, of: total)
            return (failures, total, continued && !policy.continues(afterFailures: failures, of: total))
        }
    }

    // MARK: A batch

    /// Reads or changes what a batch remembers of its items.
    func withBatch<Value>(_ body: (inout BatchInProgress) -> Value) -> Value { state.withLock { body(&$0.batch) } }

    /// Keeps outcomes that are in the store until the batch has ended.
    func keep(_ outcomes: [Outcome]) {
        state.withLock { state in
            for outcome in outcomes {
                state.ended[outcome.index - start] = true
                state.batch.outcomes[outcome.index] = outcome
            }
        }
    }

    /// Makes items that had ended begin again, and recounts the failures of the others.
    func reopen(_ indices: [Int], resuming: Bool) {
        state.withLock { state in
            for index in indices {
                state.ended[index - start] = false
                state.batch.outcomes[index] = nil
                if resuming { state.resuming.insert(index) } else { state.resuming.remove(index) }
            }
            state.failures = state.batch.outcomes.values.count { $0.status == .failed }
        }
        if resuming { hasResuming.store(true, ordering: .releasing) }
    }
}
