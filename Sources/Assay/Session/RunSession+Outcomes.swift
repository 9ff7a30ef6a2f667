// How the ends of items get on record, and who is told of them.

extension RunSession {
    /// Commits outcomes and announces those that the store accepted.
    nonisolated(nonsending) func commit(_ outcomes: [CommittedOutcome]) async throws {
        guard !outcomes.isEmpty else { return }
        let accepted = try await store.commit(outcomes, of: run.id, epoch: run.epoch)
        try await announce(zip(outcomes, accepted).filter(\.1).map(\.0.outcome))
    }

    /// Records outcomes that are in the store. Outside of a batch, it also reports them.
    nonisolated(nonsending) func announce(_ outcomes: [Outcome]) async throws {
        guard !outcomes.isEmpty else { return }
        // An item that is done again may end differently.
        if isBatch { return items.keep(outcomes) }
        try await tell(outcomes)
    }

    /// Counts how items ended, and notifies the listeners.
    nonisolated(nonsending) func tell(_ outcomes: [Outcome]) async throws {
        note(outcomes)
        for outcome in outcomes {
            emit(.itemComplete, item: outcome.inputID) {
                ["status": .string(outcome.status.rawValue), "duration_ms": JSONValue(outcome.duration)]
            }
            if let error = outcome.error {
                emit(.itemError, item: outcome.inputID) {
                    [
                        "code": .string(error.code.rawValue), "message": .string(error.message),
                        "step": .string(error.step),
                    ]
                }
            }
        }
        try await tally.fileEvents()
        await options.onCommitted?(outcomes)
    }

    /// Counts outcomes that are in the store.
    private func note(_ outcomes: [Outcome]) {
        if !isBatch { items.noteEnd(of: outcomes) }
        tally.note(outcomes)
    }

    /// Visits the items of a run that have no outcome, in order, page by page. Pages that have ended are not read.
    func forEachUnfinished(_ body: (StoredItem) async throws -> Void) async throws {
        var rest = items.places
        while let next = items.firstUnfinished(in: rest) {
            rest = next..<rest.upperBound
            let page = try await store.items(of: run.id, from: next, limit: min(rest.count, 1_024))
            guard !page.isEmpty else { return }
            for entry in page where !items.hasEnded(entry.index) { try await body(entry) }
            rest.removeFirst(page.count)
        }
    }
}
