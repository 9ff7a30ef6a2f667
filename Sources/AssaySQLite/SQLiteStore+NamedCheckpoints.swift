public import Assay

extension SQLiteStore {
    public func keep(_ checkpoint: NamedCheckpoint, atMost limit: Int) async throws {
        let row = try NamedCheckpointRow(checkpoint)
        try await write { try $0.keep(row, atMost: limit) }
    }

    public func checkpointSummaries(of processor: Identifier?) async throws -> [NamedCheckpoint.Summary] {
        try await readAside { try $0.checkpointSummaries(of: processor) }
    }

    public func namedCheckpoint(_ id: Identifier) async throws -> NamedCheckpoint? {
        try await readAside { try $0.namedCheckpoint(id) }
    }

    public func removeNamedCheckpoint(_ id: Identifier) async throws -> Bool {
        try await write { try $0.removeNamedCheckpoint(id) }
    }
}

/// A named checkpoint with its stored data, and the digest of all its parts.
struct NamedCheckpointRow: Sendable {
    static let columns = Columns("id, name, processor_id, created_at, metadata, data, sha256")
    static let selection = "SELECT \(columns) FROM named_checkpoints"

    var checkpoint: NamedCheckpoint
    var metadata: [UInt8]
    var data: [UInt8]
    var sha256: String

    init(_ checkpoint: NamedCheckpoint) throws {
        let what = "checkpoint '\(checkpoint.summary.name)'"
        self.checkpoint = checkpoint
        metadata = try JSONValue.object(checkpoint.summary.metadata).storedBytes("the metadata of \(what)")
        data = try checkpoint.data.storedBytes("the data of \(what)")
        sha256 = Self.digest(of: checkpoint.summary, metadata, data)
    }

    static func digest(of summary: NamedCheckpoint.Summary, _ metadata: [UInt8], _ data: [UInt8]) -> String {
        var digest = PartsDigest()
        digest.add(summary.id.text)
        digest.add(summary.name)
        digest.add(summary.processorID.text)
        digest.add(summary.createdAt.milliseconds)
        digest.add(String(decoding: metadata, as: UTF8.self))
        return digest.hex(with: data)
    }
}

extension Connection {
    func keep(_ row: NamedCheckpointRow, atMost limit: Int) throws {
        let summary = row.checkpoint.summary
        guard try !hasNamedCheckpoint(summary.id) else { throw ProcessingError.checkpointExists(summary.id) }
        let count = try statement("SELECT count(*) FROM named_checkpoints").first { $0.int() } ?? 0
        let excess = SQLiteStore.excess(of: count, atMost: limit)
        if excess > 0 {
            let removal = try statement(
                """
                DELETE FROM named_checkpoints WHERE serial IN
                    (SELECT serial FROM named_checkpoints ORDER BY serial LIMIT ?)
                """)
            removal.bind(excess)
            try removal.run()
        }
        let insert = try prepare(
            """
            INSERT INTO named_checkpoints (\(NamedCheckpointRow.columns), size_bytes, data_type, preview)
            VALUES (\(NamedCheckpointRow.columns.marks), ?, ?, ?)
            """)
        insert.bind(summary.id.text)
        insert.bind(summary.name)
        insert.bind(summary.processorID.text)
        insert.bind(summary.createdAt.milliseconds)
        insert.bind(json: row.metadata)
        insert.bind(json: row.data)
        insert.bind(row.sha256)
        insert.bind(summary.sizeBytes)
        insert.bind(summary.dataType)
        insert.bind(summary.preview)
        try insert.run()
    }

    func checkpointSummaries(of processor: Identifier?) throws -> [NamedCheckpoint.Summary] {
        let find = try statement(
            """
            SELECT id, name, processor_id, created_at, size_bytes, data_type, metadata, preview
            FROM named_checkpoints WHERE ?1 IS NULL OR processor_id = ?1 ORDER BY serial DESC
            """)
        find.bind(processor?.text)
        return try find.all { row in
            let (id, name, processor) = (row.text(), row.text(), row.text())
            let (createdAt, size, type) = (Timestamp(milliseconds: row.integer()), row.int(), row.text())
            guard let id = Identifier(id), let processor = Identifier(processor), let metadata = try? row.json().object
            else { throw ProcessingError.damaged("checkpoint '\(id)'") }
            return NamedCheckpoint.Summary(
                id: id, name: name, processorID: processor, createdAt: createdAt, sizeBytes: size, dataType: type,
                metadata: metadata, preview: row.text())
        }
    }

    func namedCheckpoint(_ id: Identifier) throws -> NamedCheckpoint? {
        let find = try prepare(NamedCheckpointRow.selection + " WHERE id = ?")
        find.bind(id.text)
        guard let found = try find.first({ $0.readNamedCheckpoint() }) else { return nil }
        guard let checkpoint = found else { throw ProcessingError.damagedCheckpoint(id) }
        return checkpoint
    }

    func removeNamedCheckpoint(_ id: Identifier) throws -> Bool {
        guard try hasNamedCheckpoint(id) else { return false }
        let delete = try statement("DELETE FROM named_checkpoints WHERE id = ?")
        delete.bind(id.text)
        try delete.run()
        return true
    }

    private func hasNamedCheckpoint(_ id: Identifier) throws -> Bool {
        let find = try statement("SELECT 1 FROM named_checkpoints WHERE id = ?")
        find.bind(id.text)
        return try find.first { $0.int() } != nil
    }
}

extension SQLStatement {
    /// Reads the checkpoint in this row; `nil` when it is damaged.
    func readNamedCheckpoint() -> NamedCheckpoint? {
        let (id, name, processor) = (Identifier(text()), text(), Identifier(text()))
        let createdAt = Timestamp(milliseconds: integer())
        let (metadata, data, sum) = (Array(text().utf8), Array(text().utf8), text())
        guard let id, let processor, let object = try? JSONValue(json: metadata).object,
            let value = try? JSONValue(json: data)
        else { return nil }
        let checkpoint = NamedCheckpoint(
            id: id, name: name, processorID: processor, createdAt: createdAt, data: value, metadata: object)
        return NamedCheckpointRow.digest(of: checkpoint.summary, metadata, data) == sum ? checkpoint : nil
    }
}
