/// The memory of runs; the boundary between the engine and a database.
///
/// Every function that writes returns once its data is as durable as the store makes it; the engine acknowledges
/// nothing earlier. Functions may be called concurrently. A store has one engine at a time.
public protocol Store: RunJournal, LedgerBook, StepStore, CacheStore, EventLog, QueueShelf, CheckpointStorage {
    /// Whether values are kept as JSON. If so, the engine encodes each output before it commits it, so that an output
    /// that cannot be encoded fails only its own item.
    var keepsJSON: Bool { get }

    /// Returns the recorded content digests of the files at `paths`, by path.
    func fileDigests(of paths: [String]) async throws -> [String: FileDigest]

    /// Records the content digests of files. They replace those of files at the same paths.
    func save(_ digests: [FileDigest]) async throws

    /// The key for digests of values that must stay secret. It is created once in the life of the store and never
    /// disclosed.
    var definitionKey: [UInt8] { get }
}
