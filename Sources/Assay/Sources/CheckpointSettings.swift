/// The settings of named checkpoints: where they are kept, and whether a run of a graph makes one of every node output.
public struct CheckpointSettings: Hashable, Sendable {
    /// Whether every output of a node is kept under the name `processor_id/input_id`.
    public var isEnabled = false
    /// The folder that holds them, created when it is needed; `nil`: the store.
    public var folder: String?
    /// The number of checkpoints that are kept, at least 1. At this limit, a new one first removes the oldest tenth.
    public var maxCheckpoints = Checkpoints.standardLimit

    /// Creates settings that make no checkpoints and look for existing ones in the store.
    public init() {}

    /// Returns where they are kept: `store` unless there is a folder.
    ///
    /// - Throws: ``ProcessingError`` with code `configuration` when the folder cannot be created.
    public func storage(_ store: any Store) throws(ProcessingError) -> any CheckpointStorage {
        guard let folder else { return store }
        return try CheckpointFolder(path: folder)
    }
}
