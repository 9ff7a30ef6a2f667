import Assay
import Foundation
import GRDB

/// The checks and updates of a database before it is used.
struct Opening {
    /// The largest size for a check of every page at each start, which takes milliseconds.
    private static let alwaysChecked = 1_024 * 1_024
    /// The largest size for a check, which takes about a second, when the last owner did not close the database.
    private static let checkedAfterDeath = 256 * 1_024 * 1_024

    let path: String
    let schema: Schema
    private let isLeftOpen: Bool

    /// Inspects `path`, which must not be open yet.
    init(path: String, schema: Schema) {
        self.path = path
        self.schema = schema
        var log = stat()
        isLeftOpen = lstat(path + "-wal", &log) == 0 && log.st_size > 0
    }

    /// Refuses a file that is not a database, or that belongs to another program or a newer version. Changes nothing in
    /// it: neither its permissions nor its journal.
    func refuseForeign() throws {
        guard let file = DatabaseFile(path, forWriting: false) else { return }
        defer { file.close() }
        let head = file.head(100)
        guard !head.isEmpty else { return }
        guard head.starts(with: Array("SQLite format 3\0".utf8)) else {
            throw ProcessingError(.store, "'\(path)' is not a store; choose another path", retryable: false)
        }
        try look { database in
            let isEmpty = try database.isEmpty
            let application = try Int32.fetchOne(database, sql: "PRAGMA application_id") ?? 0
            guard !isEmpty || application != 0 else { return }
            try checkVersion(database, mayBeOlder: true)
        }
    }

    /// Returns the owner of the database, if it is on record there.
    func ownerOnRecord() -> String? {
        let stamp = try? look { try Connection($0).ownerStamp() }
        return stamp.map { String($0.drop { $0 != " " }.dropFirst()) }
    }

    /// Reads from the database without leaving any new file beside it.
    private func look<Value>(_ body: (Database) throws -> Value) throws -> Value {
        let queue = try DatabaseQueue(path: Readers.address(of: path, leavingNothing: true), configuration: .reader)
        defer { try? queue.close() }
        return try queue.inDatabase(body)
    }

    /// Refuses a database of another program or a newer version, and migrates an older one.
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

    /// Refuses a database that is not a store or has another version.
    func checkVersion(_ database: Database, mayBeOlder: Bool = false) throws {
        guard try Int32.fetchOne(database, sql: "PRAGMA application_id") == Schema.applicationID else {
            throw ProcessingError(.store, "'\(path)' is not a store; choose another path", retryable: false)
        }
        let generation = try Int32.fetchOne(database, sql: "PRAGMA user_version") ?? 0
        guard generation >= Schema.generation else {
            throw ProcessingError(
                .store,
                "'\(path)' was made by an earlier version, whose stores this one cannot read; keep it for that version, "
                    + "and begin anew with another store, or move the file away",
                retryable: false)
        }
        guard generation == Schema.generation, try !schema.migrator.hasBeenSuperseded(database) else {
            throw ProcessingError(
                .store, "'\(path)' was written by a newer version; use that version, or another store", retryable: false
            )
        }
        guard try mayBeOlder || schema.migrator.hasCompletedMigrations(database) else {
            throw ProcessingError(
                .store, "'\(path)' was written by an older version; a command that writes brings it up to date",
                retryable: false)
        }
    }

    /// Checks the settings that durability depends on, and checks the pages where that is cheap or there is a reason.
    ///
    /// Damage that is not found here is found when it is read, by the seals of rows, or by an audit.
    func check(_ connection: Connection) throws {
        let database = connection.database
        guard try Int.fetchOne(database, sql: "PRAGMA synchronous") == 2 else {
            throw ProcessingError(.store, "SQLite does not accept synchronous=FULL; use another build of it")
        }
        var file = stat()
        guard lstat(path, &file) == 0, file.st_size <= (isLeftOpen ? Self.checkedAfterDeath : Self.alwaysChecked)
        else { return }
        guard let finding = try String.fetchOne(database, sql: "PRAGMA quick_check(1)"), finding != "ok" else { return }
        throw ProcessingError(
            .store, "'\(path)' is damaged (\(finding)); keep the file, and restore a backup", retryable: false)
    }

    /// Copies the database to a file beside it before it is changed.
    private func backUp(_ queue: DatabaseQueue) throws {
        let names = (1...).lazy.map { "\(path).before-\(schema.version)-\($0)" }
        let free = names.first { access($0, F_OK) != 0 }
        let backup = try Backup(path: free ?? path + ".backup")
        try queue.inDatabase { try backup.make(from: $0) }
    }
}

extension Database {
    /// Whether nothing has been created in it. A program that was killed early may have left the list of migrations.
    fileprivate var isEmpty: Bool {
        get throws {
            let count = "SELECT count(*) FROM sqlite_master WHERE name NOT LIKE '%grdb_migrations%'"
            return try Int.fetchOne(self, sql: count) == 0
        }
    }
}

extension Connection {
    /// Returns the currency of the store's amounts, if it is on record.
    ///
    /// - Throws: ``ProcessingError`` when it is not `wish`.
    func currency(_ wish: String?) throws -> String? {
        let read = try statement("SELECT value FROM meta WHERE name = 'currency'")
        guard let known = try read.first({ $0.text() }) else { return nil }
        guard wish ?? known == known else {
            throw ProcessingError(
                .store, "the amounts of this store are in \(known), not in \(wish ?? ""); use another store",
                retryable: false)
        }
        return known
    }

    /// Returns the currency on record; if there is none, records and returns `wish`.
    func settleCurrency(_ wish: String?) throws -> String {
        if let known = try currency(wish) { return known }
        let currency = wish ?? "USD"
        let insert = try statement("INSERT INTO meta (name, value) VALUES ('currency', ?)")
        insert.bind(currency)
        try insert.run()
        return currency
    }
}
