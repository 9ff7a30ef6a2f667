import Synchronization

/// An item that a lane is working on, in a graph at one of its nodes.
struct Work: Sendable {
    /// The item; in a graph with what the node is given.
    let entry: StoredItem
    /// Whose work it is: the run's, its batch's, or its node's.
    let session: RunSession
    /// The node and the item, in a graph.
    var unit: GraphSchedule.Unit?
    /// The leave of the node's circuit breaker for the attempt in progress.
    var admission: RunRecovery.Admission?
    /// What its processor asks for goes here.
    let desk: ItemDesk
    /// When it was first started.
    let startedAt: Duration
    /// How many attempts were made before its batch was tried again.
    var earlierAttempts = 0
    /// The attempt, from 1.
    var attempt = 1
    /// How many worker processes died of it.
    var crashes = 0

    /// The attempt, counted over all tries of its batch.
    var attempts: Int { earlierAttempts + attempt }
    /// What `extract` is given.
    var input: Payload { entry.transformed ?? entry.item.data }
}

/// A place where one item at a time is worked on, with the items it has claimed and the outcomes it has not committed.
///
/// A worker's loop drives a lane. When its item runs out of time or the run is cancelled, the loop is left behind:
/// the lane's generation grows, a late answer of the old loop finds that out and is dropped, and another loop goes on
/// from here. So no item costs a task of its own, and nothing waits for code that does not come back.
final class Lane: Sendable {
    private struct State {
        var generation = 0
        var claimed: ArraySlice<StoredItem> = []
        var work: Work?
        /// Whether an attempt is being made, on the clock of its desk.
        var isArmed = false
        var finished: [CommittedOutcome] = []
        var committedAt = Duration.zero
        var task: Task<Void, Never>?
        var worker: (any Worker)?
        var closing = false
        var ended = false
    }

    /// Where its workers come from.
    let crew: Crew
    /// In a graph, which nodes it works for.
    let team: Int
    private let state = Mutex(State())

    init(crew: Crew, team: Int = 0) {
        self.crew = crew
        self.team = team
    }

    /// The generation of the lane's present driver.
    var generation: Int { state.withLock { $0.generation } }

    /// Names the task that drives the lane in `generation`, and the worker that it has.
    func isDriven(by task: Task<Void, Never>, with worker: any Worker, in generation: Int) {
        state.withLock { state in
            guard state.generation == generation else { return }
            (state.task, state.worker) = (task, worker)
        }
    }

    // MARK: The driver's side; every answer is `nil` or `false` once the driver has been left behind.

    /// The item in progress, if an earlier driver left one.
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

    /// Puts what was claimed and not started back to nobody.
    func dropClaimed() { state.withLock { $0.claimed = [] } }

    /// The later half of what is claimed and not started, for a lane that has nothing left to do.
    func giveHalf() -> ArraySlice<StoredItem> {
        state.withLock { state in
            let half = state.claimed.suffix((state.claimed.count + 1) / 2)
            state.claimed.removeLast(half.count)
            return half
        }
    }

    /// Says which item is in progress; refused once the run has given up its items.
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

    /// Stops the clock of an attempt that has come back.
    func disarm(_ generation: Int) -> Bool {
        state.withLock { state in
            guard state.generation == generation else { return false }
            state.isArmed = false
            return true
        }
    }

    /// Says that the item in progress has ended; from here on nobody else can end it.
    func endWork(_ generation: Int) -> Bool {
        state.withLock { state in
            guard state.generation == generation else { return false }
            state.work = nil
            return true
        }
    }

    /// Keeps an outcome until the next commit.
    func keep(_ outcome: CommittedOutcome) { state.withLock { $0.finished.append(outcome) } }

    /// The outcomes to commit now: when nothing more is claimed, some time has passed, or there are many.
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

    /// Marks the lane as ended; `false` when it was already or someone else drives it.
    func end(_ generation: Int) -> Bool {
        state.withLock { state in
            guard state.generation == generation, !state.ended else { return false }
            state.ended = true
            return true
        }
    }

    // MARK: The supervisor's side

    /// When the attempt in progress is out of time, or has been silent for too long; `nil` while the engine makes it
    /// wait, which only the run's own limit ends.
    var deadline: Duration? { state.withLock { $0.isArmed ? $0.work?.desk.clock.end : nil } }

    /// Whether the attempt in progress has been silent for too long.
    func isSilent(at now: Duration) -> Bool { state.withLock { $0.work?.desk.clock.isSilent(at: now) == true } }

    /// Leaves the driver of an attempt that is out of time behind; the item stays in progress.
    ///
    /// - Returns: the new generation and the worker to be stopped, or `nil` when the attempt has come back in the
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
    /// - Returns: the item in progress, the outcomes that were not committed and the worker to be stopped; `nil` when
    ///   the lane has ended or is between two items, where its driver sees by itself that the run is stopped.
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
