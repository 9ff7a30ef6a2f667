extension RunSession {
    /// Makes the context of a processor outside of `extract`.
    func context(for entry: StoredItem? = nil, phase: Phase) -> Context {
        context(for: entry, phase: phase, attempt: 1, desk: RunDesk(session: self))
    }

    /// Makes the context of a processor for one attempt.
    func context(for entry: StoredItem?, phase: Phase, attempt: Int, desk: any Desk) -> Context {
        Context(
            runID: run.id, executionID: run.executionID, processorID: run.processorID,
            scope: run.scope.filled(by: entry?.item),
            lineage: run.lineage, inputID: entry?.item.id, attempt: attempt, phase: phase, itemIndex: entry?.index,
            file: entry?.item.file, desk: desk)
    }
}
