import Assay
import AssayTesting
import Foundation
import GRDB
import Testing

@testable import AssaySQLite

@Suite("A SQLite store") struct SQLiteStoreTests {
    private let folder = TemporaryFolder()

    @Test("flushes every commit to the disk before it acknowledges")
    func synchronous() async throws {
        let store = try SQLiteStore.open(folder.database)
        let modes = try await store.write { connection in
            try [
                "synchronous", "journal_mode", "wal_autocheckpoint", "foreign_keys", "trusted_schema",
                "cell_size_check",
            ]
            .map { try String.fetchOne(connection.database, sql: "PRAGMA \($0)") ?? "" }
        }
        #expect(modes == ["2", "wal", "0", "1", "0", "1"])
        let info = try await store.info()
        #expect(info.synchronous == "full")
        #expect(info.journalMode == "wal")
        #expect(info.counts["runs"] == 0)
    }

    @Test("lets others read along who see each commit, write nothing, and need no owner")
    func readers() async throws {
        let owner = try SQLiteStore.open(folder.database)
        let reader = try SQLiteStore.open(folder.database, access: .readOnly)
        let run = try await Sample.fill(owner)
        #expect(try await reader.run(run.id)?.status == .succeeded)
        #expect(try await reader.outcomes(of: run.id, from: 0, limit: 9).count == 3)
        await #expect(throws: ProcessingError.self) { try await reader.begin(Sample.run("run_2")) }
        #expect(throws: (any Error).self) {
            try reader.read { try $0.database.execute(sql: "DELETE FROM charges") }
        }
        #expect(try await reader.info().synchronous == nil)
        owner.close()
        #expect(try await reader.run(run.id)?.status == .succeeded)
        let late = try SQLiteStore.open(folder.database, access: .readOnly)
        #expect(try await late.charges(matching: ChargeFilter()).count == 4)
    }

    @Test("refuses everything once it is closed")
    func closed() async throws {
        let store = try SQLiteStore.open(folder.database)
        store.close()
        store.close()
        await #expect(throws: ProcessingError.self) { try await store.begin(Sample.run()) }
        await #expect(throws: ProcessingError.self) { try await store.run(Sample.id("run_1")) }
    }

    @Test("leaves no log at a clean end, whoever has read and still reads")
    func cleanEnd() async throws {
        let store = try SQLiteStore.open(folder.database)
        _ = try await Sample.fill(store, items: 200)
        try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<8 {
                group.addTask { try await store.outcomes(of: Sample.id("run_1"), from: 0, limit: .max).count }
            }
            for try await count in group { #expect(count == 200) }
        }
        let (entries, entered) = AsyncStream<Void>.makeStream()
        async let late = store.readAside { connection in
            entered.finish()
            return try connection.outcomes(of: Sample.id("run_1"), from: 0, limit: .max).count
        }
        for await _ in entries {}
        store.close()
        #expect(try await late == 200)
        for suffix in ["-wal", "-shm"] { #expect(access(folder.database + suffix, F_OK) != 0) }
        let reader = try SQLiteStore.open(folder.database, access: .readOnly)
        #expect(try await reader.charges(matching: ChargeFilter()).count == 201)
        reader.close()
        await #expect(throws: ProcessingError.self) { try await reader.charges(matching: ChargeFilter()) }
    }

    @Test("keeps one currency for life")
    func currency() throws {
        let store = try SQLiteStore.open(folder.database, currency: "EUR")
        #expect(store.currency == "EUR")
        store.close()
        #expect(try SQLiteStore.open(folder.database).currency == "EUR")
        let error = #expect(throws: ProcessingError.self) { try SQLiteStore.open(folder.database, currency: "USD") }
        #expect(error?.message == "the amounts of this store are in EUR, not in USD; use another store")
    }

    @Test("refuses what is not a store and leaves it as it was")
    func foreign() throws {
        mkdir(folder.state, 0o700)
        let text = Data(String(repeating: "not a database ", count: 100).utf8)
        try text.write(to: URL(fileURLWithPath: folder.database))
        chmod(folder.database, 0o600)
        #expect(throws: ProcessingError.self) { try SQLiteStore.open(folder.database) }
        #expect(try Data(contentsOf: URL(fileURLWithPath: folder.database)) == text)
        unlink(folder.database)
        let other = try DatabaseQueue(path: folder.database)
        try other.write { try $0.execute(sql: "CREATE TABLE notes (text)") }
        try other.close()
        chmod(folder.database, 0o600)
        let error = #expect(throws: ProcessingError.self) { try SQLiteStore.open(folder.database) }
        #expect(error?.message == "'\(folder.database)' is not a store; choose another path")
    }

    @Test("refuses a database of a newer version, to write and to read")
    func newer() throws {
        var newer = Schema.current
        newer.migrations.append(Schema.Migration(name: "later", sql: "CREATE TABLE later (x INTEGER)"))
        try SQLiteStore.open(folder.database, access: .owner, schema: newer).close()
        for access in [SQLiteStore.Access.owner, .readOnly] {
            let error = #expect(throws: ProcessingError.self) { try SQLiteStore.open(folder.database, access: access) }
            #expect(error?.message.contains("was written by a newer version") == true)
        }
    }

    @Test("refuses a database that an earlier version made, with the way to begin anew, and leaves it as it is")
    func earlier() throws {
        try SQLiteStore.open(folder.database).close()
        let database = try DatabaseQueue(path: folder.database)
        try database.inDatabase { try $0.execute(sql: "PRAGMA user_version = 0") }
        try database.close()
        let before = try Data(contentsOf: URL(fileURLWithPath: folder.database))
        for access in [SQLiteStore.Access.owner, .readOnly] {
            let error = #expect(throws: ProcessingError.self) { try SQLiteStore.open(folder.database, access: access) }
            #expect(error?.message.contains("was made by an earlier version") == true)
            #expect(error?.message.contains("move the file away") == true)
        }
        #expect(try Data(contentsOf: URL(fileURLWithPath: folder.database)) == before)
        try FileManager.default.moveItem(atPath: folder.database, toPath: folder.database + ".old")
        try SQLiteStore.open(folder.database).close()
    }

    @Test("backs an older database up before it brings it up to date, in one step or not at all")
    func migration() async throws {
        let old = try SQLiteStore.open(folder.database)
        let run = try await Sample.fill(old)
        old.close()
        var newer = Schema.current
        newer.migrations.append(Schema.Migration(name: "later", sql: "CREATE TABLE later (x INTEGER); NONSENSE"))
        #expect(throws: ProcessingError.self) { try SQLiteStore.open(folder.database, access: .owner, schema: newer) }
        let unchanged = try SQLiteStore.open(folder.database)
        #expect(try await unchanged.check() == [])
        unchanged.close()
        newer.migrations[newer.migrations.count - 1].sql = "CREATE TABLE later (x INTEGER)"
        #expect(throws: ProcessingError.self) {
            try SQLiteStore.open(folder.database, access: .readOnly, schema: newer)
        }
        let new = try SQLiteStore.open(folder.database, access: .owner, schema: newer)
        #expect(try await new.run(run.id)?.status == .succeeded)
        #expect(try await new.info().schema == "later")
        for number in 1...2 {
            let backup = try DatabaseQueue(path: folder.database + ".before-later-\(number)")
            #expect(try await backup.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM charges") } == 4)
        }
    }

    @Test("is made anew over what a program left that was killed while it made it")
    func halfMade() async throws {
        mkdir(folder.state, 0o700)
        let half = try DatabaseQueue(path: folder.database)
        try await half.write {
            try $0.execute(sql: "CREATE TABLE grdb_migrations (identifier TEXT NOT NULL PRIMARY KEY)")
        }
        try half.close()
        chmod(folder.database, 0o600)
        #expect(throws: ProcessingError.self) { try SQLiteStore.open(folder.database, access: .readOnly) }
        _ = try await Sample.fill(SQLiteStore.open(folder.database))
        #expect(try await SQLiteStore.open(folder.database).check() == [])
    }

    @Test("ends what a dead owner left, and leaves what was paused")
    func recovery() async throws {
        let first = try SQLiteStore.open(folder.database)
        let (left, paused) = (Sample.run("left"), Sample.run("paused"))
        for var run in [left, paused] {
            try await first.begin(run)
            try await first.append(Sample.items(3), settled: [], to: run.id, epoch: 1)
            _ = try await first.commit([Sample.committed(1, of: run)], of: run.id, epoch: 1)
            try await first.file(Sample.call("call_\(run.id)", of: run), charge: nil, cached: nil)
            guard run.id == paused.id else { continue }
            run.status = .paused
            try await first.update(run)
        }
        let finished = try await Sample.fill(first)
        first.close()

        let second = try SQLiteStore.open(folder.database)
        #expect(second.recovered == [left.id])
        let run = try #require(try await second.run(left.id))
        #expect(run.status == .failed)
        #expect(run.epoch == 2)
        #expect(run.error?.code == .interrupted)
        #expect(run.error?.retryable == true)
        #expect(run.error?.message.hasSuffix("go on with: assay resume left") == true)
        #expect(run.counts.total == 3)
        #expect(run.counts.succeeded == 1)
        #expect(run.finishedAt != nil)
        #expect(try await second.execution(run.executionID)?.status == .failed)
        #expect(try await second.outcomes(of: run.id, from: 0, limit: 9).map(\.index) == [1])
        #expect(try await second.commit([Sample.committed(2, of: left)], of: left.id, epoch: 1) == [false])
        #expect(try await second.run(paused.id)?.status == .paused)
        #expect(try await second.run(finished.id)?.status == .succeeded)
        #expect(try await second.calls(matching: CallFilter(states: [.open])) == [])
        #expect(try await second.calls(matching: CallFilter(states: [.inDoubt])).count == 2)
        #expect(try await second.check() == [])
        second.close()
        #expect(try SQLiteStore.open(folder.database).recovered == [])
    }

    @Test("takes a damaged saved step for not saved and a damaged cached value for a miss that is deleted")
    func damagedValues() async throws {
        let store = try SQLiteStore.open(folder.database)
        let run = try await Sample.fill(store)
        try await store.save(Sample.checkpoint("score", 1, of: run), charges: [])
        try await store.write { connection in
            try connection.database.execute(
                sql: """
                    UPDATE checkpoints SET value = '{"text":"abd"}' WHERE step = 'read';
                    UPDATE cache SET cost = cost + 1;
                    """)
        }
        var steps = try await store.checkpoints(of: Sample.subject(of: run))
        #expect(steps.saved.map(\.step) == ["score"] && steps.damaged == ["read"])
        #expect(try await store.check() != [])
        let listed = try await store.cacheEntries(matching: CacheFilter(), after: nil, limit: 9)
        #expect(listed.entries == [] && listed.damaged == 1)
        #expect(try await store.cacheStatistics(at: Timestamp(milliseconds: 0)).damaged == 1)
        #expect(try await store.cached("key") == .damaged)
        #expect(try await store.cached("key") == .missing)
        #expect(try await store.info().counts["cache"] == 0)
        try await store.save(Sample.checkpoint("read", 2, of: run), charges: [])
        #expect(try await store.check() == [])
        // A value that was filed under another step's name is damaged too.
        try await store.write { try $0.database.execute(sql: "UPDATE checkpoints SET step = 'x' WHERE step = 'read'") }
        steps = try await store.checkpoints(of: Sample.subject(of: run))
        #expect(steps.saved.map(\.step) == ["score"] && steps.damaged == ["x"])
    }

    @Test(
        "finds every change that was not made through it",
        arguments: [
            "UPDATE charges SET cost = cost + 1 WHERE seq = 1", "DELETE FROM charges WHERE seq = 2",
            "UPDATE outcomes SET output = '1' WHERE idx = 1", "DELETE FROM outcomes WHERE idx = 2",
            "UPDATE chunks SET data = CAST(replace(data, 'doc_1', 'doc_2') AS BLOB)", "DELETE FROM chunks",
            "UPDATE list_pages SET first = 1", "DELETE FROM list_pages", "UPDATE lists SET count = 9",
            "UPDATE lists SET users = 2", "UPDATE chunks SET users = 2", "DELETE FROM run_lists",
            "UPDATE intakes SET count = 2", "DELETE FROM intakes",
            "UPDATE runs SET epoch = 9", "UPDATE executions SET status = 'failed'",
            "UPDATE calls SET maximum_cost = 0", "UPDATE events SET place = place + 1",
        ])
    func audit(change: String) async throws {
        let store = try SQLiteStore.open(folder.database)
        _ = try await Sample.fill(store)
        #expect(try await store.check() == [])
        try await store.write { try $0.database.execute(sql: change) }
        #expect(try await store.check() != [])
    }

    @Test(
        "finds calls, charges and cached values that do not belong together",
        arguments: [
            ("DELETE FROM charges WHERE key = 'call|call_1'", "call 'call_1' is settled and has no charge"),
            ("DELETE FROM calls", "call 'call_1' was charged and is not settled"),
            ("UPDATE calls SET state = 'open'", "call 'call_1' was charged and is not settled"),
            (
                "UPDATE charges SET cost_id = 'x' WHERE key = 'call|call_1'",
                "the cached value 'key' was paid for by a charge that is not there"
            ),
        ])
    func unpaired(change: String, problem: String) async throws {
        let store = try SQLiteStore.open(folder.database)
        _ = try await Sample.fill(store)
        try await store.write { try $0.database.execute(sql: change) }
        #expect(try await store.check().contains(problem))
    }

    @Test("takes a call that was released and settled later for sound")
    func lateSettlement() async throws {
        let store = try SQLiteStore.open(folder.database)
        let run = Sample.run()
        try await store.begin(run)
        try await store.file(Sample.call("call_1", of: run, state: .released), charge: nil, cached: nil)
        let settled = Sample.call("call_1", of: run, state: .settled)
        for _ in 1...2 {
            try await store.file(settled, charge: Sample.callCharge("call_1", of: run), cached: nil)
        }
        #expect(try await store.check() == [])
    }

    @Test("takes a charge that came after its item was given up for sound")
    func lateCharge() async throws {
        let store = try SQLiteStore.open(folder.database)
        var run = Sample.run()
        try await store.begin(run)
        try await store.append(Sample.items(1), settled: [], to: run.id, epoch: 1)
        var outcome = Outcome(inputID: "doc_0", index: 0, status: .failed)
        outcome.attempts = 1
        _ = try await store.commit([CommittedOutcome(outcome)], of: run.id, epoch: 1)
        try await store.file(
            Sample.call("call_1", of: run, state: .settled), charge: Sample.callCharge("call_1", of: run), cached: nil)
        (run.status, run.counts) = (.failed, Counts(total: 1))
        run.counts.add(.failed)
        run.finishedAt = Timestamp(milliseconds: run.startedAt.milliseconds + 1_000)
        try await store.update(run)
        #expect(try await store.check() == [])
    }

    @Test("never gives a charge or an outcome that was altered")
    func altered() async throws {
        let store = try SQLiteStore.open(folder.database)
        let run = try await Sample.fill(store)
        try await store.write { connection in
            try connection.database.execute(sql: "UPDATE charges SET cost = 0; UPDATE outcomes SET output = '1'")
        }
        await #expect(throws: ProcessingError.self) { try await store.charges(matching: ChargeFilter()) }
        await #expect(throws: ProcessingError.self) { try await store.outcomes(of: run.id, from: 0, limit: 1) }
    }

    @Test("copies itself to a new file for its user alone, and overwrites none")
    func backup() async throws {
        let store = try SQLiteStore.open(folder.database)
        let run = try await Sample.fill(store)
        mkdir(folder.path + "/copies", 0o700)
        let copy = folder.path + "/copies/assay.db"
        try await store.backup(to: copy)
        var found = stat()
        #expect(lstat(copy, &found) == 0 && found.st_mode & 0o777 == 0o600)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path + "/copies") == ["assay.db"])
        let error = await #expect(throws: ProcessingError.self) { try await store.backup(to: copy) }
        #expect(error?.code == .exists)
        let second = try SQLiteStore.open(copy)
        #expect(try await second.run(run.id)?.status == .succeeded)
        #expect(try await second.check() == [])
    }

    @Test("refuses values that could not be read again, and writes nothing of them")
    func unwritable() async throws {
        let store = try SQLiteStore.open(folder.database)
        let run = Sample.run()
        try await store.begin(run)
        try await store.append(Sample.items(1), settled: [], to: run.id, epoch: 1)
        let deep = (0...JSONValue.maximumDepth).reduce(JSONValue.null) { value, _ in [value] }
        for payload in [Payload(json: deep), Payload(Double.nan)] {
            var committed = Sample.committed(0, of: run)
            committed.outcome.output = payload
            let outcomes = [committed]
            let error = await #expect(throws: ProcessingError.self) {
                try await store.commit(outcomes, of: run.id, epoch: 1)
            }
            #expect(error?.code == .processing)
        }
        #expect(try await store.charges(matching: ChargeFilter()) == [])
    }
}
