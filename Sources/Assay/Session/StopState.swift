import Synchronization

/// Why a run, or one batch of it, stops before its end.
struct Stop: Sendable {
    /// The reason given for items that are not finished.
    var reason: Outcome.Reason
    /// Whether items in progress may finish.
    var drains: Bool

    /// Whether the run was cancelled or is out of time, rather than stopped by its own policy.
    var isFromOutside: Bool { reason == .runCancelled || reason == .runTimeout }
    /// Whether failed items are not retried, since nothing starts anymore.
    var endsRetries: Bool { isFromOutside || reason == .graphHalted || reason == .programBroken }
    /// Whether it ends all batches and not just the one in which it happened.
    var isOfWholeRun: Bool {
        isFromOutside || [.budgetExhausted, .definitionChanged, .graphHalted, .programBroken].contains(reason)
    }

    /// Returns the stop in force once `self` has come after `earlier`; `nil` when it changes nothing.
    ///
    /// A stop that does not wait for items in progress overrides one that does.
    func following(_ earlier: Stop?) -> Stop? {
        guard var stop = earlier, !isOfWholeRun || stop.isOfWholeRun else { return self }
        guard stop.drains, !drains else { return nil }
        stop.drains = false
        if isFromOutside { stop.reason = reason }
        return stop
    }
}

/// The stop of a run, or of one batch of it, and those who wait for one.
final class StopState: Sendable {
    private struct State {
        var stop: Stop?
        /// Whether work is in progress that such a stop would give up.
        var hasWork = true
    }

    private let time: any TimeSource
    private let state = Mutex(State())
    private let news = Signal()
    // Read for every item and almost always false: this flag spares the lock that all lanes share.
    private let isStopped = Atomic(false)

    init(_ time: any TimeSource) { self.time = time }

    /// The stop in force.
    var stop: Stop? { isStopped.load(ordering: .acquiring) ? state.withLock { $0.stop } : nil }

    /// Puts a stop in force and wakes those it concerns.
    func apply(_ stop: Stop) {
        state.withLock { state in
            guard let next = stop.following(state.stop) else { return }
            state.stop = next
            isStopped.store(true, ordering: .releasing)
        }
        news.raise()
    }

    /// Lifts a stop that ended one batch only, so that its items can begin again.
    func reopen() {
        state.withLock { state in
            state.hasWork = true
            guard state.stop?.isOfWholeRun == false else { return }
            state.stop = nil
            isStopped.store(false, ordering: .releasing)
        }
    }

    /// Waits until items in progress are given up, or no more of them are left.
    ///
    /// It ignores the cancellation of its task, which may be visible before the stop that it causes.
    func waitForHardStop() async {
        await news.waitUncancelled { state.withLock { $0.stop?.drains == false || !$0.hasWork } }
    }

    /// Ends that wait: nothing is in progress anymore.
    func endWaitForHardStop() {
        state.withLock { $0.hasWork = false }
        news.raise()
    }

    /// Waits until a moment, or until a stop that `counts`.
    func sleep(until deadline: Duration, orStop counts: @escaping @Sendable (Stop) -> Bool) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { [time] in try? await time.sleep(until: deadline) }
            group.addTask { await self.wait(which: counts) }
            await group.next()
            group.cancelAll()
        }
    }

    /// Waits until a stop that `counts`, or until the task is cancelled.
    func wait(which counts: @escaping @Sendable (Stop) -> Bool) async {
        await news.wait { stop.map(counts) == true }
    }
}
