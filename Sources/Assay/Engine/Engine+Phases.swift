// The life of a run, top to bottom.

extension Engine {
    /// Runs a run from its first item to its report.
    func live(
        _ session: RunSession, _ work: any RunWork, _ history: History, items page: @escaping ItemSource
    ) async throws -> Report {
        session.emit(.runStart) { ["runner": .string(session.options.runner.name)] }
        if let batching = session.options.batching {
            return try await live(session, work, history, inBatches: batching, items: page)
        }
        var failure: FailureRecord?
        do {
            let violation = try await takeIn(page, session, history)
            session.tally.noteListed()
            if let violation { throw violation }
            session.tally.noteAccepted()
            try await store.update(session.currentRun)
            try await prepareItems(session)
            try await work.carryOut(session)
        } catch let gate as GateFailure {
            failure = gate.record
            if failure != nil { try await skipRest(session, after: gate) }
        }
        return try await close(session, after: failure)
    }

    /// Ends what is left of a run, aggregates and makes the report. A run that was left in a pause stays as it is.
    func close(_ session: RunSession, after failure: FailureRecord?) async throws -> Report {
        guard !session.isLeft else {
            return try await report(of: existingRun(session.run.id), outcomes: session.options.returnsOutcomes)
        }
        var failure = failure
        try await giveUpRest(session)
        var summary: Payload?
        if failure == nil {
            (summary, failure) = await aggregate(session)
        }
        return try await finish(session, summary: summary, failure: failure)
    }

    // MARK: Start

    /// Returns the run as it begins, with what earlier runs of its execution left.
    func prepare(
        _ processor: RegisteredProcessor, _ options: RunOptions, failedOnly: Bool, isPlan: Bool = false,
        graph: GraphWork? = nil
    ) async throws -> (Run, History) {
        try ledger.checkCurrency()
        try await processor.readFiles(in: store, world.time, rereads: options.rehash, records: !isPlan)
        let id = world.makeIdentifier()
        let previous: Run? =
            if let named = options.previousRunID { try await store.run(named) } else { nil }
        let execution =
            options.executionID ?? options.scope.executionID ?? previous?.executionID ?? world.makeIdentifier()
        var history = try await History(
            of: processor, formerly: options.formerName, in: execution, recovery: options.recovery,
            onChange: options.onChange,
            failedOnly: failedOnly, isPlan: isPlan, store: store)
        history.reopened = graph?.restored?.inputID
        var metadata = previous?.lineage.metadata ?? [:]
        for member in options.metadata.members { metadata[member.key] = member.value }
        let lineage = Lineage(
            parentRunID: options.parentRunID ?? previous?.lineage.parentRunID ?? options.previousRunID ?? id,
            previousRunID: options.previousRunID,
            retryCount: options.retryCount ?? previous.map { $0.lineage.retryCount + 1 }
                ?? (options.previousRunID == nil ? 0 : 1),
            lastErrorStep: options.lastErrorStep ?? previous?.error?.step, metadata: metadata)
        let definition = processor.definition(in: store)
        var run = Run(
            id: id, executionID: execution, processorID: processor.name, definition: history.filedDefinition,
            scope: options.scope, lineage: lineage, runner: options.runner.name, request: options.request,
            startedAt: world.time.now(), isAccepted: false)
        run.definitionParts = definition.parts
        run.graphID = graph?.graph.id
        return (run, history)
    }

    // MARK: Preprocessing

    /// Files all items and checks the list as a whole.
    ///
    /// - Returns: why the list is refused; `nil` when it is accepted.
    func takeIn(
        _ page: (_ limit: Int) async throws -> [Item], _ session: RunSession, _ history: History
    ) async throws -> GateFailure? {
        var gate = ListGate(session.options, runID: session.run.id)
        var history = history
        try await hintAtPredecessor(session)
        while true {
            let items: [Item]
            do { items = try await page(1_024) } catch let error as ProcessingError where error.code == .prevalidation {
                return gate.violation ?? GateFailure(error, stage: .prevalidation, index: nil)
            }
            guard !items.isEmpty else { break }
            for (place, item) in items.enumerated() { gate.check(item, at: session.items.total + place) }
            try await file(items, session, &history)
        }
        return gate.violation
    }

    /// Hints that the previous run which the options name is unknown.
    func hintAtPredecessor(_ session: RunSession) async throws {
        guard let named = session.options.previousRunID else { return }
        if try await store.run(named) == nil {
            session.hint("unknown_run", "run '\(named)' is not on record; nothing of it can be reused")
        }
    }

    /// Files the next items of a run, with the outcomes of those that an earlier run finished.
    func file(_ items: [Item], _ session: RunSession, _ history: inout History) async throws {
        var index = session.items.places.upperBound
        var intake = Intake([])
        var ended: [Outcome] = []
        var resuming: [Int] = []
        intake.items.reserveCapacity(items.count)
        for item in items.map({ $0.named(within: 1_024) }) {
            var entry = StoredItem(item, index: index)
            let verdict = try await history.verdict(on: item, at: index, by: session.processor)
            if intake.items.isEmpty { intake.kept = history.kept }
            if intake.kept != history.kept { intake.kept = nil }
            entry.basis = verdict.basis
            switch verdict {
            case .new: break
            case .again(_, let hasKilled, _):
                resuming.append(index)
                if hasKilled { session.suspicion.noteKiller(at: index) }
            case .afresh(let changed): entry.inputChanged = changed
            case .refused(let error): throw error
            case .settled(var outcome, let carried):
                entry.settled = true
                outcome.index = index
                ended.append(outcome)
                intake.carried.append(carried)
            }
            if let path = session.processor.unwatchedFile(of: item) {
                session.hint(
                    "data_path",
                    "data.path of '\(item.id)' names the file \(path); give it as 'file' so that a change of its content is "
                        + "noticed")
            }
            if let types = session.processor.mediaTypes, let file = item.file, !types.contains(file.mediaType) {
                session.hint(
                    "unexpected_file",
                    "'\(item.id)' is \(file.mediaType) by its name, which '\(session.run.processorID)' does not read; leave "
                        + "such files out: --exclude '*.\(file.name.split(separator: ".").last ?? "")'")
            }
            if let error = item.file?.refusal, !entry.settled {
                entry.settled = true
                var outcome = Outcome(entry, .failed, nil)
                outcome.error = FailureRecord(error, stage: .prevalidation, item: item.id, attempt: 0)
                ended.append(outcome)
                intake.settled.append(CommittedOutcome(outcome))
                resuming.removeAll { $0 == index }
            }
            if let named = ResumePoint(of: item)?.inputDigest, named != (try session.digest(of: item)) {
                entry.inputChanged = true
            }
            intake.items.append(entry)
            index += 1
        }
        try await store.append(intake, to: session.run.id, epoch: session.run.epoch)
        session.items.add(intake.items.count, resuming: resuming)
        session.tally.noteTaken(intake.items.count)
        try await session.announce(ended)
        for outcome in ended where outcome.status == .failed && !outcome.carried {
            session.noteFailure(of: outcome.inputID) { outcome.error }
        }
    }

    /// Charges the base price of a run before the first item of its list is transformed, so that a run that fails in a
    /// gate has paid. A price per input is charged when its extraction starts.
    private func chargeBase(_ session: RunSession) async throws {
        do { try await session.openBaseCharge() } catch let error as ProcessingError
            where error.code == .budgetExhausted
        {
            throw GateFailure(error, stage: .cost, index: nil)
        }
        guard session.options.strictCosts, let reason = session.tally.incompleteReason else { return }
        throw GateFailure(ProcessingError(.cost, reason), stage: .cost, index: nil)
    }

    /// Transforms and validates every item, one at a time.
    func prepareItems(_ session: RunSession) async throws {
        var transformed: [(index: Int, value: Payload)] = []
        guard session.items.total > 0 else { return }
        func checkStop() throws {
            if world.time.uptime() >= session.end { session.stop(.init(reason: .runTimeout, drains: false)) }
            if session.stopped != nil { throw GateFailure.stopped }
        }
        try checkStop()
        // The nodes of a graph charge for themselves when they first start.
        if session.graph == nil { try await chargeBase(session) }
        try await forEachUnfinished(session) { entry in
            try checkStop()
            do throws(ProcessingError) { try session.processor.files?.verify() } catch {
                throw GateFailure(error, stage: .transformation, index: nil)
            }
            do throws(ProcessingError) { try entry.item.file?.verify() } catch {
                var outcome = Outcome(entry, .failed, nil)
                outcome.error = FailureRecord(error, stage: .transformation, item: entry.item.id, attempt: 0)
                try await session.commit([CommittedOutcome(outcome)])
                return session.noteFailure(of: entry.item.id) { outcome.error }
            }
            if entry.basis?.startsOver == true, !session.resumes(entry.index) {
                try await session.dropCheckpoints(of: entry.item.id)
            }
            let context = session.context(for: entry, phase: .preprocessing)
            switch await session.processor.prepare(entry.item.data, context) {
            case .unchanged: break
            case .changed(let value): transformed.append((entry.index, value))
            case .refused(let error, let stage, let value):
                if Task.isCancelled { session.stop(.init(reason: .runCancelled, drains: false)) }
                if session.stopped?.isFromOutside == true { throw GateFailure.stopped }
                throw GateFailure(
                    ProcessingError(wrapping: error, as: stage.code, hiding: session.secrets), stage: stage,
                    index: entry.index,
                    item: entry.item, attempt: 1, data: value ?? entry.item.data,
                    digest: try? session.digest(of: entry.item), runID: session.run.id)
            }
            if transformed.count == 1_024 {
                try await store.setTransformed(transformed, of: session.run.id)
                transformed = []
            }
        }
        if !transformed.isEmpty { try await store.setTransformed(transformed, of: session.run.id) }
    }

    /// Gives an outcome to every item of a run that a gate stopped.
    func skipRest(_ session: RunSession, after gate: GateFailure) async throws {
        try await endRest(session) { entry in
            guard let index = gate.index else { return Outcome(entry, .skipped, .notReached) }
            if entry.index == index {
                var outcome = Outcome(entry, .failed, nil)
                outcome.error = gate.record
                return outcome
            }
            return Outcome(entry, .skipped, entry.index < index ? .preprocessingStopped : .notReached)
        }
    }

    // MARK: After extraction

    /// Gives an outcome to every unfinished item, and withdraws outputs if none are to be kept.
    private func giveUpRest(_ session: RunSession) async throws {
        if let stop = session.stopped {
            try await endRest(session) { Outcome($0, .cancelled, stop.reason) }
            if session.options.failurePolicy == .atomic, session.tally.counts.failed > 0 {
                try await store.withdrawOutputs(of: session.run.id, in: session.items.places)
                session.tally.noteWithdrawal()
            }
        }
        try await session.tally.fileEvents()
    }

    /// Commits `outcome` for every item that has none.
    func endRest(_ session: RunSession, _ outcome: (StoredItem) -> Outcome) async throws {
        var rest: [CommittedOutcome] = []
        try await forEachUnfinished(session) { entry in
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
    func aggregate(_ session: RunSession) async -> (Payload?, FailureRecord?) {
        let counts = session.tally.counts
        let stop = session.stopped
        let partial = session.options.aggregatePartial && counts.succeeded > 0 && stop?.isFromOutside != true
        guard stop == nil || partial, counts.succeeded == counts.total || partial else { return (nil, nil) }
        let context = session.context(phase: .postprocessing)
        do {
            let positions = counts.succeeded == counts.total ? nil : try await succeededIndices(session)
            let store = store
            let id = session.run.id
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

    private func succeededIndices(_ session: RunSession) async throws -> [Int] {
        var indices: [Int] = []
        var start = 0
        while start < session.tally.counts.total {
            let page = try await store.outcomes(of: session.run.id, from: start, limit: 1_024)
            indices += page.lazy.filter { $0.status == .succeeded }.map(\.index)
            start += 1_024
        }
        return indices
    }

    /// Closes the bill, files the run and makes the report.
    func finish(_ session: RunSession, summary: Payload?, failure: FailureRecord?) async throws -> Report {
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
        try await attendDoubts(session)
        hintAtRepeats(session)
        run.finishedAt = world.time.now()
        run.duration = session.clock.timeWorked
        session.tally.meters.count(runEndedAs: run.status)
        hintAtRunner(session, run)
        await hintAtKeys(session, run)
        session.emit(.runComplete) { ["status": .string(run.status.rawValue), "counts": run.counts.jsonValue] }
        try await session.tally.fileEvents()
        try await store.update(run)
        return try await report(of: run, outcomes: session.options.returnsOutcomes)
    }

    /// Hints at calls that were repeated under their old keys, which is free only if the service honors the keys.
    private func hintAtRepeats(_ session: RunSession) {
        for (service, count) in session.tally.repeats.sorted(by: { $0.key < $1.key }) {
            guard session.options.services[service] == nil else { continue }
            let calls = count == 1 ? "1 call was" : "\(count) calls were"
            session.hint(
                "repeated_calls \(service)",
                "\(calls) repeated under \(count == 1 ? "its old key" : "their old keys"); if '\(service)' does not "
                    + "honour Idempotency-Key it charged twice: set services.\(service).keys: ignored")
        }
    }

    private func hintAtRunner(_ session: RunSession, _ run: Run) {
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
    private func hintAtKeys(_ session: RunSession, _ run: Run) async {
        guard let metrics = run.metrics, metrics.cacheHits == 0, metrics.cacheMisses >= 10,
            let items = try? await store.items(of: run.id, from: 0, limit: 1_024)
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

    // MARK: Pages

    /// Visits the items of a run that have no outcome, in order, page by page. Pages that have ended are not read.
    func forEachUnfinished(_ session: RunSession, _ body: (StoredItem) async throws -> Void) async throws {
        var rest = session.items.places
        while let next = session.items.firstUnfinished(in: rest) {
            rest = next..<rest.upperBound
            let page = try await store.items(of: session.run.id, from: next, limit: min(rest.count, 1_024))
            guard !page.isEmpty else { return }
            for entry in page where !session.items.hasEnded(entry.index) { try await body(entry) }
            rest.removeFirst(page.count)
        }
    }
}

/// The status of a run, derived from how its items ended.
enum Verdict {
    static func status(of counts: Counts, stop: Outcome.Reason?, failed: Bool) -> Status {
        switch stop {
        case .runCancelled, .runTimeout: return .cancelled
        case .failurePolicy, .atomic, .graphHalted, .definitionChanged, .programBroken: return .failed
        default: break
        }
        if failed || (counts.total > 0 && counts.succeeded == 0) { return .failed }
        return counts.succeeded == counts.total ? .succeeded : .partial
    }

    /// Returns the failure behind the stop of a run; `nil` when it was not stopped for a failure of its own.
    static func error(for session: RunSession) -> FailureRecord? {
        let error: ProcessingError
        switch session.stopped?.reason {
        case .graphHalted: return session.tally.haltFailure
        case .failurePolicy, .atomic: return session.tally.policyFailure
        case .programBroken:
            guard let broken = session.tally.brokenProgram else { return nil }
            error = broken
        case .budgetExhausted:
            guard let refusal = session.tally.budgetRefusal else { return nil }
            error = refusal
        case .definitionChanged:
            guard let change = session.tally.changedDefinition else { return nil }
            error = change
        case .runTimeout:
            error = ProcessingError(
                .timeout,
                "the run timed out after \(session.options.timeout.secondsText)"
                    + (session.options.setAt["timeout"].map { " (timeout, \($0))" } ?? "") + "; resume it to go on")
        case .runCancelled: error = ProcessingError(.cancelled, "the run was cancelled; resume it to go on")
        default: return nil
        }
        return FailureRecord(error, stage: .extraction, item: nil, attempt: 0)
    }
}
