// Outputs of nodes as named checkpoints: created while a graph runs, and restored into a run that continues.

extension Engine {
    /// Returns the named checkpoints that `settings` describe, to list, restore and delete.
    ///
    /// - Throws: ``ProcessingError`` with code `configuration` when their folder cannot be created, or for a limit
    ///   below 1.
    public func checkpoints(_ settings: CheckpointSettings = CheckpointSettings()) throws -> Checkpoints {
        try Checkpoints(
            in: settings.storage(store), limit: settings.maxCheckpoints, events: events, world: world)
    }

    /// Returns where a run keeps the outputs of nodes as named checkpoints; `nil` when it does not.
    func automatic(_ options: GraphOptions) throws -> Checkpoints? {
        options.checkpoints.isEnabled ? try checkpoints(options.checkpoints) : nil
    }

    // MARK: Continuing from one

    /// Returns the checkpoint from which a run of a graph after `run` continues.
    ///
    /// - Throws: ``ProcessingError`` with code `not_found` when there is none of that name or its input is not one of
    ///   the run's, `store` when it is damaged, `configuration` when it does not fit the graph or how that is run.
    func restoredOutput(
        _ id: String, for run: Run.ID, of graph: Graph, _ wiring: Wiring, _ options: GraphOptions
    ) async throws -> RestoredOutput {
        let found = try await checkpoints(options.checkpoints).checkpoint(id)
        let processor = found.summary.processorID
        func misfit(_ reason: String) -> ProcessingError {
            ProcessingError(.configuration, "checkpoint \(id.quoted) cannot be gone on from: \(reason)")
        }
        guard let node = wiring.place(of: processor.text) else {
            throw misfit("it is of processor '\(processor)', which graph '\(graph.id)' does not have")
        }
        guard options.run.recovery == .resume, wiring.nodes[node].recovery != .reprocess else {
            throw misfit("with recovery: reprocess nothing that was saved is used")
        }
        guard options.run.onChange != .restart else {
            throw misfit("with on_change: restart nothing that was saved is used")
        }
        if let made = found.summary.metadata["graph_id"]?.string, made != graph.id.text {
            throw misfit("it is of graph '\(made)', this is '\(graph.id)'")
        }
        guard let inputID = found.summary.inputID else {
            throw misfit("its metadata has no 'input_id' that names its input")
        }
        guard try await hasItem(inputID, run) else {
            throw ProcessingError(
                .notFound, "checkpoint \(id.quoted) is of input \(inputID.quoted), which run '\(run)' does not have")
        }
        return RestoredOutput(checkpoint: found, node: node, inputID: inputID)
    }

    private func hasItem(_ inputID: String, _ run: Run.ID) async throws -> Bool {
        var start = 0
        while true {
            let page = try await store.items(of: run, from: start, limit: 1_024)
            if page.contains(where: { $0.item.id.equalsInBytes(inputID) }) { return true }
            guard !page.isEmpty else { return false }
            start += page.count
        }
    }
}

extension Checkpoint {
    /// A stand-in for the digest of a node's input, where its output holds for any input. No JSON has this digest.
    static let anyInput = Digest(hashing: "any input")

    /// Returns whether it is the output of a node for the input with that digest, or is taken to be.
    func isOutput(for input: Digest) -> Bool { inputDigest == input || inputDigest == Self.anyInput }
}
