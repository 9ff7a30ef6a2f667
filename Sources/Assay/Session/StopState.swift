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
        /// Waits for a stop that gives up items in progress.
        var supervisor: CheckedContinuation<Void, Never>?
        /// Whether work is in progress that such a stop would give up.
        var hasWork = true
        var sleepers: [Int: CheckedContinuation<Void, Never>] = [:]
        var lastSleeper = 0
    }

    private let time: any TimeSource
    private let state = Mutex(State())
    // Read for every item and almost always false: this flag spares the lock that all lanes share.
    private let isStopped = Atomic(false)

    init(_ time: any TimeSource) { self.time = time }

    /// The stop in force.
    var stop: Stop? { isStopped.load(ordering: .acquiring) ? state.withLock { $0.stop } : nil }

    /// Puts a stop in force and wakes those it concerns.
    func apply(_ stop: Stop) {
        let woken = state.withLock { state -> [CheckedContinuation<Void, Never>] in
            guard let next = stop.following(state.stop) else { return [] }
            state.stop = next
            isStopped.store(true, ordering: .releasing)
            var woken = Array(state.sleepers.values)
            state.sleepers = [:]
            if !stop.drains, let supervisor = state.supervisor {
                woken.append(supervisor)
                state.supervisor = nil
            }
            return woken
        }
        for sleeper in woken { sleeper.resume() }
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
        await withCheckedContinuation { continuation in
            let now = state.withLock { state in
                guard state.stop?.drains != false, state.hasWork else { return true }
                state.supervisor = continuation
                return false
            }
            if now { continuation.resume() }
        }
    }

    /// Ends that wait: nothing is in progress anymore.
    func endWaitForHardStop() {
        let supervisor = state.withLock { state in
            state.hasWork = false
            defer { state.supervisor = nil }
            return state.supervisor
        }
        supervisor?.resume()
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
        let id = state.withLock { state in
            state.lastSleeper += 1
            return state.lastSleeper
        }
        await withTaskCancellationHandler {
            while !Task.isCancelled, stop.map(counts) != true {
                await withCheckedContinuation { continuation in
                    let now = state.withLock { state in
                        guard state.stop.map(counts) != true, !Task.isCancelled else { return true }
                        state.sleepers[id] = continuation
                        return false
                    }
                    if now { continuation.resume() }
                }
            }
        } onCancel: {
            state.withLock { $0.sleepers.removeValue(forKey: id) }?.resume()
        }
    }
}
