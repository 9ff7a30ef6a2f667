public import Assay

extension SQLiteStore {
    public func add(_ alert: AlertRecord) async throws { try await write { try $0.add(alert) } }

    public func alerts() async throws -> [AlertRecord] { try await readAside { try $0.alerts() } }
}

extension AlertRecord {
    fileprivate static let columns = Columns(
        "name, fired, suppressed, errors, fired_at, kind, run_id, input_id, cleared_at, seal")
    static let selection = "SELECT \(columns) FROM alerts"
    fileprivate static let insertion = "REPLACE INTO alerts (\(columns)) VALUES (\(columns.marks))"
}

extension Connection {
    fileprivate func alerts() throws -> [AlertRecord] {
        try prepare(AlertRecord.selection + " ORDER BY name").all { try $0.readAlert() }
    }

    fileprivate func add(_ alert: AlertRecord) throws {
        let find = try prepare(AlertRecord.selection + " WHERE name = ?")
        find.bind(alert.name)
        let sum = try find.first { try $0.readAlert() }?.adding(alert) ?? alert
        let insert = try prepare(AlertRecord.insertion)
        insert.bind(sum.name)
        insert.bind(sum.fired)
        insert.bind(sum.suppressed)
        insert.bind(sum.errors)
        insert.bind(sum.last?.firedAt.milliseconds)
        insert.bind(sum.last?.kind.rawValue)
        insert.bind(sum.last?.runID?.text)
        insert.bind(sum.last?.inputID)
        insert.bind(sum.clearedAt?.milliseconds)
        insert.bindSeal()
        try insert.run()
    }
}

extension SQLStatement {
    func readAlert() throws -> AlertRecord {
        try sealed("an alert") { row in
            var alert = AlertRecord(row.text())
            (alert.fired, alert.suppressed, alert.errors) = (row.int(), row.int(), row.int())
            let (firedAt, kind) = (row.optionalInteger(), row.optionalText())
            let (run, input) = (row.optionalText(), row.optionalText())
            if let firedAt, let kind = kind.flatMap(Event.Kind.init(rawValue:)) {
                alert.last = AlertRecord.Firing(
                    firedAt: Timestamp(milliseconds: firedAt), kind: kind, runID: run.flatMap { Identifier($0) },
                    inputID: input)
            }
            alert.clearedAt = row.optionalInteger().map { Timestamp(milliseconds: $0) }
            return alert
        }
    }
}
