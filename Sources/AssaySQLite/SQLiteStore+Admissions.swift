public import Assay

extension SQLiteStore {
    public func admissions(under rate: String) async throws -> [Timestamp] {
        try await readAside { try $0.admissions(under: rate) }
    }

    public func admit(
        under rate: String, at moment: Timestamp, forgettingBefore horizon: Timestamp
    ) async throws {
        try await write { try $0.admit(under: rate, at: moment, forgettingBefore: horizon) }
    }
}

/// The stored form of an admission: the moment at which an execution was admitted under a rate.
private enum AdmissionRow {
    static let columns = Columns("number, rate, moment, seal")
    static let insertion = "INSERT INTO admissions (\(columns)) VALUES (\(columns.marks))"
    static let selection = "SELECT \(columns) FROM admissions"
}

extension Connection {
    fileprivate func admissions(under rate: String) throws -> [Timestamp] {
        let find = try prepare(AdmissionRow.selection + " WHERE rate = ? ORDER BY number")
        find.bind(rate)
        return try find.all { try $0.readAdmission() }
    }

    fileprivate func admit(under rate: String, at moment: Timestamp, forgettingBefore horizon: Timestamp) throws {
        let delete = try statement("DELETE FROM admissions WHERE rate = ? AND moment < ?")
        delete.bind(rate)
        delete.bind(horizon.milliseconds)
        try delete.run()
        let next = try statement("SELECT coalesce(max(number), 0) + 1 FROM admissions").first { $0.integer() } ?? 1
        let insert = try prepare(AdmissionRow.insertion)
        insert.bind(next)
        insert.bind(rate)
        insert.bind(moment.milliseconds)
        insert.bindSeal()
        try insert.run()
    }

    /// Reads every admission and reports its errors.
    func forEachAdmission(_ read: (String, (SQLStatement) throws -> Void) throws -> Void) throws {
        try read(AdmissionRow.selection) { _ = try $0.readAdmission() }
    }
}

extension SQLStatement {
    fileprivate func readAdmission() throws -> Timestamp {
        try sealed("an admission") { row in
            _ = (row.integer(), row.text())
            return Timestamp(milliseconds: row.integer())
        }
    }
}
