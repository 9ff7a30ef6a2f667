import Assay

extension Connection {
    /// Ends what a dead owner left unfinished: its runs and their executions fail as `interrupted`, and of its paid
    /// calls nobody knows how they ended. Paused runs stay, and so do items without an outcome.
    ///
    /// - Returns: the runs that were ended, in the order of their beginning.
    func recover(at moment: Timestamp) throws -> [Run.ID] {
        var filter = RunFilter()
        filter.statuses = [.pending, .running]
        let unfinished = try runs(matching: filter).reversed()
        for var run in unfinished {
            run.epoch += 1
            run.status = .failed
            run.counts = try countOutcomes(of: run.id)
            run.finishedAt = max(moment, run.startedAt)
            run.duration = .milliseconds(max(0, moment.milliseconds - run.startedAt.milliseconds))
            run.error = FailureRecord(
                inputID: nil, step: "run", exception: ProcessingError.Code.interrupted.exception,
                message: "the program that held run '\(run.id)' ended before the run did; "
                    + (run.isListed
                        ? "go on with: assay resume \(run.id)"
                        : "not all of its inputs are on record, so start it anew with all of them"),
                code: .interrupted, phase: .extraction, attempt: 0, retryable: run.isListed)
            // Where its execution goes in a queue is for the queue to say.
            _ = try replace(run, RunRecord(run))
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
