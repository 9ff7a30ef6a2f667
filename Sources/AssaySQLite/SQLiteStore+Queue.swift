public import Assay

extension SQLiteStore {
    public func submit(_ executions: [SubmittedExecution]) async throws -> [Execution] {
        let rows = try executions.map(SubmittedRow.init)
        return try await write { connection in try rows.map { try connection.submit($0) } }
    }

    public func executions(matching filter: ExecutionFilter) async throws -> [Execution] {
        guard abandoned != nil else { return try await readAside { try $0.executions(matching: filter) } }
        var wide = filter
        (wide.statuses, wide.limit) = (nil, nil)
        let shown = try await readAside { [self, wide] connection in
            try readShowing(connection) {
                try connection.executions(matching: wide)
            } _: { executions, abandoned in
                try executions.map { try connection.shown($0, abandoned) }
            }
        }
        return Array(shown.filter(filter.matches).prefix(filter.limit ?? .max))
    }

    /// Returns the number of executions of the queue by status.
    package func executionCounts() async throws -> StatusCounts {
        guard abandoned == nil else {
            var counts = StatusCounts()
            for execution in try await executions(matching: ExecutionFilter()) { counts[execution.status] += 1 }
            return counts
        }
        return try await readAside { connection in
            var counts = StatusCounts()
            let count = try connection.statement("SELECT status, count(*) FROM queue GROUP BY status")
            try count.forEach { row in
                if let status = Status(rawValue: row.text()) { counts[status] = row.int() }
            }
            return counts
        }
    }

    public func replace(_ execution: Execution, standingAt status: Status) async throws -> Bool {
        try await write { connection in
            guard let queued = try connection.queued(execution.id), queued.execution.status == status else {
                return false
            }
            try connection.file(execution, after: queued)
            return true
        }
    }

    public func remove(_ executions: [Execution.ID]) async throws -> Int {
        try await write { connection in
            try executions.count { id in
                guard let queued = try connection.queued(id), queued.execution.status.isTerminal else { return false }
                try connection.removeExecution(id)
                return true
            }
        }
    }

    public func queueRecord() async throws -> JSONValue? { try read { try $0.queueRecord() } }

    public func setQueueRecord(_ record: JSONValue) async throws {
        let bytes = try record.storedBytes("the record of the queue")
        try await write { connection in
            let insert = try connection.statement("REPLACE INTO meta (name, value) VALUES ('queue', ?)")
            insert.bind(json: bytes)
            try insert.run()
        }
    }
}

/// An execution with its stored items.
private struct SubmittedRow: Sendable {
    var execution: Execution
    var items: InputChunks

    init(_ submitted: SubmittedExecution) throws {
        execution = submitted.execution
        items = try InputChunks(submitted.items)
    }
}

/// An execution in the queue and its position among those of the same status.
struct QueuedRow {
    static let columns = Columns("number, execution_id, status, moved, priority, idempotency_key, record, seal")
    fileprivate static let insertion = "INSERT INTO queue (\(columns)) VALUES (\(columns.marks))"
    fileprivate static let replacement = "UPDATE queue SET (\(columns)) = (\(columns.marks)) WHERE number = ?1"
    static let selection = "SELECT \(columns) FROM queue"
    fileprivate static let ofExecution = selection + " WHERE execution_id = ?"
    fileprivate static let ofKey = selection + " WHERE idempotency_key = ?"

    var execution: Execution
    /// The order among the executions of its status.
    var moved: Int64
}

extension Connection {
    /// Returns the queue's own record.
    func queueRecord() throws -> JSONValue? {
        try statement("SELECT value FROM meta WHERE name = 'queue'").first { try $0.json() }
    }

    fileprivate func submit(_ row: SubmittedRow) throws -> Execution {
        var execution = row.execution
        if let key = execution.idempotencyKey {
            let find = try prepare(QueuedRow.ofKey)
            find.bind(key)
            if let known = try find.first({ try $0.readQueued() }) { return try known.execution.answering(execution) }
        }
        guard try self.execution(execution.id) == nil else { throw ProcessingError.executionExists(execution.id) }
        let number = try statement("SELECT coalesce(max(number), 0) + 1 FROM queue").first { $0.int() } ?? 1
        execution.number = execution.number ?? number
        let insert = try statement(
            """
            INSERT INTO executions (id, account_id, underwriting_id, execution_id, status, created_at)
            VALUES (?, ?, ?, ?, ?, ?)
            """)
        insert.bind(execution.id.text)
        insert.bind(execution.scope.accountID?.text)
        insert.bind(execution.scope.underwritingID?.text)
        insert.bind(execution.scope.executionID?.text)
        insert.bind(execution.status.rawValue)
        insert.bind(execution.createdAt.milliseconds)
        try insert.run()
        try write(execution, try nextMove(to: execution.status), QueuedRow.insertion)
        try append(row.items, toSubmission: execution.id)
        return execution
    }

    /// Replaces the execution in `row` by `execution`.
    func file(_ execution: Execution, after row: QueuedRow) throws {
        let moved = execution.status == row.execution.status ? row.moved : try nextMove(to: execution.status)
        try write(execution, moved, QueuedRow.replacement)
    }

    private func write(_ execution: Execution, _ moved: Int64, _ sql: String) throws {
        let record = try execution.record()
        let write = try prepare(sql)
        write.bind(execution.number ?? 0)
        write.bind(execution.id.text)
        write.bind(execution.status.rawValue)
        write.bind(moved)
        write.bind(execution.priority)
        write.bind(execution.idempotencyKey)
        write.bind(json: record)
        write.bindSeal()
        try write.run()
    }

    private func nextMove(to status: Status) throws -> Int64 {
        let find = try statement("SELECT coalesce(max(moved), 0) + 1 FROM queue WHERE status = ?")
        find.bind(status.rawValue)
        return try find.first { $0.integer() } ?? 1
    }

    func queued(_ id: Execution.ID) throws -> QueuedRow? {
        let find = try prepare(QueuedRow.ofExecution)
        find.bind(id.text)
        return try find.first { try $0.readQueued() }
    }

    func executions(matching filter: ExecutionFilter) throws -> [Execution] {
        var query = Query(QueuedRow.selection)
        query.add("status", oneOf: filter.statuses.map { $0.map(\.rawValue).sorted() })
        query.add("idempotency_key", filter.idempotencyKey)
        return try query.all("ORDER BY moved, number LIMIT \(filter.limit ?? -1)", in: self) {
            try $0.readQueued().execution
        }
    }

    func removeExecution(_ id: Execution.ID) throws {
        for run in try runs(matching: RunFilter(executionID: id)) {
            _ = try deleteContents(of: run.id, at: run.startedAt)
        }
        if let list = try find(Execution.submittedList(of: id)), list.maker == nil { try release(list: list.key) }
        for table in ["runs", "checkpoints", "queue"] {
            let delete = try prepare("DELETE FROM \(table) WHERE execution_id = ?")
            delete.bind(id.text)
            try delete.run()
        }
        let delete = try statement("DELETE FROM executions WHERE id = ?")
        delete.bind(id.text)
        try delete.run()
    }

    /// Reads every row of the queue and reports its errors.
    func forEachQueueRow(_ read: (String, (SQLStatement) throws -> Void) throws -> Void) throws {
        try read(QueuedRow.selection) { _ = try $0.readQueued() }
    }
}

extension SQLStatement {
    fileprivate func readQueued() throws -> QueuedRow {
        try sealed("an execution of the queue") { row in
            let (number, id, status) = (row.int(), row.text(), Status(rawValue: row.text()))
            let (moved, priority, key) = (row.integer(), row.double(), row.optionalText())
            let execution = Execution(
                number: number, status: status, priority: priority, idempotencyKey: key, record: try row.json())
            guard let execution, execution.id.text == id else { return nil }
            return QueuedRow(execution: execution, moved: moved)
        }
    }
}
