public import Assay

extension SQLiteStore {
    public func begin(_ run: Run, asSubmitted: Bool) async throws {
        let record = try RunRecord(run)
        try await write { try $0.begin(run, record, asSubmitted: asSubmitted) }
    }

    public func update(_ run: Run) async throws {
        let record = try RunRecord(run)
        try await write { try $0.update(run, record) }
    }

    public func deleteContents(of run: Run.ID, at moment: Timestamp) async throws -> Bool {
        try await write { try $0.deleteContents(of: run, at: moment) }
    }

    /// Returns the current counts of a run that has not ended.
    package func currentCounts(of run: Run.ID) async throws -> Counts {
        try await readAside { connection in try connection.snapshot { try connection.countOutcomes(of: run) } }
    }

    public func run(_ id: Run.ID) async throws -> Run? {
        try read { connection in
            try readShowing(connection) {
                try connection.run(id)
            } _: { found, abandoned in
                try found.map { try connection.shown($0, abandoned) }
            }.map(complete)
        }
    }

    public func execution(_ id: Execution.ID) async throws -> Execution? {
        try read { connection in
            try readShowing(connection) {
                try connection.execution(id)
            } _: { found, abandoned in
                try found.map { try connection.shown($0, abandoned) }
            }
        }
    }

    public func runs(matching filter: RunFilter) async throws -> [Run] {
        guard abandoned != nil, let statuses = filter.statuses else {
            return try await readAside { [self] connection in
                try readShowing(connection) {
                    try connection.runs(matching: filter)
                } _: { runs, abandoned in
                    try runs.map { try connection.shown($0, abandoned) }
                }.map(complete)
            }
        }
        var wide = filter
        (wide.statuses, wide.limit) = (nil, nil)
        let all = try await runs(matching: wide).filter { statuses.contains($0.status) }
        return Array(all.prefix(filter.limit ?? .max))
    }
}

extension SQLiteStore {
    /// Returns a run whose summary is the list of its outputs with that list, which is read on demand.
    private func complete(_ run: Run) throws -> Run {
        guard let summary = run.summary, try summary.jsonText() == RunRecord.outputs else { return run }
        var run = run
        let id = run.id
        run.summary = Payload(deferredJSONText: { [self] in
            try read { connection in try connection.snapshot { try connection.outputs(of: id) } }
        })
        return run
    }
}

/// The stored form of a run's values.
struct RunRecord: Sendable {
    /// The mark that replaces a summary equal to the list of the outputs. It is not JSON.
    static let outputs = Array("outputs".utf8)
    /// The size from which on a summary is compared with the outputs.
    private static let comparedSize = 64 * 1_024

    var json: [UInt8]
    var summary: [UInt8]?

    /// Whether the summary may be a long list of outputs, which is not stored twice.
    var mayBeOutputs: Bool { (summary?.count ?? 0) >= Self.comparedSize && summary?.first == UInt8(ascii: "[") }

    init(_ run: Run) throws {
        json = try run.record()
        summary = try run.summaryBytes()
    }
}

extension Run {
    fileprivate static let columns = Columns(
        "id, execution_id, processor_id, status, epoch, started_at, finished_at, record, summary, seal")
    fileprivate static let insertion = "INSERT INTO runs (\(columns)) VALUES (\(columns.marks))"
    fileprivate static let replacement = "UPDATE runs SET (\(columns)) = (\(columns.marks)) WHERE id = ?1"
    fileprivate static let selection = "SELECT \(columns) FROM runs"
}

/// The part of a run that its writes must check.
struct RunStand {
    let key: Int64
    let executionID: String
    let epoch: Int
    let isTerminal: Bool
    /// The key of the list that it refers to.
    let list: Int64?
    /// Whether it takes over outcomes of earlier runs.
    let carries: Bool

    func takesOutcomes(of epoch: Int) -> Bool { self.epoch == epoch && !isTerminal }
}

extension Connection {
    func begin(_ run: Run, _ record: RunRecord, asSubmitted: Bool) throws {
        let busy = try statement(
            "SELECT 1 FROM runs WHERE execution_id = ? AND status IN ('pending', 'running', 'paused') LIMIT 1")
        busy.bind(run.executionID.text)
        guard try busy.first({ $0.int() }) == nil else { throw ProcessingError.alreadyRunning(run.executionID) }
        guard try stand(of: run.id) == nil else { throw ProcessingError.runExists(run.id) }
        let queued = try queued(run.executionID)
        guard asSubmitted || queued == nil else { throw ProcessingError.wasSubmitted(run.executionID) }

        let execution = try statement(
            """
            INSERT INTO executions (id, account_id, underwriting_id, execution_id, status, created_at)
            VALUES (?, ?, ?, ?, 'running', ?) ON CONFLICT (id) DO UPDATE SET status = 'running'
            """)
        execution.bind(run.executionID.text)
        execution.bind(run.scope.accountID?.text)
        execution.bind(run.scope.underwritingID?.text)
        execution.bind(run.scope.executionID?.text)
        execution.bind(run.startedAt.milliseconds)
        try execution.run()

        let insert = try prepare(Run.insertion)
        insert.bind(run, record)
        try insert.run()
        if let queued { try file(queued.execution.begun(by: run), after: queued) }
    }

    func update(_ run: Run, _ record: RunRecord) throws {
        guard try replace(run, record) else { return }
        if let queued = try queued(run.executionID) { try file(queued.execution.following(run), after: queued) }
    }

    /// Records the state of a run and of its execution, but leaves the execution's place in a queue unchanged.
    ///
    /// - Returns: `false` when the run has ended, or when another program has taken it over.
    func replace(_ run: Run, _ record: RunRecord) throws -> Bool {
        guard let stand = try stand(of: run.id), !stand.isTerminal, stand.epoch <= run.epoch else { return false }
        var record = record
        if record.mayBeOutputs, try record.summary == outputs(of: run.id) { record.summary = RunRecord.outputs }
        let update = try prepare(Run.replacement)
        update.bind(run, record)
        try update.run()
        let execution = try statement("UPDATE executions SET status = ? WHERE id = ?")
        execution.bind(run.status.rawValue)
        execution.bind(run.executionID.text)
        try execution.run()
        return true
    }

    func deleteContents(of id: Run.ID, at moment: Timestamp) throws -> Bool {
        guard let key = try stand(of: id)?.key, var run = try run(id), run.status.isTerminal, run.deletedAt == nil
        else { return false }
        for table in ["intakes", "transformed", "events"] { try empty(table, ofRun: key) }
        try releaseList(ofRun: key)
        try releaseOutcomes(ofRun: key)
        try deleteLogs(ofRun: key)
        (run.summary, run.deletedAt) = (nil, moment)
        let update = try prepare(Run.replacement)
        update.bind(run, try RunRecord(run))
        try update.run()
        return true
    }

    private func empty(_ table: String, ofRun key: Int64) throws {
        let delete = try prepare("DELETE FROM \(table) WHERE place BETWEEN ? AND ?")
        delete.bind(Place.of(0, inRun: key))
        delete.bind(Place.of(.max, inRun: key))
        try delete.run()
    }

    /// Deletes the outcomes of a deleted run unless a later run takes some of them over, and those of deleted runs that
    /// only this one did.
    private func releaseOutcomes(ofRun key: Int64) throws {
        let end = try statement("DELETE FROM carries WHERE run = ? RETURNING source")
        end.bind(key)
        // Only a deleted run has no list.
        let needed = try statement(
            """
            SELECT EXISTS (SELECT 1 FROM carries WHERE source = ?1) OR EXISTS (SELECT 1 FROM run_lists WHERE run = ?1)
            """)
        for run in try end.all({ $0.integer() }) + [key] {
            needed.bind(run)
            if try needed.first({ $0.int() }) == 0 { try empty("outcomes", ofRun: run) }
        }
    }

    /// Returns the outputs of a run as a list of JSON text.
    func outputs(of run: Run.ID) throws -> [UInt8] {
        guard let count = try stand(of: run).map({ try countItems(ofRun: $0.key) }) else { return Array("[]".utf8) }
        var list = [UInt8(ascii: "[")]
        for start in stride(from: 0, to: count, by: 1_024) {
            for outcome in try outcomes(of: run, from: start, limit: 1_024) where outcome.status == .succeeded {
                guard let output = outcome.output else { continue }
                if list.count > 1 { list.append(UInt8(ascii: ",")) }
                list += try output.jsonText()
            }
        }
        return list + [UInt8(ascii: "]")]
    }

    /// Returns the state of the run of that name, if there is one.
    func stand(of run: Run.ID) throws -> RunStand? {
        let find = try statement(
            """
            SELECT key, execution_id, epoch, status, (SELECT list FROM run_lists WHERE run = key),
                EXISTS (SELECT 1 FROM carries WHERE run = key) FROM runs WHERE id = ?
            """)
        find.bind(run.text)
        return try find.first { row in
            RunStand(
                key: row.integer(), executionID: row.text(), epoch: row.int(),
                isTerminal: Status(rawValue: row.text())?.isTerminal ?? true, list: row.optionalInteger(),
                carries: row.int() != 0)
        }
    }

    func run(_ id: Run.ID) throws -> Run? {
        let find = try prepare(Run.selection + " WHERE id = ?")
        find.bind(id.text)
        return try find.first { try $0.readRun() }
    }

    func runs(matching filter: RunFilter) throws -> [Run] {
        var query = Query(Run.selection)
        query.add("execution_id", filter.executionID?.text)
        query.add("processor_id", filter.processorID?.text)
        // Names are ASCII, so all names with a prefix lie between the prefix and this end.
        query.add("id", ">=", filter.idPrefix)
        query.add("id", "<", filter.idPrefix.map { $0 + "\u{7F}" })
        query.add("status", oneOf: filter.statuses?.map(\.rawValue))
        query.add("started_at", ">=", filter.since?.milliseconds)
        return try query.all("ORDER BY key DESC LIMIT \(filter.limit ?? -1)", in: self) { try $0.readRun() }
    }

    func execution(_ id: Execution.ID) throws -> Execution? {
        if let queued = try queued(id) { return queued.execution }
        let find = try statement(
            "SELECT account_id, underwriting_id, execution_id, status, created_at FROM executions WHERE id = ?")
        find.bind(id.text)
        return try find.first { row in
            let scope = Scope(
                accountID: row.optionalText().flatMap { ExternalID($0) },
                underwritingID: row.optionalText().flatMap { ExternalID($0) },
                executionID: row.optionalText().flatMap { Identifier($0) })
            guard let status = Status(rawValue: row.text()) else {
                throw ProcessingError.damaged("execution '\(id)'")
            }
            return Execution(id: id, scope: scope, status: status, createdAt: Timestamp(milliseconds: row.integer()))
        }
    }
}

extension SQLStatement {
    /// Binds the columns of a run up to its seal.
    fileprivate func bind(_ run: Run, _ record: RunRecord) {
        bind(run.id.text)
        bind(run.executionID.text)
        bind(run.processorID.text)
        bind(run.status.rawValue)
        bind(run.epoch)
        bind(run.startedAt.milliseconds)
        bind(run.finishedAt?.milliseconds)
        bind(json: record.json)
        bind(json: record.summary)
        bindSeal()
    }

    /// Reads the run in this row.
    fileprivate func readRun() throws -> Run {
        try sealed("a run") { row in
            try Run(
                id: Identifier(row.text()), executionID: Identifier(row.text()), processorID: Identifier(row.text()),
                status: Status(rawValue: row.text()), epoch: row.int(),
                startedAt: Timestamp(milliseconds: row.integer()),
                finishedAt: row.optionalInteger().map { Timestamp(milliseconds: $0) }, record: row.json(),
                summary: row.optionalJSONText())
        }
    }
}
