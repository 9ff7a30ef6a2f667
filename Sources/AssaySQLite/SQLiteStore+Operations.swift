import Assay
import Foundation
import GRDB

extension SQLiteStore {
    /// A description of a store and its contents.
    public struct Info: Hashable, Sendable {
        /// The absolute path of the database.
        public var path: String
        /// The size of the database in bytes.
        public var size: Int
        /// The size of its write-ahead log in bytes.
        public var logSize: Int
        /// The newest applied migration.
        public var schema: String
        /// The currency of all amounts.
        public var currency: String
        /// The journal mode: `wal`.
        public var journalMode: String
        /// The synchronous mode: `full` for an owner; `nil` when opened for reading only.
        public var synchronous: String?
        /// The version of SQLite in use.
        public var sqlite: String
        /// The number of rows by table.
        public var counts: [String: Int]
    }

    /// Returns a description of this store. Counting takes time in proportion to its tables.
    public func info() async throws -> Info {
        let synchronous = isOwner ? try await write { try $0.synchronousMode() } : nil
        let log = try? FileManager.default.attributesOfItem(atPath: path + "-wal")[.size] as? Int
        return try await readAside { [path, currency] connection in
            let database = connection.database
            func value(_ sql: String) throws -> String { try String.fetchOne(database, sql: sql) ?? "" }
            func number(_ sql: String) throws -> Int { try Int.fetchOne(database, sql: sql) ?? 0 }
            return try connection.snapshot {
                let tables = try String.fetchAll(
                    database,
                    sql: """
                        SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'
                            AND name NOT IN ('grdb_migrations', 'meta')
                        """)
                return Info(
                    path: path, size: try number("PRAGMA page_count") * number("PRAGMA page_size"), logSize: log ?? 0,
                    schema: try value("SELECT identifier FROM grdb_migrations ORDER BY rowid DESC LIMIT 1"),
                    currency: currency, journalMode: try value("PRAGMA journal_mode"), synchronous: synchronous,
                    sqlite: try value("SELECT sqlite_version()"),
                    counts: try Dictionary(
                        uniqueKeysWithValues: tables.map { ($0, try number("SELECT count(*) FROM \"\($0)\"")) }))
            }
        }
    }

    /// Copies a consistent snapshot of the store into a new file, while it is in use.
    ///
    /// - Throws: ``ProcessingError`` with code `exists` when there is a file at `path`, `store` when it cannot be
    ///   written.
    public func backup(to path: String) async throws {
        let backup = try Backup(path: path)
        try await readAside { try backup.make(from: $0.database) }
    }

    /// Checks every page and row, recomputes every total, and returns the problems found; empty when all is well.
    ///
    /// The store can be used meanwhile. Takes a few seconds per gigabyte.
    public func check() async throws -> [String] {
        try await readAside { connection in
            try connection.snapshot {
                var audit = Audit(connection)
                audit.run()
                return audit.problems
            }
        }
    }
}

extension Connection {
    /// Runs `body` so that everything it reads comes from one moment.
    func snapshot<Value>(_ body: () throws -> Value) throws -> Value {
        try statement("BEGIN").run()
        let result = Result { try body() }
        try statement("COMMIT").run()
        return try result.get()
    }

    fileprivate func synchronousMode() throws -> String {
        let modes = ["off", "normal", "full", "extra"]
        let mode = try Int.fetchOne(database, sql: "PRAGMA synchronous") ?? 0
        return modes.indices.contains(mode) ? modes[mode] : "\(mode)"
    }
}
