import OrderedCollections
import Synchronization

extension ExecutionQueue {
    // MARK: Cycles

    /// One cycle by hand: starts what capacity and admission allow and waits until all of it has ended.
    ///
    /// - Returns: how many executions it started; 0 when the queue is not started.
    /// - Throws: ``ProcessingError`` when the store fails; what was started has ended by then.
    @discardableResult public func cycle() async throws -> Int {
        var result: Result<Int, any Error> = .success(0)
        await withDiscardingTaskGroup { group in
            do { result = .success(try await fill(&group)) } catch { result = .failure(error) }
        }
        return try result.get()
    }

    /// Works until ``stop()``: a cycle, then the refresh time, and so on, without waiting for what a cycle started.
    ///
    /// Returns at once when the queue is not started, else when everything that runs has ended. A paused queue stays
    /// ready. When the calling task is cancelled, what runs is given up and waits again, to go on where it was.
    ///
    /// - Throws: ``ProcessingError`` when the store fails.
    public func work() async throws {
        var failure: (any Error)?
        await withDiscardingTaskGroup { group in
            while change({ $0.isStarted }), !Task.isCancelled {
                let begun = world.time.uptime()
                do { _ = try await fill(&group) } catch {
                    failure = error
                    return
                }
                await rest(until: begun + configuration.refreshTime)
                await wait { !$0.isPaused || !$0.isStarted }
            }
        }
        if let failure { throw failure }
    }

    /// Waits for a moment, or the end of the work.
    private func rest(until moment: Duration) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { [world] in try? await world.time.sleep(until: moment) }
            group.addTask { await self.wait { !$0.isStarted } }
            await group.next()
            group.cancelAll()
        }
    }

    /// Starts executions in `group` until capacity, turn or permission is missing; one such cycle at a time.
    private func fill(_ group: inout DiscardingTaskGroup) async throws -> Int {
        while true {
            await wait { !$0.isCycling }
            let isMine = change { state in
                defer { state.isCycling = true }
                return !state.isCycling
            }
            if isMine { break }
            guard !Task.isCancelled else { return 0 }
        }
        defer { change { $0.isCycling = false } }
        try await recoverOrphans()
        var started = 0
        var asked: [(id: Execution.ID, due: Duration?)] = []
        defer { change { state in for (id, due) in asked { state.giveBack(id, due: due) } } }
        while started < configuration.capacity, await hasPlace(), let id = next() {
            switch try await answer(about: id) {
            case nil: continue
            case .admit:
                guard let live = await claim(id, within: configuration.concurrencyLimit) else { continue }
                group.addTask { _ = await self.perform(id, live, isWork: true) }
                started += 1
            case .wait(let until, let reason):
                asked.append((id, nil))
                asked[asked.count - 1].due = try await putOff(id, until: until, reason)
            case .deny(let reason):
                asked.append((id, nil))
                asked[asked.count - 1].due = try await deny(id, reason)
                if configuration.onDenial == .endCycle { return started }
            }
        }
        return started
    }

    /// Waits for a place among those that run; `false` when the queue is stopped meanwhile.
    private func hasPlace() async -> Bool {
        let limit = configuration.concurrencyLimit
        await wait { $0.live.count < limit || !$0.isWorking }
        return change { $0.isWorking } && !Task.isCancelled
    }

    private func next() -> Execution.ID? {
        let now = world.time.uptime()
        return change { $0.index.offer(at: now) }
    }

    /// What the admission policy says; `nil` when the execution is gone.
    ///
    /// - Throws: what the store throws; the execution is then on offer again.
    private func answer(about id: Execution.ID) async throws -> Admission? {
        let execution: Execution
        do { execution = try await self.execution(id) } catch let error as ProcessingError where error.code == .notFound
        {
            change { $0.index.remove(id) }
            return nil
        } catch {
            change { $0.giveBack(id) }
            throw error
        }
        do {
            return try await admission.admit(id, request: execution.request, scope: execution.scope)
        } catch let error as ProcessingError where error.code == .store {
            // A store that fails says nothing about the execution.
            change { $0.giveBack(id) }
            throw error
        } catch {
            return .deny(ProcessingError(wrapping: error, as: .denied).message)
        }
    }

    /// Takes an execution that waits, so that nobody else does; `nil` when it does not wait any more.
    ///
    /// - Parameter status: `paused` for one that was left in a pause.
    /// - Parameter limit: how many may run at once, for a queue that takes it only while it works; `nil` for anyone else.
    func claim(
        _ id: Execution.ID, standing status: Status = .pending, within limit: Int? = nil
    ) async -> QueueState.Live? {
        while true {
            // Looked at with the claim, since much may have happened while somebody was asked about it.
            switch change({ $0.claim(id, standing: status, within: limit) }) {
            case .mine(let live): return live
            case .gone: return nil
            case .busy: await wait { !$0.busy.contains(id) }
            case .full(let limit): await wait { $0.live.count < limit || !$0.isWorking }
            }
            guard !Task.isCancelled else {
                change { $0.giveBack(id) }
                return nil
            }
        }
    }

    // MARK: Invoking

    /// Runs an execution now, past capacity and admission, and gives its report.
    ///
    /// One that runs is waited for, of one that has ended the stored report is given; so that many who invoke the same
    /// execution cause one run. When the task whose call began the run is cancelled, the execution is cancelled.
    ///
    /// - Throws: ``ProcessingError``: `not_found`; what kept it from running, or why it ended without a run; `cancelled`
    ///   when a task is cancelled that only waits.
    public func invoke(_ id: Execution.ID) async throws -> Report {
        while true {
            let (status, running) = change { ($0.index.status(of: id), $0.live[id]) }
            guard let status else { throw ProcessingError.executionUnknown(id) }
            if let running { return try await end(of: running) }
            if status.isTerminal { return try await report(of: id) }
            guard status == .pending else {
                throw ProcessingError(
                    .illegalMove, "execution '\(id)' is \(status.rawValue); go on with it by 'goOn', or cancel it")
            }
            if let reason = change({ $0.index.isForeign(id) }) ? try await execution(id).waitsFor : nil {
                throw ProcessingError(
                    .configuration, "execution '\(id)' waits for \(reason), which this program is not")
            }
            if let live = await claim(id) { return try await perform(id, live, isWork: false).get() }
            guard !Task.isCancelled else {
                throw ProcessingError(.cancelled, "the task that waited for an execution was cancelled")
            }
        }
    }

    private func end(of live: QueueState.Live) async throws -> Report {
        await wait { _ in live.end != nil }
        guard let end = live.end else {
            throw ProcessingError(.cancelled, "the task that waited for an execution was cancelled")
        }
        return try end.get()
    }

    /// The last report of an execution that has ended.
    private func report(of id: Execution.ID) async throws -> Report {
        let execution = try await execution(id)
        if let run = execution.lastRunID, try await store.run(run) != nil { return try await engine.report(of: run) }
        if let error = execution.error { throw error.processingError }
        if let run = execution.lastRunID {
            throw ProcessingError(
                .notFound,
                "execution '\(id)' ended as \(execution.status.rawValue) in run '\(run)', which is not on record in this "
                    + "store; its report is in the snapshot the execution came from")
        }
        throw ProcessingError(
            execution.status == .cancelled ? .cancelled : .illegalMove,
            "execution '\(id)' ended as \(execution.status.rawValue) without having run")
    }

    // MARK: One execution

    /// Runs a claimed execution.
    ///
    /// - Parameter isWork: whether the queue does so by itself; it then waits again when the work is given up.
    private func perform(
        _ id: Execution.ID, _ live: QueueState.Live, isWork: Bool
    ) async -> Result<Report, any Error> {
        await carry(id, live, from: .pending) {
            do { return try await run(id, live, isWork: isWork) } catch {
                try await fail(id, live, error, isWork: isWork)
                throw error
            }
        }
    }

    /// Carries `work` on a claimed execution out, takes note of where that leaves it, and lets it go, whatever fails.
    ///
    /// - Parameter status: where it stood when it was claimed.
    func carry(
        _ id: Execution.ID, _ live: QueueState.Live, from status: Status, _ work: () async throws -> Report
    ) async -> Result<Report, any Error> {
        var result: Result<Report, any Error>
        do { result = .success(try await work()) } catch { result = .failure(error) }
        do { try await settle(id, live, result) } catch {
            result = .failure(error)
            // What the store did not take down is found again when the queue is opened next, and of one that was
            // paused when it is continued next.
            change { state in
                if status == .paused { state.index.move(id, to: .paused) }
                state.release(id, live, result)
                return state.endHub(of: id)
            }?.end(result.map { _ in })
        }
        return result
    }

    /// Carries `body` out, and returns when taps of the graph have taken what it put into pipes.
    func finishingTaps(
        of work: Runnable, _ body: () async throws -> Report
    ) async throws -> Report {
        let result: Result<Report, any Error>
        do { result = .success(try await body()) } catch { result = .failure(error) }
        if case .graph(let graph, _) = work { await graph.finishTaps() }
        return try result.get()
    }

    private func run(_ id: Execution.ID, _ live: QueueState.Live, isWork: Bool) async throws -> Report {
        let execution = isWork ? try await admitted(id) : try await self.execution(id)
        guard !live.isCancelled, !Task.isCancelled else { throw CancellationError() }
        var (work, resolved) = try await resolve(execution)
        if case .graph(let graph, let settings) = work { work = .graph(graph, settings.leavingPauses) }
        var options = streaming(execution, execution.options(from: resolved))
        options.waitsWhenGivenUp = isWork
        options.worksOnSubmission = true
        let watching: @Sendable (RunHandle) -> Void = { self.follow($0, execution, from: .pending, live) }
        let last = try await lastRun(of: execution)
        if let last, last.isListed, last.deletedAt == nil {
            return try await finishingTaps(of: work) {
                try await engine.resume(
                    last.id, with: work, options, watching, failedOnly: execution.again.failedOnly)
            }
        }
        options.previousRunID = last?.id ?? options.previousRunID
        return try await finishingTaps(of: work) {
            try await engine.perform(
                work, options, watching, failedOnly: execution.again.failedOnly, items: engine.submittedItems(of: id))
        }
    }

    func lastRun(of execution: Execution) async throws -> Run? {
        guard let id = execution.lastRunID else { return nil }
        return try await store.run(id)
    }

    /// `options` with those told who listen to what the execution emits.
    func streaming(_ execution: Execution, _ options: RunOptions) -> RunOptions {
        guard execution.isStreaming else { return options }
        let hub = change { state in
            let hub = state.hubs[execution.id] ?? ChunkHub()
            state.hubs[execution.id] = hub
            state.endedHubs.removeAll { $0 == execution.id }
            return hub
        }
        hub.restart()
        var options = options
        let others = options.onChunk
        options.onChunk = { inputID, chunk in
            await others?(inputID, chunk)
            await hub.emit(chunk, of: inputID)
        }
        return options
    }

    /// Takes note of a run that has begun or goes on.
    func follow(_ run: RunHandle, _ execution: Execution, from status: Status, _ live: QueueState.Live) {
        change { state in
            state.index.move(execution.id, to: .running)
            state.denied.remove(execution.id)
        }
        if status == .pending { meters.count(startedAfter: world.time.now().since(execution.createdAt)) }
        tell(execution, from: status, to: .running)
        let (isCancelled, isGivenUp) = live.facts.withLock { facts in
            facts.handle = run
            return (facts.isCancelled, facts.isGivenUp)
        }
        if isCancelled { run.cancel() } else if isGivenUp { run.giveUp() }
    }

    /// An execution that was let in, whose denials are forgotten, whether or not a run comes of it.
    private func admitted(_ id: Execution.ID) async throws -> Execution {
        await lock(id)
        defer { unlock(id) }
        var execution = try await self.execution(id)
        guard execution.status == .pending, !execution.denials.isEmpty else { return execution }
        execution.denials = []
        _ = try await store.replace(execution, standingAt: .pending)
        change { $0.denied.remove(id) }
        return execution
    }

    /// Ends an execution of which no run could be begun.
    private func fail(_ id: Execution.ID, _ live: QueueState.Live, _ error: any Error, isWork: Bool) async throws {
        let now = world.time.now()
        while let execution = try await store.execution(id), execution.status == .pending {
            // Work that is given up before it was begun simply waits.
            if isWork, Task.isCancelled, !live.isCancelled { return }
            let ended: Execution
            if live.isCancelled || Task.isCancelled {
                ended = try execution.ended(.cancelled, at: now)
            } else {
                var begun = execution
                begun.status = try execution.status.moved(to: .running)
                begun.startedAt = now
                ended = try begun.ended(.failed, at: now, error: ProcessingError(wrapping: error, as: .processing))
            }
            if try await store.replace(ended, standingAt: .pending) { return }
        }
    }

    /// Takes note of where an execution stands after its run, and lets it go.
    private func settle(
        _ id: Execution.ID, _ live: QueueState.Live, _ result: Result<Report, any Error>
    ) async throws {
        while let stored = try await store.execution(id) {
            var execution = stored
            // One that waits again because its work was given up, or that a breakpoint has paused at the same moment, is
            // cancelled if somebody asked for that.
            if stored.status.isLeft, live.isCancelled {
                if stored.status == .paused, let run = try await pausedRun(of: id) {
                    _ = try await engine.cancelPaused(run)
                    continue
                }
                execution = try stored.ended(.cancelled, at: world.time.now())
            }
            let hub = change { $0.hubs[id] }
            execution.chunks = hub?.count ?? stored.chunks
            if execution.status != stored.status || execution.chunks != stored.chunks {
                await lock(id)
                defer { unlock(id) }
                guard try await store.replace(execution, standingAt: stored.status) else { continue }
            }
            let due = due(execution)
            let (isSettled, before) = change { state -> (Bool, Status?) in
                guard !execution.status.isLeft || !live.isCancelled else { return (false, nil) }
                let before = state.index.status(of: id)
                state.index.move(id, to: execution.status, due: due)
                if execution.status != .pending { state.denied.remove(id) }
                if execution.status.isTerminal { _ = state.endHub(of: id) }
                state.release(id, live, result, due: due)
                return (true, before)
            }
            guard isSettled else { continue }
            if execution.status.isTerminal {
                hub?.end(execution.streamEnd)
                meters.count(endedAs: execution.status)
            }
            if before != execution.status { tell(execution, from: before) }
            meters.note(counts)
            return
        }
        change { state in
            state.index.remove(id)
            state.release(id, live, result)
            return state.hubs.removeValue(forKey: id)
        }?.end(result.map { _ in })
    }
}

extension QueueState {
    /// What became of the wish to run an execution.
    enum Claim: Sendable {
        case mine(Live)
        /// It does not wait, or the queue does not work.
        case gone
        /// Somebody changes it.
        case busy
        /// As many run as may.
        case full(Int)
    }

    /// Makes an execution somebody's to run if it waits and nobody changes it.
    ///
    /// - Parameter limit: how many may run at once, for a queue that takes it only while it works.
    mutating func claim(_ id: Execution.ID, standing status: Status, within limit: Int?) -> Claim {
        guard index.status(of: id) == status, live[id] == nil else { return .gone }
        if let limit {
            guard isWorking else {
                giveBack(id)
                return .gone
            }
            guard live.count < limit else { return .full(limit) }
        }
        guard !busy.contains(id) else { return .busy }
        let claimed = Live()
        live[id] = claimed
        index.withdraw(id)
        return .mine(claimed)
    }

    /// Lets go of an execution that ran or was about to.
    mutating func release(
        _ id: Execution.ID, _ live: Live, _ result: Result<Report, any Error>, due: Duration? = nil
    ) {
        live.facts.withLock { $0.end = result }
        self.live[id] = nil
        releases += 1
        giveBack(id, due: due)
    }

    /// Offers an execution again that was offered, unless somebody has taken it.
    mutating func giveBack(_ id: Execution.ID, due: Duration? = nil) {
        if live[id] == nil { index.giveBack(id, due: due) }
    }
}

extension Status {
    /// Whether work was left that somebody goes on with later.
    fileprivate var isLeft: Bool { self == .pending || self == .paused }
}

extension Execution {
    /// How its next run is done, where it says something of its own.
    func options(from resolved: RunOptions) -> RunOptions {
        var options = resolved
        options.executionID = id
        options.scope.accountID = scope.accountID ?? options.scope.accountID
        options.scope.underwritingID = scope.underwritingID ?? options.scope.underwritingID
        options.scope.executionID = scope.executionID
        options.timeout = timeout ?? options.timeout
        if runRequest != [:] { options.request = runRequest }
        if again != Again() { (options.recovery, options.onChange) = (again.recovery, again.onChange) }
        return options
    }
}

extension Timestamp {
    /// The time from `earlier` to this moment; none when the clock was set back meanwhile.
    fileprivate func since(_ earlier: Timestamp) -> Duration {
        .milliseconds(max(0, milliseconds - earlier.milliseconds))
    }
}
