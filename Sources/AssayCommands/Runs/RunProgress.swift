import Assay
import Synchronization

/// The state of a run in progress: its handle, and sums over what is in the store.
final class RunProgress: Sendable {
    private struct State {
        var handle: RunHandle?
        /// The time at which work on the first item began.
        var workingSince: Duration?
        var cached = 0
        var resumed = 0
        var cost = MoneySum.zero
        var avoided = MoneySum.zero
        var failures: [(inputID: String, text: String)] = []
        var refusedBudget: String?
    }

    private let state = Mutex(State())
    private let time: any TimeSource
    private static let shownFailures = 3

    init(time: any TimeSource) { self.time = time }

    /// Records the run that has begun.
    func begin(_ handle: RunHandle) { state.withLock { $0.handle = handle } }

    /// Records a charge that belongs to no item.
    func note(base: Money) {
        state.withLock { $0.cost += base }
    }

    /// Records the budget that stops the run.
    func note(refusedBy budget: String?) { state.withLock { $0.refusedBudget = budget } }

    /// The name of the budget that stops the run.
    var refusedBudget: String? { state.withLock { $0.refusedBudget } }

    /// The run, once it has begun.
    var handle: RunHandle? { state.withLock { $0.handle } }

    /// Records outcomes that are in the store.
    func note(_ outcomes: [Outcome]) {
        let now = time.uptime()
        state.withLock { state in
            for outcome in outcomes {
                if !outcome.carried { state.workingSince = state.workingSince ?? now - outcome.duration }
                state.cached += outcome.cached ? 1 : 0
                state.resumed += outcome.carried ? 1 : 0
                state.cost += outcome.cost
                state.avoided += outcome.avoidedCost
                guard let error = outcome.error else { continue }
                state.failures.append((outcome.inputID, "\(error.code.rawValue): \(error.lastLine)"))
                if state.failures.count > Self.shownFailures { state.failures.removeFirst() }
            }
        }
    }

    /// Returns the current progress; `nil` before the run has begun.
    func snapshot(currency: String) -> ProgressBlock? {
        let now = time.uptime()
        return state.withLock { state in
            guard let handle = state.handle else { return nil }
            let counts = handle.counts
            return ProgressBlock(
                counts: counts, cached: state.cached, resumed: state.resumed, cost: state.cost,
                avoided: state.avoided, currency: currency, elapsed: state.workingSince.map { now - $0 } ?? .zero,
                waits: handle.waits, failures: state.failures.map { .init(inputID: $0.inputID, text: $0.text) })
        }
    }
}
