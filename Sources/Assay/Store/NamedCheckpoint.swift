/// A state saved under its own name, to be looked up and restored later.
public struct NamedCheckpoint: Hashable, Sendable {
    /// Its description without the data.
    public let summary: Summary
    /// The state.
    public let data: JSONValue

    /// A checkpoint without its data, as a listing shows it.
    public struct Summary: Hashable, Sendable {
        /// Its identifier.
        public let id: Identifier
        /// Its name, which need not be unique.
        public let name: String
        /// The processor whose state this is.
        public let processorID: Identifier
        /// The time of saving.
        public let createdAt: Timestamp
        /// The size of its data as JSON.
        public let sizeBytes: Int
        /// The JSON type of its data: `object`, `array`, `string`, `number`, `boolean` or `null`.
        public let dataType: String
        /// The metadata that was saved with it.
        public let metadata: JSONObject
        /// The first 500 characters of its data as JSON.
        public let preview: String

        /// Creates a summary of the given parts.
        public init(
            id: Identifier, name: String, processorID: Identifier, createdAt: Timestamp, sizeBytes: Int,
            dataType: String, metadata: JSONObject, preview: String
        ) {
            self.id = id
            self.name = name
            self.processorID = processorID
            self.createdAt = createdAt
            self.sizeBytes = sizeBytes
            self.dataType = dataType
            self.metadata = metadata
            self.preview = preview
        }

        /// The summary as a row of a listing.
        public var jsonValue: JSONValue {
            [
                "checkpoint_id": .string(id.text), "name": .string(name), "processor_id": .string(processorID.text),
                "created_at": createdAt.jsonValue, "size_bytes": .number(Number(sizeBytes)),
                "data_type": .string(dataType), "metadata": .object(metadata), "preview": .string(preview),
            ]
        }
    }

    /// Creates a checkpoint of `data`.
    public init(
        id: Identifier, name: String, processorID: Identifier, createdAt: Timestamp, data: JSONValue,
        metadata: JSONObject = [:]
    ) {
        let text = data.json
        summary = Summary(
            id: id, name: name, processorID: processorID, createdAt: createdAt, sizeBytes: text.utf8.count,
            dataType: data.typeName, metadata: metadata, preview: String(text.prefix(500)))
        self.data = data
    }
}

extension JSONValue {
    /// The JSON name of its type.
    fileprivate var typeName: String {
        switch self {
        case .null: "null"
        case .bool: "boolean"
        case .number: "number"
        case .string: "string"
        case .array: "array"
        case .object: "object"
        }
    }
}

/// A place that keeps named checkpoints. Its functions may be called concurrently.
public protocol CheckpointStorage: Sendable {
    /// Keeps a checkpoint, durable on return. When there are already `limit` checkpoints, the same operation removes
    /// the oldest tenth of `limit`, and at least one.
    ///
    /// - Throws: ``ProcessingError`` with code `exists` when the identifier is taken.
    func keep(_ checkpoint: NamedCheckpoint, atMost limit: Int) async throws

    /// Returns the checkpoints of `processor`, or all of them when it is `nil`, newest first.
    func checkpointSummaries(of processor: Identifier?) async throws -> [NamedCheckpoint.Summary]

    /// Returns the checkpoint with that identifier, or `nil` when there is none.
    ///
    /// - Throws: ``ProcessingError`` with code `store`, which names the checkpoint, when it is not as it was written.
    func namedCheckpoint(_ id: Identifier) async throws -> NamedCheckpoint?

    /// Removes a checkpoint, even a damaged one, durable on return. Returns `false` when there is none.
    func removeNamedCheckpoint(_ id: Identifier) async throws -> Bool
}

extension CheckpointStorage {
    /// Returns how many of `count` checkpoints to remove for a new one when at most `limit` are kept.
    public static func excess(of count: Int, atMost limit: Int) -> Int {
        count < limit ? 0 : max(count - limit + 1, limit / 10, 1)
    }
}

extension ProcessingError {
    /// Returns the error for a checkpoint that is not as it was written.
    public static func damagedCheckpoint(_ id: Identifier) -> ProcessingError {
        ProcessingError(
            .store, "checkpoint '\(id)' is damaged and cannot be restored; delete it, or restore a backup",
            retryable: false)
    }

    /// Returns the error for a checkpoint whose identifier is taken.
    public static func checkpointExists(_ id: Identifier) -> ProcessingError {
        ProcessingError(.exists, "there is a checkpoint '\(id)' already")
    }
}
