extension Engine {
    /// Deletes the items, outcomes and events of a run that has ended. The run itself, its charges and its calls stay.
    ///
    /// An execution whose newest run was deleted cannot be resumed, since no one knows what is finished.
    ///
    /// - Parameter force: whether the newest run of an execution that has not succeeded may be deleted.
    /// - Throws: ``ProcessingError`` with code `not_found` for an unknown run, `illegal_move` with the reason when the
    ///   run must stay.
    public func delete(_ id: Run.ID, force: Bool = false) async throws {
        let run = try await existingRun(id)
        if let reason = try await reasonToKeep(run, force: force) {
            throw ProcessingError(.illegalMove, "run '\(id)' cannot be deleted: \(reason)")
        }
        _ = try await store.deleteContents(of: id, at: world.time.now())
    }

    /// Returns why a run cannot be deleted; `nil` when it can.
    public func reasonToKeep(_ run: Run, force: Bool = false) async throws -> String? {
        guard run.status.isTerminal else { return "it has not ended" }
        guard run.deletedAt == nil else { return "that was done before" }
        let filter = RunFilter(executionID: run.executionID, processorID: run.processorID)
        let newer = try await store.runs(matching: filter).prefix { $0.id != run.id }.filter(\.isAccepted)
        guard let newest = newer.first else {
            let mayGoOn = run.status != .succeeded && run.isListed
            guard mayGoOn, !force else { return nil }
            return "it is the last run of an execution that is not finished, which could not be resumed; "
                + "force deletes it all the same"
        }
        guard try await !isCovered(run, by: newer.filter { $0.deletedAt == nil }) else { return nil }
        return "a resume of run '\(newest.id)' still needs what it did"
    }

    /// Returns whether later runs hold an outcome for every item of a run, so that this run is never consulted again.
    private func isCovered(_ run: Run, by later: [Run]) async throws -> Bool {
        var known: Set<ExternalID> = []
        let page = 1_024
        for other in later {
            var start = 0
            while start < other.counts.total {
                for outcome in try await store.outcomes(of: other.id, from: start, limit: page) {
                    known.insert(ExternalID(unchecked: outcome.inputID))
                }
                start += page
            }
        }
        var start = 0
        while true {
            let items = try await store.items(of: run.id, from: start, limit: page)
            guard !items.isEmpty else { return true }
            guard items.allSatisfy({ known.contains(ExternalID(unchecked: $0.item.id)) }) else { return false }
            start += items.count
        }
    }
}

extension ProcessingError {
    /// Returns the refusal to continue a run whose record was deleted.
    static func deleted(_ run: Run.ID) -> ProcessingError {
        ProcessingError(
            .notFound, "what run '\(run)' did was deleted, so nobody knows what is finished; begin a new execution")
    }
}
