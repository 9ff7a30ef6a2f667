import Assay
import AssaySQLite
import AssayTesting
import Testing

@Suite("Graphs in SQLite") struct GraphTests {
    private let folder = TemporaryFolder()

    /// Nodes `a`, `b` and `c` in a row; `b` is broken for 2 while `repairs` has counted nothing.
    private func graph(_ calls: Calls, repairs: Counter) throws -> Graph {
        try Graph.linear(
            "row",
            ["a", "b", "c"].map { name in
                try Node(name) { (value: Int, context: Context) in
                    calls.note(name)
                    try await context.charge("desk", name, cost: Money(1))
                    if name == "b", value == 3, repairs.count == 0 { throw ProcessingError(.extraction, "broken") }
                    return value + 1
                }
            })
    }

    @Test("go on at the failed node after the store was opened again, with every charge recorded once")
    func resume() async throws {
        let (calls, repairs) = (Calls(), Counter())
        var options = GraphOptions()
        options.errorStrategy = .skip
        let run: Run.ID
        do {
            let store = try SQLiteStore.open(folder.database)
            let report = try await Engine(store: store).run(
                graph(calls, repairs: repairs), over: [1, 2], options: options)
            run = report.runID
            #expect(report.status == .partial)
            store.close()
        }
        #expect(calls.inOrder.sorted() == ["a", "a", "b", "b", "c"])
        repairs.next()
        let store = try SQLiteStore.open(folder.database)
        let engine = Engine(store: store)
        let before = try await engine.report(of: run)
        #expect(before.run.graphID?.text == "row")
        #expect(before.outcomes[1].passage?["b"]?.status == .failed)
        #expect(before.outcomes[1].passage?["b"]?.error?.message == "broken")
        #expect(before.outcomes[1].passage?["c"]?.reason == .upstreamFailed)
        let report = try await engine.resume(run, with: graph(calls, repairs: repairs), options: options)
        #expect(report.status == .succeeded)
        #expect(calls.inOrder.count == 7)
        #expect(try report.outcomes.map { try $0.output?.json() } == [["c:output": 4], ["c:output": 5]])
        #expect(report.outcomes[1].passage?["a"]?.attempts == 0)
        let bill = try await engine.bill(ofExecution: report.executionID)
        #expect(try bill.usageCost == Money(7))
        let events = try await store.events(of: report.runID, after: 0, limit: 100)
        #expect(
            events.contains {
                $0.kind == .processorComplete && $0.processorID?.text == "b" && $0.graphID?.text == "row"
            })
        store.close()
    }
}
