import Assay
import AssayTesting
import Foundation
import GRDB
import Testing

@testable import AssaySQLite

/// A store whose owner has died: its files as they were at one moment, in a folder of their own.
private struct DeadOwner {
    let folder = TemporaryFolder()

    /// Copies the files of a live owner, as a kill at this moment would leave them.
    init(of live: TemporaryFolder) throws {
        mkdir(folder.state, 0o700)
        for name in ["assay.db", "assay.db-wal", "owner.lock"] {
            let bytes = try Data(contentsOf: URL(fileURLWithPath: live.state + "/" + name))
            try bytes.write(to: URL(fileURLWithPath: folder.state + "/" + name))
            chmod(folder.state + "/" + name, 0o600)
        }
    }

    /// The bytes of the database and its log.
    var bytes: [Data] {
        get throws {
            try ["assay.db", "assay.db-wal"].map { try Data(contentsOf: URL(fileURLWithPath: folder.state + "/" + $0)) }
        }
    }
}

@Suite("The owner of a store") struct OwnershipTests {
    private let folder = TemporaryFolder()

    private func refusal(_ body: () async throws -> Void) async -> String {
        do {
            try await body()
            return ""
        } catch { return (error as? ProcessingError)?.message ?? "\(error)" }
    }

    @Test("keeps it when its lock file is removed: another is refused and told who has it, and readers look on")
    func removedLock() async throws {
        let owner = try SQLiteStore.open(folder.database)
        try await owner.begin(Sample.run())
        unlink(folder.state + "/owner.lock")
        for _ in 0..<2 {
            let message = await refusal { _ = try SQLiteStore.open(folder.database) }
            #expect(message.contains("is in use by process \(getpid()) since 20"))
        }
        let reader = try SQLiteStore.open(folder.database, access: .readOnly)
        #expect(try await reader.run(Sample.id("run_1"))?.status == .running)
        #expect(reader.recovered == [])
        reader.close()
        try await owner.begin(Sample.run("run_2"))
        owner.close()
        try SQLiteStore.open(folder.database).close()
    }

    @Test("stops when the store was replaced, says so, and leaves the log of the new owner alone")
    func replaced() async throws {
        let owner = try SQLiteStore.open(folder.database)
        try await owner.begin(Sample.run())
        try FileManager.default.moveItem(atPath: folder.state, toPath: folder.path + "/away")
        let next = try SQLiteStore.open(folder.database)
        try await next.begin(Sample.run("next"))
        for name in ["run_2", "run_3"] {
            let message = await refusal { try await owner.begin(Sample.run(name)) }
            #expect(message.contains("was removed or replaced while this program worked on it"))
        }
        #expect(await refusal { _ = try await owner.run(Sample.id("run_1")) }.contains("was removed or replaced"))
        owner.close()
        try await next.begin(Sample.run("last"))
        next.close()
        let reader = try SQLiteStore.open(folder.database, access: .readOnly)
        #expect(try await reader.runs(matching: RunFilter()).map(\.id.text) == ["last", "next"])
        #expect(try await reader.check() == [])
    }

    @Test("stops when another one has written itself down, and names it")
    func takenOver() async throws {
        let owner = try SQLiteStore.open(folder.database)
        try await owner.begin(Sample.run())
        let other = try DatabaseQueue(path: folder.database)
        try await other.write {
            try $0.execute(sql: "UPDATE meta SET value = '9 process 7 since then' WHERE name = 'owner'")
        }
        let message = await refusal { try await owner.begin(Sample.run("run_2")) }
        #expect(message.hasPrefix("process 7 since then has taken over the store"))
        #expect(try await other.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM runs") } == 1)
        try other.close()
        owner.close()
    }

    @Test("writes none of a group of writes when it has lost the store")
    func group() async throws {
        let owner = try SQLiteStore.open(folder.database)
        try FileManager.default.moveItem(atPath: folder.state, toPath: folder.path + "/away")
        let refused = await withTaskGroup(of: Bool.self) { group in
            for number in 0..<20 {
                group.addTask {
                    await refusal { try await owner.begin(Sample.run("run_\(number)")) }.contains("removed or replaced")
                }
            }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(refused == 20)
        owner.close()
    }
}

@Suite("A store whose owner has died") struct AbandonedStoreTests {
    private let live = TemporaryFolder()
    // The moment at which sample runs begin.
    private let time = ManualTime(start: Timestamp(milliseconds: 1_740_993_300_000))

    /// A queue with an execution that runs, one that waits, a run of its own and calls, whose owner dies.
    private func dead() async throws -> DeadOwner {
        let owner = try SQLiteStore.open(live.database, world: .testing(time: time))
        defer { owner.close() }
        _ = try await owner.submit([Self.submitted("exec_1"), Self.submitted("exec_2")])
        try await owner.begin(Sample.run("run_1", execution: "exec_1"), asSubmitted: true)
        let own = Sample.run("run_2")
        try await owner.begin(own)
        try await owner.append(Sample.items(3), settled: [], to: own.id, epoch: own.epoch)
        _ = try await owner.commit([Sample.committed(0, of: own)], of: own.id, epoch: own.epoch)
        time.advance(by: .seconds(5))
        var paused = Sample.run("run_3")
        paused.status = .paused
        try await owner.begin(paused)
        return try DeadOwner(of: live)
    }

    private static func submitted(_ name: String) -> SubmittedExecution {
        var execution = Execution(
            id: Sample.id(name), scope: Scope(), status: .pending, createdAt: Timestamp(milliseconds: 1))
        execution.processorID = Sample.id("sample")
        return SubmittedExecution(execution, items: [Item("a", 1)])
    }

    /// Everything that lists show.
    private func shown(_ store: SQLiteStore) async throws -> [String] {
        var lines: [String] = []
        for run in try await store.runs(matching: RunFilter()) {
            lines.append(
                "\(run.id) \(run.status) \(run.counts.succeeded)/\(run.counts.total) \(run.error?.code.rawValue ?? "-") "
                    + "\(run.finishedAt.map { "\($0)" } ?? "-") \(run.duration.map { "\($0)" } ?? "-")")
        }
        for run in ["run_1", "run_2", "run_3"] {
            lines.append("\(try await store.run(Sample.id(run))?.status.rawValue ?? "-")")
        }
        for status in Status.allCases {
            lines.append(
                "\(status) \(try await store.runs(matching: RunFilter(statuses: [status], limit: 9)).map(\.id.text))")
        }
        return lines
    }

    @Test("shows a reader what its next owner makes of it, and is changed by that one only")
    func reader() async throws {
        let dead = try await dead()
        let before = try dead.bytes
        let reader = try SQLiteStore.open(dead.folder.database, access: .readOnly)
        let seen = try await shown(reader)
        #expect(Set(reader.recovered.map(\.text)) == ["run_1", "run_2"])
        #expect(seen.contains { $0.hasPrefix("run_1 failed 0/0 interrupted") })
        #expect(seen.contains { $0.hasPrefix("run_2 failed 1/3 interrupted") })
        #expect(seen.contains { $0.hasPrefix("run_3 paused") })
        let waiting = try await reader.executions(matching: ExecutionFilter(statuses: [.pending]))
        #expect(waiting.map(\.id.text) == ["exec_2", "exec_1"] || waiting.map(\.id.text) == ["exec_1", "exec_2"])
        #expect(try await reader.execution(Sample.id("exec_1"))?.waitsFor?.contains("interrupted") == true)
        #expect(try await reader.executionCounts().pending == 2)
        reader.close()
        #expect(try dead.bytes == before)
        time.advance(by: .seconds(3_600))
        let owner = try SQLiteStore.open(dead.folder.database, world: .testing(time: time))
        #expect(try await shown(owner) == seen)
        owner.close()
    }

    @Test("says that its runs ended at their last sign of life, whenever somebody looks")
    func times() async throws {
        let dead = try await dead()
        let died = time.now()
        time.advance(by: .seconds(3_600))
        let owner = try SQLiteStore.open(dead.folder.database, world: .testing(time: time))
        let run = try #require(try await owner.run(Sample.id("run_2")))
        #expect(run.finishedAt == died)
        #expect(run.duration == .seconds(5))
        owner.close()
    }

    @Test("says so by what is on record when the lock file is gone")
    func timesWithoutLock() async throws {
        let dead = try await dead()
        unlink(dead.folder.state + "/owner.lock")
        let owner = try SQLiteStore.open(dead.folder.database, world: .testing(time: time))
        let run = try #require(try await owner.run(Sample.id("run_2")))
        // The charge of the sample, which is as old as the run, is the only sign that is left.
        #expect(run.finishedAt == run.startedAt)
        #expect(run.duration == .zero)
        owner.close()
    }

    @Test("is shown as it is once somebody owns it again")
    func owned() async throws {
        let dead = try await dead()
        let reader = try SQLiteStore.open(dead.folder.database, access: .readOnly)
        #expect(try await reader.run(Sample.id("run_1"))?.status == .failed)
        let owner = try SQLiteStore.open(dead.folder.database, world: .testing(time: time))
        try await owner.begin(Sample.run("run_4", execution: "exec_1"), asSubmitted: true)
        #expect(try await reader.run(Sample.id("run_4"))?.status == .running)
        #expect(try await reader.execution(Sample.id("exec_1"))?.status == .running)
        #expect(try await reader.runs(matching: RunFilter(statuses: [.running])).map(\.id.text) == ["run_4"])
        reader.close()
        owner.close()
    }
}

@Suite("A database of something else") struct ForeignDatabaseTests {
    private let folder = TemporaryFolder()

    private func refused(_ access: SQLiteStore.Access) -> String {
        do {
            try SQLiteStore.open(folder.database, access: access).close()
            return ""
        } catch { return (error as? ProcessingError)?.message ?? "\(error)" }
    }

    private var mode: mode_t {
        var found = stat()
        lstat(folder.database, &found)
        return found.st_mode & 0o777
    }

    @Test(
        "is refused before anything of it changes, its rights and its journal included",
        arguments: ["DELETE", "WAL"], [0, 4_711])
    func foreign(journal: String, application: Int) throws {
        mkdir(folder.state, 0o700)
        let queue = try DatabaseQueue(path: folder.database)
        try queue.writeWithoutTransaction { database in
            _ = try String.fetchOne(database, sql: "PRAGMA journal_mode = \(journal)")
            try database.execute(sql: "PRAGMA application_id = \(application); CREATE TABLE theirs (a)")
        }
        try queue.close()
        chmod(folder.database, 0o644)
        let before = try Data(contentsOf: URL(fileURLWithPath: folder.database))
        for access in [SQLiteStore.Access.owner, .readOnly] {
            #expect(refused(access) == "'\(folder.database)' is not a store; choose another path")
        }
        #expect(try Data(contentsOf: URL(fileURLWithPath: folder.database)) == before)
        #expect(mode == 0o644)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.state) == ["assay.db"])
    }

    @Test("is refused when it is no database at all")
    func text() throws {
        mkdir(folder.state, 0o700)
        try Data("dear diary".utf8).write(to: URL(fileURLWithPath: folder.database))
        chmod(folder.database, 0o644)
        #expect(refused(.owner) == "'\(folder.database)' is not a store; choose another path")
        #expect(mode == 0o644)
    }

    @Test("of a newer version is refused before anything of it changes")
    func newer() throws {
        try SQLiteStore.open(folder.database).close()
        let queue = try DatabaseQueue(path: folder.database)
        try queue.writeWithoutTransaction { database in
            _ = try String.fetchOne(database, sql: "PRAGMA journal_mode = DELETE")
            try database.execute(sql: "INSERT INTO grdb_migrations VALUES ('999')")
        }
        try queue.close()
        chmod(folder.database, 0o644)
        let before = try Data(contentsOf: URL(fileURLWithPath: folder.database))
        for access in [SQLiteStore.Access.owner, .readOnly] {
            #expect(refused(access).contains("was written by a newer version"))
        }
        #expect(try Data(contentsOf: URL(fileURLWithPath: folder.database)) == before)
        #expect(mode == 0o644)
    }
}
