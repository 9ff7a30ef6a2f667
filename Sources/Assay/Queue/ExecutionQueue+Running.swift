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
        defer { change { state in for (id, due) in asked { state.index.giveBack(id, due: due) } } }
        while started < configuration.capacity, await hasPlace(), let id = next() {
            switch await answer(about: id) {
            case nil: change { $0.index.giveBack(id) }
            case .granted:
                guard let live = await claim(id) else { continue }
                group.addTask { _ = await self.perform(id, live, isWork: true) }
                started += 1
            case .denied(let reason, let notBefore):
                asked.append((id, nil))
                asked[asked.count - 1].due = try await deny(id, reason, notBefore: notBefore)
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
    private func answer(about id: Execution.ID) async -> Admission? {
        guard let execution = try? await execution(id) else { return nil }
        do {
            return try await admission.admit(id, request: execution.request, scope: execution.scope)
        } catch {
            return .denied(ProcessingError(wrapping: error, as: .denied).message)
        }
    }

    /// Takes an execution that waits, so that nobody else does; `nil` when it does not wait any more.
    private func claim(_ id: Execution.ID) async -> QueueState.Live? {
        while true {
            let (live, isBusy) = change { $0.claim(id) }
            if let live { return live }
            guard isBusy else { return nil }
            await wait { !$0.busy.contains(id) }
            guard !Task.isCancelled else {
                change { $0.index.giveBack(id) }
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
                    .illegalMove, "execution '\(id)' is \(status.rawValue); go on with it where it was started")
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
        throw execution.error?.processingError
            ?? ProcessingError(
                execution.status == .cancelled ? .cancelled : .illegalMove,
                "execution '\(id)' ended as \(execution.status.rawValue) without having run")
    }

    // MARK: One execution

    /// Carries a claimed execution through.
    ///
    /// - Parameter isWork: whether the queue does so by itself; it then waits again when the work is given up.
    private func perform(
        _ id: Execution.ID, _ live: QueueState.Live, isWork: Bool
    ) async -> Result<Report, any Error> {
        var result: Result<Report, any Error>
        do { result = .success(try await run(id, live)) } catch {
            result = .failure(error)
            do { try await fail(id, live, error, isWork: isWork) } catch { result = .failure(error) }
        }
        do { try await settle(id, live, isWork: isWork) } catch { result = .failure(error) }
        change { state in
            live.facts.withLock { $0.end = result }
            state.live[id] = nil
            // What the store did not take down is found again by whoever opens the queue next.
            state.index.giveBack(id)
        }
        return result
    }

    private func run(_ id: Execution.ID, _ live: QueueState.Live) async throws -> Report {
        let execution = try await self.execution(id)
        guard !live.isCancelled, !Task.isCancelled else { throw CancellationError() }
        let (processor, resolved) = try await resolve(execution)
        var options = execution.options(from: resolved)
        if execution.isStreaming {
            let hub = change { state in
                let hub = state.hubs[id] ?? ChunkHub()
                state.hubs[id] = hub
                state.endedHubs.removeAll { $0 == id }
                return hub
            }
            hub.restart()
            let others = options.onChunk
            options.onChunk = { inputID, chunk in
                await others?(inputID, chunk)
                await hub.emit(chunk, of: inputID)
            }
        }
        let watching: @Sendable (RunHandle) -> Void = { handle in
            self.change { state in
                state.index.move(id, to: .running)
                state.denied.remove(id)
            }
            self.meters.count(startedAfter: self.world.time.now().since(execution.createdAt))
            self.tell(execution, from: .pending, to: .running)
            let isCancelled = live.facts.withLock { facts in
                facts.handle = handle
                return facts.isCancelled
            }
            if isCancelled { handle.cancel() }
        }
        if let last = execution.lastRunID, let run = try await store.run(last) {
            if run.isListed, run.deletedAt == nil {
                return try await engine.resume(
                    last, with: processor, options: options, failedOnly: execution.again.failedOnly,
                    watching: watching)
            }
            options.previousRunID = last
        }
        let items = StoredItems(store: store, execution: id)
        return try await engine.run(processor, streaming: items, options: options, watching: watching)
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

    /// Takes note of where an execution stands after its run.
    private func settle(_ id: Execution.ID, _ live: QueueState.Live, isWork: Bool) async throws {
        guard var execution = try await store.execution(id) else { return }
        let status = execution.status
        if isWork, Task.isCancelled, !live.isCancelled, status == .cancelled, execution.error?.code == .cancelled {
            execution = execution.waiting()
        }
        let hub = change { state in execution.status.isTerminal ? state.endHub(of: id) : state.hubs[id] }
        execution.chunks = hub?.count ?? execution.chunks
        if execution.status != status || execution.chunks > 0 {
            _ = try await store.replace(execution, standingAt: status)
        }
        let due = due(execution)
        let before = change { state in
            defer { state.index.move(id, to: execution.status, due: due) }
            if execution.status != .pending { state.denied.remove(id) }
            return state.index.status(of: id)
        }
        if execution.status.isTerminal {
            hub?.end(execution.streamEnd)
            meters.count(endedAs: execution.status)
        }
        if before != execution.status { tell(execution, from: before) }
        meters.note(counts)
    }
}

extension QueueState {
    /// Makes an execution somebody's to run if it waits and nobody changes it.
    mutating func claim(_ id: Execution.ID) -> (live: Live?, isBusy: Bool) {
        guard index.status(of: id) == .pending, live[id] == nil else { return (nil, false) }
        guard !busy.contains(id) else { return (nil, true) }
        let claimed = Live()
        live[id] = claimed
        index.withdraw(id)
        return (claimed, false)
    }
}

extension Execution {
    /// How its next run is done, where it says something of its own.
    fileprivate func options(from resolved: RunOptions) -> RunOptions {
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

/// The items that an execution was submitted with, read page by page.
private struct StoredItems: AsyncSequence {
    typealias Element = Item

    let store: any Store
    let execution: Execution.ID

    struct AsyncIterator: AsyncIteratorProtocol {
        let source: StoredItems
        var page: ArraySlice<Item> = []
        var position = 0

        mutating func next() async throws -> Item? {
            if page.isEmpty {
                page = try await source.store.items(ofExecution: source.execution, from: position, limit: 1_024)[...]
                position += page.count
            }
            return page.popFirst()
        }
    }

    func makeAsyncIterator() -> AsyncIterator { AsyncIterator(source: self) }
}

extension Timestamp {
    /// The time from `earlier` to this moment; none when the clock was set back meanwhile.
    fileprivate func since(_ earlier: Timestamp) -> Duration {
        .milliseconds(max(0, milliseconds - earlier.milliseconds))
    }
}
