import Foundation
import GRDBSQLite

extension Workloads {
    /// The yardstick of durability: one row per item through SQLite's C functions, commits of 100, WAL, FULL.
    static func rawSQLite(_ request: Request) async throws -> Measurement {
        let path = request.directory + "/raw-\(getpid()).db"
        defer { for suffix in ["", "-wal", "-shm"] { unlink(path + suffix) } }
        var database: OpaquePointer?
        try check(sqlite3_open(path, &database) == SQLITE_OK, "open")
        defer { sqlite3_close(database) }
        func run(_ sql: String) throws { try check(sqlite3_exec(database, sql, nil, nil, nil) == SQLITE_OK, sql) }
        try run("PRAGMA journal_mode=WAL")
        try run("PRAGMA synchronous=FULL")
        try run("CREATE TABLE outcomes (run INTEGER, idx INTEGER, status TEXT, output TEXT, PRIMARY KEY (run, idx))")
        var statement: OpaquePointer?
        let insert = "INSERT INTO outcomes VALUES (1, ?, 'succeeded', ?)"
        try check(sqlite3_prepare_v2(database, insert, -1, &statement, nil) == SQLITE_OK, "prepare")
        defer { sqlite3_finalize(statement) }
        let measured = try await Measurement.of {
            for index in 0..<request.count {
                if index % 100 == 0 { try run("BEGIN IMMEDIATE") }
                sqlite3_bind_int64(statement, 1, Int64(index))
                let text = String(index + 1)
                text.withCString { _ = sqlite3_bind_text(statement, 2, $0, Int32(text.utf8.count), nil) }
                try check(sqlite3_step(statement) == SQLITE_DONE, "step")
                sqlite3_reset(statement)
                if index % 100 == 99 || index == request.count - 1 { try run("COMMIT") }
            }
        }
        return measured
    }
}
