public import Assay
import Logging

extension SQLiteStore {
    public func append(_ lines: [LogLine], keeping limits: LogLimits) async throws {
        guard !lines.isEmpty else { return }
        try await write { try $0.append(lines, keeping: limits) }
    }

    public func logLines(matching filter: LogFilter, limit: Int) async throws -> [LogLine] {
        try await readAside { try $0.logLines(matching: filter, limit: limit) }
    }
}

extension Connection {
    private struct LogPlace: Hashable {
        let run: Int64
        /// The item's name as bytes, because the database compares bytes.
        let inputID: [UInt8]?

        var input: String? { inputID.map { String(decoding: $0, as: UTF8.self) } }
    }

    func append(_ lines: [LogLine], keeping limits: LogLimits) throws {
        let insert = try statement(
            """
            INSERT INTO logs (run, input_id, size, processor_id, attempt, source, level, timestamp, text)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
            """)
        var known: [Run.ID: Int64?] = [:]
        var touched: Set<LogPlace> = []
        for line in lines {
            let found = try known[line.runID] ?? stand(of: line.runID)?.key
            known[line.runID] = .some(found)
            guard let key = found else { continue }
            insert.bind(key)
            insert.bind(line.inputID)
            insert.bind(line.size)
            insert.bind(line.processorID.text)
            insert.bind(line.attempt)
            insert.bind(line.source.rawValue)
            insert.bind(line.level.rawValue)
            insert.bind(line.timestamp.milliseconds)
            insert.bind(line.text)
            try insert.run()
            touched.insert(LogPlace(run: key, inputID: line.inputID.map { Array($0.utf8) }))
        }
        for place in touched { try dropOldLogs(of: place, beyond: limits.item) }
        try dropOldLogs(beyond: limits.total)
    }

    /// Drops the oldest lines of an item until the rest has at most `limit` bytes.
    private func dropOldLogs(of place: LogPlace, beyond limit: Int) throws {
        let find = try statement(
            "SELECT number, size FROM logs WHERE run = ? AND input_id IS ? ORDER BY number DESC")
        find.bind(place.run)
        find.bind(place.input)
        var (size, newestGone): (Int, Int64?) = (0, nil)
        try find.forEach { row in
            let number = row.integer()
            size += row.int()
            if size > limit { newestGone = max(newestGone ?? number, number) }
        }
        guard let newestGone else { return }
        let delete = try statement("DELETE FROM logs WHERE run = ? AND input_id IS ? AND number <= ?")
        delete.bind(place.run)
        delete.bind(place.input)
        delete.bind(newestGone)
        try delete.run()
    }

    /// Drops the oldest lines of all items until the rest has at most `limit` bytes.
    private func dropOldLogs(beyond limit: Int) throws {
        let total = try statement("SELECT bytes FROM log_size")
        while var excess = try total.first({ $0.int() - limit }), excess > 0 {
            let find = try statement("SELECT number, size FROM logs ORDER BY number LIMIT 1024")
            var last: Int64?
            try find.forEach { row in
                let (number, size) = (row.integer(), row.int())
                guard excess > 0 else { return }
                (last, excess) = (number, excess - size)
            }
            guard let last else { return }
            let delete = try statement("DELETE FROM logs WHERE number <= ?")
            delete.bind(last)
            try delete.run()
        }
    }

    func logLines(matching filter: LogFilter, limit: Int) throws -> [LogLine] {
        guard let key = try stand(of: filter.runID)?.key else { return [] }
        let find = try statement(
            """
            SELECT number, processor_id, input_id, attempt, source, level, timestamp, text FROM logs
            WHERE run = ?1 AND number > ?2 AND (?3 IS NULL OR input_id = ?3) AND (?4 IS NULL OR processor_id = ?4)
            ORDER BY number LIMIT ?5
            """)
        find.bind(key)
        find.bind(filter.after)
        find.bind(filter.inputID)
        find.bind(filter.processorID?.text)
        find.bind(limit)
        return try find.all { row in
            let number = row.int()
            let processor = Identifier(row.text())
            let (input, attempt) = (row.optionalText(), row.int())
            guard let processor, let source = LogLine.Source(rawValue: row.text()),
                let level = Logger.Level(rawValue: row.text())
            else { throw ProcessingError.damaged("a log line of run '\(filter.runID)'") }
            return LogLine(
                number: number, runID: filter.runID, processorID: processor, inputID: input, attempt: attempt,
                source: source, level: level, timestamp: Timestamp(milliseconds: row.integer()), text: row.text())
        }
    }

    /// Deletes the log lines of a run.
    func deleteLogs(ofRun key: Int64) throws {
        let delete = try statement("DELETE FROM logs WHERE run = ?")
        delete.bind(key)
        try delete.run()
    }
}

extension Schema {
    /// The tables for the log lines of programs and processors. `log_size` holds their total size in bytes, so that no
    /// one has to count it.
    static let logs = """
        CREATE TABLE logs (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            run INTEGER NOT NULL,
            input_id TEXT,
            size INTEGER NOT NULL,
            processor_id TEXT NOT NULL,
            attempt INTEGER NOT NULL,
            source TEXT NOT NULL,
            level TEXT NOT NULL,
            timestamp INTEGER NOT NULL,
            text TEXT NOT NULL
        ) STRICT;
        CREATE INDEX logs_by_item ON logs (run, input_id, number, size);
        CREATE TABLE log_size (bytes INTEGER NOT NULL) STRICT;
        INSERT INTO log_size VALUES (0);
        CREATE TRIGGER log_added AFTER INSERT ON logs BEGIN UPDATE log_size SET bytes = bytes + new.size; END;
        CREATE TRIGGER log_dropped AFTER DELETE ON logs BEGIN UPDATE log_size SET bytes = bytes - old.size; END;
        """
}
