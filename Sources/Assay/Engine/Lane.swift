import Synchronization

/// The work on one item in a lane; in a graph, at one of its nodes.
struct Work: Sendable {
    /// The item; in a graph with the node's input.
    let entry: StoredItem
    /// The session of the work: the run's, its batch's, or its node's.
    let session: RunSession
    /// The node and the item; only in a graph.
    var unit: GraphSchedule.Unit?
    /// The admission by the node's circuit breaker for the attempt in progress.
    var admission: RunRecovery.Admission?
    /// The desk that serves the requests of its processor.
    let desk: ItemDesk
    /// The moment when it was first started.
    let startedAt: Duration
    /// The number of attempts that were made before its batch was retried.
    var earlierAttempts = 0
    /// The number of the attempt, from 1.
    var attempt = 1
    /// The number of crashes it caused.
    var crashes = 0

    /// The number of the attempt, counted over all tries of its batch.
    var attempts: Int { earlierAttempts + attempt }
    /// The input of `extract`.
    var input: Payload { entry.transformed ?? entry.item.data }
}

/// A line of work that handles one item at a time, with the items it has claimed and its uncommitted outcomes.
///
/// A worker's loop drives a lane. When its item runs out of time or the run is cancelled, the loop is left behind: the
/// lane's generation grows, a late answer of the old loop finds that out and is dropped, and another loop continues
/// from here. So no item costs a task of its own, and nothing waits for code that does not return.
final class Lane: Sendable {
    private struct State {
        var generation = 0
        var claimed: ArraySlice<StoredItem> = []
        var work: Work?
        /// Whether an attempt is being made, timed by the clock of its desk.
        var isArmed = false
        var finished: [CommittedOutcome] = []
        var committedAt = Duration.zero
        var task: Task<Void, Never>?
        var worker: (any Worker)?
        var closing = false
        var ended = false
    }

    /// The source of its workers.
    let crew: Crew
    /// The team of nodes it works for, in a graph.
    let team: Int
    private let state = Mutex(State())

    init(crew: Crew, team: Int = 0) {
        self.crew = crew
        self.team = team
    }

    /// The generation of the current driver.
    var generation: Int { state.withLock { $0.generation } }

    /// Records the task that drives the lane in `generation`, and its worker.
    func isDriven(by task: Task<Void, Never>, with worker: any Worker, in generation: Int) {
        state.withLock { state in
            guard state.generation == generation else { return }
            (state.task, state.worker) = (task, worker)
        }
    }

    // MARK: The driver's side. Every answer is `nil` or `false` once the driver has been left behind.

    /// Returns the item in progress, if an earlier driver left one.
    func workInProgress(_ generation: Int) -> Work? {
        state.withLock { $0.generation == generation ? $0.work : nil }
    }

    /// Takes the next claimed item.
    func takeClaimed(_ generation: Int) -> StoredItem? {
        state.withLock { state in
            guard state.generation == generation else { return nil }
            return state.claimed.popFirst()
        }
    }

    func claim(_ frame: ArraySlice<StoredItem>) { state.withLock { $0.claimed = frame } }

    /// Drops the items that were claimed and not started.
    func dropClaimed() { state.withLock { $0.claimed = [] } }

    /// Gives the later half of the claimed items that were not started to a lane that has nothing left to do.
    func giveHalf() -> ArraySlice<StoredItem> {
        state.withLock { state in
            let half = state.claimed.suffix((state.claimed.count + 1) / 2)
            state.claimed.removeLast(half.count)
            return half
        }
    }

    /// Records the item in progress; refused once the run has given up its items.
    func begin(_ work: Work, _ generation: Int) -> Bool {
        state.withLock { state in
            guard state.generation == generation, !state.closing else { return false }
            state.work = work
            return true
        }
    }

    /// Starts the clock of an attempt.
    ///
    /// - Parameter alarm: wakes the supervisor of attempts.
    func arm(_ generation: Int, at now: Duration, alarm: Alarm) -> Bool {
        state.withLock { state in
            guard state.generation == generation, let work = state.work else { return false }
            let options = work.session.options
            work.desk.clock.begin(
                at: now, limit: options.itemTimeout, heartbeat: options.heartbeatTimeout, alarm: alarm)
            state.isArmed = true
            return true
        }
    }

    /// Stops the clock of an attempt that has returned.
    func disarm(_ generation: Int) -> Bool {
        state.withLock { state in
            guard state.generation == generation else { return false }
            state.isArmed = false
            return true
        }
    }

    /// Records that the item in progress has ended. From here on, no one else can end it.
    func endWork(_ generation: Int) -> Bool {
        state.withLock { state in
            guard state.generation == generation else { return false }
            state.work = nil
            return true
        }
    }

    /// Keeps an outcome until the next commit.
    func keep(_ outcome: CommittedOutcome) { state.withLock { $0.finished.append(outcome) } }

    /// Returns the outcomes to commit now: when nothing more is claimed, some time has passed, or there are many.
    func takeFinished(at now: Duration, always: Bool) -> [CommittedOutcome] {
        state.withLock { state in
            guard
                always || state.claimed.isEmpty || state.finished.count >= 256
                    || now - state.committedAt > .milliseconds(5)
            else { return [] }
            state.committedAt = now
            defer { state.finished = [] }
            return state.finished
        }
    }

    /// Marks the lane as ended; returns `false` when it has ended already or another driver has it.
    func end(_ generation: Int) -> Bool {
        state.withLock { state in
            guard state.generation == generation, !state.ended else { return false }
            state.ended = true
            return true
        }
    }

    // MARK: The supervisor's side

    /// The moment when the attempt in progress is out of time or has been silent for too long; `nil` while the engine
    /// makes it wait, which only the run's own limit ends.
    var deadline: Duration? { state.withLock { $0.isArmed ? $0.work?.desk.clock.end : nil } }

    /// Returns whether the attempt in progress has been silent for too long.
    func isSilent(at now: Duration) -> Bool { state.withLock { $0.work?.desk.clock.isSilent(at: now) == true } }

    /// Leaves the driver of an attempt that is out of time behind. The item stays in progress.
    ///
    /// - Returns: the new generation and the worker to be stopped, or `nil` when the attempt has returned in the
    ///   meantime.
    func expire(_ generation: Int) -> (generation: Int, worker: (any Worker)?)? {
        let left: (task: Task<Void, Never>?, generation: Int, worker: (any Worker)?)? = state.withLock { state in
            guard state.generation == generation, state.isArmed else { return nil }
            state.generation += 1
            state.isArmed = false
            defer { state.task = nil }
            return (state.task, state.generation, state.worker)
        }
        left?.task?.cancel()
        return left.map { ($0.generation, $0.worker) }
    }

    /// Leaves the driver behind for good.
    ///
    /// - Returns: the item in progress, the uncommitted outcomes and the worker to be stopped; `nil` when the lane has
    ///   ended or is between two items, where its driver sees for itself that the run is stopped.
    func abandon() -> (work: Work, finished: [CommittedOutcome], worker: (any Worker)?)? {
        let (task, left) = state.withLock {
            state -> (Task<Void, Never>?, (work: Work, finished: [CommittedOutcome], worker: (any Worker)?)?) in
            state.closing = true
            guard !state.ended, let work = state.work else { return (nil, nil) }
            state.generation += 1
            state.ended = true
            state.work = nil
            state.isArmed = false
            defer { (state.task, state.finished) = (nil, []) }
            return (state.task, (work, state.finished, state.worker))
        }
        task?.cancel()
        return left
    }
}
