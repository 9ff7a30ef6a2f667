/// The status of a run, derived from how its items ended.
enum Verdict {
    static func status(of counts: Counts, stop: Outcome.Reason?, failed: Bool) -> Status {
        switch stop {
        case .runCancelled, .runTimeout: return .cancelled
        case .failurePolicy, .atomic, .graphHalted, .definitionChanged, .programBroken: return .failed
        default: break
        }
        if failed || (counts.total > 0 && counts.succeeded == 0) { return .failed }
        return counts.succeeded == counts.total ? .succeeded : .partial
    }

    /// Returns the failure behind the stop of a run; `nil` when it was not stopped for a failure of its own.
    static func error(for session: RunSession) -> FailureRecord? {
        let error: ProcessingError
        switch session.stopped?.reason {
        case .graphHalted: return session.tally.haltFailure
        case .failurePolicy, .atomic: return session.tally.policyFailure
        case .programBroken:
            guard let broken = session.tally.brokenProgram else { return nil }
            error = broken
        case .budgetExhausted:
            guard let refusal = session.tally.budgetRefusal else { return nil }
            error = refusal
        case .definitionChanged:
            guard let change = session.tally.changedDefinition else { return nil }
            error = change
        case .runTimeout:
            error = ProcessingError(
                .timeout,
                "the run timed out after \(session.options.timeout.secondsText)"
                    + (session.options.setAt["timeout"].map { " (timeout, \($0))" } ?? "") + "; resume it to go on")
        case .runCancelled: error = ProcessingError(.cancelled, "the run was cancelled; resume it to go on")
        default: return nil
        }
        return FailureRecord(error, stage: .extraction, item: nil, attempt: 0)
    }
}
