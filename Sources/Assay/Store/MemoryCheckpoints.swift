import Synchronization

/// Named checkpoints that are lost when the program ends.
public final class MemoryCheckpoints: CheckpointStorage {
    private let checkpoints = Mutex<[NamedCheckpoint]>([])

    /// Creates a storage without checkpoints.
    public init() {}

    public func keep(_ checkpoint: NamedCheckpoint, atMost limit: Int) throws {
        try checkpoints.withLock { checkpoints in
            guard !checkpoints.contains(where: { $0.summary.id == checkpoint.summary.id }) else {
                throw ProcessingError.checkpointExists(checkpoint.summary.id)
            }
            checkpoints.removeFirst(Self.excess(of: checkpoints.count, atMost: limit))
            checkpoints.append(checkpoint)
        }
    }

    public func checkpointSummaries(of processor: Identifier?) -> [NamedCheckpoint.Summary] {
        checkpoints.withLock { checkpoints in
            checkpoints.reversed().map(\.summary).filter { processor == nil || $0.processorID == processor }
        }
    }

    public func namedCheckpoint(_ id: Identifier) -> NamedCheckpoint? {
        checkpoints.withLock { checkpoints in checkpoints.first { $0.summary.id == id } }
    }

    public func removeNamedCheckpoint(_ id: Identifier) -> Bool {
        checkpoints.withLock { checkpoints in
            guard let place = checkpoints.firstIndex(where: { $0.summary.id == id }) else { return false }
            checkpoints.remove(at: place)
            return true
        }
    }
}
