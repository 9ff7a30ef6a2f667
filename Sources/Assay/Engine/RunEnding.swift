/// What follows the work of a run, or of one batch of it: an outcome for every item, the summary, the end on record.
struct RunEnding {
    let session: RunSession

    /// Gives an outcome to every unfinished item, and withdraws outputs if none are to be kept.
    func giveUpRest() async throws {
        if let stop = session.stopped {
            try await endRest { Outcome($0, .cancelled, stop.reason) }
            if session.options.failurePolicy == .atomic, session.tally.counts.failed > 0 {
                try await session.store.withdrawOutputs(of: session.run.id, in: session.items.places)
                session.tally.noteWithdrawal()
            }
        }
        try await session.tally.fileEvents()
    }

    /// Commits `outcome` for every item that has none.
    func endRest(_ outcome: (StoredItem) -> Outcome) async throws {
        var rest: [CommittedOutcome] = []
        try await session.forEachUnfinished { entry in
            var ended = outcome(entry)
            let sums = session.tally.takeCosts(of: entry.index)
            session.tally.fill(&ended, cost: sums.cost, avoided: sums.avoided)
            rest.append(CommittedOutcome(ended))
            if rest.count == 1_024 {
                try await session.commit(rest)
                rest = []
            }
        }
        try await session.commit(rest)
    }

    /// Aggregates if the outcomes allow it.
    func aggregate() async -> (Payload?, FailureRecord?) {
        let counts = session.tally.counts
        let stop = session.stopped
        let partial = session.options.aggregatePartial && counts.succeeded > 0 && stop?.isFromOutside != true
        guard stop == nil || partial, counts.succeeded == counts.total || partial else { return (nil, nil) }
        let context = session.context(phase: .postprocessing)
        do {
            let positions = counts.succeeded == counts.total ? nil : try await succeededIndices()
            let (store, id) = (session.store, session.run.id)
            let page: RegisteredProcessor.OutputPage = { start in
                let index = positions.map { $0[start] } ?? start
                return try await store.outcomes(of: id, from: index, limit: 256).compactMap {
                    $0.status == .succeeded ? $0.output : nil
                }
            }
            return (try await session.processor.aggregate(counts.succeeded, page, context), nil)
        } catch {
            let error = ProcessingError(wrapping: error, as: .aggregation, hiding: session.secrets)
            return (nil, FailureRecord(error, stage: .aggregation, item: nil, attempt: 0))
        }
    }

    private func succeededIndices() async throws -> [Int] {
        var indices: [Int] = []
        var start = 0
        while start < session.tally.counts.total {
            let page = try await session.store.outcomes(of: session.run.id, from: start, limit: 1_024)
            indices += page.lazy.filter { $0.status == .succeeded }.map(\.index)
            start += 1_024
        }
        return indices
    }

    /// Closes the bill and files the run.
    ///
    /// - Returns: the run as it is on record.
    func finish(_ engine: Engine, summary: Payload?, failure: FailureRecord?) async throws -> Run {
        var run = session.currentRun
        run.summary = summary
        var failure = failure
        if session.tally.incompleteReason != nil, session.options.strictCosts, failure == nil {
            failure = FailureRecord(
                ProcessingError(.cost, session.tally.incompleteReason ?? ""), stage: .cost, item: nil, attempt: 0)
        }
        run.incompleteReason = session.tally.incompleteReason
        run.status = Verdict.status(of: run.counts, stop: session.stopped?.reason, failed: failure != nil)
        if run.status != .succeeded {
            run.error = failure ?? Verdict.error(for: session) ?? session.tally.firstFailure
        }
        run.isGivenUp =
            session.options.waitsWhenGivenUp && session.stopped?.reason == .runCancelled
            && (Task.isCancelled || session.isGivenUp)
        try await engine.attendDoubts(session)
        hintAtRepeats()
        run.finishedAt = session.world.time.now()
        run.duration = session.clock.timeWorked
        session.tally.meters.count(runEndedAs: run.status)
        hintAtRunner(run)
        await hintAtKeys(run)
        session.emit(.runComplete) { ["status": .string(run.status.rawValue), "counts": run.counts.jsonValue] }
        try await session.tally.fileEvents()
        try await session.store.update(run)
        return run
    }

    /// Hints at calls that were repeated under their old keys, which is free only if the service honors the keys.
    private func hintAtRepeats() {
        for (service, count) in session.tally.repeats.sorted(by: { $0.key < $1.key }) {
            guard session.options.services[service] == nil else { continue }
            let calls = count == 1 ? "1 call was" : "\(count) calls were"
            session.hint(
                "repeated_calls \(service)",
                "\(calls) repeated under \(count == 1 ? "its old key" : "their old keys"); if '\(service)' does not "
                    + "honour Idempotency-Key it charged twice: set services.\(service).keys: ignored")
        }
    }

    private func hintAtRunner(_ run: Run) {
        let repeated = session.tally.repeatedFailure
        if let repeated {
            session.hint("repeated_failure", "\(repeated.count) items failed with \(repeated.text)")
        }
        guard run.runner == "sequential", run.counts.total > 100, let duration = run.duration,
            duration > .milliseconds(50) * run.counts.total
        else { return }
        let better = session.processor.workload == .compute ? "process" : "thread"
        session.hint(
            "slow_sequential",
            "\(run.counts.total) items took \(duration.secondsText) one after another; try the \(better) runner")
    }

    /// Looks only at the first items: equal ones that never hit the cache show up early.
    private func hintAtKeys(_ run: Run) async {
        guard let metrics = run.metrics, metrics.cacheHits == 0, metrics.cacheMisses >= 10,
            let items = try? await session.store.items(of: run.id, from: 0, limit: 1_024)
        else { return }
        var seen: Set<Digest> = []
        for entry in items {
            guard let digest = try? session.digest(of: entry.item), !seen.insert(digest).inserted else { continue }
            return session.hint(
                "unstable_keys",
                "\(metrics.cacheMisses) cache look-ups missed although inputs repeat, as '\(entry.item.id)' does; "
                    + "make keys of what decides the answer and nothing else")
        }
    }

    /// Gives an outcome to every item of a run that a gate stopped.
    func skipRest(after gate: GateFailure) async throws {
        try await endRest { entry in
            guard let index = gate.index else { return Outcome(entry, .skipped, .notReached) }
            if entry.index == index {
                var outcome = Outcome(entry, .failed, nil)
                outcome.error = gate.record
                return outcome
            }
            return Outcome(entry, .skipped, entry.index < index ? .preprocessingStopped : .notReached)
        }
    }
}
