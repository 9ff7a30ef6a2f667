// Outputs of nodes: saved with their charges, used again, and kept as named checkpoints.

extension GraphSource {
    /// Returns the output that a node saved for the same input before.
    nonisolated(nonsending) func savedOutput(
        of entry: StoredItem, _ node: RunSession
    ) async throws -> Checkpoint? {
        let kept = try await session.store.checkpoints(of: node.checkpointSubject(entry.item.id)).saved
        guard let saved = kept.last(where: { $0.step == Checkpoint.nodeOutput }),
            saved.isOutput(for: try node.digest(of: entry.item)),
            node.options.recovery != .reprocess || saved.runID == node.run.id,
            node.options.accepts(saved.definition, for: node.run)
        else { return nil }
        return saved
    }

    /// Saves the output of a node, with its charges and its output for the cache.
    ///
    /// - Returns: the output, if it need not be saved unless its item fails: a store that keeps values as they are
    ///   forgets with the program, so only runs that have ended can be continued from what it saves.
    @discardableResult nonisolated(nonsending) func save(
        _ output: Payload, of entry: StoredItem, with committed: CommittedOutcome, at unit: GraphSchedule.Unit
    ) async throws -> GraphFlow.UnsavedOutput? {
        let unsaved = GraphFlow.UnsavedOutput(
            node: unit.node, input: entry, output: output, isKept: committed.outcome.isKept)
        // A cache hit is as good as a payment: a resume must not count again what it avoided.
        guard
            session.store.keepsJSON || flow.checkpoints != nil || committed.outcome.cached || !committed.charges.isEmpty
                || committed.cached != nil
        else { return unsaved }
        try await session.store.save(
            checkpoint(of: unsaved), charges: committed.charges, cached: committed.cached)
        return nil
    }

    /// Saves the unsaved outputs of an item that has not succeeded.
    nonisolated(nonsending) func saveRest(_ departure: GraphFlow.Departure) async throws {
        for unsaved in departure.traveller.unsaved {
            try await session.store.save(checkpoint(of: unsaved), charges: [], cached: nil)
        }
    }

    private func checkpoint(of unsaved: GraphFlow.UnsavedOutput) throws -> Checkpoint {
        let node = flow.nodes[unsaved.node]
        return Checkpoint(
            subject: node.checkpointSubject(unsaved.input.item.id), step: Checkpoint.nodeOutput,
            inputDigest: try node.digest(of: unsaved.input.item),
            definition: node.run.definition.mixed(with: unsaved.isKept ? node.run.definition : nil),
            runID: node.run.id, epoch: node.run.epoch, value: try unsaved.output.json(),
            savedAt: session.world.time.now())
    }

    /// Keeps the output of a node as a named checkpoint if the run does so. A failure to keep it stops nothing.
    nonisolated(nonsending) func keepCheckpoint(
        of output: Payload, on inputID: String, _ node: RunSession
    ) async {
        guard let checkpoints = flow.checkpoints else { return }
        do {
            let summary = try await checkpoints.keepOutput(
                output.json(), of: node.run.processorID, on: inputID, in: node.run)
            node.emit(.checkpointCreate, item: inputID) { summary.eventData }
        } catch {
            let reason = ProcessingError(wrapping: error, as: .store).message
            node.warn("the output of '\(node.run.processorID)' was not kept as a checkpoint: \(reason)", item: inputID)
        }
    }
}

extension Store {
    /// What was saved last of what a node of a graph gave for an input in an execution.
    package func savedOutput(
        of node: Identifier, on inputID: String, in execution: Execution.ID
    ) async throws -> Checkpoint? {
        let subject = CheckpointSubject(executionID: execution, processorID: node, inputID: inputID)
        return try await checkpoints(of: subject).saved.last { $0.step == Checkpoint.nodeOutput }
    }
}

extension Checkpoint {
    /// The step under which the output of a node is saved. No step of a processor can have this name.
    static let nodeOutput = ":output"
}
