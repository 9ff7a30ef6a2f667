// The life of a run in batches, and of each batch in it.

extension Engine {
    /// Runs a run in batches from its first item to its report.
    func live(
        _ session: RunSession, _ work: any RunWork, _ history: History, inBatches batching: Batching,
        items page: @escaping ItemSource
    ) async throws -> Report {
        let (delivery, ending) = (BatchDelivery(session.options, batching.policy), RunEnding(session: session))
        var (summary, failure): (Payload?, FailureRecord?)
        do {
            var cutter = try await makeCutter(session, history, batching, items: page)
            sayWhatIsCut(session, batching)
            let work = try await work.inBatches(of: session)
            try await carryOut(&cutter, batching, session, work, to: delivery)
            work.endBatches(of: session)
            await delivery.finish(session)
        } catch let gate as GateFailure {
            failure = gate.record
            if failure != nil { try await ending.skipRest(after: gate) }
        }
        if let stop = session.stopped { try await ending.endRest { Outcome($0, .cancelled, stop.reason) } }
        if session.options.listsFirst, failure == nil { (summary, failure) = await ending.aggregate() }
        let run = try await ending.finish(self, summary: summary, failure: failure)
        var report = try await report(of: run, outcomes: session.options.returnsOutcomes)
        if let error = delivery.failure { throw error }
        report.batches = delivery.aggregate
        return report
    }

    /// Makes the cutter of batches: from the record if the whole list is filed first, otherwise from the list itself.
    private func makeCutter(
        _ session: RunSession, _ history: History, _ batching: Batching, items page: @escaping ItemSource
    ) async throws -> BatchCutter {
        var intake = ListIntake(session: session, history: history)
        guard session.options.listsFirst else {
            try await intake.hintAtPredecessor()
            return BatchCutter(self, session, batching, over: page, history)
        }
        let violation = try await intake.takeIn(page)
        session.tally.noteListed()
        // A violation by one item shows up again in its batch, and the other items are worked on.
        if let violation, violation.index == nil { throw violation }
        try await store.update(session.currentRun)
        return BatchCutter(onRecordOf: self, session, batching)
    }

    private func sayWhatIsCut(_ session: RunSession, _ batching: Batching) {
        guard let size = batching.size, size > batching.policy.maxBatchSize else { return }
        session.warn(
            "batches of \(size) items were asked for; they have \(batching.policy.maxBatchSize), the most that the "
                + "policy allows", item: nil)
    }

    /// Runs batches until there are no more or the run is stopped, as many at once as are allowed.
    ///
    /// A batch counts as in progress until it was taken, so no more of them are in memory than may be in progress.
    private func carryOut(
        _ cutter: inout BatchCutter, _ batching: Batching, _ session: RunSession, _ work: any RunWork,
        to delivery: BatchDelivery
    ) async throws {
        await withTaskGroup(of: Void.self) { group in
            var running = 0
            do {
                while session.stopped == nil {
                    guard running < batching.width else {
                        await group.next()
                        running -= 1
                        continue
                    }
                    guard let cut = try await cutter.next() else { break }
                    running += 1
                    group.addTask {
                        do {
                            try await delivery.add(self.carryOut(cut, work, batching, of: session), session)
                        } catch {
                            delivery.fail(error, session)
                        }
                    }
                }
            } catch {
                delivery.fail(error, session)
            }
        }
        try delivery.checkWork()
        guard session.stopped == nil else { return }
        session.tally.noteListed()
        if session.tally.counts.total == 0 { session.warn("there are no items, so there are no batches", item: nil) }
    }

    // MARK: One batch

    private func carryOut(
        _ cut: BatchCutter.Cut, _ work: any RunWork, _ batching: Batching, of whole: RunSession
    ) async throws -> BatchResult {
        defer { whole.endBatch(cut.session) }
        let result = try await carryOut(cut, work, batching.policy)
        if !whole.options.listsFirst { await store.release(cut.session.items.places, of: whole.run.id) }
        return result
    }

    /// Runs one batch from its gates to its verdict.
    private func carryOut(
        _ cut: BatchCutter.Cut, _ work: any RunWork, _ policy: BatchPolicy
    ) async throws -> BatchResult {
        let batch = cut.session
        let (began, startedAt) = (world.time.uptime(), world.time.now())
        if policy.enableInstrumentation {
            batch.emit(.batchStart) {
                [
                    "batch_id": .string(cut.id), "batch_index": JSONValue(cut.index),
                    "batch_size": JSONValue(batch.items.total),
                ]
            }
        }
        var attempts: [BatchMetrics.Attempt] = []
        var isInterrupted = false
        while batch.items.unfinished > 0 {
            let start = world.time.uptime()
            try await attempt(cut, work)
            let failed = batch.withBatch(\.failures)
            attempts.append(
                .init(
                    number: attempts.count + 1, duration: world.time.uptime() - start, failedItems: failed.count,
                    errorMessages: failed.compactMap(\.error?.message)))
            let again = batch.withBatch {
                $0.worthRetrying(under: policy, keepsAll: batch.options.failurePolicy == .atomic)
            }
            guard !again.isEmpty, attempts.count <= policy.maxRetries else { break }
            if batch.stopped?.isOfWholeRun != true {
                let delay = policy.delay(beforeRetry: attempts.count)
                sayRetry(again, attempts.count, delay, batch)
                await wait(delay, batch)
            }
            if let stop = batch.stopped, stop.isOfWholeRun {
                isInterrupted = true
                if stop.endsRetries { try await leave(again.filter { $0.status == .failed }, to: stop, batch) }
                break
            }
            try await reopen(again, batch)
        }
        try await withdrawOutputs(batch)
        let state = batch.withBatch { $0 }
        try await batch.tell(state.sortedOutcomes.filter { !state.told.contains($0.index) })
        let isCancelled = batch.stopped?.isFromOutside == true && (isInterrupted || state.counts.cancelled > 0)
        let outcomes = state.sortedOutcomes
        let failures = state.failures.compactMap(\.error)
        let metrics = BatchMetrics(
            batchID: cut.id, batchIndex: cut.index, counts: state.counts,
            status: policy.verdict(on: state.counts, isCancelled: isCancelled), began: began, startedAt: startedAt,
            finishedAt: world.time.now(), duration: world.time.uptime() - began,
            retriesUsed: max(0, attempts.count - 1), attempts: attempts, errorMessages: failures.map(\.message),
            limit: isCancelled
                ? nil : policy.brokenLimit(state.counts, failures.last, setAt: batch.options.setAt["error_threshold"]))
        batch.tally.meters.count(metrics)
        if policy.enableInstrumentation { batch.emit(.batchComplete) { metrics.eventData } }
        try await batch.tally.fileEvents()
        return BatchResult(
            batchID: cut.id, batchIndex: cut.index, status: metrics.status, outcomes: outcomes, metrics: metrics,
            errors: outcomes.compactMap { outcome in
                outcome.error.map {
                    BatchError(
                        batchID: cut.id, batchIndex: cut.index, itemIndex: outcome.index - batch.items.start, record: $0
                    )
                }
            },
            bill: try await bill(of: batch, state))
    }

    /// Makes one attempt at the unfinished items of a batch: its gates, its extraction, and an outcome for every item.
    private func attempt(_ cut: BatchCutter.Cut, _ work: any RunWork) async throws {
        let batch = cut.session
        let ending = RunEnding(session: batch)
        do {
            if let violation = cut.violation { throw violation }
            if batch.tally.noteAccepted() { try await store.update(batch.currentRun) }
            try await ItemGates(session: batch).pass()
            try await work.carryOut(batch)
        } catch let gate as GateFailure {
            if gate.record != nil { try await ending.skipRest(after: gate) }
        }
        if let stop = batch.stopped { try await ending.endRest { Outcome($0, .cancelled, stop.reason) } }
    }

    /// Waits before a retry, no longer than the run may take.
    private func wait(_ delay: Duration, _ batch: RunSession) async {
        let (moment, end) = (world.time.uptime() + delay, batch.clock.startedAt + batch.options.timeout)
        await batch.stops.sleep(until: min(moment, end), orStop: \.isOfWholeRun)
        if Task.isCancelled { batch.stop(.init(reason: .runCancelled, drains: false)) }
        if world.time.uptime() >= end { batch.stop(.init(reason: .runTimeout, drains: false)) }
    }

    /// Ends failed items that would have been retried as cancelled, so that a resume tries them.
    private func leave(_ outcomes: [Outcome], to stop: Stop, _ batch: RunSession) async throws {
        guard !outcomes.isEmpty else { return }
        try await reopen(outcomes, batch)
        let attempts = Dictionary(outcomes.map { ($0.index, $0.attempts) }) { $1 }
        try await RunEnding(session: batch).endRest { entry in
            var outcome = Outcome(entry, .cancelled, stop.reason)
            outcome.attempts = attempts[entry.index] ?? 0
            return outcome
        }
    }

    /// Withdraws what succeeded in a batch that keeps nothing after a failure, once no retry can repair it.
    private func withdrawOutputs(_ batch: RunSession) async throws {
        guard batch.options.failurePolicy == .atomic, batch.withBatch({ $0.counts.failed > 0 }) else { return }
        try await store.withdrawOutputs(of: batch.run.id, in: batch.items.places)
        batch.tally.noteWithdrawal(of: batch.withBatch { $0.withdrawOutputs() })
    }

    /// Makes items of a batch begin again.
    private func reopen(_ outcomes: [Outcome], _ batch: RunSession) async throws {
        try await store.reopen(outcomes.map(\.index), of: batch.run.id, epoch: batch.run.epoch)
        let resumes = batch.options.recovery == .resume
        for outcome in outcomes {
            if !resumes { try await batch.dropCheckpoints(of: outcome.inputID) }
            batch.tally.takeBack(outcome)
            batch.withBatch { $0.beginnings[outcome.index]?.attempts = outcome.attempts }
        }
        batch.reopen(outcomes.map(\.index), resuming: resumes)
    }

    private func sayRetry(_ outcomes: [Outcome], _ attempt: Int, _ delay: Duration, _ batch: RunSession) {
        for outcome in outcomes {
            guard let error = outcome.error else { continue }
            batch.emit(.itemRetry, item: outcome.inputID) {
                [
                    "code": .string(error.code.rawValue), "message": .string(error.message),
                    "attempt": JSONValue(outcome.attempts), "after_ms": JSONValue(delay),
                ]
            }
        }
    }

    private func bill(of batch: RunSession, _ state: BatchInProgress) async throws -> Bill {
        let doubts =
            state.hasDoubts || !state.metDoubts.isEmpty
            ? try await store.calls(matching: CallFilter(states: [.inDoubt], billedTo: .run(batch.run.id)))
                .filter { call in
                    state.metDoubts.contains(call.callID)
                        || call.runID == batch.run.id && call.itemIndex.map(batch.items.places.contains) ?? false
                } : []
        return try Bill(
            state.charges, inDoubt: doubts, currency: store.currency, runID: batch.run.id,
            executionID: batch.run.executionID)
    }
}

extension BatchInProgress {
    /// The failed outcomes, in item order.
    fileprivate var failures: [Outcome] { sortedOutcomes.filter { $0.status == .failed } }

    /// Returns what a retry of the batch would do again, in item order; empty when it needs no retry or none is
    /// worthwhile.
    ///
    /// - Parameter keepsAll: whether nothing is kept unless everything succeeds.
    fileprivate func worthRetrying(under policy: BatchPolicy, keepsAll: Bool) -> [Outcome] {
        guard policy.verdict(on: counts) == .failed || (keepsAll && counts.failed > 0) else { return [] }
        let isWorth = { (outcome: Outcome) in policy.retryOn == .all || outcome.error?.retryable == true }
        guard failures.contains(where: isWorth) else { return [] }
        return sortedOutcomes.filter { outcome in
            // What an earlier run finished is never done again.
            guard !told.contains(outcome.index), !outcome.carried else { return false }
            return switch outcome.status {
            case .failed: policy.retry == .wholeBatch || isWorth(outcome)
            case .succeeded: policy.retry == .wholeBatch
            default: true
            }
        }
    }

    /// Withdraws what succeeded.
    ///
    /// - Returns: how many of these items were reported as succeeded before.
    fileprivate mutating func withdrawOutputs() -> Int {
        let count = told.count { outcomes[$0]?.status == .succeeded }
        for index in outcomes.keys { outcomes[index]?.withdraw() }
        return count
    }
}

extension BatchMetrics {
    /// The data of the event that ends a batch.
    fileprivate var eventData: JSONObject {
        [
            "batch_id": .string(batchID), "batch_index": JSONValue(batchIndex), "batch_size": JSONValue(counts.total),
            "status": .string(status.rawValue), "successful_items": JSONValue(counts.succeeded),
            "failed_items": JSONValue(counts.failed), "skipped_items": JSONValue(counts.skipped),
            "cancelled_items": JSONValue(counts.cancelled), "retries_used": JSONValue(retriesUsed),
            "execution_time_ms": JSONValue(duration), "limit": JSONValue(limit),
        ]
    }
}
