// Runs of executions that were submitted to a queue.

extension Engine {
    /// Returns the items of a run, checked against those that its execution was submitted with, if it was.
    ///
    /// - Returns: the items, and whether the run works on what was submitted.
    /// - Throws: ``ProcessingError`` with code `exists` when something else was submitted under the execution's name.
    func checkSubmission(
        of run: Run, _ options: RunOptions, _ items: @escaping ItemSource
    ) async throws -> (items: ItemSource, isSubmission: Bool) {
        guard !options.worksOnSubmission else { return (items, true) }
        let id = run.executionID
        guard let execution = try await store.execution(id), execution.number != nil else { return (items, false) }
        let isSameWork = execution.processorID == run.processorID && execution.graphID == run.graphID
        guard isSameWork else {
            throw ProcessingError.wasSubmitted(id, ", that is '\(execution.processorID?.text ?? "")'")
        }
        guard execution.pipeline == nil || execution.pipeline == options.pipeline else {
            throw ProcessingError.wasSubmitted(id, ", with another definition")
        }
        // A list that is worked on while it is read cannot be compared beforehand.
        guard options.listsFirst else { throw ProcessingError.wasSubmitted(id) }
        try await compare(items, with: id)
        return (submittedItems(of: id), true)
    }

    /// Returns the items that an execution was submitted with.
    func submittedItems(of id: Execution.ID) -> ItemSource {
        let position = ListPosition()
        return { [store] limit in
            try await store.items(
                of: Execution.submittedList(of: id), from: position.advance(by: limit).lowerBound, limit: limit)
        }
    }

    /// Refuses items that differ from those an execution was submitted with. Reads both lists page by page.
    private func compare(_ items: ItemSource, with id: Execution.ID) async throws {
        var start = 0
        let list = Execution.submittedList(of: id)
        while true {
            let page = try await items(1_024)
            let submitted = try await store.items(of: list, from: start, limit: max(page.count, 1))
            guard !page.isEmpty || !submitted.isEmpty else { return }
            for place in 0..<max(page.count, submitted.count) {
                guard place < page.count else {
                    throw ProcessingError.wasSubmitted(id, "; it has more inputs than are given here")
                }
                guard place < submitted.count else {
                    throw ProcessingError.wasSubmitted(id, "; it has fewer inputs than are given here")
                }
                guard try page[place].jsonValue() == submitted[place].jsonValue() else {
                    throw ProcessingError.wasSubmitted(id, "; input \(start + place + 1) given here differs")
                }
            }
            start += page.count
        }
    }
}
