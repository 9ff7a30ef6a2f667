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
            var intake = ListIntake(session: session, history: history)
            let violation = try await intake.takeIn(page)
            session.tally.noteListed()
            if let violation { throw violation }
            session.tally.noteAccepted()
            try await store.update(session.currentRun)
            try await ItemGates(session: session).pass()
            try await work.carryOut(session)
        } catch let gate as GateFailure {
            failure = gate.record
            if failure != nil { try await RunEnding(session: session).skipRest(after: gate) }
        }
        return try await close(session, after: failure)
    }

    /// Ends what is left of a run, aggregates and makes the report. A run that was left in a pause stays as it is.
    func close(_ session: RunSession, after failure: FailureRecord?) async throws -> Report {
        guard !session.isLeft else {
            return try await report(of: existingRun(session.run.id), outcomes: session.options.returnsOutcomes)
        }
        let ending = RunEnding(session: session)
        var failure = failure
        try await ending.giveUpRest()
        var summary: Payload?
        if failure == nil { (summary, failure) = await ending.aggregate() }
        let run = try await ending.finish(self, summary: summary, failure: failure)
        return try await report(of: run, outcomes: session.options.returnsOutcomes)
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
}
