/// A state that was saved under a name of its own, to be looked up and handed back later.
public struct NamedCheckpoint: Hashable, Sendable {
    /// What is known of it without its data.
    public let summary: Summary
    /// The state.
    public let data: JSONValue

    /// What a list of checkpoints says of each.
    public struct Summary: Hashable, Sendable {
        /// Its identifier.
        public let id: Identifier
        /// What it is called; several may be called alike.
        public let name: String
        /// The processor whose state it is.
        public let processorID: Identifier
        /// When it was saved.
        public let createdAt: Timestamp
        /// How long its data is as JSON.
        public let sizeBytes: Int
        /// The JSON type of its data: `object`, `array`, `string`, `number`, `boolean` or `null`.
        public let dataType: String
        /// What was saved with it.
        public let metadata: JSONObject
        /// The first 500 characters of its data as JSON.
        public let preview: String

        /// A summary of the given parts.
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

    /// A checkpoint of `data`.
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
    /// What JSON calls its type.
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

/// Where named checkpoints are kept. Functions may be called concurrently.
public protocol CheckpointStorage: Sendable {
    /// Keeps a checkpoint, durable on return; when there are `limit` already, the oldest tenth of so many, at least one,
    /// is removed in the same go.
    ///
    /// - Throws: ``ProcessingError`` with code `exists` when there is one of that identifier.
    func keep(_ checkpoint: NamedCheckpoint, atMost limit: Int) async throws

    /// Those of `processor`, or of all when it is `nil`, newest first.
    func checkpointSummaries(of processor: Identifier?) async throws -> [NamedCheckpoint.Summary]

    /// The one of that identifier; `nil` when there is none.
    ///
    /// - Throws: ``ProcessingError`` with code `store`, naming it, when it is not as it was written.
    func namedCheckpoint(_ id: Identifier) async throws -> NamedCheckpoint?

    /// Removes a checkpoint, whatever has become of it, durable on return; `false` when there is none.
    func removeNamedCheckpoint(_ id: Identifier) async throws -> Bool
}

extension CheckpointStorage {
    /// How many of `count` checkpoints give way to a new one when at most `limit` are kept.
    public static func excess(of count: Int, atMost limit: Int) -> Int {
        count < limit ? 0 : max(count - limit + 1, limit / 10, 1)
    }
}

extension ProcessingError {
    /// A checkpoint that is not as it was written.
    public static func damagedCheckpoint(_ id: Identifier) -> ProcessingError {
        ProcessingError(
            .store, "checkpoint '\(id)' is damaged and cannot be restored; delete it, or restore a backup",
            retryable: false)
    }

    /// A checkpoint under an identifier that is taken.
    public static func checkpointExists(_ id: Identifier) -> ProcessingError {
        ProcessingError(.exists, "there is a checkpoint '\(id)' already")
    }
}
