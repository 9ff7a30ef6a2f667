import Assay
import GRDB
import GRDBSQLite

/// One connection to the database with its prepared statements; used by one thread at a time.
final class Connection {
    let database: Database
    /// The number of pages in the write-ahead log after the last commit of this connection.
    private(set) var pagesInLog = 0
    private var statements: [UnsafePointer<UInt8>: SQLStatement] = [:]
    private var queries: [String: SQLStatement] = [:]

    init(_ database: Database) { self.database = database }

    /// Returns the statement for `sql`, which is prepared at its first use.
    func statement(_ sql: StaticString) throws -> SQLStatement {
        if let statement = statements[sql.utf8Start] { return statement }
        let statement = SQLStatement(try database.makeStatement(sql: "\(sql)"))
        statements[sql.utf8Start] = statement
        return statement
    }

    /// Returns the statement for `sql`, for SQL that is built at run time.
    func prepare(_ sql: String) throws -> SQLStatement {
        if let statement = queries[sql] { return statement }
        let statement = SQLStatement(try database.makeStatement(sql: sql))
        queries[sql] = statement
        return statement
    }

    /// Runs `body` in one transaction, which is durable on return and rolled back when anything throws.
    func transaction<Value>(_ body: () throws -> Value) throws -> Value {
        try statement("BEGIN IMMEDIATE").run()
        do {
            let value = try body()
            try statement("COMMIT").run()
            return value
        } catch {
            // After some failures SQLite has already rolled back the transaction.
            if database.isInsideTransaction { try statement("ROLLBACK").run() }
            throw error
        }
    }

    /// Runs `body` so that its failure rolls back only its own writes and nothing else of the transaction.
    func savepoint<Value>(_ body: () throws -> Value) throws -> Value {
        try statement("SAVEPOINT request").run()
        do {
            let value = try body()
            try statement("RELEASE request").run()
            return value
        } catch {
            if database.isInsideTransaction {
                try statement("ROLLBACK TO request").run()
                try statement("RELEASE request").run()
            }
            throw error
        }
    }

    /// Starts to update ``pagesInLog``. The connection must outlive every commit.
    func watchLog() {
        sqlite3_wal_hook(
            database.sqliteConnection,
            { context, _, _, pages in
                if let context {
                    Unmanaged<Connection>.fromOpaque(context).takeUnretainedValue().pagesInLog = Int(pages)
                }
                return SQLITE_OK
            }, Unmanaged.passUnretained(self).toOpaque())
    }

    /// Stops watching the log.
    func unwatchLog() { sqlite3_wal_hook(database.sqliteConnection, nil, nil) }

    /// Copies the log into the database as far as readers allow, so that the log can restart.
    func checkpoint() throws {
        var (inLog, copied): (Int32, Int32) = (0, 0)
        let code = sqlite3_wal_checkpoint_v2(
            database.sqliteConnection, nil, SQLITE_CHECKPOINT_PASSIVE, &inLog, &copied)
        guard code == SQLITE_OK || code == SQLITE_BUSY else {
            throw DatabaseError(resultCode: ResultCode(rawValue: code), message: database.lastErrorMessage)
        }
        pagesInLog = Int(max(0, inLog - copied))
    }
}

extension Configuration {
    /// The configuration of the only connection that writes.
    static var writer: Configuration {
        var configuration = common
        configuration.label = "assay.store.writer"
        configuration.prepareDatabase { database in
            let mode = try String.fetchOne(database, sql: "PRAGMA journal_mode = WAL")
            guard mode == "wal" else {
                throw ProcessingError(.store, "the file system of the store has no write-ahead log; use a local disk")
            }
            // Set after the journal mode, which may change it to a weaker setting.
            try database.execute(sql: "PRAGMA synchronous = FULL")
            try database.execute(sql: "PRAGMA wal_autocheckpoint = 0")
            try database.execute(sql: "PRAGMA journal_size_limit = 67108864")
            try database.harden()
        }
        return configuration
    }

    /// The configuration of connections that only read.
    static var reader: Configuration {
        var configuration = common
        configuration.label = "assay.store.reader"
        configuration.readonly = true
        configuration.prepareDatabase { database in
            try database.execute(sql: "PRAGMA query_only = ON")
            try database.execute(sql: "PRAGMA wal_autocheckpoint = 0")
            try database.harden()
        }
        return configuration
    }

    private static var common: Configuration {
        var configuration = Configuration()
        configuration.busyMode = .timeout(5)
        configuration.foreignKeysEnabled = true
        return configuration
    }
}

extension Database {
    /// Applies settings so that a file that was tampered with cannot run code or read beyond its pages.
    fileprivate func harden() throws {
        try execute(sql: "PRAGMA trusted_schema = OFF")
        try execute(sql: "PRAGMA cell_size_check = ON")
        sqlite3_limit(sqliteConnection, SQLITE_LIMIT_ATTACHED, 0)
    }
}
