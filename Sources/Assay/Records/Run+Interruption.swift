extension Run {
    /// Returns the run as the death of its program ended it: at the last sign of the run or of its program, no matter
    /// when that is noticed.
    ///
    /// - Parameters:
    ///   - counts: the counts of its outcomes on record.
    ///   - signs: the times at which the program was alive or recorded something of the run.
    public func interrupted(counts: Counts, lastSigns signs: [Timestamp]) -> Run {
        let end = max(startedAt, signs.max() ?? startedAt)
        var run = self
        run.epoch += 1
        run.status = .failed
        run.counts = counts
        run.finishedAt = end
        run.duration = .milliseconds(end.milliseconds - startedAt.milliseconds)
        run.error = FailureRecord(
            inputID: nil, step: "run", exception: ProcessingError.Code.interrupted.exception,
            message: "the program that held run '\(id)' ended before the run did; "
                + (isListed
                    ? "go on with: assay resume \(id)"
                    : "not all of its inputs are on record, so start it anew with all of them"),
            code: .interrupted, phase: .extraction, attempt: 0, retryable: isListed)
        return run
    }
}
