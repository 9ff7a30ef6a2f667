/// The items of a run, or of one batch of it, taken through a graph: work at its nodes.
final class GraphSource: WorkSource {
    /// The node and the item that a piece of work is for.
    struct Matter: Sendable {
        let unit: GraphSchedule.Unit
        /// The admission by the node's circuit breaker for the attempt in progress.
        var admission: RunRecovery.Admission?
    }

    /// The team of nodes that a lane works for.
    typealias Post = Int

    let flow: GraphFlow
    let session: RunSession
    /// Lanes of a batch that are to be started. They may have to wait for workers that other batches have.
    private let (lanesToStart, laneStarts) = AsyncStream.makeStream(of: Lane<GraphSource>.self)

    init(_ flow: GraphFlow) { (self.flow, session) = (flow, flow.session) }

    var shortestLimit: Duration { flow.nodes.map(\.options.shortestLimit).min() ?? session.options.timeout }

    // MARK: All items

    /// Takes every item through the graph; returns when each has left it, or the run was stopped or left.
    func work(in workshop: Workshop<GraphSource>) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.followPauses(in: workshop) }
            group.addTask {
                await withDiscardingTaskGroup { starts in
                    for await lane in self.lanesToStart { starts.addTask { await workshop.start(lane) } }
                }
            }
            group.addTask {
                guard let limit = await self.flow.waitForHalt() else { return }
                let time = self.session.world.time
                do { try await time.sleep(until: time.uptime() + limit) } catch { return }
                self.session.stop(.init(reason: .graphHalted, drains: false))
            }
            // A lane that never works keeps the workshop from ending while the first lanes are started.
            let keeper = makeLane(for: 0)
            workshop.add(keeper)
            do { try await depart(flow.admitFirst(), from: keeper) } catch { workshop.fail(error) }
            await startLanes(in: workshop)
            workshop.remove(keeper)
            workshop.laneEnded()
            await workshop.supervise()
            laneStarts.finish()
            flow.endWaitForHalt()
            flow.endChanges()
            group.cancelAll()
        }
    }

    /// Starts lanes for work that no lane does yet.
    ///
    /// - Parameter teams: the teams to start lanes for; `nil`: those that want one.
    nonisolated(nonsending) func startLanes(
        for teams: [Int]? = nil, in workshop: Workshop<GraphSource>
    ) async {
        for team in teams ?? flow.wantedLanes() {
            let lane = makeLane(for: team)
            workshop.add(lane)
            // A lane that waits for the worker of another batch must not hold up a lane that the other batch waits for.
            if session.isBatch { laneStarts.yield(lane) } else { await workshop.start(lane) }
        }
    }

    private func makeLane(for team: Int) -> Lane<GraphSource> { Lane(crew: flow.crew(of: team), post: team) }

    // MARK: A lane

    /// Returns the node and the item to work on next, begun; `nil` when there is nothing for the lane.
    nonisolated(nonsending) func next(
        for lane: Lane<GraphSource>, in workshop: Workshop<GraphSource>, _ generation: Int
    ) async throws -> Job<GraphSource>? {
        while true {
            let finished = lane.takeFinished(at: session.world.time.uptime(), always: true)
            if !finished.isEmpty {
                // Other lanes can continue in the meantime.
                await startLanes(in: workshop)
                try await session.commit(finished)
            }
            guard lane.generation == generation else { return nil }
            // What can be done now is done in this lane, so that a chain never leaves it. Other lanes do the rest.
            let (next, teams) = flow.next(for: lane.post)
            await startLanes(for: teams, in: workshop)
            switch next {
            case .nothing: return nil
            case .pause: pause(workshop)
            case .admit: try await depart(flow.admit(), from: lane)
            case .goOn(let unit, let entry, let input):
                if let job = try await begin(unit, on: entry, with: input, in: lane, generation) { return job }
            case .start(let unit, let entry, let fed, let values):
                let input = try fed ?? flow.wiring.input(of: unit.node, from: values)
                if try await takeSaved(unit, on: entry, with: input, in: lane) { continue }
                guard try flow.mayStart(unit, entry, input) else { continue }
                if let job = try await begin(unit, on: entry, with: input, in: lane, generation) { return job }
            }
        }
    }

    /// Ends a node as it ended before: with the output that was saved for the same input, or with its failure when the
    /// run continues from a pause. Returns `false` when the node has to run.
    private nonisolated(nonsending) func takeSaved(
        _ unit: GraphSchedule.Unit, on item: StoredItem, with input: Payload, in lane: Lane<GraphSource>
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
        // Only a run that continues from its pause has paid for it itself.
        let costs = node.tally.takeCosts(of: item.index, by: node.run.processorID)
        ended.cost = try costs.cost.money()
        try await depart(
            flow.end(
                unit, end, as: ended, at: session.world.time.uptime(), isNew: flow.firstMove == nil,
                avoided: try costs.avoided.money()),
            from: lane)
        return true
    }

    /// Begins a node on an item; returns `nil` when its output was cached or its price could not be paid.
    private nonisolated(nonsending) func begin(
        _ unit: GraphSchedule.Unit, on item: StoredItem, with input: Payload, in lane: Lane<GraphSource>,
        _ generation: Int
    ) async throws -> Job<GraphSource>? {
        let node = flow.nodes[unit.node]
        let entry = item.given(input, asSource: flow.isSource(unit.node))
        node.emit(.processorStart, item: item.item.id)
        let ends = ItemEnds(node)
        do { try await node.chargeBase(on: entry.item) } catch let error as ProcessingError
            where error.code == .budgetExhausted
        {
            let desk = try await ends.desk(for: entry, attempt: 1)
            let work = Work(
                entry: entry, session: node, desk: desk, startedAt: session.world.time.uptime(), attempt: 0)
            try await end(work, at: unit, with: ends.failed(work, error, nil), in: lane)
            return nil
        }
        if let cached = try await ends.cachedOutcome(of: entry), let output = cached.output {
            try await save(output, of: entry, with: CommittedOutcome(cached), at: unit)
            await keepCheckpoint(of: output, on: item.item.id, node)
            let values = try flow.wiring.route(output, from: unit.node)
            try await depart(
                flow.end(
                    unit, .gave(values), as: Passage.Node(cached, node), at: session.world.time.uptime(),
                    avoided: cached.avoidedCost), from: lane)
            return nil
        }
        let work = Work(
            entry: entry, session: node, desk: try await ends.desk(for: entry, attempt: 1),
            startedAt: session.world.time.uptime())
        let job = Job<GraphSource>(work: work, matter: Matter(unit: unit))
        return lane.begin(job, generation) ? job : nil
    }

    /// Makes one attempt at a node, including the gates of its processor.
    nonisolated(nonsending) func attempt(
        _ job: inout Job<GraphSource>, in lane: Lane<GraphSource>, _ generation: Int, by worker: any Worker,
        _ context: Context
    ) async throws -> Payload {
        let (work, node) = (job.work, job.work.session)
        job.matter.admission = nil
        job.matter.admission = try flow.recovery.admit(node.run.processorID)
        // The next driver needs the breaker's admission.
        guard lane.begin(job, generation) else {
            withdraw(&job)
            throw CancellationError()
        }
        let gates = node.context(
            for: work.entry, phase: .preprocessing, attempt: work.attempts,
            desk: RunDesk(session: node, work: work.desk))
        var input = work.input
        switch await node.processor.prepare(input, gates) {
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
        guard flow.givesJSON[job.matter.unit.node] else { return output }
        do { return Payload(json: try output.json()) } catch {
            throw ProcessingError(.processing, "the output cannot be written as JSON: \(error)", retryable: false)
        }
    }
}
