import Synchronization

// How the items of a run get to the workers and their outcomes into the store.

extension Engine {
    /// Extracts every item that is not settled; returns when each has its outcome or the run was stopped.
    ///
    /// - Throws: what the store or the start of a worker threw; the run is then over.
    func extract(_ session: RunSession) async throws {
        let lanes = min(session.options.runner.maxWorkers, session.unfinished)
        guard lanes > 0, session.stopped == nil else { return }
        let floor = Floor(session, lanes: lanes, store: store)
        for (place, lane) in floor.lanes.enumerated() {
            // One lane is enough to get on; others work if there are workers left that no other batch has.
            await start(lane, on: floor, generation: 0, after: nil, waits: place == 0)
        }
        await supervise(floor)
        if let error = floor.failure { throw error }
    }

    /// Watches over the lanes until the last one has ended.
    func supervise(_ floor: Floor) async {
        let session = floor.session
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await withDiscardingTaskGroup { await self.watch(floor, &$0) } }
            group.addTask {
                await session.waitForHardStop()
                guard session.stopped?.drains == false else { return }
                await withDiscardingTaskGroup { group in
                    for lane in floor.lanes { group.addTask { await self.abandon(lane, on: floor) } }
                }
            }
            await floor.waitForEnd()
            session.endWaitForHardStop()
            group.cancelAll()
        }
    }

    /// Has a worker whose loop drives `lane`.
    ///
    /// - Parameters:
    ///   - expired: the failure of the attempt that the last driver was left behind with.
    ///   - waits: whether to wait for a worker when all are busy; otherwise the lane ends.
    func start(
        _ lane: Lane, on floor: Floor, generation: Int = 0, after expired: ProcessingError? = nil, waits: Bool = true
    ) async {
        let crew = lane.crew
        do {
            guard let worker = try await crew.worker(waits: waits) else {
                if lane.end(generation) { floor.laneEnded() }
                return
            }
            let task = Task(executorPreference: worker.executor) {
                // A run that is started inside a step of another has steps of its own.
                let isFree = await Context.$enclosingStep.withValue(nil) {
                    await self.drive(lane, on: floor, with: worker, generation, after: expired)
                }
                guard isFree else { return crew.dismiss(worker) }
                crew.takeBack(worker)
                floor.remove(lane)
                floor.laneEnded()
            }
            lane.isDriven(by: task, with: worker, in: generation)
        } catch {
            floor.fail(error)
            if lane.end(generation) { floor.laneEnded() }
        }
    }

    /// Works on one item after another until none is left, the run is stopped, or this loop is left behind.
    ///
    /// - Returns: `false` when it has been left behind; the lane is another's, and the worker may still be busy.
    private func drive(
        _ lane: Lane, on floor: Floor, with worker: any Worker, _ generation: Int, after expired: ProcessingError?
    ) async -> Bool {
        var expired = expired
        do {
            while var work = try await nextWork(lane, on: floor, generation) {
                let session = work.session
                let answer: Result<Payload, any Error>
                if let error = expired {
                    answer = .failure(error)
                    expired = nil
                } else {
                    let context = session.context(
                        for: work.entry, phase: .extraction, attempt: work.attempts, desk: work.desk)
                    guard lane.arm(generation, at: world.time.uptime(), alarm: floor.alarm) else {
                        return false
                    }
                    do {
                        try work.verifySources()
                        let output =
                            if let flow = floor.flow {
                                try await attempt(&work, of: flow, in: lane, generation, with: worker, context)
                            } else {
                                try await worker.extract(work.input, in: context)
                            }
                        // What was read while it changed is nobody's result.
                        try work.verifySources()
                        answer = .success(try stored(output, caches: session.options.itemCacheInForce != nil))
                    } catch {
                        answer = .failure(error)
                    }
                    guard lane.disarm(generation) else { return false }
                }
                guard try await settle(answer, of: work, in: lane, on: floor, generation) else { return false }
            }
        } catch {
            if let flow = floor.flow, let work = lane.workInProgress(generation), let admission = work.admission {
                flow.recovery.withdraw(work.session.run.processorID, after: admission)
            }
            floor.fail(error)
        }
        return lane.end(generation)
    }

    /// An output in the form in which the store keeps it.
    private func stored(_ output: Payload, caches: Bool) throws -> Payload {
        guard store.keepsJSON || caches else { return output }
        do { return Payload(json: try output.json()) } catch {
            throw ProcessingError(.processing, "the output cannot be written as JSON: \(error)", retryable: false)
        }
    }

    /// The item to work on next, begun; `nil` when there is none or the run is stopped.
    private nonisolated(nonsending) func nextWork(_ lane: Lane, on floor: Floor, _ generation: Int) async throws
        -> Work?
    {
        if let work = lane.workInProgress(generation) { return work }
        if let flow = floor.flow { return try await nextWork(lane, of: flow, on: floor, generation) }
        let session = floor.session
        while session.stopped == nil {
            try await commit(lane.takeFinished(at: world.time.uptime(), always: false), session)
            if let entry = lane.takeClaimed(generation) {
                if let work = try await begin(entry, in: lane, on: floor, generation) { return work }
                continue
            }
            guard lane.generation == generation else { return nil }
            let frame = try await floor.nextFrame()
            guard !frame.isEmpty else { break }
            lane.claim(frame)
        }
        lane.dropClaimed()
        try await commit(lane.takeFinished(at: world.time.uptime(), always: true), session)
        return nil
    }

    /// Begins an item; `nil` when the cache already had its output.
    private nonisolated(nonsending) func begin(
        _ entry: StoredItem, in lane: Lane, on floor: Floor, _ generation: Int
    ) async throws -> Work? {
        let session = floor.session
        session.emit(.itemStart, item: entry.item.id)
        do { try await session.base.charge(for: session, on: entry.item, by: self) } catch let error as ProcessingError
            where error.code == .budgetExhausted
        {
            let desk = try await desk(for: entry, attempt: 1, session)
            let work = Work(
                entry: entry, session: session, desk: desk, startedAt: world.time.uptime(), attempt: 0)
            keep(failed(work, error, nil, session), in: lane, session)
            return nil
        }
        if entry.isAsListed, let outcome = try await cachedOutcome(of: entry, session) {
            session.suspicion.noteEnd(at: entry.index)
            lane.keep(CommittedOutcome(outcome))
            return nil
        }
        let (startedAt, earlierAttempts) = session.begin(entry.index, at: world.time.uptime())
        let desk = try await desk(for: entry, attempt: earlierAttempts + 1, session)
        let work = Work(
            entry: entry, session: session, desk: desk, startedAt: startedAt, earlierAttempts: earlierAttempts)
        return lane.begin(work, generation) ? work : nil
    }

    /// What becomes of an item after an attempt.
    ///
    /// - Returns: `false` when this loop has been left behind.
    private nonisolated(nonsending) func settle(
        _ answer: Result<Payload, any Error>, of work: Work, in lane: Lane, on floor: Floor, _ generation: Int
    ) async throws -> Bool {
        let session = floor.session
        switch answer {
        case .success where floor.flow == nil && work.desk.hasMissedStage:
            // Not a failure of the item, whose attempts are counted anew.
            var work = work
            try await work.desk.recordCharges()
            work.desk.startOver()
            work.earlierAttempts += 1
            guard lane.begin(work, generation) else { return false }
            _ = try await isStopped(work, in: lane, on: floor, generation)
        case .success(let output):
            guard lane.endWork(generation) else { return false }
            work.session.suspicion.noteEnd(at: work.entry.index)
            if let flow = floor.flow {
                try await succeed(work, output, in: lane, of: flow)
            } else if let error = work.missedResumePoint {
                keep(failed(work, error, nil, session), in: lane, session)
            } else {
                lane.keep(succeeded(work, output, session))
                floor.noteAttempt(lasted: world.time.uptime() - work.startedAt)
            }
        case .failure(let thrown):
            var work = work
            let error = try await failure(thrown, of: work)
            if error.code == .definitionChanged, work.session.processor.files != nil {
                session.end(becauseOf: error)
                guard lane.endWork(generation) else { return false }
                try await giveUp(work, in: lane, on: floor)
                break
            }
            let lost = (thrown as? WorkerLoss)?.isCrash == true
            let crashed = lost || (work.session.processor.startsPrograms && error.isCrashOfProgram)
            if crashed {
                work.crashes += 1
                work.session.suspicion.noteDeath(at: work.entry.index, of: work.entry.item.id, because: error)
                session.stopIfBroken(work.session)
            }
            let isPoison = crashed && work.crashes >= work.session.options.maxCrashes
            if floor.flow == nil, error.code == .programBroken {
                session.tally.noteBrokenProgram(error)
                session.stop(.init(reason: .programBroken, drains: true))
            }
            let answer: ErrorAnswer
            if crashed, !isPoison {
                // Another worker may not die of it: only an item that has cost as many as it may has failed.
                answer = .retry(after: .zero)
                if let flow = floor.flow, let admission = work.admission {
                    flow.recovery.withdraw(work.session.run.processorID, after: admission)
                }
            } else if let flow = floor.flow {
                answer = await self.answer(to: error, of: work, in: flow)
            } else {
                let repeats = min(work.crashes, work.session.options.maxCrashes - 1)
                answer =
                    session.options.retryPolicy.delay(
                        after: error, attempt: work.attempt - repeats, chance: world.chance()
                    ).map { .retry(after: $0) } ?? .skip
            }
            // Neither is its failure: the program is, or the stop that ended what it waited for. What a call that was
            // cut off leaves in doubt may have the budget refuse those who wait for it, before the stop reaches them.
            let refusedByStop = error.code == .budgetExhausted && session.stopped?.isFromOutside == true
            if refusedByStop || [.programBroken, .cancelled].contains(error.code),
                try await isStopped(work, in: lane, on: floor, generation)
            {
                break
            }
            guard case .retry(let delay) = answer else {
                guard lane.endWork(generation) else { return false }
                work.session.suspicion.noteEnd(at: work.entry.index)
                try await fail(work, error, isPoison ? .poison : nil, by: answer, in: lane, on: floor)
                break
            }
            if crashed { work.desk.forgetCharges() } else { try await work.desk.recordCharges() }
            // The breaker has been told of this attempt; nobody is to tell it again.
            work.admission = nil
            guard lane.begin(work, generation) else { return false }
            if try await isStopped(work, in: lane, on: floor, generation) { break }
            work.session.emit(.itemRetry, item: work.entry.item.id) {
                [
                    "code": .string(error.code.rawValue), "message": .string(error.message),
                    "attempt": JSONValue(work.attempt), "after_ms": JSONValue(delay),
                ]
            }
            // Before the wait: an attempt that was left behind must find out at once that it no longer counts.
            work.desk.beginAttempt(forgetting: work.session.options.recovery == .reprocess)
            // A cancelled wait means that this loop was left behind, which `begin` finds out.
            await session.backOff(for: delay)
            if try await isStopped(work, in: lane, on: floor, generation) { break }
            work.attempt += 1
            return lane.begin(work, generation)
        }
        return true
    }

    /// Has an item that has attempts left end as cancelled, if the run was stopped, so that a resume makes them.
    private nonisolated(nonsending) func isStopped(
        _ work: Work, in lane: Lane, on floor: Floor, _ generation: Int
    ) async throws -> Bool {
        guard floor.session.stopped?.endsRetries == true, lane.endWork(generation) else { return false }
        work.session.suspicion.noteEnd(at: work.entry.index)
        if let flow = floor.flow {
            await giveUp(work, [], in: flow, on: floor)
        } else {
            lane.keep(cancelled(work, floor.session))
        }
        return true
    }

    /// Has an item, or its node in a graph, end as failed for good.
    private nonisolated(nonsending) func fail(
        _ work: Work, _ error: ProcessingError, _ reason: Outcome.Reason?, by answer: ErrorAnswer, in lane: Lane,
        on floor: Floor
    ) async throws {
        if let flow = floor.flow {
            return try await fail(work, error, reason, by: answer, in: lane, of: flow)
        }
        keep(failed(work, error, reason, floor.session), in: lane, floor.session)
    }

    /// Keeps the failure of an item, which may be the last that is let pass.
    private func keep(_ failed: CommittedOutcome, in lane: Lane, _ session: RunSession) {
        lane.keep(failed)
        session.noteFailure(of: failed.outcome.inputID) { failed.outcome.error }
    }

    /// Leaves an item unfinished, because the run cannot go on with its processor.
    private nonisolated(nonsending) func giveUp(_ work: Work, in lane: Lane, on floor: Floor) async throws {
        try await work.desk.doubtOpenCalls()
        if let flow = floor.flow {
            await giveUp(work, lane.takeFinished(at: world.time.uptime(), always: true), in: flow, on: floor)
            return
        }
        var outcome = Outcome(work.entry, .cancelled, .definitionChanged)
        let remains = work.desk.close()
        outcome.fill(from: work, remains, floor.session)
        lane.keep(CommittedOutcome(outcome, charges: remains.charges))
    }

    /// The failure that an attempt ended with; after the loss of its worker nothing of it goes on.
    private nonisolated(nonsending) func failure(_ thrown: any Error, of work: Work) async throws -> ProcessingError {
        let secrets = work.session.secrets
        guard let loss = thrown as? WorkerLoss else {
            return ProcessingError(wrapping: thrown, as: .extraction, hiding: secrets)
        }
        if case .unavailable(let error) = loss {
            // What may pass costs the attempt, not the run.
            guard error.retryable else { throw error }
            return error
        }
        let error = ProcessingError(
            wrapping: loss.error(inStep: work.desk.openStep), as: .workerCrashed, hiding: secrets)
        try await work.desk.doubtOpenCalls()
        return error
    }

    // MARK: Supervision

    /// Ends attempts and the run when they are out of time; sleeps until the next of these moments.
    private func watch(_ floor: Floor, _ group: inout DiscardingTaskGroup) async {
        let session = floor.session
        while !Task.isCancelled {
            floor.alarm.listen()
            let now = world.time.uptime()
            let end = session.end
            if now >= end { return session.stop(.init(reason: .runTimeout, drains: false)) }
            var next = min(end, now + floor.shortestLimit)
            for lane in floor.lanes {
                let generation = lane.generation
                guard let deadline = lane.deadline else { continue }
                guard deadline <= now else {
                    next = min(next, deadline)
                    continue
                }
                let isSilent = lane.isSilent(at: now)
                guard let (fresh, worker) = lane.expire(generation) else { continue }
                let error = timeout(lane, fresh, isSilent)
                // Before its worker is stopped: what it asks for meanwhile is no longer done.
                lane.workInProgress(fresh)?.desk.endAttempt()
                group.addTask {
                    await worker?.stop()
                    await self.restart(lane, on: floor, generation: fresh, after: error)
                }
            }
            await floor.alarm.sleep(until: next, by: world.time)
        }
    }

    /// Has another worker go on with the item whose attempt ran out of time and is stopped.
    private func restart(_ lane: Lane, on floor: Floor, generation: Int, after error: ProcessingError) async {
        guard let work = lane.workInProgress(generation) else { return }
        do { try await work.desk.doubtOpenCalls(because: error) } catch { floor.fail(error) }
        await start(lane, on: floor, generation: generation, after: error)
    }

    private func timeout(_ lane: Lane, _ generation: Int, _ isSilent: Bool) -> ProcessingError {
        let work = lane.workInProgress(generation)
        let options = work?.session.options ?? RunOptions()
        let remark = work?.desk.remark.map { "; \($0)" } ?? ""
        if isSilent, let limit = options.heartbeatTimeout {
            return ProcessingError(.timeout, "no heartbeat for \(limit.secondsText)\(remark)")
        }
        return ProcessingError(.timeout, "timed out after \(options.itemTimeout.secondsText)\(remark)")
    }

    /// Gives up what a lane is working on, because the run was cancelled or is out of time.
    private func abandon(_ lane: Lane, on floor: Floor) async {
        guard let (work, finished, worker) = lane.abandon() else { return }
        let session = floor.session
        work.desk.endAttempt()
        await worker?.stop()
        work.session.suspicion.noteEnd(at: work.entry.index)
        do { try await work.desk.doubtOpenCalls() } catch { floor.fail(error) }
        if let flow = floor.flow {
            await giveUp(work, finished, in: flow, on: floor)
            return floor.laneEnded()
        }
        do { try await commit(finished + [cancelled(work, session)], session) } catch { floor.fail(error) }
        floor.laneEnded()
    }
}

/// The lanes of a run, and what they share.
final class Floor: Sendable {
    let session: RunSession
    /// The graph that the lanes work for, which then says what is next.
    let flow: GraphFlow?
    /// The shortest time after which an attempt may have to be ended.
    let shortestLimit: Duration
    /// Wakes the one who looks after the ends of attempts.
    let alarm = Alarm()
    private let frames: Frames
    private let frameSize = Atomic(1)
    private let state: Mutex<State>

    private struct State {
        var lanes: [Lane]
        var running: Int
        var holds = 0
        var waiter: CheckedContinuation<Void, Never>?
        var failure: (any Error)?
    }

    init(_ session: RunSession, lanes: Int, store: any Store) {
        self.session = session
        flow = nil
        shortestLimit = session.options.shortestLimit
        state = Mutex(State(lanes: (0..<lanes).map { _ in Lane(crew: session.crew) }, running: lanes))
        let id = session.run.id
        let suspicion = session.suspicion
        frames = Frames(over: session.places, comesLate: suspicion.isKiller) { place, limit in
            try await store.items(of: id, from: place, limit: limit).filter { !session.hasEnded($0.index) }
        }
    }

    /// A floor for the nodes of a graph, whose lanes come and go; it ends with the last of them.
    init(_ flow: GraphFlow) {
        session = flow.session
        self.flow = flow
        shortestLimit = flow.nodes.map(\.options.shortestLimit).min() ?? session.options.timeout
        frames = Frames(over: 0..<0) { _, _ in [] }
        state = Mutex(State(lanes: [], running: 0))
    }

    /// The lanes at work.
    var lanes: [Lane] { state.withLock { $0.lanes } }

    /// Takes a lane in; the caller keeps the floor from ending meanwhile.
    func add(_ lane: Lane) {
        state.withLock { state in
            state.lanes.append(lane)
            state.running += 1
        }
    }

    /// Keeps the floor from ending until it is released once more, without any lane.
    func hold() {
        state.withLock { state in
            state.holds += 1
            state.running += 1
        }
    }

    /// Takes one hold back; `false` when there is none.
    @discardableResult func release() -> Bool {
        let wasHeld = state.withLock { state in
            guard state.holds > 0 else { return false }
            state.holds -= 1
            return true
        }
        if wasHeld { laneEnded() }
        return wasHeld
    }

    /// Forgets a lane that has ended.
    func remove(_ lane: Lane) { state.withLock { state in state.lanes.removeAll { $0 === lane } } }

    /// Items to work on: the next in order, else half of what another lane has claimed; empty when all are started.
    nonisolated(nonsending) func nextFrame() async throws -> ArraySlice<StoredItem> {
        let suspicion = session.suspicion
        order: while session.stopped == nil {
            switch suspicion.order() {
            case .inOrder: break order
            case .wait: await suspicion.waitForNews(in: session)
            case .probe(let probe):
                let entry = try await frames.next(probe)
                suspicion.begin(at: entry?.index)
                if let entry { return [entry] }
            case .broken:
                session.stopIfBroken(session)
                return []
            }
            if Task.isCancelled { return [] }
        }
        guard session.stopped == nil else { return [] }
        let frame = try await frames.next(frameSize.load(ordering: .relaxed))
        guard frame.isEmpty else { return frame }
        for lane in lanes {
            let half = lane.giveHalf()
            if !half.isEmpty { return half }
        }
        return []
    }

    /// Lets frames grow while items are short, so that claiming them costs nothing, and go one by one when they are long.
    func noteAttempt(lasted duration: Duration) {
        // Under a policy that may stop the run, items start strictly one after another.
        if duration < .microseconds(50), session.options.failurePolicy == .collect {
            frameSize.store(min(frameSize.load(ordering: .relaxed) * 2, 256), ordering: .relaxed)
        } else if duration > .milliseconds(1) {
            frameSize.store(1, ordering: .relaxed)
        }
    }

    func laneEnded() {
        let waiter: CheckedContinuation<Void, Never>? = state.withLock { state in
            state.running -= 1
            guard state.running == 0 else { return nil }
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }

    /// Returns when every lane has ended.
    func waitForEnd() async {
        await withCheckedContinuation { continuation in
            let ended = state.withLock { state in
                guard state.running > 0 else { return true }
                state.waiter = continuation
                return false
            }
            if ended { continuation.resume() }
        }
    }

    /// Remembers that the run cannot go on and stops it.
    func fail(_ error: any Error) {
        state.withLock { $0.failure = $0.failure ?? error }
        session.stop(.init(reason: .runCancelled, drains: true))
    }

    /// Why the run cannot go on.
    var failure: (any Error)? { state.withLock { $0.failure } }
}
