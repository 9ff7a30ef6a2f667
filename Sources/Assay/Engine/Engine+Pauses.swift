// Runs of graphs that were left in a pause, by their own program or because it died.

extension Engine {
    /// Continues a run of `graph` that was left in a pause, under its own name, with its breakpoints and their counts,
    /// and as if it had never been left. Nodes that have ended, including failed ones, do not run again.
    ///
    /// The run is recorded as paused until it reaches the start at which it was paused. A program that dies earlier
    /// leaves it as it was.
    ///
    /// - Parameters:
    ///   - id: the run.
    ///   - move: whether it continues to the next hit or by one node.
    ///   - toEnd: whether its breakpoints are removed first.
    ///   - options: the options with which the run was begun. Its inputs, scope, execution and breakpoints come from
    ///     the record.
    /// - Throws: ``ProcessingError`` with code `not_found` for an unknown run, `illegal_move` for one that is not
    ///   paused or is in progress here, `definition_changed` when the graph is not the one that was paused, `store`
    ///   when the record of the pause cannot be read; and as ``run(_:over:options:)``.
    public func goOn(
        _ id: Run.ID, with graph: Graph, by move: Pause.Move = .goOn, toEnd: Bool = false,
        options: GraphOptions = GraphOptions(), watching: (@Sendable (RunHandle) -> Void)? = nil
    ) async throws -> Report {
        try await alone(with: id) {
            try await comeBack(to: id, with: graph, by: move, toEnd: toEnd, options, watching)
        }
    }

    private func comeBack(
        to id: Run.ID, with graph: Graph, by move: Pause.Move, toEnd: Bool, _ options: GraphOptions,
        _ watching: (@Sendable (RunHandle) -> Void)?
    ) async throws -> Report {
        let paused = try await pausedRun(id)
        guard var pause = paused.pause else {
            throw ProcessingError(.store, "where run '\(id)' was paused is not on record; cancel and resume it")
        }
        if toEnd { pause.breakpoints = [] }
        let comeback = pause
        return try await conduct(graph, options) { wiring, plan, run in
            let processor = RegisteredProcessor(graph.id, wiring)
            try await processor.readFiles(in: self.store, self.world.time, rereads: run.rehash, records: true)
            guard processor.definition(in: store).parts == paused.definitionParts else {
                throw ProcessingError(
                    .definitionChanged,
                    "graph '\(graph.id)' is not the one that run '\(id)' was paused in; go on with that one, or cancel the "
                        + "run and resume it with this one")
            }
            guard let node = wiring.place(of: comeback.start.processorID.text),
                let entry = try await self.item(named: comeback.start.inputID, of: id)
            else { throw ProcessingError(.store, "the pause of run '\(id)' does not fit its graph and its inputs") }
            let charges = try await self.store.charges(matching: ChargeFilter(runID: id))
            let work = GraphWork(
                graph: graph, wiring: wiring, options: options, plan: plan, checkpoints: try self.automatic(options),
                comeback: .init(pause: comeback, node: node, entry: entry, move: move))
            let taken = try await self.takeOver(paused)
            let session = RunSession(
                run: taken, processor: processor, options: run, services: self.services, graph: work.terms)
            return try await self.hold(session, watching) {
                try await self.restore(session, charges)
                try await GraphRun(work).carryOut(session)
                return try await self.close(session, after: nil)
            }
        }
    }

    /// Cancels a run that was left in a pause. What is not finished becomes cancelled and can be resumed.
    ///
    /// - Throws: ``ProcessingError`` with code `not_found` for an unknown run, `illegal_move` for one that is not
    ///   paused or is in progress here.
    public func cancelPaused(_ id: Run.ID) async throws -> Report {
        try await alone(with: id) { try await cancel(pausedRun(id)) }
    }

    private func cancel(_ paused: Run) async throws -> Report {
        let id = paused.id
        // From here on it counts as a run in progress, so that a recovery after a crash ends it.
        var run = try await takeOver(paused, as: .running)
        let charges = try await store.charges(matching: ChargeFilter(runID: id)).filter { $0.kind != .base }
        let costs = Dictionary(grouping: charges) { $0.itemIndex }
        var counts = Counts(total: 0)
        var start = 0
        while case let items = try await store.items(of: id, from: start, limit: 1_024), !items.isEmpty {
            let ended = try await store.outcomes(of: id, from: start, limit: items.count)
            let places = Set(ended.map(\.index))
            let rest = try items.filter { !places.contains($0.index) }.map { entry in
                var outcome = Outcome(entry, .cancelled, .runCancelled)
                outcome.cost = try (costs[entry.index] ?? []).reduce(MoneySum.zero) { $0 + $1.cost }.money()
                return outcome
            }
            _ = try await store.commit(rest.map { CommittedOutcome($0) }, of: id, epoch: run.epoch)
            for outcome in ended { counts.add(outcome.status) }
            for outcome in rest { counts.add(outcome.status) }
            counts.total += items.count
            start += items.count
        }
        (run.status, run.counts, run.finishedAt) = (.cancelled, counts, world.time.now())
        run.error = FailureRecord(
            ProcessingError(.cancelled, "the run was cancelled; resume it to go on"), stage: .extraction, item: nil,
            attempt: 0)
        try await followDoubtPolicies(of: run.executionID)
        try await store.update(run)
        return try await report(of: run, outcomes: true)
    }

    /// Returns a run that is paused and that no session holds.
    private func pausedRun(_ id: Run.ID) async throws -> Run {
        let run = try await existingRun(id)
        guard run.status == .paused, session(id) == nil else {
            guard run.status != .paused else { throw ProcessingError.isBusy(id) }
            throw ProcessingError(
                .illegalMove, "run '\(id)' is \(run.status.rawValue), so it cannot be gone on with from a pause")
        }
        return run
    }

    /// Makes the run this program's, whatever the program that left it may still do.
    private func takeOver(_ paused: Run, as status: Status = .paused) async throws -> Run {
        var run = paused
        run.epoch += 1
        run.status = status
        if status != .paused { run.pause = nil }
        try await store.update(run)
        return run
    }

    private func item(named inputID: String, of run: Run.ID) async throws -> StoredItem? {
        var start = 0
        while case let page = try await store.items(of: run, from: start, limit: 1_024), !page.isEmpty {
            if let found = page.first(where: { $0.item.id.equalsInBytes(inputID) }) { return found }
            start += page.count
        }
        return nil
    }

    /// Restores in a session what the program that left the run knew of it.
    private func restore(_ session: RunSession, _ charges: [Charge]) async throws {
        let id = session.run.id
        while case let items = try await store.items(of: id, from: session.items.total, limit: 1_024), !items.isEmpty {
            let ended = try await store.outcomes(of: id, from: session.items.total, limit: items.count)
            let places = Set(ended.map(\.index))
            session.items.add(items.count, resuming: items.lazy.map(\.index).filter { !places.contains($0) })
            session.tally.noteTaken(items.count)
            session.restore(ended)
        }
        var sequence = 0
        while case let events = try await store.events(of: id, after: sequence, limit: 1_024), let last = events.last {
            sequence = last.sequence ?? sequence + events.count
        }
        session.tally.restore(
            charges.filter { $0.itemIndex.map { !session.items.hasEnded($0) } ?? true }, sequence: sequence)
    }
}

extension ProcessingError {
    static func isBusy(_ run: Run.ID) -> ProcessingError {
        ProcessingError(
            .illegalMove, "run '\(run)' is in progress in this program, so it cannot be gone on with from a pause")
    }
}
