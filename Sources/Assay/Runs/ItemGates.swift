/// The gates that the items of a run, or of one batch of it, pass before extraction: `transform` and `validate`.
struct ItemGates {
    let session: RunSession

    /// Transforms and validates every item, one at a time.
    func pass() async throws {
        var transformed: [(index: Int, value: Payload)] = []
        guard session.items.total > 0 else { return }
        try checkStop()
        // The nodes of a graph charge for themselves when they first start.
        if session.graph == nil { try await chargeBase() }
        try await session.forEachUnfinished { entry in
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
                try await session.store.setTransformed(transformed, of: session.run.id)
                transformed = []
            }
        }
        if !transformed.isEmpty { try await session.store.setTransformed(transformed, of: session.run.id) }
    }

    /// Throws when the run has been stopped or is out of time.
    private func checkStop() throws {
        if session.world.time.uptime() >= session.end { session.stop(.init(reason: .runTimeout, drains: false)) }
        if session.stopped != nil { throw GateFailure.stopped }
    }

    /// Charges the base price of a run before the first item of its list is transformed, so that a run that fails in a
    /// gate has paid. A price per input is charged when its extraction starts.
    private func chargeBase() async throws {
        do { try await session.openBaseCharge() } catch let error as ProcessingError
            where error.code == .budgetExhausted
        {
            throw GateFailure(error, stage: .cost, index: nil)
        }
        guard session.options.strictCosts, let reason = session.tally.incompleteReason else { return }
        throw GateFailure(ProcessingError(.cost, reason), stage: .cost, index: nil)
    }
}
