/// The work of a run whose items pass through a graph, node by node: whole, or batch by batch.
struct GraphRun: RunWork {
    let work: GraphWork
    /// What all batches of a run have in common; `nil` for a run that is not cut.
    private var course: GraphCourse?

    init(_ work: GraphWork) { self.work = work }

    func carryOut(_ session: RunSession) async throws {
        guard session.items.unfinished > 0, session.stopped == nil else { return }
        if course == nil { try await begin(session) }
        let flow = GraphFlow(work, session, course ?? GraphCourse(work, session))
        session.steering = flow
        let source = GraphSource(flow)
        let workshop = Workshop(source)
        await source.work(in: workshop)
        session.steering = nil
        if flow.isLeft { return try await leave(source, because: workshop.failure) }
        try await source.endRest()
        if let course {
            course.add(flow.batchProfile, flow.joins)
        } else {
            session.tally.note(flow.keptProfile)
            end(session, flow.joins)
        }
        if let error = workshop.failure { throw error }
    }

    func inBatches(of session: RunSession) async throws -> any RunWork {
        try await begin(session)
        var batches = self
        batches.course = GraphCourse(work, session)
        return batches
    }

    func endBatches(of session: RunSession) {
        guard let course else { return }
        session.tally.note(course.profile(with: session.tally.baseCosts))
        end(session, course.joins)
    }

    /// Does what precedes the first item.
    private func begin(_ session: RunSession) async throws {
        if work.comeback == nil { session.emit(.graphStart) { ["nodes": JSONValue(work.wiring.nodes.count)] } }
        if let restored = work.restored { try await restore(restored, session) }
    }

    /// Does what follows the last item.
    private func end(_ session: RunSession, _ joins: [GraphBook.Join]) {
        hintAtJoins(joins, session)
        let failed = session.tally.haltFailure != nil
        session.emit(failed ? .graphError : .graphComplete) {
            failed ? ["message": JSONValue(session.tally.haltFailure?.message)] : [:]
        }
    }

    /// Saves what another program needs to continue a run that is left in its pause.
    private func leave(_ source: GraphSource, because failure: (any Error)?) async throws {
        if let failure { throw failure }
        let session = source.session
        try await session.tally.fileEvents()
        try await source.file(as: .paused)
        // A store that forgets with the program was not given these. This program may continue the run.
        for departure in source.flow.takeRest() { try await source.saveRest(departure) }
        session.noteLeft()
    }

    /// Hints at joins behind branches that never ran.
    private func hintAtJoins(_ joins: [GraphBook.Join], _ session: RunSession) {
        let missed = joins.filter { $0.ran == 0 && $0.missed > 0 }
        guard let first = missed.first, session.tally.counts.succeeded > 0 else { return }
        let others = missed.count > 1 ? ", nor did \(missed.count - 1) more nodes" : ""
        session.hint(
            "join_never_ran",
            "node '\(first.node)' ran on no input, since one of its own inputs never came (inputs: require_all)\(others); "
                + "inputs: allow_missing lets it run with what there is")
    }

    /// Saves the checkpoint as the output of its node, and drops what nodes behind it have saved for the input.
    private func restore(_ restored: RestoredOutput, _ session: RunSession) async throws {
        let node = work.wiring.nodes[restored.node]
        func subject(_ processor: Identifier) -> CheckpointSubject {
            CheckpointSubject(
                executionID: session.run.executionID, processorID: processor, inputID: restored.inputID)
        }
        try await session.store.save(
            Checkpoint(
                subject: subject(node.id), step: Checkpoint.nodeOutput, inputDigest: Checkpoint.anyInput,
                definition: node.processor.definition(in: session.store).digest, runID: session.run.id,
                epoch: session.run.epoch,
                value: restored.checkpoint.data, savedAt: session.world.time.now()),
            charges: [])
        for place in work.wiring.descendants(of: restored.node) {
            try await session.store.dropCheckpoints(of: subject(work.wiring.nodes[place].id))
        }
        session.tally.emit(.checkpointRestore, item: restored.inputID, by: node.id) {
            restored.checkpoint.summary.eventData
        }
    }
}
