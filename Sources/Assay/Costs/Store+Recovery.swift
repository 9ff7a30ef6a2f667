extension Store {
    /// Ends the unfinished work of a dead owner: its runs and their executions fail as `interrupted`, and its open paid
    /// calls become calls in doubt. Paused runs stay, and so do items without an outcome.
    ///
    /// A store that has an owner of its own does this when it is opened.
    ///
    /// - Returns: the ended runs, in the order in which they began.
    @discardableResult
    public func recover() async throws -> [Run.ID] {
        let unfinished = try await runs(matching: RunFilter(statuses: [.pending, .running])).reversed()
        for run in unfinished {
            try await update(run.interrupted(counts: counts(of: run.id), lastSigns: traces(of: run.id)))
        }
        for call in try await calls(matching: CallFilter(states: [.open])) {
            try await file(call.abandoned, charge: nil, cached: nil)
        }
        return unfinished.map(\.id)
    }

    private func counts(of run: Run.ID) async throws -> Counts {
        var counts = Counts()
        while case let page = try await items(of: run, from: counts.total, limit: 1_024), !page.isEmpty {
            for outcome in try await outcomes(of: run, from: counts.total, limit: page.count) {
                counts.add(outcome.status)
            }
            counts.total += page.count
        }
        return counts
    }

    /// Returns the times of the charges, calls and events of a run.
    private func traces(of run: Run.ID) async throws -> [Timestamp] {
        var traces = try await charges(matching: ChargeFilter(runID: run)).map(\.timestamp)
        traces += try await calls(matching: CallFilter(billedTo: .run(run))).map(\.timestamp)
        var last = 0
        while case let page = try await events(of: run, after: last, limit: 1_024), let event = page.last {
            traces.append(event.timestamp)
            last = event.sequence ?? .max
        }
        return traces
    }
}
