import Assay
import AssayTesting
import Logging
import Synchronization
import Testing

@Suite("The log of a run", .timeLimit(.minutes(5))) struct RunLogTests {
    @Test("What a processor logs is kept by item and attempt, and by node in a graph", arguments: Runners.all)
    func processors(runner: any Runner) async throws {
        let engine = Engine.testing()
        let report = try await engine.run([1, 2], options: .on(runner)) { (value: Int, context: Context) -> Int in
            context.logger.info("got \(value)", metadata: ["page": "\(value + 1)"])
            context.logger.debug("not kept")
            context.logger.error("bad")
            return value
        }
        func said(_ filter: LogFilter) async throws -> [String] {
            try await engine.store.logLines(matching: filter, limit: .max).map {
                "\($0.processorID) \($0.inputID ?? "-") \($0.attempt) \($0.level) \($0.text)"
            }
        }
        #expect(
            try await said(LogFilter(runID: report.runID)).sorted() == [
                "test item_1 1 error bad", "test item_1 1 info got 1 page=2", "test item_2 1 error bad",
                "test item_2 1 info got 2 page=3",
            ])
        let graph = try Graph.linear(
            "g",
            [
                Node("a") { (value: Int, context: Context) -> Int in
                    context.logger.warning("of a")
                    return value
                },
                Node("b") { (value: Int, context: Context) -> Int in
                    context.logger.info("of b")
                    return value
                },
            ])
        let nodes = try await engine.run(graph, over: [7])
        #expect(
            try await said(LogFilter(runID: nodes.runID)) == ["a item_1 1 warning of a", "b item_1 1 info of b"])
        #expect(
            try await said(LogFilter(runID: nodes.runID, inputID: "item_1", processorID: Identifier("b")))
                == ["b item_1 1 info of b"])
    }

    @Test("A run waits at its end for all that was said, and says when it was filed")
    func filed() async throws {
        let (door, filed) = (Door(), Counter())
        let store = FaultyStore { write in if case .logLines = write { await door.pass() } }
        let engine = Engine.testing(store)
        let told = Notes<Run.ID>()
        var options = RunOptions()
        options.onLogged = { filed.next() }
        async let running = engine.run([1], options: options) { (value: Int, context: Context) -> Int in
            context.logger.info("said")
            told.add(context.runID)
            door.open()
            return value
        }
        let report = try await running
        #expect(filed.count >= 1)
        #expect(
            try await engine.store.logLines(matching: LogFilter(runID: report.runID), limit: 9).map(\.text) == ["said"])
    }

    @Test("A store that keeps no lines is said once, and fails nothing")
    func lost() async throws {
        let store = FaultyStore { write in
            if case .logLines = write { throw ProcessingError(.store, "disk full") }
        }
        let engine = Engine.testing(store)
        let warnings = Notes<String>()
        let subscription = engine.events.subscribe([.warning]) { warnings.add($0.data["message"]?.string ?? "") }
        let report = try await engine.run(Array(0..<20)) { (value: Int, context: Context) -> Int in
            context.logger.info("said")
            return value
        }
        await subscription.finish()
        #expect(report.status == .succeeded)
        #expect(warnings.all == ["what is said in this run is not kept: disk full"])
    }
}
