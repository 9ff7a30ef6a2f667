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
        try statement("DELETE FROM queue_items WHERE execution_id NOT IN (SELECT execution_id FROM queue)").run()
        return unfinished.map(\.id)
    }

    /// Returns the runs that are neither ended nor paused, in the order in which they began.
    func unfinishedRuns() throws -> [Run] {
        var filter = RunFilter()
        filter.statuses = [.pending, .running]
        return try runs(matching: filter).reversed()
    }

    /// Returns a run as its owner's death ended it: at the last sign of the run or its owner, no matter when it is
    /// read.
    func interrupted(_ run: Run, lastSign: Timestamp?) throws -> Run {
        let signs = [run.startedAt, lastSign, try lastTrace(of: run.id)].compactMap { $0 }
        let end = signs.max() ?? run.startedAt
        var run = run
        run.epoch += 1
        run.status = .failed
        run.counts = try countOutcomes(of: run.id)
        run.finishedAt = end
        run.duration = .milliseconds(max(0, end.milliseconds - run.startedAt.milliseconds))
        run.error = FailureRecord(
            inputID: nil, step: "run", exception: ProcessingError.Code.interrupted.exception,
            message: "the program that held run '\(run.id)' ended before the run did; "
                + (run.isListed
                    ? "go on with: assay resume \(run.id)"
                    : "not all of its inputs are on record, so start it anew with all of them"),
            code: .interrupted, phase: .extraction, attempt: 0, retryable: run.isListed)
        return run
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
        let items = try statement("SELECT count(*) FROM items WHERE place BETWEEN ? AND ?")
        items.bind(Place.of(0, inRun: key))
        items.bind(Place.of(.max, inRun: key))
        var counts = Counts(total: try items.first { $0.int() } ?? 0)
        let outcomes = try statement(
            "SELECT status, count(*) FROM outcomes WHERE place BETWEEN ? AND ? GROUP BY status")
        outcomes.bind(Place.of(0, inRun: key))
        outcomes.bind(Place.of(.max, inRun: key))
        for (status, count) in try outcomes.all({ (Status(rawValue: $0.text()), $0.int()) }) {
            switch status {
            case .succeeded: counts.succeeded = count
            case .failed: counts.failed = count
            case .skipped: counts.skipped = count
            case .cancelled: counts.cancelled = count
            default: break
            }
        }
        return counts
    }
}
