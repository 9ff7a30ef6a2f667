/// The part of a store that holds the saved values of steps and of nodes.
///
/// The rules of ``Store`` hold for each of its functions.
public protocol StepStore: Sendable {
    /// Saves the value of a step or of a node, the charges made before it, and the value for the cache in one
    /// transaction, durable on return.
    func save(_ checkpoint: Checkpoint, charges: [Charge], cached: CacheEntry?) async throws

    /// Returns the saved steps of one item, last saved at the end, and the names of steps whose values are damaged. A
    /// damaged step counts as not saved.
    func checkpoints(of item: CheckpointSubject) async throws -> (saved: [Checkpoint], damaged: [String])

    /// Removes the saved steps of one item.
    func dropCheckpoints(of item: CheckpointSubject) async throws
}

extension StepStore {
    /// Saves a step's value and the charges made before it, durable on return.
    public func save(_ checkpoint: Checkpoint, charges: [Charge]) async throws {
        try await save(checkpoint, charges: charges, cached: nil)
    }
}
