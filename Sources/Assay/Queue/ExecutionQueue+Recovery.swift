import Synchronization

extension ExecutionQueue {
    /// Loads what was in the queue when the last program ended. Executions that were running then wait again or fail.
    func load() async throws {
        if let record = try await store.queueRecord() { adopt(record) }
        try await takeIn()
    }

    /// Loads the executions in the store, none of which is held.
    func takeIn() async throws {
        try await remember(paused: isPaused)
        for execution in try await store.executions(matching: ExecutionFilter()) {
            change { state in
                add(execution, to: &state)
                if isOrphan(execution) { state.orphans.append(execution.id) }
            }
        }
        try await recoverOrphans()
        for execution in try await store.executions(matching: ExecutionFilter(statuses: [.pending])) {
            let reason = elsewhere(execution)
            if execution.waitsFor != reason { try await note(execution.id, waitsFor: reason) }
        }
        try await admission.attach(to: store, world)
        meters.note(counts)
    }

    /// Adopts the queue's own record.
    func adopt(_ record: JSONValue) {
        if let id = record["id"]?.string.flatMap({ Identifier($0) }),
            let createdAt = record["created_at"].flatMap({ Timestamp(jsonValue: $0) })
        {
            let metadata = record["metadata"]?.object ?? [:]
            identity.withLock { $0 = Identity(id: id, createdAt: createdAt, metadata: metadata) }
        }
        change { $0.isPaused = record["paused"]?.bool ?? false }
    }

    /// Stores the queue's own record.
    func remember(paused: Bool) async throws {
        let identity = identity.withLock { $0 }
        try await store.setQueueRecord([
            "id": .string(identity.id.text), "created_at": identity.createdAt.jsonValue,
            "metadata": .object(identity.metadata), "configuration": configuration.jsonValue, "paused": .bool(paused),
        ])
    }

    /// The caller's metadata of the queue, which is part of its snapshots.
    public var metadata: JSONObject { identity.withLock { $0.metadata } }

    /// Replaces ``metadata``.
    public func setMetadata(_ metadata: JSONObject) async throws {
        identity.withLock { $0.metadata = metadata }
        try await remember(paused: isPaused)
    }

    /// Makes executions whose program died wait again, or ends them.
    func recoverOrphans() async throws {
        while let id = change({ $0.orphans.last }) {
            do {
                try await cancelPausedOrphan(id)
                try await changing(id) { execution in
                    guard isOrphan(execution) else { return execution }
                    return try execution.recovered(by: configuration, at: world.time.now())
                }
            } catch let error as ProcessingError where error.code == .notFound {
                // It was pruned before it could be recovered.
            }
            // Not before it is recovered: if the store failed, the next cycle tries again.
            change { state in if state.orphans.last == id { state.orphans.removeLast() } }
        }
    }

    /// Cancels the run of an execution that is paused and was to be cancelled, so that both end together.
    private func cancelPausedOrphan(_ id: Execution.ID) async throws {
        while try await execution(id).isCancelling, let run = try await pausedRun(of: id) {
            if try await cancelPaused(id, run) { return }
            await wait { $0.live[id] == nil }
            try Task.checkCancellation()
        }
    }

    /// Returns whether an execution without a holder was running, or was to be cancelled before it ran.
    private func isOrphan(_ execution: Execution) -> Bool { execution.status == .running || execution.isCancelling }

}

extension Execution {
    /// Returns the execution after the program that held it died, in a queue with that configuration.
    package func recovered(by configuration: QueueConfiguration, at now: Timestamp) throws -> Execution {
        if isCancelling {
            return try ended(
                .cancelled, at: now, error: ProcessingError(.cancelled, "the execution was cancelled while it ran"))
        }
        guard configuration.onRestart == .requeue else {
            return try ended(
                .failed, at: now,
                error: ProcessingError(
                    .interrupted, "the program that held execution '\(id)' ended before it did"))
        }
        guard recoveries < configuration.maxRecoveries else {
            return try ended(
                .failed, at: now,
                error: ProcessingError(
                    .recoveryExhausted,
                    "the program that held execution '\(id)' has ended before it did "
                        + "\(recoveries + 1) times; look for what kills it, then resume it"))
        }
        var execution = waiting(again)
        execution.recoveries += 1
        return execution
    }
}
