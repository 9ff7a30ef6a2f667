import Synchronization

/// The queue's data in a store in memory, without the executions.
struct MemoryQueue: Sendable {
    var record: JSONValue?
    var numbers = 0
    var moves = 0
    /// When each execution entered its status, as a count of such moves.
    var moved: [Execution.ID: Int] = [:]
    var items: [InputList.ID: [Item]] = [:]
    var keys: [ExternalID: Execution.ID] = [:]
    /// The times of admissions, by rate.
    var admissions: [String: [Timestamp]] = [:]
}

extension MemoryStore.State {
    /// Records an execution. An execution whose status has changed goes to the end of its new status.
    mutating func file(_ execution: Execution) {
        let earlier = executions.updateValue(execution, forKey: execution.id)
        guard execution.number != nil, earlier?.status != execution.status || earlier?.number == nil else { return }
        queue.moves += 1
        queue.moved[execution.id] = queue.moves
    }

    /// Reverts the last submission.
    fileprivate mutating func takeBack(_ execution: Execution) {
        if let key = execution.idempotencyKey { queue.keys[ExternalID(unchecked: key)] = nil }
        (executions[execution.id], queue.moved[execution.id]) = (nil, nil)
        queue.items[Execution.submittedList(of: execution.id)] = nil
    }

    fileprivate mutating func submit(_ submitted: SubmittedExecution) throws -> Execution {
        var execution = submitted.execution
        if let key = execution.idempotencyKey.map({ ExternalID(unchecked: $0) }) {
            if let known = queue.keys[key].flatMap({ executions[$0] }) { return try known.answering(execution) }
        }
        guard executions[execution.id] == nil else { throw ProcessingError.executionExists(execution.id) }
        if let key = execution.idempotencyKey { queue.keys[ExternalID(unchecked: key)] = execution.id }
        let number = execution.number ?? queue.numbers + 1
        queue.numbers = max(queue.numbers, number)
        execution.number = number
        queue.items[Execution.submittedList(of: execution.id), default: []] += submitted.items
        file(execution)
        return execution
    }
}

extension MemoryStore {
    public func submit(_ executions: [SubmittedExecution]) async throws -> [Execution] {
        try state.withLock { state in
            var filed: [Execution] = []
            let last = state.queue.numbers
            do {
                for execution in executions { filed.append(try state.submit(execution)) }
                return filed
            } catch {
                for execution in filed.reversed() where (execution.number ?? 0) > last { state.takeBack(execution) }
                state.queue.numbers = last
                throw error
            }
        }
    }

    public func append(_ items: [Item], to list: InputList.ID) async throws {
        state.withLock { $0.queue.items[list, default: []] += items }
    }

    public func discard(_ list: InputList.ID) async throws {
        state.withLock { state in
            if state.executions[list.executionID]?.number == nil { state.queue.items[list] = nil }
        }
    }

    public func executions(matching filter: ExecutionFilter) async throws -> [Execution] {
        state.withLock { state in
            if let key = filter.idempotencyKey {
                return state.queue.keys[ExternalID(unchecked: key)].flatMap { state.executions[$0] }
                    .map { [$0].filter(filter.matches) } ?? []
            }
            let found = state.queue.moved.compactMap { id, moved in
                state.executions[id].flatMap { filter.matches($0) ? (moved: moved, execution: $0) : nil }
            }
            return Array(found.sorted { $0.moved < $1.moved }.prefix(filter.limit ?? .max).map(\.execution))
        }
    }

    public func replace(_ execution: Execution, standingAt status: Status) async throws -> Bool {
        state.withLock { state in
            guard let known = state.executions[execution.id], known.number != nil, known.status == status else {
                return false
            }
            state.file(execution)
            return true
        }
    }

    public func remove(_ executions: [Execution.ID]) async throws -> Int {
        state.withLock { state in
            let removed = Set(
                executions.filter { id in state.executions[id].map { $0.number != nil && $0.status.isTerminal } ?? false
                })
            for id in removed {
                if let key = state.executions[id]?.idempotencyKey { state.queue.keys[ExternalID(unchecked: key)] = nil }
                (state.executions[id], state.queue.moved[id]) = (nil, nil)
                state.queue.items[Execution.submittedList(of: id)] = nil
            }
            let runs = Set(removed.flatMap { state.runsOf.removeValue(forKey: $0) ?? [] })
            for run in runs { state.runs[run] = nil }
            state.log.remove(runs)
            state.order.removeAll(where: runs.contains)
            state.checkpoints = state.checkpoints.filter { !removed.contains($0.key.executionID) }
            return removed.count
        }
    }

    public func queueRecord() async throws -> JSONValue? { state.withLock { $0.queue.record } }

    public func setQueueRecord(_ record: JSONValue) async throws { state.withLock { $0.queue.record = record } }

    public func admissions(under rate: String) async throws -> [Timestamp] {
        state.withLock { $0.queue.admissions[rate] ?? [] }
    }

    public func admit(
        under rate: String, at moment: Timestamp, forgettingBefore horizon: Timestamp
    ) async throws {
        state.withLock { state in
            let kept = (state.queue.admissions[rate] ?? []).filter { $0 >= horizon }
            state.queue.admissions[rate] = kept + [moment]
        }
    }
}

extension Execution {
    /// Returns this execution as the answer to a submission of `another` with the same key.
    ///
    /// - Throws: ``ProcessingError`` with code `exists` when `another` has different content.
    package func answering(_ another: Execution) throws(ProcessingError) -> Execution {
        guard content == another.content else {
            throw ProcessingError(
                .exists,
                "idempotency key '\(idempotencyKey ?? "")' was used for execution '\(id)' with other content; "
                    + "submit this with a key of its own")
        }
        return self
    }
}

extension ProcessingError {
    /// Returns the error for a run that would use the name of a queued execution for other work.
    package static func wasSubmitted(_ id: Execution.ID, _ why: String = "") -> ProcessingError {
        ProcessingError(
            .exists,
            "execution '\(id)' was submitted to the queue, which works on what was submitted\(why); "
                + "run this under another name, or let the queue work on it: assay queue work")
    }

    /// Returns the error for a second execution with the same name.
    package static func executionExists(_ id: Execution.ID) -> ProcessingError {
        ProcessingError(.exists, "execution '\(id)' is on record already; submit this under another name")
    }
}
