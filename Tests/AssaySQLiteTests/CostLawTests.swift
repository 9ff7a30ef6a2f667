import Assay
import AssaySQLite
import AssayTesting
import Testing

@Suite("The law of costs and caches") struct CostLawTests {
    @Test("holds in SQLite", arguments: 0..<30) func law(seed: Int) async throws {
        let folders = [TemporaryFolder(), TemporaryFolder()]
        let stores = try folders.map { try SQLiteStore.open($0.database) }
        defer {
            for store in stores { store.close() }
            _ = folders
        }
        try await CostLaw(seed: seed + 1_000).check((stores[0], stores[1]), under: ThreadRunner(maxWorkers: 4))
    }

    @Test("budgets let as many calls through as in memory", arguments: [1, 8]) func budget(workers: Int) async throws {
        let folder = TemporaryFolder()
        let store = try SQLiteStore.open(folder.database)
        defer { store.close() }
        var options = RunOptions()
        options.runner = try ThreadRunner(maxWorkers: workers)
        options.budgets = [try Budget(Money("5.00"), scope: .store)]
        let processor = try RegisteredProcessor(
            ClosureProcessor<Int, Int>("test") { input, context in
                try await context.call("llm", "ask", maximumCost: Money("1.00")) { call in
                    for _ in 0..<20 { await Task.yield() }
                    call.settle(try Money("0.70"))
                    return input
                }
            })
        let report = try await Engine(store: store).run(
            processor, over: (0..<20).map { Item("n\($0)", $0) }, options: options)
        #expect(report.bill.totalCost == (try Money("4.20")))
        #expect(report.counts.succeeded == 6)
    }
}
