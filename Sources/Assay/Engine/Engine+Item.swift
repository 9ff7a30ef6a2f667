// One item: what it begins with, and how it ends.

extension Engine {
    /// The desk of an item: with the steps that earlier runs saved, and the resume point it came with.
    ///
    /// - Parameter attempt: the number of the first attempt that it serves.
    nonisolated(nonsending) func desk(for entry: StoredItem, attempt: Int, _ session: RunSession) async throws
        -> ItemDesk
    {
        var saved: [String: JSONValue] = [:]
        var point = session.options.recovery == .reprocess ? nil : ResumePoint(of: entry.item)
        if let named = point?.inputDigest, named != (try session.digest(of: entry.item)) { point = nil }
        if session.resumes(entry.index) {
            let digest = try session.digest(of: entry.item)
            let kept = try await store.checkpoints(of: session.checkpointSubject(entry.item.id))
            for step in kept.damaged {
                session.emit(.warning, item: entry.item.id) {
                    ["message": .string("the saved value of step '\(step)' is damaged and is made again")]
                }
            }
            for checkpoint in kept.saved
            where checkpoint.inputDigest == digest
                && (session.options.recovery != .reprocess || checkpoint.runID == session.run.id)
                && History.accepts(checkpoint.definition, for: session.run, session.options)
            {
                saved[checkpoint.step] = checkpoint.value
            }
        }
        return ItemDesk(session, item: entry.item, attempt: attempt, saved: saved, resumePoint: point)
    }

    /// The outcome of an item whose output was cached, with the zero charge that stands for it.
    nonisolated(nonsending) func cachedOutcome(of entry: StoredItem, _ session: RunSession) async throws -> Outcome? {
        guard let policy = session.options.itemCacheInForce, !policy.refresh,
            let key = itemKey(of: entry, session, policy)
        else {
            return nil
        }
        guard let found = try await session.cached(key, item: entry.item.id) else {
            session.tally.noteLookup(hit: nil)
            session.emit(.cacheMiss, item: entry.item.id)
            return nil
        }
        let context = session.context(for: entry, phase: .extraction)
        let charge = session.hitCharge(for: found, kind: .usage, in: context, step: nil)
        try await store.useCacheEntry(key, charge: charge)
        session.note(charge)
        session.tally.noteLookup(hit: found.cost)
        session.emit(.cacheHit, item: entry.item.id)
        var outcome = Outcome(entry, .succeeded, nil)
        outcome.output = Payload(json: found.value)
        outcome.cached = true
        (outcome.cost, outcome.avoidedCost) = session.tally.takeCosts(of: entry.index, by: session.run.processorID)
        return outcome
    }

    /// Where an item's output is cached; `nil` for an input that cannot be written as JSON.
    private func itemKey(of entry: StoredItem, _ session: RunSession, _ policy: CachePolicy) -> String? {
        guard let input = try? (entry.transformed ?? entry.item.data).json() else { return nil }
        return CacheKey.item(
            session.processor, input: input, scope: policy.scope, of: session.run,
            for: session.run.scope.filled(by: entry.item))
    }

    /// The success of an item, with its charges and, if asked for, its output for the cache.
    func succeeded(_ work: Work, _ output: Payload, _ session: RunSession) -> CommittedOutcome {
        let remains = work.desk.close()
        var outcome = Outcome(work.entry, .succeeded, nil)
        outcome.output = output
        outcome.fill(from: work, remains, session)
        var committed = CommittedOutcome(outcome, charges: remains.charges)
        if let policy = session.options.itemCacheInForce, let key = itemKey(of: work.entry, session, policy),
            let value = try? output.json()
        {
            let now = world.time.now()
            committed.cached = CacheEntry(
                key: key, service: session.run.processorID.text,
                operation: CacheFilter.extraction, value: value, storedAt: now,
                expiresAt: policy.ttl.map { now.advanced(by: $0) }, cost: outcome.cost)
        }
        return committed
    }

    /// The end of an item that was given up because the run was stopped.
    func cancelled(_ work: Work, _ session: RunSession) -> CommittedOutcome {
        var outcome = Outcome(work.entry, .cancelled, session.stopped?.reason ?? .runCancelled)
        let remains = work.desk.close()
        outcome.fill(from: work, remains, session)
        return CommittedOutcome(outcome, charges: remains.charges)
    }

    /// The failure of an item for good, with the point at which it can go on.
    func failed(
        _ work: Work, _ error: ProcessingError, _ reason: Outcome.Reason?, _ session: RunSession
    ) -> CommittedOutcome {
        let remains = work.desk.close()
        var outcome = Outcome(work.entry, .failed, reason)
        outcome.fill(from: work, remains, session)
        var record = FailureRecord(
            error, stage: .extraction, step: remains.failedStep, item: work.entry.item.id, attempt: work.attempts)
        var point = ResumePoint()
        point.step = record.step
        point.exception = record.exception
        point.message = record.message
        point.data = remains.completed.last?.value ?? (try? work.input.json())
        point.runID = session.run.id.text
        point.inputDigest = try? session.digest(of: work.entry.item)
        point.saved = remains.completed
        record.resumePoint = point
        record.processorID = session.nodeID
        outcome.error = record
        return CommittedOutcome(outcome, charges: remains.charges)
    }
}

extension Work {
    /// The failure of an item that came with a resume point whose step its processor never asked for.
    var missedResumePoint: ProcessingError? {
        guard let (named, asked) = desk.missedResumePoint else { return nil }
        let known = asked.isEmpty ? "no steps" : asked.joined(separator: ", ")
        return ProcessingError(
            .unknownStep, "resume point of '\(entry.item.id)' names step '\(named)'; this processor asks for \(known)")
    }
}

extension Outcome {
    /// Fills in what every end of an item has: time, attempts, steps and costs.
    mutating func fill(from work: Work, _ remains: ItemDesk.Remains, _ session: RunSession) {
        duration = session.world.time.uptime() - work.startedAt
        attempts = work.attempts
        if !remains.steps.isEmpty {
            session.tally.note(remains.steps)
            // One record a step: of several over the attempts the last one in which its body ran.
            var last: [String: Int] = [:]
            for (place, step) in remains.steps.enumerated() where !step.restored || last[step.name] == nil {
                last[step.name] = place
            }
            steps = last.values.sorted().map { remains.steps[$0] }
        }
        for charge in remains.charges { session.note(charge) }
        let sums = session.tally.takeCosts(of: index, by: session.run.processorID)
        if sums.cost != .zero { cost = sums.cost }
        if sums.avoided != .zero { avoidedCost = sums.avoided }
    }
}
