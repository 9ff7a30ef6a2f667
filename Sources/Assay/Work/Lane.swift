import Synchronization

/// A line of work that handles one item at a time, with its uncommitted outcomes.
///
/// A worker's loop drives a lane. When its item runs out of time or the run is cancelled, the loop is left behind: the
/// lane's generation grows, a late answer of the old loop finds that out and is dropped, and another loop continues
/// from here. So no item costs a task of its own, and nothing waits for code that does not return.
final class Lane<Source: WorkSource>: Sendable {
    private struct State {
        var generation = 0
        var job: Job<Source>?
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
    /// What its source knows it by.
    let post: Source.Post
    private let state = Mutex(State())

    init(crew: Crew, post: Source.Post) {
        self.crew = crew
        self.post = post
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

    /// Returns the work in progress, if an earlier driver left some.
    func jobInProgress(_ generation: Int) -> Job<Source>? {
        state.withLock { $0.generation == generation ? $0.job : nil }
    }

    /// Records the work in progress; refused once the run has given up its items.
    func begin(_ job: Job<Source>, _ generation: Int) -> Bool {
        state.withLock { state in
            guard state.generation == generation, !state.closing else { return false }
            state.job = job
            return true
        }
    }

    /// Starts the clock of an attempt.
    ///
    /// - Parameter alarm: wakes the supervisor of attempts.
    func arm(_ generation: Int, at now: Duration, alarm: Alarm) -> Bool {
        state.withLock { state in
            guard state.generation == generation, let work = state.job?.work else { return false }
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

    /// Records that the work in progress has ended. From here on, no one else can end it.
    func endWork(_ generation: Int) -> Bool {
        state.withLock { state in
            guard state.generation == generation else { return false }
            state.job = nil
            return true
        }
    }

    /// Keeps an outcome until the next commit.
    func keep(_ outcome: CommittedOutcome) { state.withLock { $0.finished.append(outcome) } }

    /// Returns the outcomes to commit now: when some time has passed, there are many, or `always`.
    func takeFinished(at now: Duration, always: Bool) -> [CommittedOutcome] {
        state.withLock { state in
            guard always || state.finished.count >= 256 || now - state.committedAt > .milliseconds(5)
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
    var deadline: Duration? { state.withLock { $0.isArmed ? $0.job?.work.desk.clock.end : nil } }

    /// Returns whether the attempt in progress has been silent for too long.
    func isSilent(at now: Duration) -> Bool { state.withLock { $0.job?.work.desk.clock.isSilent(at: now) == true } }

    /// Leaves the driver of an attempt that is out of time behind. The item stays in progress.
    ///
    /// - Returns: the new generation and the worker to be stopped, or `nil` when the attempt has returned in the
    ///   meantime.
    func expire(_ generation: Int) -> (generation: Int, worker: (any Worker)?)? {
        let left: (task: Task<Void, Never>?, generation: Int, worker: (any Worker)?)? = state.withLock { state in
            guard state.generation == generation, state.isArmed else { return nil }
            // Before the cancellation wakes it: its requests from here on are refused.
            state.job?.work.desk.endAttempt()
            state.generation += 1
            state.isArmed = false
            defer { state.task = nil }
            return (state.task, state.generation, state.worker)
        }
        left?.task?.cancel()
        return left.map { ($0.generation, $0.worker) }
    }

    /// Leaves the driver behind for good. What it has finished is still to be committed.
    ///
    /// - Returns: the work in progress and the worker to be stopped; `nil` when the lane has ended or is between two
    ///   pieces of work, where its driver sees for itself that the run is stopped.
    func abandon() -> (job: Job<Source>, worker: (any Worker)?)? {
        let (task, left) = state.withLock {
            state -> (Task<Void, Never>?, (job: Job<Source>, worker: (any Worker)?)?) in
            state.closing = true
            guard !state.ended, let job = state.job else { return (nil, nil) }
            job.work.desk.endAttempt()
            state.generation += 1
            state.ended = true
            state.job = nil
            state.isArmed = false
            defer { state.task = nil }
            return (state.task, (job, state.worker))
        }
        task?.cancel()
        return left
    }
}
