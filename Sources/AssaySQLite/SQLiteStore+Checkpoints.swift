public import Assay

extension SQLiteStore {
    public func save(_ checkpoint: Checkpoint, charges: [Charge], cached: CacheEntry?) async throws {
        let row = try CheckpointRow(checkpoint)
        let charges = try charges.map(ChargeRow.init)
        let cached = try cached.map(CacheRow.init)
        try await write { try $0.save(row, charges, cached) }
    }

    public func checkpoints(of item: CheckpointSubject) async throws -> (saved: [Checkpoint], damaged: [String]) {
        try read { try $0.checkpoints(of: item) }
    }

    public func dropCheckpoints(of item: CheckpointSubject) async throws {
        // Most items have none, and a lookup costs less than a commit.
        guard try read({ try $0.hasCheckpoints(of: item) }) else { return }
        try await write { try $0.dropCheckpoints(of: item) }
    }
}

/// A saved step with its stored value, and the digest of all its parts.
struct CheckpointRow: Sendable {
    static let columns = Columns(
        """
        execution_id, processor_id, input_id, step, input_digest, definition, run_id, epoch, saved_at, worth, value, sha256
        """)
    // A replaced step goes to the end.
    fileprivate static let insertion = """
        REPLACE INTO checkpoints (\(columns), serial) VALUES (\(columns.marks),
            (SELECT coalesce(max(serial), 0) + 1 FROM checkpoints
            WHERE execution_id = ?1 AND processor_id = ?2 AND input_id = ?3))
        """
    static let selection = "SELECT \(columns) FROM checkpoints"
    fileprivate static let ofSubject =
        selection + " WHERE execution_id = ? AND processor_id = ? AND input_id = ? ORDER BY serial"

    var checkpoint: Checkpoint
    var value: [UInt8]
    var sha256: String

    init(_ checkpoint: Checkpoint) throws {
        self.checkpoint = checkpoint
        value = try checkpoint.value.storedBytes("the value of step '\(checkpoint.step)'")
        sha256 = Self.digest(of: checkpoint, value)
    }

    /// Returns the digest. It covers names as well, so that a damaged name does not give a value to another step.
    static func digest(of checkpoint: Checkpoint, _ value: [UInt8]) -> String {
        var digest = PartsDigest()
        digest.add(checkpoint.subject.executionID.text)
        digest.add(checkpoint.subject.processorID.text)
        digest.add(checkpoint.subject.inputID)
        digest.add(checkpoint.step)
        digest.add(checkpoint.inputDigest.text)
        digest.add(checkpoint.definition.text)
        digest.add(checkpoint.runID.text)
        digest.add(Int64(checkpoint.epoch))
        digest.add(checkpoint.savedAt.milliseconds)
        // Older ones have none, and their digests do not include it.
        if let worth = checkpoint.worth { digest.add(worth.billionths) }
        return digest.hex(with: value)
    }
}

extension Connection {
    func save(_ row: CheckpointRow, _ charges: [ChargeRow], _ cached: CacheRow?) throws {
        let checkpoint = row.checkpoint
        guard try stand(of: checkpoint.runID)?.epoch == checkpoint.epoch else { return }
        let insert = try prepare(CheckpointRow.insertion)
        insert.bind(checkpoint.subject)
        insert.bind(checkpoint.step)
        insert.bind(checkpoint.inputDigest.text)
        insert.bind(checkpoint.definition.text)
        insert.bind(checkpoint.runID.text)
        insert.bind(checkpoint.epoch)
        insert.bind(checkpoint.savedAt.milliseconds)
        insert.bind(checkpoint.worth?.billionths)
        insert.bind(json: row.value)
        insert.bind(row.sha256)
        try insert.run()
        _ = try record(charges)
        if let cached { try store(cached) }
    }

    /// Returns the saved steps, and the names of the damaged ones.
    func checkpoints(of subject: CheckpointSubject) throws -> (saved: [Checkpoint], damaged: [String]) {
        let find = try prepare(CheckpointRow.ofSubject)
        find.bind(subject)
        var (saved, damaged): ([Checkpoint], [String]) = ([], [])
        try find.forEach { row in
            let (step, checkpoint) = row.readCheckpoint()
            if let checkpoint { saved.append(checkpoint) } else { damaged.append(step) }
        }
        return (saved: saved, damaged: damaged)
    }

    func hasCheckpoints(of subject: CheckpointSubject) throws -> Bool {
        let find = try statement(
            "SELECT 1 FROM checkpoints WHERE execution_id = ? AND processor_id = ? AND input_id = ? LIMIT 1")
        find.bind(subject)
        return try find.first { $0.int() } != nil
    }

    func dropCheckpoints(of subject: CheckpointSubject) throws {
        let delete = try statement(
            "DELETE FROM checkpoints WHERE execution_id = ? AND processor_id = ? AND input_id = ?")
        delete.bind(subject)
        try delete.run()
    }
}

extension SQLStatement {
    fileprivate func bind(_ subject: CheckpointSubject) {
        bind(subject.executionID.text)
        bind(subject.processorID.text)
        bind(subject.inputID)
    }

    /// Reads the name of the step in this row, and the saved step when it is not damaged.
    func readCheckpoint() -> (step: String, checkpoint: Checkpoint?) {
        let (execution, processor, inputID, step) = (Identifier(text()), Identifier(text()), text(), text())
        guard let execution, let processor, let inputDigest = Digest(text()), let definition = Digest(text()),
            let run = Identifier(text())
        else { return (step, nil) }
        let (epoch, savedAt) = (int(), Timestamp(milliseconds: integer()))
        let worth = optionalInteger().map { Money(billionths: $0) }
        let value = Array(text().utf8)
        guard let json = try? JSONValue(json: value) else { return (step, nil) }
        let subject = CheckpointSubject(executionID: execution, processorID: processor, inputID: inputID)
        let checkpoint = Checkpoint(
            subject: subject, step: step, inputDigest: inputDigest, definition: definition, runID: run, epoch: epoch,
            value: json, savedAt: savedAt, worth: worth)
        return (step, CheckpointRow.digest(of: checkpoint, value) == text() ? checkpoint : nil)
    }
}
