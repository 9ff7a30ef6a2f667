import Synchronization

extension ExecutionQueue {
    /// The placeholder for a value that cannot be written.
    private static let unserializable: JSONValue = "<unserializable>"

    /// Returns everything in the queue as one value, which ``restore(_:)`` reads: executions with their items and last
    /// reports, lists, order.
    ///
    /// It shows one moment, even while the queue works. All of it is in memory at once.
    public func snapshot() async throws -> JSONValue { try await Self.snapshot(of: engine) }

    /// Returns the snapshot of the queue in an engine's store, which may belong to another program, as ``snapshot()``
    /// does.
    ///
    /// - Throws: ``ProcessingError`` with code `not_found` when the store never had a queue.
    package static func snapshot(of engine: Engine) async throws -> JSONValue {
        guard let record = try await engine.store.queueRecord() else {
            throw ProcessingError(.notFound, "the store has no queue yet; submit something first")
        }
        // All read at once, so that the lists agree with the rows.
        let executions = try await engine.store.executions(matching: ExecutionFilter())
        var rows: [JSONValue] = []
        for execution in executions.sorted(by: { ($0.number ?? 0) < ($1.number ?? 0) }) {
            rows.append(try await row(execution, engine))
        }
        var progressions = JSONObject()
        for status in Status.allCases {
            progressions[status.rawValue] = names(executions.filter { $0.status == status })
        }
        let waiting = executions.filter { $0.status == .pending }
            .sorted { ($0.priority, $0.number ?? 0) < ($1.priority, $1.number ?? 0) }
        return [
            "id": record["id"] ?? .null, "name": record["configuration"]?["name"] ?? .null,
            "created_at": record["created_at"] ?? .null, "metadata": record["metadata"] ?? [:],
            "configuration": record["configuration"] ?? .null, "executions": .array(rows),
            "progressions": .object(progressions), "queue": names(waiting),
        ]
    }

    private static func names(_ executions: [Execution]) -> JSONValue {
        .array(executions.map { .string($0.id.text) })
    }

    private static func row(_ execution: Execution, _ engine: Engine) async throws -> JSONValue {
        guard case .object(var row) = execution.jsonValue else { return .null }
        var items: [JSONValue] = []
        let list = Execution.submittedList(of: execution.id)
        while case let page = try await engine.store.items(of: list, from: items.count, limit: 1_024), !page.isEmpty {
            items += page.map { (try? $0.jsonValue()) ?? unserializable }
        }
        row["items"] = .array(items)
        row["response"] = try await response(of: execution, engine)
        return .object(row)
    }

    private static func response(of execution: Execution, _ engine: Engine) async throws -> JSONValue {
        guard execution.hasResponse, let id = execution.lastRunID, let run = try await engine.store.run(id)
        else {
            return execution.restoredResponse ?? .null
        }
        let report = try await engine.report(of: run, outcomes: false)
        do {
            guard case .object(var response) = try report.jsonValue() else { return .null }
            response["outcomes"] = nil
            response["payloads"] = nil
            return .object(response)
        } catch { return unserializable }
    }

    /// Fills an empty queue from a ``snapshot()``. Names, order, priorities and denials are as they were.
    ///
    /// Executions that ran wait again or fail, as after the death of their program.
    ///
    /// - Throws: ``ProcessingError``: `exists` when the queue is not empty, `not_found` for a name in a list without
    ///   its execution, `configuration` for an execution that is in no list or in two, and for a value that is not a
    ///   snapshot.
    public func restore(_ snapshot: JSONValue) async throws {
        guard counts.total == 0 else {
            throw ProcessingError(.exists, "a snapshot is restored into an empty queue; this one has \(counts.total)")
        }
        let executions = try Self.executions(in: snapshot)
        try await store.submit(executions.map { SubmittedExecution($0.execution, items: $0.items) })
            .enumerated().forEach { position, filed in
                guard filed.id != executions[position].execution.id else { return }
                throw ProcessingError(.configuration, "two executions of the snapshot have one idempotency key")
            }
        adopt(snapshot)
        try await takeIn()
    }

    /// Returns the executions of a snapshot in the order in which they entered their statuses.
    private static func executions(in snapshot: JSONValue) throws -> [(execution: Execution, items: [Item])] {
        guard let rows = snapshot["executions"]?.array, let lists = snapshot["progressions"]?.object,
            let queue = snapshot["queue"]?.array
        else {
            throw ProcessingError(
                .configuration, "a snapshot needs 'executions', 'progressions' and 'queue'; this is none")
        }
        var found: [Execution.ID: (execution: Execution, items: [Item])] = [:]
        for (position, row) in rows.enumerated() {
            guard var execution = Execution(json: row), let items = row["items"]?.array else {
                throw ProcessingError(.configuration, "execution \(position + 1) of the snapshot cannot be read")
            }
            if let response = row["response"], response != .null { execution.restoredResponse = response }
            let read = try items.enumerated().map { try Item(json: $1, position: $0 + 1) }
            guard found.updateValue((execution, read), forKey: execution.id) == nil else {
                throw ProcessingError(.configuration, "execution '\(execution.id)' is in the snapshot twice")
            }
        }
        var ordered: [(execution: Execution, items: [Item])] = []
        var listed: Set<Execution.ID> = []
        for member in lists.members {
            let status = try Status(word: member.key)
            for name in member.value.array ?? [] {
                let entry = try Self.entry(name, of: found, in: "progressions.\(member.key)")
                guard listed.insert(entry.execution.id).inserted else {
                    throw ProcessingError(.configuration, "execution '\(entry.execution.id)' is in two lists")
                }
                guard entry.execution.status == status else {
                    throw ProcessingError(
                        .configuration,
                        "execution '\(entry.execution.id)' is \(entry.execution.status.rawValue), its list is \(status.rawValue)"
                    )
                }
                ordered.append(entry)
            }
        }
        if let lost = found.keys.filter({ !listed.contains($0) }).min() {
            throw ProcessingError(.configuration, "execution '\(lost)' is in no list of 'progressions'")
        }
        var queued: Set<Execution.ID> = []
        for name in queue {
            let entry = try Self.entry(name, of: found, in: "queue")
            guard entry.execution.status == .pending, queued.insert(entry.execution.id).inserted else {
                throw ProcessingError(
                    .configuration, "execution '\(entry.execution.id)' is in 'queue' twice or does not wait")
            }
        }
        if let lost = ordered.first(where: { $0.execution.status == .pending && !queued.contains($0.execution.id) }) {
            throw ProcessingError(.configuration, "execution '\(lost.execution.id)' waits and is not in 'queue'")
        }
        return ordered
    }

    private static func entry(
        _ name: JSONValue, of found: [Execution.ID: (execution: Execution, items: [Item])], in list: String
    ) throws -> (execution: Execution, items: [Item]) {
        guard let entry = name.string.flatMap({ Identifier($0) }).flatMap({ found[$0] }) else {
            throw ProcessingError(
                .notFound, "'\(name.string ?? name.json)' of '\(list)' is no execution of the snapshot")
        }
        return entry
    }
}
