import Assay
import GRDB
import GRDBSQLite

/// One connection to the database with the statements it has prepared; used by one thread at a time.
final class Connection {
    let database: Database
    /// How many pages the write-ahead log held after the last commit of this connection.
    private(set) var pagesInLog = 0
    private var statements: [UnsafePointer<UInt8>: SQLStatement] = [:]
    private var queries: [String: SQLStatement] = [:]

    init(_ database: Database) { self.database = database }

    /// The statement that `sql` writes, prepared at its first use.
    func statement(_ sql: StaticString) throws -> SQLStatement {
        if let statement = statements[sql.utf8Start] { return statement }
        let statement = SQLStatement(try database.makeStatement(sql: "\(sql)"))
        statements[sql.utf8Start] = statement
        return statement
    }

    /// The statement that `sql` writes, for text that was put together.
    func prepare(_ sql: String) throws -> SQLStatement {
        if let statement = queries[sql] { return statement }
        let statement = SQLStatement(try database.makeStatement(sql: sql))
        queries[sql] = statement
        return statement
    }

    /// Runs `body` in one transaction, which is durable on return and undone when anything throws.
    func transaction<Value>(_ body: () throws -> Value) throws -> Value {
        try statement("BEGIN IMMEDIATE").run()
        do {
            let value = try body()
            try statement("COMMIT").run()
            return value
        } catch {
            // After some failures SQLite has undone the transaction itself.
            if database.isInsideTransaction { try statement("ROLLBACK").run() }
            throw error
        }
    }

    /// Runs `body` so that its failure undoes what it wrote and nothing else of the transaction.
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

    /// From now on ``pagesInLog`` is kept. The connection must outlive every commit.
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

    /// Ends the watching of the log.
    func unwatchLog() { sqlite3_wal_hook(database.sqliteConnection, nil, nil) }

    /// Copies the log into the database as far as readers allow, so that the log can begin anew.
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
    /// How the one connection that writes is set up.
    static var writer: Configuration {
        var configuration = common
        configuration.label = "assay.store.writer"
        configuration.prepareDatabase { database in
            let mode = try String.fetchOne(database, sql: "PRAGMA journal_mode = WAL")
            guard mode == "wal" else {
                throw ProcessingError(.store, "the file system of the store has no write-ahead log; use a local disk")
            }
            // After the journal mode, which may bring a weaker setting with it.
            try database.execute(sql: "PRAGMA synchronous = FULL")
            try database.execute(sql: "PRAGMA wal_autocheckpoint = 0")
            try database.execute(sql: "PRAGMA journal_size_limit = 67108864")
            try database.harden()
        }
        return configuration
    }

    /// How connections that only read are set up.
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
    /// A file that was tampered with must not run code or read beyond its pages.
    fileprivate func harden() throws {
        try execute(sql: "PRAGMA trusted_schema = OFF")
        try execute(sql: "PRAGMA cell_size_check = ON")
        sqlite3_limit(sqliteConnection, SQLITE_LIMIT_ATTACHED, 0)
    }
}
