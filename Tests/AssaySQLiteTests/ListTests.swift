import Assay
import AssayTesting
import GRDB
import Testing

@testable import AssaySQLite

@Suite("Lists in SQLite") struct ListTests {
    private let folder = TemporaryFolder()

    /// Doubles its inputs, but fails on those in `broken`.
    private static func doubler(_ broken: Set<Int> = []) throws -> RegisteredProcessor {
        try RegisteredProcessor(
            ClosureProcessor("double") { (value: Int, _: Context) in
                if broken.contains(value) { throw ProcessingError(.extraction, "broken", retryable: false) }
                return value * 2
            })
    }

    private static func rows(_ table: String, in store: SQLiteStore) async throws -> Int {
        try await store.readAside { try $0.prepare("SELECT count(*) FROM \(table)").first { $0.int() } ?? 0 }
    }

    private static let items = (0..<2_500).map { Item("item_\($0)", $0) }

    @Test("a resume writes no input and no carried outcome again, and reports the same")
    func resume() async throws {
        let store = try SQLiteStore.open(folder.database)
        let engine = Engine(store: store)
        var options = RunOptions()
        options.failurePolicy = .collect
        let first = try await engine.run(Self.doubler([7, 2_000]), over: Self.items, options: options)
        #expect(first.run.counts.failed == 2)
        var last = first.runID
        for _ in 0..<3 {
            let report = try await engine.resume(last, with: Self.doubler([2_000]), options: options)
            #expect(report.run.counts.succeeded == 2_499)
            let outputs = try report.outcomes.map { try $0.output?.value(as: Int.self) }
            #expect(outputs == (0..<2_500).map { $0 == 2_000 ? nil : $0 * 2 })
            #expect(report.outcomes.count { $0.carried } == (last == first.runID ? 2_498 : 2_499))
            last = report.runID
        }
        #expect(try await Self.rows("lists", in: store) == 1)
        #expect(try await Self.rows("chunks", in: store) == 3)
        // The second run does item 7 again, and each run item 2000.
        #expect(try await Self.rows("outcomes", in: store) == 2_500 + 2 + 1 + 1)
        #expect(try await store.check() == [])
    }

    @Test(
        "equal inputs that are given again are kept by reference, and others make a further list that shares the rest")
    func again() async throws {
        let store = try SQLiteStore.open(folder.database)
        let engine = Engine(store: store)
        var options = RunOptions()
        options.executionID = Identifier("exec")
        let first = try await engine.run(Self.doubler(), over: Self.items, options: options)
        let equal = try await engine.run(Self.doubler(), over: Self.items, options: options)
        #expect(try await store.list(of: equal.runID) == store.list(of: first.runID))
        #expect(try await Self.rows("chunks", in: store) == 3)
        var changed = Self.items
        changed[2_100] = Item("item_2100", -1)
        let other = try await engine.run(Self.doubler(), over: changed, options: options)
        #expect(other.outcomes.filter { !$0.carried }.map(\.index) == [2_100])
        #expect(other.outcomes[2_100].inputChanged)
        #expect(try await store.list(of: other.runID)?.id.number == 2)
        #expect(try await Self.rows("chunks", in: store) == 4)
        #expect(try await Self.rows("outcomes", in: store) == 2_501)
        #expect(
            try await store.items(of: first.runID, from: 2_100, limit: 1).map { try $0.item.data.json() } == [2_100])
        #expect(try await store.check() == [])
    }

    @Test("a run that takes fewer inputs refers to the same list, and a further one takes up all of it")
    func fewer() async throws {
        let store = try SQLiteStore.open(folder.database)
        let engine = Engine(store: store)
        var options = RunOptions()
        options.executionID = Identifier("exec")
        let first = try await engine.run(Self.doubler(), over: Self.items, options: options)
        let second = try await engine.run(Self.doubler(), over: Self.items[..<10], options: options)
        #expect(second.outcomes.count == 10)
        let third = try await engine.resume(second.runID, with: Self.doubler(), options: options)
        #expect(third.outcomes.map(\.inputID) == Self.items[..<10].map(\.id))
        let fourth = try await engine.resume(first.runID, with: Self.doubler(), options: options)
        #expect(fourth.outcomes.count == 2_500)
        #expect(fourth.outcomes.allSatisfy { $0.carried })
        #expect(try await Self.rows("lists", in: store) == 1)
        #expect(try await store.check() == [])
    }

    @Test("the last deletion of an execution's runs leaves no input and no outcome")
    func deletion() async throws {
        let store = try SQLiteStore.open(folder.database)
        let engine = Engine(store: store)
        var options = RunOptions()
        options.failurePolicy = .collect
        let first = try await engine.run(Self.doubler([3]), over: Self.items, options: options)
        let second = try await engine.resume(first.runID, with: Self.doubler(), options: options)
        try await engine.delete(first.runID)
        #expect(try await engine.report(of: first.runID).outcomes.isEmpty)
        #expect(try await engine.report(of: second.runID).outcomes.count == 2_500)
        #expect(try await store.check() == [])
        try await engine.delete(second.runID)
        for table in ["lists", "list_pages", "chunks", "run_lists", "intakes", "carries", "outcomes"] {
            #expect(try await Self.rows(table, in: store) == 0, "\(table)")
        }
    }

    @Test("a long summary that is the list of the outputs is stored once, and one that is not is stored as it is")
    func summary() async throws {
        let store = try SQLiteStore.open(folder.database)
        let engine = Engine(store: store)
        let text = String(repeating: "x", count: 100)
        let items = (0..<1_000).map { Item("item_\($0)", text + "\($0)") }
        let plain = try RegisteredProcessor(ClosureProcessor("plain") { (value: String, _: Context) in value })
        let first = try await engine.run(plain, over: items)
        let second = try await engine.resume(first.runID, with: plain)
        let sizes = try await store.readAside { try $0.prepare("SELECT length(summary) FROM runs").all { $0.int() } }
        #expect(sizes == [7, 7])
        for run in [first.runID, second.runID] {
            let summary = try await store.run(run)?.summary?.value(as: [String].self)
            #expect(summary == (0..<1_000).map { text + "\($0)" })
        }
        #expect(try await store.runs(matching: RunFilter()).first?.summary?.value(as: [String].self).count == 1_000)
        let reversed = try RegisteredProcessor(Reversing())
        let other = try await engine.run(reversed, over: items)
        #expect(try await store.run(other.runID)?.summary?.value(as: [String].self).first == text + "999")
        #expect(try await store.check() == [])
    }

    private struct Reversing: Processor {
        let name = "reversing"
        func extract(_ input: String, in context: Context) async throws -> String { input }
        func aggregate(_ outputs: Outputs<String>, in context: Context) async throws -> [String] {
            var all: [String] = []
            for try await output in outputs { all.append(output) }
            return all.reversed()
        }
    }

    @Test(
        "finds references that are counted wrong and outcomes that are gone",
        arguments: [
            "UPDATE lists SET users = 1", "DELETE FROM carries", "DELETE FROM outcomes WHERE run = 1 AND idx = 9",
            "UPDATE outcomes SET status = 1 WHERE run = 1 AND idx = 9",
        ])
    func audit(change: String) async throws {
        let store = try SQLiteStore.open(folder.database)
        let engine = Engine(store: store)
        let first = try await engine.run(Self.doubler(), over: Self.items[..<20], options: RunOptions())
        _ = try await engine.resume(first.runID, with: Self.doubler(), options: RunOptions())
        #expect(try await store.check() == [])
        try await store.write { try $0.database.execute(sql: change) }
        #expect(try await store.check() != [])
    }
}
