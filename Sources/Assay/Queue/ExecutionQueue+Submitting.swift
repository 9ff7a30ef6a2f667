import OrderedCollections

extension ExecutionQueue {
    /// Files an execution that waits for its turn.
    ///
    /// - Returns: the execution; the earlier one when it was submitted before under the same idempotency key.
    /// - Throws: ``ProcessingError``: `configuration` for what cannot be done, `exists` for a name or key that was used
    ///   for something else, `queue_full` when too many wait; then nothing was stored.
    @discardableResult public func submit(_ submission: Submission) async throws -> Execution {
        try await submit([submission])[0]
    }

    /// Files executions, all of them or none.
    ///
    /// - Throws: as ``submit(_:)``.
    @discardableResult public func submit(_ submissions: [Submission]) async throws -> [Execution] {
        let names = submissions.map { $0.executionID ?? world.makeIdentifier() }
        if let twice = names.firstRepeated { throw ProcessingError.executionExists(twice) }
        for submission in submissions { try check(submission) }
        var claimed: [Execution.ID] = []
        defer { change { $0.busy.subtract(claimed) } }
        // In one order for all, so that two lists never wait for each other.
        for (name, submission) in zip(names, submissions).sorted(by: { $0.0 < $1.0 }) {
            try await claimName(name, key: submission.idempotencyKey)
            claimed.append(name)
        }
        var entries: [SubmittedExecution] = []
        do {
            for (name, submission) in zip(names, submissions) {
                entries.append(try await entry(of: submission, named: name))
            }
            return try await file(entries)
        } catch {
            for entry in entries where entry.isBegun {
                try? await store.discard(Execution.submittedList(of: entry.execution.id))
            }
            throw error
        }
    }

    private func check(_ submission: Submission) throws {
        try submission.validate()
        guard let processorID, submission.processorID != processorID else { return }
        throw ProcessingError(
            .configuration,
            "queue '\(configuration.name)' takes '\(processorID)' only, not '\(submission.processorID)'")
    }

    /// Reads the items of a submission, and stores all but the last of a long list.
    private func entry(of submission: Submission, named id: Execution.ID) async throws -> SubmittedExecution {
        let now = world.time.now()
        var execution = Execution(id: id, scope: submission.scope, status: .pending, createdAt: now)
        execution.processorID = submission.processorID
        execution.graphID = submission.isOfGraph ? submission.processorID : nil
        execution.priority = submission.priority ?? Execution.normalPriority(at: now)
        execution.ownPriority = submission.priority
        execution.idempotencyKey = submission.idempotencyKey
        execution.pipeline = submission.pipeline
        execution.request = submission.request
        execution.runRequest = submission.runRequest
        execution.timeout = submission.timeout
        execution.isStreaming = submission.isStreaming
        execution.notBefore = submission.notBefore
        execution.metadata = submission.metadata
        execution.waitsFor = elsewhere(execution)
        let files = DefinitionFiles(submission.idempotencyKey == nil ? [] : submission.definitionFiles)
        try await files.read(by: FileIntake(store, world.time, records: true, rereads: submission.rehash))
        let list: (rest: [Item], isBegun: Bool, digest: Digest)
        do { list = try await read(submission, as: id) } catch {
            try? await store.discard(Execution.submittedList(of: id))
            throw error
        }
        if submission.idempotencyKey != nil {
            execution.content = Digest(of: submission.content(list.digest, files.digests))
        }
        return SubmittedExecution(execution, items: list.rest, isBegun: list.isBegun)
    }

    /// Reserves the name while it is submitted; a submission with a key may still find it taken.
    private func claimName(_ id: Execution.ID, key: String?) async throws {
        while true {
            let isFree = change { $0.busy.insert(id).inserted }
            if isFree { break }
            await wait { !$0.busy.contains(id) }
            try Task.checkCancellation()
        }
        guard key == nil, change({ $0.index.contains(id) }) else { return }
        change { $0.busy.remove(id) }
        throw ProcessingError.executionExists(id)
    }

    private func read(
        _ submission: Submission, as id: Execution.ID
    ) async throws -> (rest: [Item], isBegun: Bool, digest: Digest) {
        let intake = FileIntake(store, world.time, records: true, rereads: submission.rehash)
        let items = submission.items()
        let counts = submission.idempotencyKey != nil
        // The items of one that is on record stay as they are.
        let isKnown = change { $0.index.contains(id) }
        var (rest, isBegun, digest) = ([Item](), false, Digest(of: .null))
        while case let page = try await intake.read(items(1_024)), !page.isEmpty {
            if counts {
                for item in page { digest = Digest(of: [.string(digest.text), try item.identity()]) }
            }
            guard !isKnown else { continue }
            if rest.count + page.count > 1_024 {
                try await store.append(rest, to: Execution.submittedList(of: id))
                isBegun = true
                rest = []
            }
            rest += page
        }
        return (rest, isBegun, digest)
    }

    private func file(_ entries: [SubmittedExecution]) async throws -> [Execution] {
        let keys = Set(entries.compactMap(\.execution.idempotencyKey).map { ExternalID(unchecked: $0) })
        var claimed: Set<ExternalID> = []
        defer { change { $0.busyKeys.subtract(claimed) } }
        // What was submitted before needs no place, and of many that come with one key only one makes an execution.
        var new = entries.count { $0.execution.idempotencyKey == nil }
        // In one order for all, so that two lists never wait for each other.
        for key in keys.sorted(by: { $0.text < $1.text }) {
            while !change({ $0.busyKeys.insert(key).inserted }) {
                await wait { !$0.busyKeys.contains(key) }
                try Task.checkCancellation()
            }
            claimed.insert(key)
            let filter = ExecutionFilter(idempotencyKey: key.text, limit: 1)
            if try await store.executions(matching: filter).isEmpty { new += 1 }
        }
        try reserve(new)
        let filed: [Execution]
        do { filed = try await store.submit(entries) } catch {
            change { $0.reserved -= new }
            throw error
        }
        let added = change { state in
            state.reserved -= new
            return filed.filter { execution in
                guard !state.index.contains(execution.id) else { return false }
                add(execution, to: &state)
                return true
            }
        }
        for (entry, execution) in zip(entries, filed) where execution.id != entry.execution.id {
            if entry.isBegun { try await store.discard(Execution.submittedList(of: entry.execution.id)) }
        }
        meters.count(submitted: added.count)
        for execution in added { tell(execution, from: nil) }
        meters.note(counts)
        return filed
    }

    /// Takes in an execution that is in the store.
    func add(_ execution: Execution, to state: inout QueueState) {
        state.index.add(
            execution.id, execution.status, priority: execution.priority, number: execution.number ?? 0,
            due: due(execution), isForeign: elsewhere(execution) != nil)
        if execution.status == .pending, !execution.denials.isEmpty { state.denied.append(execution.id) }
    }

    /// The uptime before which an execution is not taken; the wall clock is asked once, so that its jumps mean nothing.
    func due(_ execution: Execution) -> Duration? {
        execution.notBefore.flatMap { due($0) }
    }

    /// The uptime of a moment that is to come.
    func due(_ moment: Timestamp) -> Duration? {
        let wait = moment.milliseconds - world.time.now().milliseconds
        return wait <= 0 ? nil : world.time.uptime() + .milliseconds(wait)
    }

    // MARK: Again

    /// A fresh execution with the same work, which waits: another name, other times, no history.
    ///
    /// An own priority is kept, a default one is made of the time of now. `metadata.original` names the first one.
    ///
    /// - Parameter keepingMetadata: whether the other metadata go with it.
    /// - Throws: ``ProcessingError`` with code `not_found`, and as ``submit(_:)``.
    public func copy(_ id: Execution.ID, keepingMetadata: Bool = false) async throws -> Execution {
        let original = try await execution(id)
        guard let processorID = original.processorID else { throw ProcessingError.executionUnknown(id) }
        let position = ListPosition()
        var submission = Submission(processorID) { [store] limit in
            try await store.items(
                of: Execution.submittedList(of: id), from: position.advance(by: limit).lowerBound, limit: limit)
        }
        submission.scope = original.scope
        submission.priority = original.ownPriority
        submission.request = original.request
        submission.isOfGraph = original.graphID != nil
        submission.runRequest = original.runRequest
        submission.pipeline = original.pipeline
        submission.timeout = original.timeout
        submission.isStreaming = original.isStreaming
        if keepingMetadata { submission.metadata = original.metadata }
        submission.metadata["original"] = [
            "id": .string(original.id.text), "created_at": original.createdAt.jsonValue,
        ]
        return try await submit(submission)
    }

    /// Lets the failed items of an execution that has ended run again, in a further run of it.
    ///
    /// - Throws: ``ProcessingError``: `not_found`, `illegal_move` for one that has not ended, `queue_full`.
    @discardableResult public func retry(_ id: Execution.ID) async throws -> Execution {
        var again = Execution.Again()
        again.failedOnly = true
        return try await requeue(id, again)
    }

    /// Lets an execution that has ended go on in a further run of it.
    ///
    /// - Parameters:
    ///   - recovery: what becomes of finished items and steps.
    ///   - onChange: what a processor that has changed means for them.
    /// - Throws: as ``retry(_:)``.
    @discardableResult public func resume(
        _ id: Execution.ID, recovery: RecoveryMode = .resume, onChange: ChangePolicy = .refuse
    ) async throws -> Execution {
        var again = Execution.Again()
        (again.recovery, again.onChange) = (recovery, onChange)
        return try await requeue(id, again)
    }

    private func requeue(_ id: Execution.ID, _ again: Execution.Again) async throws -> Execution {
        // Of one whose run has ended in the store the rest is awaited; one that runs is refused at once.
        try check(try await execution(id))
        return try await changing(id) { execution in
            try check(execution)
            var waiting = execution.waiting(again)
            waiting.waitsFor = elsewhere(waiting)
            return waiting
        }
    }

    /// Refuses to go on with what has not ended.
    private func check(_ execution: Execution) throws {
        guard !execution.status.isTerminal else { return }
        throw ProcessingError(
            .illegalMove,
            "execution '\(execution.id)' is \(execution.status.rawValue); only one that has ended can go on")
    }
}

extension [Execution.ID] {
    /// The first name that stands here twice.
    fileprivate var firstRepeated: Execution.ID? {
        var seen: Set<Execution.ID> = []
        return first { !seen.insert($0).inserted }
    }
}

extension Submission {
    /// Everything by which two submissions under one key are compared.
    fileprivate func content(_ items: Digest, _ files: [String: Digest]) -> JSONValue {
        [
            isOfGraph ? "graph_id" : "processor_id": .string(processorID.text), "items": .string(items.text),
            "account_id": JSONValue(scope.accountID?.text), "underwriting_id": JSONValue(scope.underwritingID?.text),
            "execution_id": JSONValue(executionID?.text), "priority": priority.map { JSONValue(finite: $0) } ?? .null,
            "request": .object(request), "run_request": runRequest,
            "timeout_ms": timeout.map { JSONValue($0) } ?? .null, "streaming": .bool(isStreaming),
            "not_before": notBefore?.jsonValue ?? .null, "metadata": .object(metadata),
            "files": .object(JSONObject(files.map { ($0.key, .string($0.value.text)) })),
        ]
    }
}
