import OrderedCollections
import Synchronization

extension ExecutionQueue {
    /// The execution was taken in the meantime.
    private struct Taken: Error {}

    /// Cancels an execution. One that waits never runs; if it runs or is paused, its run is cancelled.
    ///
    /// The cancellation is in the store on return. A run that is being stopped may take a moment longer.
    ///
    /// - Parameter drain: whether items in progress may finish; otherwise they are given up and become cancelled.
    /// - Returns: `false` when it has already ended.
    /// - Throws: ``ProcessingError`` with code `not_found`.
    @discardableResult public func cancel(_ id: Execution.ID, drain: Bool = false) async throws -> Bool {
        while true {
            let (status, live) = change { ($0.index.status(of: id), $0.live[id]) }
            guard let status else { throw ProcessingError.executionUnknown(id) }
            if let live {
                if let isStopped = try await stopRunning(id, live, drain: drain) { return isStopped }
                continue
            }
            guard !status.isTerminal else { return false }
            if status == .paused, let run = try await pausedRun(of: id) {
                if try await cancelPaused(id, run) { return true }
                continue
            }
            do {
                try await changing(id, unlessTaken: true) { execution in
                    guard !execution.status.isTerminal else { throw Taken() }
                    return try execution.ended(.cancelled, at: self.world.time.now())
                }
                return true
            } catch is Taken {}
        }
    }

    /// Records that a running execution is to be cancelled, then stops its run.
    ///
    /// - Returns: `nil` when it was released in the meantime without an end.
    private func stopRunning(_ id: Execution.ID, _ live: QueueState.Live, drain: Bool) async throws -> Bool? {
        await lock(id)
        defer { unlock(id) }
        var marked = false
        while !marked {
            var execution = try await self.execution(id)
            let status = execution.status
            guard !status.isTerminal else { return false }
            execution.isCancelling = true
            marked = try await store.replace(execution, standingAt: status)
        }
        let (isLive, status) = change { state in
            let isLive = state.live[id] === live
            if isLive { live.facts.withLock { $0.isCancelled = true } }
            return (isLive, state.index.status(of: id))
        }
        guard isLive else { return status == .cancelled ? true : nil }
        live.cancel(drain: drain)
        return true
    }

    /// Skips an execution that waits.
    ///
    /// - Throws: ``ProcessingError``: `not_found`, `illegal_move` for one that does not wait.
    public func skip(_ id: Execution.ID, reason: String) async throws {
        try await changingWaiting(id, to: "skipped") {
            try $0.ended(.skipped, at: self.world.time.now(), reason: reason)
        }
    }

    /// Changes the priority of a waiting execution; `nil` restores the priority of its time of submission. Its place
    /// among equal priorities stays that of its submission.
    ///
    /// - Throws: ``ProcessingError``: `configuration` for a number that is not finite, otherwise as
    ///   ``skip(_:reason:)``.
    public func setPriority(_ priority: Double?, of id: Execution.ID) async throws {
        if let priority, !priority.isFinite {
            throw ProcessingError(.configuration, "priority must be a finite number, found \(priority)")
        }
        try await changingWaiting(id, to: "given another priority") { execution in
            var execution = execution
            execution.priority = priority ?? Execution.normalPriority(at: execution.createdAt)
            execution.ownPriority = priority
            return execution
        }
    }

    private func changingWaiting(
        _ id: Execution.ID, to what: String, _ body: (Execution) throws -> Execution
    ) async throws {
        do {
            try await changing(id, unlessTaken: true) { execution in
                guard execution.status == .pending else { throw Taken() }
                return try body(execution)
            }
        } catch is Taken {
            let word = try await execution(id).status
            throw ProcessingError(
                .illegalMove,
                "execution '\(id)' is \(word == .pending ? "running" : word.rawValue); "
                    + "only one that is pending can be \(what)")
        }
    }

    /// Makes an execution wait until a moment when it is asked about again. Its priority and denials stay.
    ///
    /// - Returns: the uptime before which it is not asked about.
    func putOff(_ id: Execution.ID, until moment: Timestamp, _ reason: String) async throws -> Duration? {
        try await note(id, waitsFor: reason)
        return due(moment)
    }

    /// Records what a waiting execution waits for, unless that is on record.
    func note(_ id: Execution.ID, waitsFor reason: String?) async throws {
        do {
            try await changing(id, unlessTaken: true) { execution in
                guard execution.status == .pending, execution.waitsFor != reason else { throw Taken() }
                var execution = execution
                execution.waitsFor = reason
                return execution
            }
        } catch is Taken {}
    }

    /// Records that an execution was denied admission.
    ///
    /// - Returns: the uptime before which it is not asked about again.
    func deny(_ id: Execution.ID, _ reason: String) async throws -> Duration? {
        let now = world.time.now()
        let changed: Execution
        do {
            changed = try await changing(id, unlessTaken: true) { execution in
                guard execution.status == .pending else { throw Taken() }
                var execution = execution
                execution.denials.append(reason)
                let count = execution.denials.count
                guard count < configuration.maxDenials else {
                    let reasons = execution.denials.joined(separator: "; ")
                    let limit = Limit(
                        "max_denials: \(configuration.maxDenials)", of: "queue '\(configuration.name)'",
                        setAt: configuration.maxDenialsSetAt)
                    return try execution.ended(
                        .aborted, at: now,
                        error: ProcessingError(.denied, "\(limit) was used up: denied \(count) times: \(reasons)"))
                }
                execution.priority += Double(count)
                if configuration.denialDelay > .zero {
                    execution.notBefore = now.advanced(by: configuration.denialDelay)
                }
                return execution
            }
        } catch is Taken { return nil }
        meters.countDenial()
        tellDenial(changed, reason)
        if changed.status == .pending { try await track(changed.id) }
        return due(changed)
    }

    /// Tracks an execution whose denials are counted, and forgets the oldest one's denials when there are too many.
    private func track(_ id: Execution.ID) async throws {
        let oldest = change { state -> Execution.ID? in
            state.denied.append(id)
            return state.denied.count > configuration.maxDenialTracking ? state.denied.removeFirst() : nil
        }
        guard let oldest else { return }
        do {
            try await changing(oldest, unlessTaken: true) { execution in
                guard execution.status == .pending else { throw Taken() }
                var execution = execution
                execution.denials = []
                return execution
            }
        } catch is Taken { return }
        engine.warn(
            "queue '\(configuration.name)' remembers denials of \(configuration.maxDenialTracking) executions; "
                + "those of '\(oldest)' are forgotten")
    }

    // MARK: One change

    /// Changes an execution. The result of `body` is in the store before it has an effect.
    ///
    /// - Parameter unlessTaken: whether to fail if it runs or is about to; otherwise its end is awaited.
    /// - Throws: what `body` throws, and `queue_full` when one that has ended would wait again in a full queue.
    @discardableResult func changing(
        _ id: Execution.ID, unlessTaken: Bool = false, _ body: (Execution) throws -> Execution
    ) async throws -> Execution {
        try await hold(id, unlessTaken: unlessTaken)
        defer { unlock(id) }
        while true {
            let execution = try await self.execution(id)
            // No one runs it, so the state in the store is valid, even if a failure kept it from being noted here.
            change { $0.index.move(id, to: execution.status, due: due(execution)) }
            let changed = try body(execution)
            let places = execution.status.isTerminal && changed.status == .pending ? 1 : 0
            try reserve(places)
            do {
                guard try await store.replace(changed, standingAt: execution.status) else {
                    change { $0.reserved -= places }
                    continue
                }
            } catch {
                change { $0.reserved -= places }
                throw error
            }
            apply(changed, from: execution.status, reserved: places)
            return changed
        }
    }

    /// Reserves places for executions that are about to wait.
    ///
    /// - Throws: ``ProcessingError`` with code `queue_full`.
    func reserve(_ places: Int) throws {
        guard places > 0 else { return }
        try change { state in
            guard state.index.counts.pending + state.reserved + places <= configuration.maxSize else {
                throw ProcessingError(
                    .queueFull, "queue is full: \(state.index.counts.pending) of \(configuration.maxSize) waiting")
            }
            state.reserved += places
        }
    }

    /// Keeps others from changing an execution, even a running one, until ``unlock(_:)``. Hold it only for a write.
    func lock(_ id: Execution.ID) async {
        while !change({ $0.busy.insert(id).inserted }) { await waitUncancelled { !$0.busy.contains(id) } }
    }

    func unlock(_ id: Execution.ID) { change { $0.busy.remove(id) } }

    /// Keeps others from changing the same execution in the meantime.
    private func hold(_ id: Execution.ID, unlessTaken: Bool) async throws {
        while true {
            let isHeld = try change { state in
                guard state.index.contains(id) else { throw ProcessingError.executionUnknown(id) }
                if state.live[id] != nil {
                    if unlessTaken { throw Taken() }
                    return false
                }
                return state.busy.insert(id).inserted
            }
            if isHeld { return }
            await wait { !$0.busy.contains(id) && $0.live[id] == nil }
            try Task.checkCancellation()
        }
    }

    /// Applies a change that is in the store.
    private func apply(_ execution: Execution, from status: Status, reserved: Int) {
        let due = due(execution)
        change { state in
            state.reserved -= reserved
            if execution.status == status {
                state.index.setPriority(execution.priority, of: execution.id, due: due)
            } else {
                state.index.move(execution.id, to: execution.status, due: due)
                state.denied.remove(execution.id)
            }
        }
        guard execution.status != status else { return }
        if execution.status.isTerminal {
            meters.count(endedAs: execution.status)
            change { $0.endHub(of: execution.id)?.end(execution.streamEnd) }
        }
        tell(execution, from: status)
        meters.note(counts)
    }

    // MARK: Pruning

    /// Removes executions that have ended, with their runs, outcomes, saved steps and denials. Charges stay in the
    /// ledger.
    ///
    /// - Parameters:
    ///   - statuses: the statuses to remove.
    ///   - age: how long ago they must have ended.
    /// - Returns: how many were removed.
    /// - Throws: ``ProcessingError`` with code `configuration` for a status that is not an end.
    @discardableResult public func prune(
        _ statuses: Set<Status> = [.succeeded, .partial, .failed, .aborted], olderThan age: Duration? = nil
    ) async throws -> Int {
        if let status = statuses.first(where: { !$0.isTerminal }) {
            throw ProcessingError(
                .configuration, "executions that are \(status.rawValue) have not ended and cannot be pruned")
        }
        let end = age.map { world.time.now().advanced(by: .zero - $0) }
        var count = 0
        let old = try await store.executions(matching: ExecutionFilter(statuses: statuses)).filter { execution in
            end.map { (execution.finishedAt ?? execution.createdAt) <= $0 } ?? true
        }
        for start in stride(from: 0, to: old.count, by: 256) {
            let page = old[start..<min(start + 256, old.count)].map(\.id)
            // An execution that is continued in the meantime stays.
            let free = change { state in
                page.filter { state.index.status(of: $0)?.isTerminal == true && state.busy.insert($0).inserted }
            }
            defer { change { $0.busy.subtract(free) } }
            count += try await store.remove(free)
            change { state in
                for id in free {
                    state.index.remove(id)
                    state.hubs[id] = nil
                }
            }
        }
        return count
    }
}

extension QueueState.Live {
    /// Stops the run, or makes it stop as soon as it begins.
    func cancel(drain: Bool) {
        facts.withLock { facts in
            facts.isCancelled = true
            return facts.handle
        }?.cancel(drain: drain)
    }

    /// Stops the run once items in progress have finished, or as soon as it begins, so that it waits for another
    /// worker.
    func giveUp() {
        facts.withLock { facts in
            facts.isGivenUp = true
            return facts.handle
        }?.giveUp()
    }

    var isCancelled: Bool { facts.withLock { $0.isCancelled } }
}

extension Execution {
    /// The end of the stream of its output.
    var streamEnd: Result<Void, any Error> {
        guard let error, status == .failed || status == .aborted || status == .cancelled else { return .success(()) }
        return .failure(error.processingError)
    }
}

extension QueueState {
    private static let endedHubsKept = 64

    /// Returns the stream of an execution that has ended. A few are kept for late listeners.
    mutating func endHub(of id: Execution.ID) -> ChunkHub? {
        guard let hub = hubs[id] else { return nil }
        endedHubs.removeAll { $0 == id }
        endedHubs.append(id)
        if endedHubs.count > Self.endedHubsKept { hubs[endedHubs.removeFirst()] = nil }
        return hub
    }
}
