// How items go through a graph: what one processor does with an item, done node by node.

/// A graph that a run has taken, and how it is to be run.
struct GraphWork: Sendable {
    /// How a run that was left in a pause comes back to it, and goes on from there.
    struct Comeback: Sendable {
        let pause: Pause
        /// The node and the item that it stands before.
        let node: Int
        let entry: StoredItem
        let move: Pause.Move
    }

    let graph: Graph
    let wiring: Wiring
    let options: GraphOptions
    let plan: LanePlan
    /// Where every output of a node is kept under a name; `nil`: nowhere.
    var checkpoints: Checkpoints?
    /// What the run goes on from.
    var restored: RestoredOutput?
    /// That the run had been paused; `nil` for one that begins.
    var comeback: Comeback?
}

extension Engine {
    // MARK: A run

    /// Takes every item that is not settled through the graph; returns when each has left it or the run was stopped.
    ///
    /// - Throws: what the store or the start of a worker threw; the run is then over.
    func run(_ work: GraphWork, _ session: RunSession) async throws {
        guard session.unfinished > 0, session.stopped == nil else { return }
        let isWhole = !session.isBatch
        if isWhole { try await begin(work, session) }
        let flow = GraphFlow(work, session)
        session.conducts(flow)
        let floor = Floor(flow)
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.followPauses(of: flow, on: floor) }
            group.addTask {
                await withDiscardingTaskGroup { starts in
                    for await lane in flow.lanesToStart { starts.addTask { await self.start(lane, on: floor) } }
                }
            }
            group.addTask {
                guard let limit = await flow.waitForHalt() else { return }
                do { try await self.world.time.sleep(until: self.world.time.uptime() + limit) } catch { return }
                session.stop(.init(reason: .graphHalted, drains: false))
            }
            // The first lanes are started while the floor is kept from ending by one that never works.
            let keeper = flow.makeLane(for: 0)
            floor.add(keeper)
            do { try await depart(flow.admitFirst(), from: keeper, of: flow) } catch { floor.fail(error) }
            await startLanes(of: flow, on: floor)
            floor.remove(keeper)
            floor.laneEnded()
            await supervise(floor)
            flow.laneStarts.finish()
            flow.endWaitForHalt()
            flow.endChanges()
            group.cancelAll()
        }
        session.conducts(nil)
        if flow.isLeft { return try await leave(flow, because: floor.failure) }
        try await endRest(of: flow)
        if isWhole {
            session.tally.note(flow.keptProfile)
            end(session, flow.joins)
        } else {
            flow.addToCourse()
        }
        if let error = floor.failure { throw error }
    }

    /// What comes before the first item of a run of a graph, in whatever batches.
    func begin(_ work: GraphWork, _ session: RunSession) async throws {
        if work.comeback == nil { session.emit(.graphStart) { ["nodes": JSONValue(work.wiring.nodes.count)] } }
        if let restored = work.restored { try await restore(restored, of: work, session) }
    }

    /// What comes after the last item.
    func end(_ session: RunSession, _ joins: [GraphBook.Join]) {
        hintAtJoins(joins, session)
        let failed = session.tally.haltFailure != nil
        session.emit(failed ? .graphError : .graphComplete) {
            failed ? ["message": JSONValue(session.tally.haltFailure?.message)] : [:]
        }
    }

    /// Says of joins behind branches that they never ran.
    private func hintAtJoins(_ joins: [GraphBook.Join], _ session: RunSession) {
        let missed = joins.filter { $0.ran == 0 && $0.missed > 0 }
        guard let first = missed.first, session.tally.counts.succeeded > 0 else { return }
        let others = missed.count > 1 ? ", nor did \(missed.count - 1) more nodes" : ""
        session.hint(
            "join_never_ran",
            "node '\(first.node)' ran on no input, since one of its own inputs never came (inputs: require_all)\(others); "
                + "inputs: allow_missing lets it run with what there is")
    }

    /// Starts lanes for what can be done and nobody does.
    ///
    /// - Parameter teams: for which; `nil`: for those that want one.
    nonisolated(nonsending) func startLanes(
        for teams: [Int]? = nil, of flow: GraphFlow, on floor: Floor
    ) async {
        for team in teams ?? flow.wantedLanes() {
            let lane = flow.makeLane(for: team)
            floor.add(lane)
            // A lane that waits for the worker of another batch must not keep one that the other waits for.
            if flow.session.isBatch { flow.laneStarts.yield(lane) } else { await start(lane, on: floor) }
        }
    }

    /// Ends the items that are in the graph still, because the run was stopped.
    private func endRest(of flow: GraphFlow) async throws {
        let session = flow.session
        guard let stop = session.stopped else { return }
        var ended: [CommittedOutcome] = []
        for departure in flow.takeRest() {
            try await saveRest(departure, of: flow)
            ended.append(CommittedOutcome(flow.outcome(of: departure, stoppedBy: stop.reason)))
        }
        try await commit(ended, session)
    }

    // MARK: A lane

    /// The node and the item to work on next, begun; `nil` when there is nothing for the lane.
    nonisolated(nonsending) func nextWork(
        _ lane: Lane, of flow: GraphFlow, on floor: Floor, _ generation: Int
    ) async throws -> Work? {
        while true {
            let finished = lane.takeFinished(at: world.time.uptime(), always: true)
            if !finished.isEmpty {
                // Others can go on meanwhile.
                await startLanes(of: flow, on: floor)
                try await commit(finished, flow.session)
            }
            guard lane.generation == generation else { return nil }
            // What can be done by now is done in this lane, so that a chain never leaves it; what is left over is others'.
            let (next, teams) = flow.next(for: lane.team)
            await startLanes(for: teams, of: flow, on: floor)
            switch next {
            case .nothing: return nil
            case .pause: pause(flow, on: floor)
            case .admit: try await depart(flow.admit(), from: lane, of: flow)
            case .goOn(let unit, let entry, let input):
                if let work = try await begin(unit, on: entry, with: input, in: lane, of: flow, generation) {
                    return work
                }
            case .start(let unit, let entry, let fed, let values):
                let input = try fed ?? flow.wiring.input(of: unit.node, from: values)
                if try await takeSaved(unit, on: entry, with: input, in: lane, of: flow) { continue }
                guard try flow.mayStart(unit, entry, input) else { continue }
                if let work = try await begin(unit, on: entry, with: input, in: lane, of: flow, generation) {
                    return work
                }
            }
        }
    }

    /// Has a node end as it did before, with the output that was saved when it was given the same, or with its failure
    /// when the run has come back to a pause; `false` when it has to be done.
    private nonisolated(nonsending) func takeSaved(
        _ unit: GraphSchedule.Unit, on item: StoredItem, with input: Payload, in lane: Lane, of flow: GraphFlow
    ) async throws -> Bool {
        let node = flow.nodes[unit.node]
        guard node.resumes(item.index) else { return false }
        var ended = Passage.Node(node.run.processorID, status: .succeeded)
        let end: ItemFlow.End
        if let failure = flow.failure(of: unit, on: item.item.id) {
            (ended.status, ended.attempts) = (.failed, failure.attempts)
            (ended.reason, ended.error) = (failure.reason, failure.error)
            end = .failed
        } else {
            guard let saved = try await savedOutput(of: item.given(input, asSource: flow.isSource(unit.node)), node)
            else { return false }
            node.emit(.processorStart, item: item.item.id)
            if saved.definition != node.run.definition { flow.noteKept(unit.item) }
            end = .gave(try flow.wiring.route(Payload(json: saved.value), from: unit.node))
        }
        // Only a run that comes back to its pause has paid for it itself.
        let costs = node.tally.takeCosts(of: item.index, by: node.run.processorID)
        ended.cost = try costs.cost.money()
        try await depart(
            flow.end(
                unit, end, as: ended, at: world.time.uptime(), isNew: flow.firstMove == nil,
                avoided: try costs.avoided.money()),
            from: lane, of: flow)
        return true
    }

    /// Begins with a node on an item; `nil` when its output was cached, or its price could not be paid.
    private nonisolated(nonsending) func begin(
        _ unit: GraphSchedule.Unit, on item: StoredItem, with input: Payload, in lane: Lane, of flow: GraphFlow,
        _ generation: Int
    ) async throws -> Work? {
        let node = flow.nodes[unit.node]
        let entry = item.given(input, asSource: flow.isSource(unit.node))
        node.emit(.processorStart, item: item.item.id)
        do { try await node.base.charge(for: node, on: entry.item, by: self) } catch let error as ProcessingError
            where error.code == .budgetExhausted
        {
            let desk = try await desk(for: entry, attempt: 1, node)
            let work = Work(
                entry: entry, session: node, unit: unit, desk: desk, startedAt: world.time.uptime(), attempt: 0)
            try await end(work, failed(work, error, nil, node), in: lane, of: flow)
            return nil
        }
        if let cached = try await cachedOutcome(of: entry, node), let output = cached.output {
            try await save(output, of: entry, with: CommittedOutcome(cached), at: unit, of: flow)
            await keepCheckpoint(of: output, on: item.item.id, node, in: flow)
            let values = try flow.wiring.route(output, from: unit.node)
            try await depart(
                flow.end(
                    unit, .gave(values), as: Passage.Node(cached, node), at: world.time.uptime(),
                    avoided: cached.avoidedCost), from: lane, of: flow)
            return nil
        }
        let work = Work(
            entry: entry, session: node, unit: unit, desk: try await desk(for: entry, attempt: 1, node),
            startedAt: world.time.uptime())
        return lane.begin(work, generation) ? work : nil
    }

    /// Makes one attempt of a node, the gates of its processor included.
    nonisolated(nonsending) func attempt(
        _ work: inout Work, of flow: GraphFlow, in lane: Lane, _ generation: Int, with worker: any Worker,
        _ context: Context
    ) async throws -> Payload {
        let session = work.session
        work.admission = nil
        work.admission = try flow.recovery.admit(session.run.processorID)
        // The next driver needs the breaker's admission.
        guard lane.begin(work, generation) else {
            if let admission = work.admission { flow.recovery.withdraw(session.run.processorID, after: admission) }
            throw CancellationError()
        }
        let gates = session.context(
            for: work.entry, phase: .preprocessing, attempt: work.attempts,
            desk: RunDesk(session: session, work: work.desk))
        var input = work.input
        switch await session.processor.prepare(input, gates) {
        case .unchanged: break
        case .changed(let value): input = value
        case .refused(let thrown, let stage, _):
            var error = ProcessingError(wrapping: thrown, as: stage.code)
            error.step = error.step ?? stage.rawValue
            error.phase = error.phase ?? stage.phase
            throw error
        }
        var output = try await worker.extract(input, in: context)
        let emitted = work.desk.emitted
        if !emitted.isEmpty, try output.json() == .null {
            output = Payload(json: .array(try emitted.map { try $0.json() }))
        }
        guard let unit = work.unit, flow.givesJSON[unit.node] else { return output }
        do { return Payload(json: try output.json()) } catch {
            throw ProcessingError(.processing, "the output cannot be written as JSON: \(error)", retryable: false)
        }
    }

    // MARK: How a node ends

    /// Has a node end with an output, which is saved and handed on.
    nonisolated(nonsending) func succeed(
        _ work: Work, _ output: Payload, in lane: Lane, of flow: GraphFlow
    ) async throws {
        guard let unit = work.unit else { return }
        let node = work.session
        if let admission = work.admission { flow.recovery.succeed(node.run.processorID, after: admission) }
        let lasted = world.time.uptime() - work.startedAt
        let committed = succeeded(work, output, node)
        let unsaved = try await save(output, of: work.entry, with: committed, at: unit, of: flow)
        await keepCheckpoint(of: output, on: work.entry.item.id, node, in: flow)
        node.emit(.processorComplete, item: work.entry.item.id) {
            ["duration_ms": JSONValue(lasted), "attempts": JSONValue(work.attempts)]
        }
        let outcome = committed.outcome
        if outcome.isKept { flow.noteKept(unit.item) }
        let values = try flow.wiring.route(output, from: unit.node)
        let departures = flow.end(
            unit, .gave(values), as: Passage.Node(outcome, node), at: work.startedAt + lasted,
            steps: outcome.steps(of: node), unsaved: unsaved, avoided: outcome.avoidedCost, lasted: lasted)
        try await depart(departures, from: lane, of: flow)
    }

    /// What is to be done about the failure of a node.
    nonisolated(nonsending) func answer(
        to error: ProcessingError, of work: Work, in flow: GraphFlow
    ) async -> ErrorAnswer {
        let node = work.session
        let context = node.context(for: work.entry, phase: .extraction, attempt: work.attempts, desk: work.desk)
        let answer = await flow.recovery.answer(
            to: error, of: node.run.processorID, at: work.entry.item.id,
            data: (try? work.input.json()) ?? .null, after: work.admission, context: context)
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

    /// Has a node end as failed for good.
    nonisolated(nonsending) func fail(
        _ work: Work, _ error: ProcessingError, _ reason: Outcome.Reason?, by answer: ErrorAnswer, in lane: Lane,
        of flow: GraphFlow
    ) async throws {
        let committed = failed(work, error, reason, work.session)
        if case .halt(let halt) = answer, let record = committed.outcome.error {
            flow.halt(because: record, halt, at: work.session.run.processorID)
            flow.session.stop(.init(reason: .graphHalted, drains: true))
        }
        try await end(work, committed, in: lane, of: flow)
    }

    private nonisolated(nonsending) func end(
        _ work: Work, _ committed: CommittedOutcome, in lane: Lane, of flow: GraphFlow
    ) async throws {
        guard let unit = work.unit else { return }
        if !committed.charges.isEmpty { _ = try await store.record(committed.charges) }
        let outcome = committed.outcome
        let departures = flow.end(
            unit, .failed, as: Passage.Node(outcome, work.session), at: work.startedAt + outcome.duration,
            steps: outcome.steps(of: work.session), avoided: outcome.avoidedCost, lasted: outcome.duration)
        try await depart(departures, from: lane, of: flow)
    }

    /// Takes note of a node that was given up, because the run was cancelled or is out of time.
    func giveUp(_ work: Work, _ finished: [CommittedOutcome], in flow: GraphFlow, on floor: Floor) async {
        guard let unit = work.unit else { return }
        if let admission = work.admission { flow.recovery.withdraw(work.session.run.processorID, after: admission) }
        var outcome = Outcome(work.entry, .cancelled, flow.session.stopped?.reason ?? .runCancelled)
        let remains = work.desk.close()
        outcome.fill(from: work, remains, work.session)
        flow.noteGivenUp(unit, as: Passage.Node(outcome, work.session))
        do {
            if !remains.charges.isEmpty { _ = try await store.record(remains.charges) }
            try await commit(finished, flow.session)
        } catch {
            floor.fail(error)
        }
    }

    // MARK: Saved outputs

    /// What was saved of a node that was given the same before.
    private nonisolated(nonsending) func savedOutput(
        of entry: StoredItem, _ node: RunSession
    ) async throws -> Checkpoint? {
        let kept = try await store.checkpoints(of: node.checkpointSubject(entry.item.id)).saved
        guard let saved = kept.last(where: { $0.step == Checkpoint.nodeOutput }),
            saved.isOutput(for: try node.digest(of: entry.item)),
            node.options.recovery != .reprocess || saved.runID == node.run.id,
            History.accepts(saved.definition, for: node.run, node.options)
        else { return nil }
        return saved
    }

    /// Saves what a node gave, with its charges and its output for the cache.
    ///
    /// - Returns: the output, if it need not be saved unless its item fails: a store that keeps values as they are
    ///   forgets with the program, so that nothing can go on from what it saves but what has ended.
    @discardableResult private nonisolated(nonsending) func save(
        _ output: Payload, of entry: StoredItem, with committed: CommittedOutcome, at unit: GraphSchedule.Unit,
        of flow: GraphFlow
    ) async throws -> GraphFlow.UnsavedOutput? {
        let unsaved = GraphFlow.UnsavedOutput(
            node: unit.node, input: entry, output: output, isKept: committed.outcome.isKept)
        // A hit is as good as a payment: what it avoided is not avoided once more by a resume.
        guard
            store.keepsJSON || flow.checkpoints != nil || committed.outcome.cached || !committed.charges.isEmpty
                || committed.cached != nil
        else { return unsaved }
        try await store.save(
            checkpoint(of: unsaved, flow), charges: committed.charges, cached: committed.cached)
        return nil
    }

    /// Saves what was not saved of an item that has not succeeded.
    nonisolated(nonsending) func saveRest(
        _ departure: GraphFlow.Departure, of flow: GraphFlow
    ) async throws {
        for unsaved in departure.traveller.unsaved {
            try await store.save(checkpoint(of: unsaved, flow), charges: [], cached: nil)
        }
    }

    private func checkpoint(of unsaved: GraphFlow.UnsavedOutput, _ flow: GraphFlow) throws -> Checkpoint {
        let node = flow.nodes[unsaved.node]
        return Checkpoint(
            subject: node.checkpointSubject(unsaved.input.item.id), step: Checkpoint.nodeOutput,
            inputDigest: try node.digest(of: unsaved.input.item),
            definition: node.run.definition.mixed(with: unsaved.isKept ? node.run.definition : nil),
            runID: node.run.id, epoch: node.run.epoch, value: try unsaved.output.json(), savedAt: world.time.now())
    }

    // MARK: How an item ends

    private nonisolated(nonsending) func depart(
        _ departures: [GraphFlow.Departure], from lane: Lane, of flow: GraphFlow
    ) async throws {
        for departure in departures {
            let outcome = flow.outcome(of: departure, stoppedBy: nil)
            if outcome.status != .succeeded { try await saveRest(departure, of: flow) }
            lane.keep(CommittedOutcome(outcome))
        }
    }
}

extension StoredItem {
    /// The item as a node is given it; a source is given its file, too.
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

extension Store {
    /// What was saved last of what a node of a graph gave for an input in an execution.
    package func savedOutput(
        of node: Identifier, on inputID: String, in execution: Execution.ID
    ) async throws -> Checkpoint? {
        let subject = CheckpointSubject(executionID: execution, processorID: node, inputID: inputID)
        return try await checkpoints(of: subject).saved.last { $0.step == Checkpoint.nodeOutput }
    }
}

extension Checkpoint {
    /// The step under which the output of a node is saved; no step of a processor can have this name.
    static let nodeOutput = ":output"
}

extension Passage.Node {
    /// What became of an item at a node, from the outcome of the work there.
    init(_ outcome: Outcome, _ node: RunSession) {
        self.init(node.run.processorID, status: outcome.status)
        reason = outcome.reason
        (attempts, duration, cost) = (outcome.attempts, outcome.duration, outcome.cost)
        if let error = outcome.error { self.error = error }
    }
}

extension Outcome {
    /// The steps of work at a node, as steps of its item.
    fileprivate func steps(of node: RunSession) -> [Step] {
        steps.map { step in
            var step = step
            step.name = "\(node.run.processorID)/\(step.name)"
            return step
        }
    }
}

extension GraphFlow {
    /// How an item ends that leaves the graph.
    ///
    /// - Parameter reason: why it was stopped before all of its nodes had ended; `nil`: they have.
    func outcome(of departure: Departure, stoppedBy reason: Outcome.Reason?) -> Outcome {
        let (traveller, way) = (departure.traveller, departure.flow)
        var nodes = traveller.nodes
        let (failed, responsible) = failures(of: departure)
        if let reason, way.unfinished > 0 {
            for place in nodes.indices where nodes[place].status == .pending {
                (nodes[place].status, nodes[place].reason) = (.cancelled, reason)
            }
        }
        let isFromOutside = reason == .runCancelled || reason == .runTimeout
        let isCancelled = reason != nil && (isFromOutside || failed.isEmpty)
        var outcome =
            isCancelled
            ? Outcome(traveller.entry, .cancelled, reason)
            : Outcome(
                traveller.entry, failed.isEmpty || responsible.isEmpty && reason == nil ? .succeeded : .failed, nil)
        // Results are JSON already, so that writing them down cannot fail.
        if let map = try? way.resultMap(in: wiring), outcome.status == .succeeded || !way.results.isEmpty {
            outcome.output = map
        }
        outcome.isKept = traveller.isKept
        outcome.duration = session.world.time.uptime() - traveller.startedAt
        outcome.attempts = nodes.reduce(0) { max($0, $1.attempts) }
        // What it cost in attempts of its batch that do not count any more.
        let before = session.tally.takeCosts(of: traveller.entry.index)
        session.tally.fill(
            &outcome, cost: nodes.reduce(before.cost) { $0 + $1.cost }, avoided: traveller.avoidedCost + before.avoided)
        if !traveller.steps.isEmpty { outcome.steps = traveller.steps }
        outcome.attempts += session.attemptsBefore(traveller.entry.index)
        if outcome.status == .failed, let first = responsible.min() ?? failed.min() {
            if let error = nodes[first].error { outcome.error = error }
            outcome.reason = nodes[first].reason
        }
        outcome.passage = Passage(
            nodes: nodes, absorbed: failed.subtracting(responsible).sorted().compactMap { nodes[$0].error })
        if !failed.isEmpty || outcome.attempts > 1 {
            recovery.forget(traveller.entry.item.id, at: wiring.nodes.lazy.map(\.id))
        }
        return outcome
    }

    /// How an item failed that leaves the graph.
    func failureRecord(of departure: Departure) -> FailureRecord? {
        let (failed, responsible) = failures(of: departure)
        return (responsible.min() ?? failed.min()).flatMap { departure.traveller.nodes[$0].error }
    }
}
