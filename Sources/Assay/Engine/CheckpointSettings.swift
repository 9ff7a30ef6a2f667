/// Where named checkpoints are kept, and whether a run of a graph makes one of every node output.
public struct CheckpointSettings: Hashable, Sendable {
    /// Whether every output of a node is kept under the name `processor_id/input_id`.
    public var isEnabled = false
    /// The folder that they are kept in, made when it is needed; `nil`: the store.
    public var folder: String?
    /// How many are kept, at least 1; at so many a new one first removes the oldest tenth.
    public var maxCheckpoints = Checkpoints.standardLimit

    /// None are made; those that are there are in the store.
    public init() {}

    /// Where they are kept: `store` unless there is a folder.
    ///
    /// - Throws: ``ProcessingError`` with code `configuration` when the folder cannot be made.
    public func storage(_ store: any Store) throws(ProcessingError) -> any CheckpointStorage {
        guard let folder else { return store }
        return try CheckpointFolder(path: folder)
    }
}
