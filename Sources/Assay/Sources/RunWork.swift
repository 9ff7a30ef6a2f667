/// What a run does with its items: gives each to its processor, or takes it through a graph.
protocol RunWork: Sendable {
    /// Works on every unfinished item of a run, or of one batch of it; returns when each has an outcome or it was
    /// stopped.
    ///
    /// - Throws: what the store or the start of a worker threw; the run is then over.
    func carryOut(_ session: RunSession) async throws

    /// Begins what all batches of a run share.
    ///
    /// - Returns: the work of each batch.
    func inBatches(of session: RunSession) async throws -> any RunWork

    /// Ends what they shared.
    func endBatches(of session: RunSession)
}

/// The work of a run whose items are given to one processor.
struct ListWork: RunWork {
    /// Its workers, which outlive batches.
    let crew: Crew

    func carryOut(_ session: RunSession) async throws {
        let count = min(session.options.runner.maxWorkers, session.items.unfinished)
        guard count > 0, session.stopped == nil else { return }
        let workshop = Workshop(ListSource(session))
        let lanes = (0..<count).map { _ in Lane<ListSource>(crew: crew, post: ListSource.Claim()) }
        for lane in lanes { workshop.add(lane) }
        for (place, lane) in lanes.enumerated() {
            // One lane is enough to make progress. The others work only if no other batch has taken the workers.
            await workshop.start(lane, waits: place == 0)
        }
        await workshop.supervise()
        if let error = workshop.failure { throw error }
    }

    func inBatches(of session: RunSession) -> any RunWork { self }

    func endBatches(of session: RunSession) {}
}
