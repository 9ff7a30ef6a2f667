import Assay
import AssaySQLite
import AssayTesting
import Testing

@Suite("A graph in a queue") struct QueuedGraphTests {
    private let calls = Calls()
    private let folder = TemporaryFolder()

    /// Nodes `a`, `b` and `c` in a row, each of which adds one and charges 1.
    private func graph() throws -> Graph {
        try Graph.linear(
            "row",
            ["a", "b", "c"].map { name in
                try Node(name) { (value: Int, context: Context) in
                    calls.note("\(name)\(context.inputID ?? "")")
                    try await context.charge("desk", name, cost: Money(1))
                    return value + 1
                }
            })
    }

    private func queue(_ engine: Engine, _ breakpoints: [Breakpoint] = []) async throws -> ExecutionQueue {
        try await ExecutionQueue(engine, QueueConfiguration(capacity: 10, refreshTime: .seconds(1))) { _ in
            var options = GraphOptions()
            options.breakpoints = breakpoints
            options.runner = .sequential
            return (.graph(try self.graph(), options), RunOptions())
        }
    }

    private func submission(_ name: String) -> Submission {
        var submission = Submission(graph: QueueRig.id("row"), over: [Item("x", 1), Item("y", 2)])
        submission.executionID = QueueRig.id(name)
        return submission
    }

    private func engine(_ shelf: Shelf, _ memory: MemoryStore) throws -> Engine {
        Engine(store: shelf == .memory ? memory : try SQLiteStore.open(folder.database))
    }

    @Test("waits, runs, and is gone on with like an execution of a processor", arguments: Shelf.allCases)
    func runs(shelf: Shelf) async throws {
        let engine = try engine(shelf, MemoryStore())
        let queue = try await queue(engine)
        try await queue.submit([submission("one"), submission("two")])
        queue.start()
        #expect(try await queue.cycle() == 2)
        #expect(queue.list(.succeeded).count == 2)
        let execution = try await queue.execution(QueueRig.id("one"))
        #expect(execution.graphID?.text == "row")
        #expect(execution.jsonValue["graph_id"] == "row" && execution.jsonValue["processor_id"] == .null)
        let report = try await queue.invoke(QueueRig.id("one"))
        #expect(try report.outcomes.map { try $0.output?.json() } == [["c:output": 4], ["c:output": 5]])
        let copy = try await queue.copy(QueueRig.id("one"))
        #expect(try await queue.invoke(copy.id).status == .succeeded)
        #expect(calls.inOrder.count == 18)
    }

    @Test("takes no place while a breakpoint pauses it, and is let go, also after a restart", arguments: Shelf.allCases)
    func pauses(shelf: Shelf) async throws {
        let memory = MemoryStore()
        let id = QueueRig.id("one")
        let breakpoint = try Breakpoint(QueueRig.id("b"))
        do {
            let engine = try engine(shelf, memory)
            let queue = try await queue(engine, [breakpoint])
            try await queue.submit(submission("one"))
            queue.start()
            #expect(try await queue.cycle() == 1)
            #expect(queue.list(.paused) == [id])
            #expect(queue.counts.running == 0)
            #expect(await code { try await queue.invoke(id) } == .illegalMove)
            #expect(await code { try await queue.resume(id) } == .illegalMove)
            // Of four starts of `b` and two moves one is left.
            #expect(try await queue.goOn(id).status == .paused)
            (engine.store as? SQLiteStore)?.close()
        }
        let engine = try engine(shelf, memory)
        let queue = try await queue(engine)
        #expect(queue.list(.paused) == [id])
        let report = try await queue.goOn(id)
        #expect(report.status == .succeeded)
        #expect(queue.list(.succeeded) == [id])
        #expect(calls.inOrder.sorted() == ["ax", "ay", "bx", "by", "cx", "cy"])
        #expect(try await engine.bill(of: report.runID).usageCost == Money(6))
        #expect(try await queue.execution(id).runs == 1)
        #expect(await code { try await queue.goOn(id) } == .illegalMove)
    }

    @Test("is cancelled while it is paused, and resumed", arguments: Shelf.allCases)
    func cancels(shelf: Shelf) async throws {
        let engine = try engine(shelf, MemoryStore())
        let queue = try await queue(engine, [Breakpoint(QueueRig.id("c"), hitCount: 1)])
        let id = QueueRig.id("one")
        try await queue.submit(submission("one"))
        queue.start()
        try await queue.cycle()
        #expect(queue.list(.paused) == [id])
        #expect(try await queue.cancel(id))
        #expect(queue.list(.cancelled) == [id])
        let run = try #require(try await queue.execution(id).lastRunID)
        #expect(try await engine.report(of: run).status == .cancelled)
        try await queue.resume(id)
        try await queue.cycle()
        // The breakpoint is set anew for the further run.
        #expect(queue.list(.paused) == [id])
        #expect(try await queue.goOn(id, toEnd: true).status == .succeeded)
        #expect(calls.inOrder.count == 6)
    }
}
