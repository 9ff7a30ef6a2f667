/// The named states of processors: created, listed, restored and deleted.
public struct Checkpoints: Sendable {
    /// The number of checkpoints that are kept by default.
    public static let standardLimit = 1_000

    private let storage: any CheckpointStorage
    private let transient = MemoryCheckpoints()
    private let limit: Int
    private let events: EventStream
    private let world: World

    /// Creates checkpoints in `storage`: a ``Store`` or a ``CheckpointFolder``.
    ///
    /// - Parameters:
    ///   - limit: how many are kept. At this limit, a new checkpoint first removes the oldest tenth.
    ///   - events: receives an event when a checkpoint was created or restored.
    /// - Throws: ``ProcessingError`` with code `configuration` for a limit below 1.
    public init(
        in storage: any CheckpointStorage, limit: Int = standardLimit, events: EventStream = EventStream(),
        world: World = .system
    ) throws(ProcessingError) {
        guard limit >= 1 else {
            throw ProcessingError(.configuration, "max_checkpoints must be at least 1, found \(limit)")
        }
        self.storage = storage
        self.limit = limit
        self.events = events
        self.world = world
    }

    /// Saves a state, durable on return unless it is only kept in memory.
    ///
    /// - Parameters:
    ///   - name: its name, 1 byte to 2 KiB.
    ///   - data: the state.
    ///   - metadata: up to 64 values of up to 1 KiB of JSON.
    ///   - persist: whether it outlives the program.
    /// - Returns: its identifier.
    /// - Throws: ``ProcessingError`` with code `configuration` for a name or metadata beyond these limits; what the
    ///   storage throws.
    @discardableResult public func create(
        _ name: String, of processor: Identifier, data: JSONValue, metadata: JSONObject = [:], persist: Bool = true
    ) async throws -> Identifier {
        guard (1...2_048).contains(name.utf8.count) else {
            throw ProcessingError(.configuration, "the name of a checkpoint must have 1 byte to 2 KiB")
        }
        guard metadata.members.count <= 64, metadata.members.allSatisfy({ $0.value.jsonBytes.count <= 1_024 }) else {
            throw ProcessingError(.configuration, "metadata of a checkpoint must be at most 64 keys of 1 KiB each")
        }
        let summary = try await keep(name, of: processor, data, metadata, in: persist ? storage : transient)
        tell(.checkpointCreate, summary)
        return summary.id
    }

    /// Saves the output of a node on an input, durable on return. The run sends the event.
    nonisolated(nonsending) func keepOutput(
        _ data: JSONValue, of processor: Identifier, on inputID: String, in run: Run
    ) async throws -> NamedCheckpoint.Summary {
        var metadata: JSONObject = [
            "input_id": .string(inputID), "run_id": .string(run.id.text), "execution_id": .string(run.executionID.text),
        ]
        metadata["graph_id"] = run.graphID.map { .string($0.text) }
        return try await keep("\(processor)/\(inputID)", of: processor, data, metadata, in: storage)
    }

    private nonisolated(nonsending) func keep(
        _ name: String, of processor: Identifier, _ data: JSONValue, _ metadata: JSONObject,
        in storage: any CheckpointStorage
    ) async throws -> NamedCheckpoint.Summary {
        let checkpoint = NamedCheckpoint(
            id: world.makeIdentifier(), name: name, processorID: processor, createdAt: world.time.now(), data: data,
            metadata: metadata)
        try await storage.keep(checkpoint, atMost: limit)
        return checkpoint.summary
    }

    /// Saves a value of any type, as ``create(_:of:data:metadata:persist:)`` does.
    ///
    /// - Throws: as that, and ``ProcessingError`` with code `processing` when the value cannot be written as JSON.
    @discardableResult public func create(
        _ name: String, of processor: Identifier, encoding value: some Encodable & Sendable,
        metadata: JSONObject = [:], persist: Bool = true
    ) async throws -> Identifier {
        let data: JSONValue
        do { data = try JSONValue(encoding: value) } catch {
            throw ProcessingError(
                .processing, "the data of checkpoint \(name.quoted) cannot be written as JSON: \(error)",
                retryable: false, cause: error)
        }
        return try await create(name, of: processor, data: data, metadata: metadata, persist: persist)
    }

    /// Returns the state that was saved under `id`.
    ///
    /// - Throws: ``ProcessingError`` with code `not_found` when there is none, `store` when it is damaged.
    public func restore(_ id: String) async throws -> JSONValue {
        let found = try await checkpoint(id)
        tell(.checkpointRestore, found.summary)
        return found.data
    }

    /// Returns the checkpoint `id` without sending an event.
    ///
    /// - Throws: as ``restore(_:)``.
    func checkpoint(_ id: String) async throws -> NamedCheckpoint {
        guard let name = Identifier(id), let found = try await find(name) else {
            throw ProcessingError(.notFound, "checkpoint \(id.quoted) not found")
        }
        return found
    }

    /// Lists the checkpoints of `processor`, or all when it is `nil`, newest first.
    public func list(of processor: Identifier? = nil) async throws -> [NamedCheckpoint.Summary] {
        let lasting = try await storage.checkpointSummaries(of: processor)
        // Both lists are in order already, and the sort keeps the order of equal moments.
        return (transient.checkpointSummaries(of: processor) + lasting).sorted { $0.createdAt > $1.createdAt }
    }

    /// Removes a state and all its metadata; returns `false` when there is none.
    @discardableResult public func delete(_ id: String) async throws -> Bool {
        guard let name = Identifier(id) else { return false }
        if transient.removeNamedCheckpoint(name) { return true }
        return try await storage.removeNamedCheckpoint(name)
    }

    private func find(_ id: Identifier) async throws -> NamedCheckpoint? {
        if let found = transient.namedCheckpoint(id) { return found }
        return try await storage.namedCheckpoint(id)
    }

    private func tell(_ kind: Event.Kind, _ summary: NamedCheckpoint.Summary) {
        guard events.wants(kind) else { return }
        events.send(
            Event(
                kind, timestamp: world.time.now(), runID: nil, executionID: nil, processorID: summary.processorID,
                inputID: nil, data: summary.eventData))
    }
}

extension NamedCheckpoint.Summary {
    /// The data of its events.
    var eventData: JSONObject {
        ["checkpoint_id": .string(id.text), "name": .string(name), "size_bytes": JSONValue(sizeBytes)]
    }

    /// The input whose way through a graph it belongs to; `nil` when its metadata does not say.
    var inputID: String? { metadata["input_id"]?.string }
}
