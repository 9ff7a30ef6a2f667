import Synchronization

/// The lanes of a run, or of one batch of it, and who drives them: workers, attempts, time limits and stops.
///
/// What there is to do, and what becomes of it, is up to the ``WorkSource``.
final class Workshop<Source: WorkSource>: Sendable {
    private struct State {
        var lanes: [Lane<Source>] = []
        var running = 0
        var holds = 0
        var failure: (any Error)?
    }

    let source: Source
    let session: RunSession
    /// An alarm that wakes the supervisor of attempts.
    let alarm = Alarm()
    private let state = Mutex(State())
    private let ended = Signal()

    init(_ source: Source) { (self.source, session) = (source, source.session) }

    var world: World { session.world }

    /// The error because of which the run cannot continue.
    var failure: (any Error)? { state.withLock { $0.failure } }

    /// Records that the run cannot continue, and stops it.
    func fail(_ error: any Error) {
        state.withLock { $0.failure = $0.failure ?? error }
        session.stop(.init(reason: .runCancelled, drains: true))
    }

    // MARK: Lanes

    /// The lanes at work.
    var lanes: [Lane<Source>] { state.withLock { $0.lanes } }

    /// Adds a lane. The caller keeps the workshop from ending in the meantime.
    func add(_ lane: Lane<Source>) {
        state.withLock { state in
            state.lanes.append(lane)
            state.running += 1
        }
    }

    /// Forgets a lane that has ended.
    func remove(_ lane: Lane<Source>) { state.withLock { state in state.lanes.removeAll { $0 === lane } } }

    /// Keeps the workshop from ending until it is released once more, even without a lane.
    func hold() {
        state.withLock { state in
            state.holds += 1
            state.running += 1
        }
    }

    /// Releases one hold; returns `false` when there is none.
    @discardableResult func release() -> Bool {
        let wasHeld = state.withLock { state in
            guard state.holds > 0 else { return false }
            state.holds -= 1
            return true
        }
        if wasHeld { laneEnded() }
        return wasHeld
    }

    func laneEnded() {
        let isLast = state.withLock { state in
            state.running -= 1
            return state.running == 0
        }
        if isLast { ended.raise() }
    }

    /// Waits until every lane has ended.
    func waitForEnd() async { await ended.waitUncancelled { state.withLock { $0.running == 0 } } }

    // MARK: A lane

    /// Gets a worker and starts the loop that drives `lane` with it.
    ///
    /// - Parameters:
    ///   - expired: the failure of the attempt with which the last driver was left behind.
    ///   - waits: whether to wait for a worker when all are busy; otherwise the lane ends.
    func start(
        _ lane: Lane<Source>, generation: Int = 0, after expired: ProcessingError? = nil, waits: Bool = true
    ) async {
        let crew = lane.crew
        do {
            guard let worker = try await crew.worker(waits: waits) else {
                if lane.end(generation) { laneEnded() }
                return
            }
            let task = Task(executorPreference: worker.executor) {
                // A run that is started inside a step of another run has steps of its own.
                let isFree = await Context.$enclosingStep.withValue(nil) {
                    await self.drive(lane, with: worker, generation, after: expired)
                }
                guard isFree else { return crew.dismiss(worker) }
                crew.takeBack(worker)
                self.remove(lane)
                self.laneEnded()
            }
            lane.isDriven(by: task, with: worker, in: generation)
        } catch {
            fail(error)
            if lane.end(generation) { laneEnded() }
        }
    }

    /// Works on one thing at a time until none is left, the run is stopped, or this loop is left behind.
    ///
    /// - Returns: `false` when it was left behind: another loop drives the lane, and the worker may still be busy.
    private func drive(
        _ lane: Lane<Source>, with worker: any Worker, _ generation: Int, after expired: ProcessingError?
    ) async -> Bool {
        var expired = expired
        do {
            while var job = try await nextJob(lane, generation) {
                let end: AttemptEnd
                if let error = expired {
                    end = .threw(error)
                    expired = nil
                } else {
                    end = await attempt(&job, in: lane, generation, by: worker)
                }
                guard try await settle(end, of: job, in: lane, generation) else { return false }
            }
        } catch {
            if var job = lane.jobInProgress(generation) { source.withdraw(&job) }
            fail(error)
        }
        return lane.end(generation)
    }

    /// Makes one attempt, timed by the clock of its desk.
    private nonisolated(nonsending) func attempt(
        _ job: inout Job<Source>, in lane: Lane<Source>, _ generation: Int, by worker: any Worker
    ) async -> AttemptEnd {
        let work = job.work
        let context = work.session.context(
            for: work.entry, phase: .extraction, attempt: work.attempts, desk: work.desk)
        guard lane.arm(generation, at: world.time.uptime(), alarm: alarm) else { return .superseded }
        let end: AttemptEnd
        do {
            try work.verifySources()
            let output = try await source.attempt(&job, in: lane, generation, by: worker, context)
            // An output of sources that changed while they were read is not valid.
            try work.verifySources()
            end = .returned(try stored(output, of: work.session))
        } catch let loss as WorkerLoss {
            end = .lost(loss)
        } catch {
            end = .threw(error)
        }
        return lane.disarm(generation) ? end : .superseded
    }

    /// Returns what to work on next, which may be what an earlier driver has left.
    private nonisolated(nonsending) func nextJob(_ lane: Lane<Source>, _ generation: Int) async throws -> Job<Source>? {
        if let job = lane.jobInProgress(generation) { return job }
        return try await source.next(for: lane, in: self, generation)
    }

    /// Returns an output in the form in which the store keeps it.
    private func stored(_ output: Payload, of session: RunSession) throws -> Payload {
        guard session.store.keepsJSON || session.options.itemCacheInForce != nil else { return output }
        do { return Payload(json: try output.json()) } catch {
            throw ProcessingError(.processing, "the output cannot be written as JSON: \(error)", retryable: false)
        }
    }

    // MARK: The end of an attempt

    /// Settles work after an attempt: it ends, or it is tried again.
    ///
    /// - Returns: `false` when this loop was left behind.
    private nonisolated(nonsending) func settle(
        _ end: AttemptEnd, of job: Job<Source>, in lane: Lane<Source>, _ generation: Int
    ) async throws -> Bool {
        let work = job.work
        switch end {
        case .superseded: return false
        case .returned where source.startsOver(work):
            // Not a failure of the item, whose attempts are counted anew.
            var job = job
            try await work.desk.recordCharges()
            work.desk.startOver()
            job.work.earlierAttempts += 1
            guard lane.begin(job, generation) else { return false }
            _ = try await isStopped(job, in: lane, generation)
            return true
        case .returned(let output):
            guard lane.endWork(generation) else { return false }
            work.session.suspicion.noteEnd(at: work.entry.index)
            try await source.end(job, .gave(output), in: lane)
            return true
        case .threw(let thrown):
            let error = ProcessingError(wrapping: thrown, as: .extraction, hiding: work.session.secrets)
            let crashed = work.session.processor.startsPrograms && error.isCrashOfProgram
            return try await settle(error, crashed: crashed, of: job, in: lane, generation)
        case .lost(let loss):
            let error = try await failure(loss, of: work)
            return try await settle(error, crashed: loss.isCrash, of: job, in: lane, generation)
        }
    }

    /// Settles work after an attempt that has failed.
    ///
    /// - Parameter crashed: whether its worker, or its program, died.
    private nonisolated(nonsending) func settle(
        _ error: ProcessingError, crashed: Bool, of job: Job<Source>, in lane: Lane<Source>, _ generation: Int
    ) async throws -> Bool {
        var job = job
        let (desk, own) = (job.work.desk, job.work.session)
        if error.code == .definitionChanged, own.processor.files != nil {
            session.end(becauseOf: error)
            guard lane.endWork(generation) else { return false }
            try await desk.doubtOpenCalls()
            try await source.end(job, .givenUp(.definitionChanged), in: lane)
            return true
        }
        if crashed { noteCrash(error, &job.work) }
        let isPoison = crashed && job.work.crashes >= own.options.maxCrashes
        let answer: ErrorAnswer
        if crashed, !isPoison {
            // Another worker may survive it: an item fails only when it has cost as many workers as it may.
            answer = .retry(after: .zero)
            source.withdraw(&job)
        } else {
            answer = await source.answer(to: error, of: &job)
        }
        // Neither is the item's failure: the cause is the program, or the stop that ended what the item waited for.
        // A call that was cut off stays in doubt, so the budget may refuse those who wait for it before the stop
        // reaches them.
        let refusedByStop = error.code == .budgetExhausted && session.stopped?.isFromOutside == true
        if refusedByStop || [.programBroken, .cancelled].contains(error.code),
            try await isStopped(job, in: lane, generation)
        {
            return true
        }
        guard case .retry(let delay) = answer else {
            guard lane.endWork(generation) else { return false }
            own.suspicion.noteEnd(at: job.work.entry.index)
            try await source.end(job, .failed(error, isPoison ? .poison : nil, by: answer), in: lane)
            return true
        }
        if crashed { desk.forgetCharges() } else { try await desk.recordCharges() }
        return try await retry(job, error, after: delay, in: lane, generation)
    }

    /// Has the work in progress tried again after a while.
    private nonisolated(nonsending) func retry(
        _ job: Job<Source>, _ error: ProcessingError, after delay: Duration, in lane: Lane<Source>, _ generation: Int
    ) async throws -> Bool {
        var job = job
        let work = job.work
        guard lane.begin(job, generation) else { return false }
        if try await isStopped(job, in: lane, generation) { return true }
        work.session.emit(.itemRetry, item: work.entry.item.id) {
            [
                "code": .string(error.code.rawValue), "message": .string(error.message),
                "attempt": JSONValue(work.attempt), "after_ms": JSONValue(delay),
            ]
        }
        // Before the wait: an attempt that was left behind must find out at once that it no longer counts.
        work.desk.beginAttempt(forgetting: work.session.options.recovery == .reprocess)
        // A cancelled wait means that this loop was left behind; `begin` finds that out.
        await session.backOff(for: delay)
        if try await isStopped(job, in: lane, generation) { return true }
        job.work.attempt += 1
        return lane.begin(job, generation)
    }

    /// Records that an attempt ended with the death of its worker or of its program.
    private func noteCrash(_ error: ProcessingError, _ work: inout Work) {
        work.crashes += 1
        work.session.suspicion.noteDeath(at: work.entry.index, of: work.entry.item.id, because: error)
        session.stopIfBroken(work.session)
    }

    /// Gives up work that has attempts left if the run was stopped, so that a resume makes them.
    private nonisolated(nonsending) func isStopped(
        _ job: Job<Source>, in lane: Lane<Source>, _ generation: Int
    ) async throws -> Bool {
        guard session.stopped?.endsRetries == true, lane.endWork(generation) else { return false }
        job.work.session.suspicion.noteEnd(at: job.work.entry.index)
        try await source.end(job, .givenUp(nil), in: lane)
        return true
    }

    /// Returns the failure of an attempt that was lost with its worker. Its open calls are filed as in doubt.
    private nonisolated(nonsending) func failure(_ loss: WorkerLoss, of work: Work) async throws -> ProcessingError {
        if case .unavailable(let error) = loss {
            // A failure that may pass costs the attempt, not the run.
            guard error.retryable else { throw error }
            return error
        }
        let error = ProcessingError(
            wrapping: loss.error(inStep: work.desk.openStep), as: .workerCrashed, hiding: work.session.secrets)
        try await work.desk.doubtOpenCalls()
        return error
    }
}

/// How an attempt ends.
enum AttemptEnd {
    case returned(Payload)
    case threw(any Error)
    /// Its worker was lost.
    case lost(WorkerLoss)
    /// It no longer counts: the attempt was left behind, and another loop drives its lane.
    case superseded
}
