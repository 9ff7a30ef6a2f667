import Assay
import Foundation
import GRDB

/// What is looked at and brought up to date before a database is used.
struct Opening {
    /// Files up to this size are checked page by page at each start.
    static let quicklyChecked = 256 * 1_024 * 1_024

    var path: String
    var schema: Schema

    /// Refuses a database of another program or of a newer version, and brings an older one up to date.
    func migrate(_ queue: DatabaseQueue) throws {
        let migrator = schema.migrator
        let (isNew, isComplete) = try queue.inDatabase { database in
            let isNew = try database.isEmpty
            if !isNew { try checkVersion(database, mayBeOlder: true) }
            return (isNew, try migrator.hasCompletedMigrations(database))
        }
        guard !isComplete else { return }
        if !isNew { try backUp(queue) }
        try migrator.migrate(queue)
    }

    /// Refuses a database that is not a store, or not of this version.
    func checkVersion(_ database: Database, mayBeOlder: Bool = false) throws {
        guard try Int32.fetchOne(database, sql: "PRAGMA application_id") == Schema.applicationID else {
            throw ProcessingError(.store, "'\(path)' is not a store; choose another path", retryable: false)
        }
        guard try !schema.migrator.hasBeenSuperseded(database) else {
            throw ProcessingError(
                .store, "'\(path)' was written by a newer version; use that version, or another store", retryable: false)
        }
        guard try mayBeOlder || schema.migrator.hasCompletedMigrations(database) else {
            throw ProcessingError(
                .store, "'\(path)' was written by an older version; a command that writes brings it up to date",
                retryable: false)
        }
    }

    /// Asserts what durability rests on, and looks at the pages of a database that is not too large for that.
    func check(_ connection: Connection) throws {
        let database = connection.database
        guard try Int.fetchOne(database, sql: "PRAGMA synchronous") == 2 else {
            throw ProcessingError(.store, "SQLite does not accept synchronous=FULL; use another build of it")
        }
        let size = try Int.fetchOne(database, sql: "PRAGMA page_count").map { $0 * 4_096 } ?? 0
        guard size <= Self.quicklyChecked else { return }
        guard let finding = try String.fetchOne(database, sql: "PRAGMA quick_check(1)"), finding != "ok" else { return }
        throw ProcessingError(
            .store, "'\(path)' is damaged (\(finding)); keep the file, and restore a backup", retryable: false)
    }

    /// Copies the database beside itself before it is changed.
    private func backUp(_ queue: DatabaseQueue) throws {
        let names = (1...).lazy.map { "\(path).before-\(schema.version)-\($0)" }
        let free = names.first { access($0, F_OK) != 0 }
        let backup = try Backup(path: free ?? path + ".backup")
        try queue.inDatabase { try backup.make(from: $0) }
    }
}

extension Database {
    fileprivate var isEmpty: Bool {
        get throws { try Int.fetchOne(self, sql: "SELECT count(*) FROM sqlite_master") == 0 }
    }
}

extension Connection {
    /// The currency of the store's amounts: what is on record, else `wish`, which is put on record.
    ///
    /// - Throws: ``ProcessingError`` when both are there and differ.
    func settle(currency wish: String?) throws -> String {
        let read = try statement("SELECT value FROM meta WHERE name = 'currency'")
        if let known = try read.first({ $0.text() }) {
            guard wish ?? known == known else {
                throw ProcessingError(
                    .store, "the amounts of this store are in \(known), not in \(wish ?? ""); use another store",
                    retryable: false)
            }
            return known
        }
        let currency = wish ?? "USD"
        let insert = try statement("INSERT INTO meta (name, value) VALUES ('currency', ?)")
        insert.bind(currency)
        try insert.run()
        return currency
    }
}
