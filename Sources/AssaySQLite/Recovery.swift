import Assay

extension Connection {
    /// Ends what a dead owner left unfinished: its runs and their executions fail as `interrupted`, and of its paid
    /// calls nobody knows how they ended. Paused runs stay, and so do items without an outcome.
    ///
    /// - Parameters:
    ///   - moment: now.
    ///   - lastSign: when the dead owner last said that it lived.
    /// - Returns: the runs that were ended, in the order of their beginning.
    func recover(at moment: Timestamp, lastSign: Timestamp?) throws -> [Run.ID] {
        let unfinished = try unfinishedRuns()
        for run in unfinished {
            let ended = try interrupted(run, lastSign: lastSign.map { min($0, moment) })
            // Where its execution goes in a queue is for the queue to say.
            _ = try replace(ended, RunRecord(ended))
        }
        var open = CallFilter()
        open.states = [.open]
        for var call in try calls(matching: open) {
            call.state = .inDoubt
            _ = try file(call)
        }
        try statement("DELETE FROM queue_items WHERE execution_id NOT IN (SELECT execution_id FROM queue)").run()
        return unfinished.map(\.id)
    }

    /// The runs that are neither over nor paused, in the order of their beginning.
    func unfinishedRuns() throws -> [Run] {
        var filter = RunFilter()
        filter.statuses = [.pending, .running]
        return try runs(matching: filter).reversed()
    }

    /// A run as it ended when its owner died: at the last sign that it or its owner gave, whenever somebody looks.
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

    /// The time of the last charge, call or event of a run.
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

    /// How the items of a run ended, counted.
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
