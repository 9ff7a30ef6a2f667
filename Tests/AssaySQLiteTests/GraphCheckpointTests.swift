import Assay
import AssaySQLite
import AssayTesting
import GRDB
import Testing

@Suite("Checkpoints of graphs in SQLite") struct GraphCheckpointTests {
    private let folder = TemporaryFolder()
    private let calls = Calls()

    private func graph() throws -> Graph {
        try Graph.linear(
            "row",
            ["a", "b", "c"].map { name in
                try Node(name) { [calls] (value: Int) in
                    calls.note(name)
                    return value + 1
                }
            })
    }

    private var options: GraphOptions {
        var options = GraphOptions()
        options.checkpoints.isEnabled = true
        return options
    }

    @Test("are there after the store was opened again, and a run goes on from one of them")
    func resume() async throws {
        let run: Run.ID
        do {
            let store = try SQLiteStore.open(folder.database)
            run = try await Engine(store: store).run(graph(), over: [1, 2], options: options).runID
            store.close()
        }
        #expect(calls.inOrder.count == 6)
        let store = try SQLiteStore.open(folder.database)
        defer { store.close() }
        let engine = Engine(store: store)
        let kept = try await engine.checkpoints().list()
        #expect(Set(kept.map(\.name)) == Set(["a", "b", "c"].flatMap { ["\($0)/item_1", "\($0)/item_2"] }))
        let id = try #require(kept.first { $0.name == "b/item_2" }).id
        let report = try await engine.resume(run, with: graph(), from: id.text, options: options)
        #expect(report.status == .succeeded)
        #expect(calls.inOrder.dropFirst(6) == ["c"])
        #expect(report.outcomes.map(\.carried) == [true, false])
        #expect(try report.outcomes[1].output?.json() == ["c:output": 5])
        let events = try await store.events(of: report.runID, after: 0, limit: 100)
        #expect(events.count { $0.kind == .checkpointRestore } == 1)
        #expect(events.compactMap(\.sequence) == Array(1...events.count))
    }

    @Test("a damaged one is refused by its name before a run exists")
    func damaged() async throws {
        let store = try SQLiteStore.open(folder.database)
        let run = try await Engine(store: store).run(graph(), over: [1], options: options).runID
        let id = try #require(await Engine(store: store).checkpoints().list().first { $0.name == "b/item_1" }).id
        store.close()
        let file = try DatabaseQueue(path: folder.database)
        try await file.write { try $0.execute(sql: "UPDATE named_checkpoints SET data = '7'") }
        try file.close()
        let again = try SQLiteStore.open(folder.database)
        defer { again.close() }
        let error = await #expect(throws: ProcessingError.self) {
            try await Engine(store: again).resume(run, with: graph(), from: id.text, options: options)
        }
        #expect(error?.code == .store)
        #expect(error?.message.contains("'\(id)'") == true)
        #expect(try await again.runs(matching: RunFilter()).count == 1)
    }

    @Test("the metrics of nodes are on record with the run")
    func metrics() async throws {
        let store = try SQLiteStore.open(folder.database)
        defer { store.close() }
        let report = try await Engine(store: store).run(graph(), over: [1, 2])
        let stored = try await Engine(store: store).report(of: report.runID)
        #expect(stored.profile == report.profile)
        #expect(stored.profile.map(\.items) == [2, 2, 2])
    }
}
