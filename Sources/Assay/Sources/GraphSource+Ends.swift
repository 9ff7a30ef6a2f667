// How work at the nodes of a graph ends, and how items leave it.

extension GraphSource {
    /// Returns the decision about the failure of a node.
    nonisolated(nonsending) func answer(
        to error: ProcessingError, of job: inout Job<GraphSource>
    ) async -> ErrorAnswer {
        let (work, node) = (job.work, job.work.session)
        let context = node.context(for: work.entry, phase: .extraction, attempt: work.attempts, desk: work.desk)
        let answer = await flow.recovery.answer(
            to: error, of: node.run.processorID, at: work.entry.item.id,
            data: (try? work.input.json()) ?? .null, after: job.matter.admission, context: context)
        // The breaker knows of this attempt and must not be notified again.
        job.matter.admission = nil
        node.emit(.processorError, item: work.entry.item.id) {
            var data: JSONObject = [
                "code": .string(error.code.rawValue), "message": .string(error.message),
                "attempt": JSONValue(work.attempts), "retryable": .bool(error.retryable),
                "decision": .string(answer.name),
            ]
            if case .retry(let delay) = answer { data["after_ms"] = JSONValue(delay) }
            return data
        }
        return answer
    }

    func withdraw(_ job: inout Job<GraphSource>) {
        guard let admission = job.matter.admission else { return }
        flow.recovery.withdraw(job.work.session.run.processorID, after: admission)
        job.matter.admission = nil
    }

    nonisolated(nonsending) func end(
        _ job: Job<GraphSource>, _ end: WorkEnd, in lane: Lane<GraphSource>
    ) async throws {
        switch end {
        case .gave(let output): try await succeed(job, output, in: lane)
        case .failed(let error, let reason, let answer): try await fail(job, error, reason, by: answer, in: lane)
        case .givenUp: try await giveUp(job)
        }
    }

    /// Ends a node with an output, which is saved and passed on.
    private nonisolated(nonsending) func succeed(
        _ job: Job<GraphSource>, _ output: Payload, in lane: Lane<GraphSource>
    ) async throws {
        let (work, unit, node) = (job.work, job.matter.unit, job.work.session)
        if let admission = job.matter.admission { flow.recovery.succeed(node.run.processorID, after: admission) }
        let lasted = session.world.time.uptime() - work.startedAt
        let committed = ItemEnds(node).succeeded(work, output)
        let unsaved = try await save(output, of: work.entry, with: committed, at: unit)
        await keepCheckpoint(of: output, on: work.entry.item.id, node)
        node.emit(.processorComplete, item: work.entry.item.id) {
            ["duration_ms": JSONValue(lasted), "attempts": JSONValue(work.attempts)]
        }
        let outcome = committed.outcome
        if outcome.isKept { flow.noteKept(unit.item) }
        let values = try flow.wiring.route(output, from: unit.node)
        let departures = flow.end(
            unit, .gave(values), as: Passage.Node(outcome, node), at: work.startedAt + lasted,
            steps: outcome.steps(of: node), unsaved: unsaved, avoided: outcome.avoidedCost, lasted: lasted)
        try await depart(departures, from: lane)
    }

    /// Ends a node as failed for good.
    private nonisolated(nonsending) func fail(
        _ job: Job<GraphSource>, _ error: ProcessingError, _ reason: Outcome.Reason?, by answer: ErrorAnswer,
        in lane: Lane<GraphSource>
    ) async throws {
        let work = job.work
        let committed = ItemEnds(work.session).failed(work, error, reason)
        if case .halt(let halt) = answer, let record = committed.outcome.error {
            flow.halt(because: record, halt, at: work.session.run.processorID)
            session.stop(.init(reason: .graphHalted, drains: true))
        }
        try await end(work, at: job.matter.unit, with: committed, in: lane)
    }

    /// Ends a node that has failed.
    nonisolated(nonsending) func end(
        _ work: Work, at unit: GraphSchedule.Unit, with committed: CommittedOutcome, in lane: Lane<GraphSource>
    ) async throws {
        if !committed.charges.isEmpty { _ = try await session.store.record(committed.charges) }
        let outcome = committed.outcome
        let departures = flow.end(
            unit, .failed, as: Passage.Node(outcome, work.session), at: work.startedAt + outcome.duration,
            steps: outcome.steps(of: work.session), avoided: outcome.avoidedCost, lasted: outcome.duration)
        try await depart(departures, from: lane)
    }

    /// Records a node that was given up because the run was stopped.
    private nonisolated(nonsending) func giveUp(_ job: Job<GraphSource>) async throws {
        var job = job
        withdraw(&job)
        let node = job.work.session
        let ended = ItemEnds(node).givenUp(job.work, session.stopped?.reason ?? .runCancelled)
        flow.noteGivenUp(job.matter.unit, as: Passage.Node(ended.outcome, node))
        if !ended.charges.isEmpty { _ = try await session.store.record(ended.charges) }
    }

    /// Ends the items that are still in the graph because the run was stopped.
    func endRest() async throws {
        guard let stop = session.stopped else { return }
        var ended: [CommittedOutcome] = []
        for departure in flow.takeRest() {
            try await saveRest(departure)
            ended.append(CommittedOutcome(flow.outcome(of: departure, stoppedBy: stop.reason)))
        }
        try await session.commit(ended)
    }

    // MARK: How an item ends

    nonisolated(nonsending) func depart(
        _ departures: [GraphFlow.Departure], from lane: Lane<GraphSource>
    ) async throws {
        for departure in departures {
            let outcome = flow.outcome(of: departure, stoppedBy: nil)
            if outcome.status != .succeeded { try await saveRest(departure) }
            lane.keep(CommittedOutcome(outcome))
        }
    }
}

extension StoredItem {
    /// Returns the item as a node receives it. A source also receives its file.
    func given(_ input: Payload, asSource: Bool) -> StoredItem {
        let given =
            if asSource, let file = item.file, !item.hasOwnData {
                Item(item.id, file: file, accountID: item.accountID, underwritingID: item.underwritingID)
            } else {
                Item(
                    item.id, payload: input, file: asSource ? item.file : nil, accountID: item.accountID,
                    underwritingID: item.underwritingID)
            }
        var entry = StoredItem(given, index: index)
        entry.origin = item.file
        return entry
    }
}

extension Passage.Node {
    /// Describes how an item ended at a node, from the outcome of the work there.
    init(_ outcome: Outcome, _ node: RunSession) {
        self.init(node.run.processorID, status: outcome.status)
        reason = outcome.reason
        (attempts, duration, cost) = (outcome.attempts, outcome.duration, outcome.cost)
        if let error = outcome.error { self.error = error }
    }
}

extension Outcome {
    /// Returns the steps of work at a node, as steps of its item.
    fileprivate func steps(of node: RunSession) -> [Step] {
        steps.map { step in
            var step = step
            step.name = "\(node.run.processorID)/\(step.name)"
            return step
        }
    }
}
