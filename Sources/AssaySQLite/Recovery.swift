import Assay

extension Connection {
    /// Ends the unfinished work of a dead owner: its runs and their executions fail as `interrupted`, and its open paid
    /// calls become calls in doubt. Paused runs stay, and so do items without an outcome.
    ///
    /// - Parameters:
    ///   - moment: now.
    ///   - lastSign: the time when the dead owner was last alive.
    /// - Returns: the ended runs, in the order in which they began.
    func recover(at moment: Timestamp, lastSign: Timestamp?) throws -> [Run.ID] {
        let unfinished = try unfinishedRuns()
        for run in unfinished {
            let ended = try interrupted(run, lastSign: lastSign.map { min($0, moment) })
            // The queue decides what happens to its execution.
            _ = try replace(ended, RunRecord(ended))
        }
        var open = CallFilter()
        open.states = [.open]
        for call in try calls(matching: open) { _ = try file(call.abandoned) }
        let lost = try statement(
            "SELECT key FROM lists WHERE maker IS NULL AND execution_id NOT IN (SELECT execution_id FROM queue)")
        for list in try lost.all({ $0.integer() }) { try release(list: list) }
        return unfinished.map(\.id)
    }

    /// Returns the runs that are neither ended nor paused, in the order in which they began.
    func unfinishedRuns() throws -> [Run] {
        var filter = RunFilter()
        filter.statuses = [.pending, .running]
        return try runs(matching: filter).reversed()
    }

    /// Returns a run as its owner's death ended it: at the last sign of the run or its owner.
    func interrupted(_ run: Run, lastSign: Timestamp?) throws -> Run {
        try run.interrupted(
            counts: countOutcomes(of: run.id), lastSigns: [lastSign, lastTrace(of: run.id)].compactMap { $0 })
    }

    /// Returns the time of the last charge, call or event of a run.
    private func lastTrace(of run: Run.ID) throws -> Timestamp? {
        var traces: [Int64] = []
        for table in ["charges", "calls"] {
            let find = try prepare("SELECT max(timestamp) FROM \(table) WHERE run_id = ?")
            find.bind(run.text)
            if let found = try find.first({ $0.optionalInteger() }) { found.map { traces.append($0) } }
        }
        if let key = try stand(of: run)?.key {
            let find = try statement(
                "SELECT timestamp FROM events WHERE place BETWEEN ? AND ? ORDER BY place DESC LIMIT 1")
            find.bind(Place.of(0, inRun: key))
            find.bind(Place.of(.max, inRun: key))
            if let found = try find.first({ $0.integer() }) { traces.append(found) }
        }
        return traces.max().map { Timestamp(milliseconds: $0) }
    }

    /// Returns the counts of a run's outcomes.
    func countOutcomes(of run: Run.ID) throws -> Counts {
        guard let key = try stand(of: run)?.key else { return Counts() }
        var counts = Counts()
        for intake in try intakes(in: Place.of(0, inRun: key)...Place.of(.max, inRun: key), ofRun: key) {
            counts.total += intake.count
            for (places, source) in intake.carried { counts.add(source.status, places.count) }
        }
        let outcomes = try statement(
            "SELECT status, count(*) FROM outcomes WHERE place BETWEEN ? AND ? GROUP BY status")
        outcomes.bind(Place.of(0, inRun: key))
        outcomes.bind(Place.of(.max, inRun: key))
        for (status, count) in try outcomes.all({ ($0.int(), $0.int()) })
        where OutcomeRow.statuses.indices.contains(status) { counts.add(OutcomeRow.statuses[status], count) }
        return counts
    }
}
