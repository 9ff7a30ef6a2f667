import Assay
import AssayTesting
import Synchronization
import Testing

@Suite("A run that stops") struct StopTests {
    private static func retries(_ count: Int) throws -> RetryPolicy {
        try RetryPolicy(maxRetries: count, initialDelay: 0)
    }

    @Test("is cancelled when it is cancelled after its policy had stopped it") func cancelledAfterPolicy() async throws
    {
        let handle = Mutex<RunHandle?>(nil)
        let begun = Door()
        let processor = ClosureProcessor<Int, Int>("test") { n, _ in
            guard n == 1 else {
                begun.open()
                try await waitForCancellation()
            }
            await begun.pass()
            throw ProcessingError(.validation, "one is not wanted")
        }
        let watched = EventStream()
        let failing = Engine(events: watched, world: .testing())
        let failed = Door()
        let subscription = watched.subscribe([.itemError]) { _ in failed.open() }
        async let running = failing.run(
            RegisteredProcessor(processor), over: [Item("a", 1), Item("b", 2)],
            options: .with {
                $0.runner = try! ThreadRunner(maxWorkers: 2)
                $0.failurePolicy = .stop
            }
        ) { new in handle.withLock { $0 = new } }
        await failed.pass()
        handle.withLock { $0 }?.cancel()
        let report = try await running
        #expect(report.status == .cancelled)
        #expect(report.outcomes.map(\.reason) == [nil, .runCancelled])
        #expect(report.error?.code == .cancelled)
        await subscription.finish()
    }

    @Test("by its policy lets items in flight use their retries") func retriesInFlight() async throws {
        let engine = Engine.testing()
        let (begun, failed) = (Door(), Door())
        let report = try await engine.run(
            [1, 2],
            options: .with {
                $0.runner = try! ThreadRunner(maxWorkers: 2)
                $0.failurePolicy = .stop
                $0.retryPolicy = try! Self.retries(2)
            }
        ) { (n: Int, context: Context) -> Int in
            if n == 1 {
                await begun.pass()
                defer { failed.open() }
                throw ProcessingError(.validation, "one is not wanted")
            }
            begun.open()
            await failed.pass()
            guard context.attempt == 3 else { throw ProcessingError(.api, "busy") }
            return n
        }
        #expect(report.outcomes.map(\.status) == [.failed, .succeeded])
        #expect(report.outcomes[1].attempts == 3)
    }

    @Test("an attempt out of time names the step that was running") func stepOutOfTime() async throws {
        let time = ManualTime()
        let engine = Engine.testing(time: time)
        let begun = Door()
        async let running = engine.run([1], options: .with { $0.itemTimeout = .seconds(1) }) {
            (_: Int, context: Context) -> Int in
            try await context.step("fetch") {
                begun.open()
                let never = Door()
                await never.pass()
                return 1
            }
        }
        await begun.pass()
        time.advance(by: .seconds(1))
        let report = try await running
        #expect(report.outcomes[0].error?.step == "fetch")
        #expect(report.outcomes[0].error?.resumePoint?.step == "fetch")
    }

    @Test("a run started inside a step has steps of its own") func nestedRun() async throws {
        let engine = Engine.testing()
        let report = try await engine.run([1]) { (_: Int, context: Context) -> [String] in
            try await context.step("outer") {
                let inner = try await engine.run([2], name: "inner") { (n: Int, context: Context) -> Int in
                    try await context.step("inner") { n }
                }
                return inner.outcomes[0].steps.map(\.name)
            }
        }
        #expect(try report.outputs(as: [String].self) == [["inner"]])
    }

    @Test("a run that died before it took outcomes over does not hide them") func leftBeforeTakenOver() async throws {
        let calls = Counter()
        let fails = Mutex(false)
        let store = FaultyStore { write in
            guard case .append(let intake) = write, fails.withLock({ $0 }), !intake.carried.isEmpty else { return }
            throw ProcessingError(.store, "the disk is gone")
        }
        let engine = Engine.testing(store)
        let processor = ClosureProcessor<Int, Int>("test") { n, _ in
            calls.next()
            return n
        }
        let first = try await engine.run(processor, items: [Item("a", 1)])
        fails.withLock { $0 = true }
        await #expect(throws: ProcessingError.self) {
            try await engine.again(processor, after: first, items: [Item("a", 1)])
        }
        fails.withLock { $0 = false }
        let last = try await engine.again(processor, after: first, items: [Item("a", 1)])
        #expect(last.outcomes[0].carried)
        #expect(calls.count == 1)
    }
}
