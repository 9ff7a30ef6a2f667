import AssayTesting
import Synchronization
import Testing

@testable import Assay

@Suite("What the engine makes an item wait for", .timeLimit(.minutes(2))) struct EngineWaitTests {
    let time = ManualTime()
    var engine: Engine { Engine.testing(prices: .of(units: ["svc/op": "5.00"]), time: time) }

    /// A run's handle, once it has begun.
    private final class Watcher: Sendable {
        private let handle = Mutex<RunHandle?>(nil)
        func take(_ handle: RunHandle) { self.handle.withLock { $0 = handle } }

        /// Returns once one item of the run waits for one of `reasons`.
        func waitFor(_ reasons: String...) async -> RunHandle {
            while true {
                if let handle = handle.withLock({ $0 }), let wait = handle.waits.first, handle.waits.count == 1,
                    wait.count == 1, reasons.contains(wait.reason)
                {
                    return handle
                }
                await Task.yield()
            }
        }
    }

    @Test("the call of another input, does not run on its time, and is shown") func twin() async throws {
        let (watcher, beat, beaten, finish) = (Watcher(), Door(), Door(), Door())
        let processor = try RegisteredProcessor(
            ClosureProcessor<Int, Int>("test") { n, context in
                try await context.call("svc", "op", key: "k") { _ in
                    await beat.pass()
                    try context.heartbeat()
                    beaten.open()
                    await finish.pass()
                    return n
                }
            })
        let options = RunOptions.with {
            $0.runner = Runners.threads[1]
            $0.itemTimeout = .seconds(17)
            $0.heartbeatTimeout = .seconds(10)
        }
        let engine = engine
        async let running = engine.run(
            processor, over: [Item("n1", 1), Item("n2", 1)], options: options, watching: watcher.take)
        // Whichever came first makes the call.
        _ = await watcher.waitFor("a call of n1", "a call of n2")
        time.advance(by: .seconds(8))
        beat.open()
        await beaten.pass()
        time.advance(by: .seconds(8))
        finish.open()
        let report = try await running
        #expect(report.outcomes.map(\.status) == [.succeeded, .succeeded])
        #expect(report.bill.totalCost == "5.00")
    }

    @Test("calls that cross, end: one of them is made for itself, and nothing is in doubt") func crossed() async throws
    {
        let doors = ["n1": Door(), "n2": Door()]
        let processor = try RegisteredProcessor(
            ClosureProcessor<Int, Int>("test") { n, context in
                let own = context.inputID ?? ""
                let (outer, inner) = own == "n1" ? ("k1", "k2") : ("k2", "k1")
                return try await context.call("svc", "op", key: .string(outer)) { _ in
                    doors[own]?.open()
                    for door in doors.values { await door.pass() }
                    return try await context.call("svc", "op", key: .string(inner)) { _ in n }
                }
            })
        let report = try await engine.run(
            processor, over: [Item("n1", 1), Item("n2", 1)], options: .on(Runners.threads[1]))
        #expect(report.outcomes.map(\.status) == [.succeeded, .succeeded])
        #expect(report.bill.inDoubtCost == .zero)
        #expect(report.bill.totalCost == "15.00")
    }

    /// Waits as who is inside of which call for the end of which, and whether the last one would never end.
    static let graphs: [(waits: [(inside: [Int], forEndOf: [Int])], certain: Bool)] = [
        ([([1], [2])], false),
        ([([1], [2]), ([2], [1])], true),
        ([([1], [2]), ([2], [3]), ([3], [1])], true),
        ([([1], [2]), ([2], [3]), ([3], [4])], false),
        ([([1], [2]), ([], [1])], false),
        ([([1], [2]), ([2], [1, 3])], false),
        ([([1], [2, 3]), ([2], [1]), ([3], [1])], true),
        ([([1], [1])], true),
    ]

    @Test("is in a circle only where every way leads back", arguments: graphs)
    func circle(row: (waits: [(inside: [Int], forEndOf: [Int])], certain: Bool)) throws {
        for isAssumed in [false, true] {
            var graph = WaitGraph()
            for (number, wait) in row.waits.enumerated().dropLast() {
                graph.set(
                    .init(inside: CallNest(calls: wait.inside, isAssumed: isAssumed), forEndOf: wait.forEndOf),
                    as: number + 1)
            }
            let last = try #require(row.waits.last)
            let wait = WaitGraph.Wait(
                inside: CallNest(calls: last.inside, isAssumed: isAssumed), forEndOf: last.forEndOf)
            #expect(graph.isCircular(wait, assuming: true) == row.certain)
            #expect(graph.isCircular(wait, assuming: false) == (row.certain && !isAssumed))
        }
    }

    @Test("its next attempt, ends at a stop: the input is cancelled, with the attempts it had", arguments: Runners.all)
    func backOff(runner: any Runner) async throws {
        for drain in [true, false] {
            let watcher = Watcher()
            let processor = try RegisteredProcessor(
                ClosureProcessor<Int, Int>("test") { _, _ in throw ProcessingError(.api, "later") })
            let options = try RunOptions.with {
                $0.runner = runner
                $0.retryPolicy = try RetryPolicy(maxRetries: 3, initialDelay: 20)
            }
            let engine = engine
            async let running = engine.run(
                processor, over: [Item("n1", 1)], options: options, watching: watcher.take)
            await watcher.waitFor("their next attempt").cancel(drain: drain)
            let report = try await running
            #expect(report.status == .cancelled)
            #expect(report.outcomes.map(\.status) == [.cancelled])
            #expect(report.outcomes[0].reason == .runCancelled)
            #expect(report.outcomes[0].attempts == 1)
        }
    }

    @Test("its next attempt at a node, ends at a stop as well", arguments: [true, false])
    func backOffOfNode(drain: Bool) async throws {
        let watcher = Watcher()
        let graph = try Graph("g")
        try graph.add(try Node("a") { (_: Int) -> Int in throw ProcessingError(.api, "later") })
        let engine = engine
        var options = GraphOptions()
        options.errorStrategy = RetryStrategy(try RetryPolicy(maxRetries: 3, initialDelay: 20))
        async let running = engine.run(graph, over: [Item("n1", 1)], options: options, watching: watcher.take)
        await watcher.waitFor("their next attempt").cancel(drain: drain)
        let report = try await running
        #expect(report.status == .cancelled)
        #expect(report.outcomes.map(\.status) == [.cancelled])
        #expect(report.outcomes[0].passage?["a"]?.status == .cancelled)
    }
}
