/// How an item begins, with what is known of it, and what is filed of its end: in a run, or at a node of a graph.
struct ItemEnds: Sendable {
    let session: RunSession
    private var store: any Store { session.store }
    private var world: World { session.world }

    init(_ session: RunSession) { self.session = session }

    /// Returns the desk of an item, with the steps that earlier runs saved and the resume point of the item.
    ///
    /// - Parameter attempt: the number of the first attempt that it serves.
    nonisolated(nonsending) func desk(for entry: StoredItem, attempt: Int) async throws -> ItemDesk {
        var saved: [String: SavedStep] = [:]
        var point = session.options.recovery == .reprocess ? nil : ResumePoint(of: entry.item)
        if let named = point?.inputDigest, named != (try session.digest(of: entry.item)) { point = nil }
        let kept = try await savedSteps(of: entry)
        for step in kept.damaged {
            session.emit(.warning, item: entry.item.id) {
                ["message": .string("the saved value of step '\(step)' is damaged and is made again")]
            }
        }
        for checkpoint in kept.saved {
            let isForeign =
                checkpoint.definition != session.run.definition
                || checkpoint.subject.processorID != session.run.processorID
            saved[checkpoint.step] = SavedStep(
                value: checkpoint.value, worth: checkpoint.worth, foreign: isForeign ? checkpoint.definition : nil)
        }
        return ItemDesk(session, item: entry.item, attempt: attempt, saved: saved, resumePoint: point)
    }

    /// Returns the saved steps of an item that are valid for this run, and the names of those that are damaged.
    private nonisolated(nonsending) func savedSteps(
        of entry: StoredItem
    ) async throws -> (saved: [Checkpoint], damaged: [String]) {
        guard session.resumes(entry.index) else { return ([], []) }
        let digest = try session.digest(of: entry.item)
        var subject = session.checkpointSubject(entry.item.id)
        var kept = try await store.checkpoints(of: subject)
        if kept.saved.isEmpty, session.nodeID == nil, let former = session.options.formerName {
            subject.processorID = former
            kept = try await store.checkpoints(of: subject)
        }
        kept.saved.removeAll { checkpoint in
            checkpoint.inputDigest != digest
                || (session.options.recovery == .reprocess && checkpoint.runID != session.run.id)
                || !session.options.accepts(checkpoint.definition, for: session.run)
        }
        return kept
    }

    /// Returns what an item would cost now without the cache: the worth of its output, less what its saved steps spare
    /// anyway.
    private nonisolated(nonsending) func avoided(
        by found: CacheEntry, for entry: StoredItem
    ) async throws -> Money {
        let saved = try await savedSteps(of: entry).saved.filter { $0.step != Checkpoint.nodeOutput }
        let names = Set(saved.map(\.step))
        // The worth of an outer step includes its inner ones.
        let outermost = saved.filter { step in
            !names.contains { $0 != step.step && step.step.hasPrefix($0 + "/") }
        }
        let spared =
            outermost.reduce(MoneySum.zero) { $0 + ($1.worth ?? .zero) }
            + (try await charged(found.keyed, of: entry, outside: outermost.map(\.step)))
        return (try? (MoneySum(found.cost) - spared).money()) ?? .zero
    }

    /// What charges with keys came to that an item's execution has made, but for those made in `steps`.
    private nonisolated(nonsending) func charged(
        _ keyed: [String: CacheEntry.Keyed], of entry: StoredItem, outside steps: [String]
    ) async throws -> MoneySum {
        let outside = keyed.filter { member in
            !steps.contains { member.value.step?.isStep(inside: $0) == true }
        }
        guard !outside.isEmpty else { return .zero }
        let amounts = Dictionary(
            uniqueKeysWithValues: outside.map { (session.run.chargeKey($0.key, of: entry.item.id), $0.value.amount) })
        let known = try await store.recordedKeys(among: Array(amounts.keys))
        return known.reduce(.zero) { $0 + (amounts[$1] ?? .zero) }
    }

    /// Returns the outcome of an item whose output was cached, and records its zero charge.
    nonisolated(nonsending) func cachedOutcome(of entry: StoredItem) async throws -> Outcome? {
        guard let policy = session.options.itemCacheInForce, !policy.refresh,
            let key = itemKey(of: entry, session, policy)
        else {
            return nil
        }
        guard let found = try await session.paidCalls.cached(key, item: entry.item.id) else {
            session.tally.noteLookup(hit: nil)
            session.emit(.cacheMiss, item: entry.item.id)
            return nil
        }
        let avoided = try await self.avoided(by: found, for: entry)
        let charge = session.paidCalls.hitCharge(
            for: found, avoided: avoided, kind: .usage,
            by: session.payingWork(in: session.context(for: entry, phase: .extraction)), step: nil)
        try await store.useCacheEntry(key, charge: charge)
        session.note(charge)
        session.tally.noteLookup(hit: avoided)
        session.emit(.cacheHit, item: entry.item.id)
        var outcome = Outcome(entry, .succeeded, nil)
        outcome.output = Payload(json: found.value)
        outcome.cached = true
        let sums = session.tally.takeCosts(of: entry.index, by: session.run.processorID)
        session.tally.fill(&outcome, cost: sums.cost, avoided: sums.avoided)
        return outcome
    }

    /// Returns the cache key of an item's output; `nil` for an input that cannot be written as JSON.
    private func itemKey(of entry: StoredItem, _ session: RunSession, _ policy: CachePolicy) -> String? {
        guard let input = try? session.processor.cacheDigest(of: entry) else { return nil }
        return CacheKey.item(
            input: input, scope: policy.scope, of: session.run, for: session.run.scope.filled(by: entry.item))
    }

    /// Returns the success of an item, with its charges and, if it is to be cached, its output.
    func succeeded(_ work: Work, _ output: Payload) -> CommittedOutcome {
        let remains = work.desk.close()
        var outcome = Outcome(work.entry, .succeeded, nil)
        outcome.output = output
        outcome.fill(from: work, remains, session)
        var committed = CommittedOutcome(outcome, charges: remains.charges)
        // An output of unknown worth is not cached: a hit could not say what it avoided.
        if !outcome.isKept, let policy = session.options.itemCacheInForce, let worth = remains.worth,
            let key = itemKey(of: work.entry, session, policy), let value = try? output.json()
        {
            let now = world.time.now()
            committed.cached = CacheEntry(
                key: key, service: session.run.processorID.text,
                operation: CacheFilter.extraction, value: value, storedAt: now,
                expiresAt: policy.ttl.map { now.advanced(by: $0) }, cost: worth, keyed: remains.keyed)
        }
        return committed
    }

    /// Returns the outcome of an item that was given up for `reason`.
    func givenUp(_ work: Work, _ reason: Outcome.Reason) -> CommittedOutcome {
        var outcome = Outcome(work.entry, .cancelled, reason)
        let remains = work.desk.close()
        outcome.fill(from: work, remains, session)
        return CommittedOutcome(outcome, charges: remains.charges)
    }

    /// Returns the final failure of an item, with the point from which it can continue.
    func failed(
        _ work: Work, _ error: ProcessingError, _ reason: Outcome.Reason?
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
    /// The failure of an item whose resume point names a step that its processor never requested.
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
        if remains.usedDefinition != nil { isKept = true }
        if !remains.steps.isEmpty {
            session.tally.note(remains.steps)
            // One record per step: of several attempts, the last one in which its body ran.
            var last: [String: Int] = [:]
            for (place, step) in remains.steps.enumerated() where !step.restored || last[step.name] == nil {
                last[step.name] = place
            }
            steps = last.values.sorted().map { remains.steps[$0] }
        }
        for charge in remains.charges { session.note(charge) }
        let sums = session.tally.takeCosts(of: index, by: session.run.processorID)
        session.tally.fill(&self, cost: sums.cost, avoided: sums.avoided)
    }
}
