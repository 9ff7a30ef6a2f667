import Assay

/// Runs on record of one pipeline file, or one type of processor, over inputs that were named the same way.
struct EarlierRuns {
    private let request: JSONObject
    private let processorID: Identifier
    private let store: any Store

    /// Creates the list of runs like one of `target`.
    ///
    /// - Parameter inputs: the words that name its inputs.
    init(like target: RunTarget, in store: any Store) {
        (request, processorID, self.store) = (target.request, target.work.name, store)
    }

    /// Returns the newest run that belongs to no execution of the queue and whose inputs can be found again.
    func newest() async throws -> Run? {
        // Inputs from a stream cannot be named a second time.
        guard let inputs = request["inputs"]?.array, !inputs.contains("-") else { return nil }
        for run in try await store.runs(matching: RunFilter(processorID: processorID)) where isAlike(run) {
            guard try await store.execution(run.executionID)?.number == nil else { continue }
            return run
        }
        return nil
    }

    private func isAlike(_ run: Run) -> Bool {
        ["pipeline", "processor_type", "folder", "inputs"].allSatisfy { run.request[$0] == request[$0] }
            && run.deletedAt == nil
    }
}
