import Assay
import AssayTesting
import Foundation
import Synchronization
import Testing

@Suite("Time limits", .timeLimit(.minutes(5))) struct TimeLimitTests {
    let time = ManualTime()
    var engine: Engine { Engine.testing(time: time) }

    @Test("an attempt that takes too long fails, and the next item goes on", arguments: Runners.all)
    func item(runner: any Runner) async throws {
        let engine = engine
        let started = Door()
        async let running = engine.run(
            [1, 2],
            options: .with {
                $0.runner = runner
                $0.itemTimeout = .milliseconds(2_500)
            }
        ) { (n: Int, _: Context) -> Int in
            guard n == 1 else { return n }
            started.open()
            try await waitForCancellation()
        }
        await started.pass()
        time.advance(by: .milliseconds(2_500))
        let report = try await running
        #expect(report.outcomes.map(\.status) == [.failed, .succeeded])
        #expect(report.outcomes[0].error?.code == .timeout)
        #expect(report.outcomes[0].error?.exception == "TimeoutError")
        #expect(report.outcomes[0].error?.message == "timed out after 2.5 s")
        #expect(report.outcomes[0].error?.retryable == true)
        #expect(report.outcomes[0].duration == .milliseconds(2_500))
    }

    @Test("the limit is the attempt's: a retry has all of it", arguments: Runners.all)
    func retried(runner: any Runner) async throws {
        let engine = engine
        let attempts = [Door(), Door(), Door()]
        let finish = Door()
        async let running = engine.run(
            [1],
            options: .with {
                $0.runner = runner
                $0.itemTimeout = .seconds(10)
                $0.retryPolicy = try! RetryPolicy(maxRetries: 2, initialDelay: 0)
            }
        ) { (_: Int, context: Context) -> Int in
            attempts[context.attempt - 1].open()
            guard context.attempt == 3 else { try await waitForCancellation() }
            await finish.pass()
            return context.attempt
        }
        for attempt in attempts.dropLast() {
            await attempt.pass()
            time.advance(by: .seconds(10))
        }
        await attempts[2].pass()
        time.advance(by: .seconds(9))
        finish.open()
        let report = try await running
        #expect(try report.outputs(as: Int.self) == [3])
        #expect(report.outcomes[0].attempts == 3)
    }

    @Test("a processor that goes silent is given up, one that beats is not", arguments: Runners.all)
    func heartbeat(runner: any Runner) async throws {
        let engine = engine
        let (started, beaten) = (Door(), Door())
        let beat = Door()
        async let running = engine.run(
            [1],
            options: .with {
                $0.runner = runner
                $0.heartbeatTimeout = .seconds(60)
            }
        ) { (_: Int, context: Context) -> Int in
            started.open()
            await beat.pass()
            try context.heartbeat()
            beaten.open()
            try await waitForCancellation()
        }
        await started.pass()
        time.advance(by: .seconds(50))
        beat.open()
        await beaten.pass()
        time.advance(by: .seconds(50))
        // 100 s after the start and 50 s after the beat, the item is still in progress.
        await time.waitForSleepers()
        time.advance(by: .seconds(10))
        let report = try await running
        #expect(report.error?.message == "no heartbeat for 60 s")
        #expect(report.outcomes[0].duration == .seconds(110))
    }

    @Test("a further attempt may be silent as long as the first") func heartbeatOfRetry() async throws {
        let engine = engine
        let doors = [Door(), Door()]
        let finish = Door()
        let failing = Door()
        async let running = engine.run(
            [1],
            options: .with {
                $0.heartbeatTimeout = .seconds(60)
                $0.retryPolicy = try! RetryPolicy(maxRetries: 1, initialDelay: 0)
            }
        ) { (_: Int, context: Context) -> Int in
            doors[context.attempt - 1].open()
            if context.attempt == 1 {
                await failing.pass()
                throw Refusal()
            }
            await finish.pass()
            return 1
        }
        await doors[0].pass()
        time.advance(by: .seconds(50))
        failing.open()
        await doors[1].pass()
        time.advance(by: .seconds(50))
        await time.waitForSleepers()
        finish.open()
        #expect(try await running.success)
    }

    @Test("a run that takes too long is cancelled, what is finished stays", arguments: Runners.all)
    func run(runner: any Runner) async throws {
        let engine = engine
        let (started, committed) = (Door(), Door())
        let options = RunOptions.with {
            $0.runner = runner
            $0.timeout = .seconds(30)
            $0.onCommitted = { _ in committed.open() }
        }
        let processor = ClosureProcessor<Int, Int>("test") { n, context in
            guard n > 1, context.lineage.retryCount == 0 else { return n }
            started.open()
            try await waitForCancellation()
        }
        let items = (1...3).map { Item("n\($0)", $0) }
        async let running = engine.run(processor, items: items, options: options)
        await started.pass()
        // The first item is in the store before the others are given up, whichever worker had it.
        await committed.pass()
        time.advance(by: .seconds(30))
        let report = try await running
        #expect(report.status == .cancelled)
        #expect(report.error?.code == .timeout)
        #expect(report.error?.retryable == true)
        #expect(report.outcomes.map(\.status) == [.succeeded, .cancelled, .cancelled])
        #expect(report.outcomes.map(\.reason) == [nil, .runTimeout, .runTimeout])
        let resumed = try await engine.resume(processor, after: report)
        #expect(resumed.success)
        #expect(resumed.outcomes.map(\.carried) == [true, false, false])
    }

    @Test("a run's own failure comes before that of an item") func runErrorFirst() async throws {
        let engine = engine
        let started = Door()
        async let running = engine.run([1, 2], options: .with { $0.timeout = .seconds(30) }) {
            (n: Int, _: Context) -> Int in
            guard n > 1 else { throw Refusal() }
            started.open()
            try await waitForCancellation()
        }
        await started.pass()
        time.advance(by: .seconds(30))
        #expect(try await running.error?.code == .timeout)
    }

    @Test("limits are greater than 0", arguments: ["item", "run", "heartbeat"], [Duration.zero, .seconds(-1)])
    func limits(limit: String, value: Duration) async throws {
        var options = RunOptions()
        switch limit {
        case "item": options.itemTimeout = value
        case "run": options.timeout = value
        default: options.heartbeatTimeout = value
        }
        #expect(
            await code { try await engine.run([1], options: options) { (n: Int, _: Context) in n } } == .configuration)
    }

    @Test("a clock that jumps changes no wait and no duration", arguments: [-10, 10])
    func jump(years: Int) async throws {
        let engine = engine
        let (started, finish) = (Door(), Door())
        async let running = engine.run([1], options: .with { $0.itemTimeout = .seconds(60) }) { (n: Int, _: Context) in
            started.open()
            await finish.pass()
            return n
        }
        await started.pass()
        time.jump(by: .seconds(years * 365 * 86_400))
        time.advance(by: .seconds(5))
        finish.open()
        let report = try await running
        #expect(report.success)
        #expect(report.run.duration == .seconds(5))
        #expect(report.outcomes[0].duration == .seconds(5))
    }

    // MARK: What comes late

    @Test("a processor that blocks its threads does not starve the engine") func blocking() async throws {
        let workers = 8
        let engine = engine
        let (started, release) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        let failures = Notes<String>()
        let (failed, continuation) = AsyncStream.makeStream(of: String.self)
        async let running = engine.run(
            Array(1...workers + 2),
            options: .with {
                $0.runner = try! ThreadRunner(maxWorkers: workers)
                $0.itemTimeout = .seconds(60)
                $0.onCommitted = { outcomes in
                    for outcome in outcomes where outcome.status == .failed { continuation.yield(outcome.inputID) }
                }
            }
        ) { (n: Int, context: Context) -> Int in
            guard n <= workers else { return n }
            started.signal()
            context.blockUntil(release)
            return n
        }
        await Task.detached { for _ in 0..<workers { started.waitForSignal() } }.value
        time.advance(by: .seconds(60))
        for await name in failed {
            failures.add(name)
            if failures.all.count == workers { break }
        }
        for _ in 0..<workers { release.signal() }
        let report = try await running
        #expect(Set(failures.all) == Set((1...workers).map { "item_\($0)" }))
        #expect(report.outcomes.map(\.status) == Array(repeating: .failed, count: workers) + [.succeeded, .succeeded])
    }

    @Test("late output is dropped, late charges are recorded, late steps and calls are refused", arguments: Runners.all)
    func late(runner: any Runner) async throws {
        let engine = engine
        let (started, goOn, over) = (Door(), Door(), Door())
        let late = Calls()
        async let running = engine.run(
            [1],
            options: .with {
                $0.runner = runner
                $0.itemTimeout = .seconds(60)
            }
        ) { (_: Int, context: Context) -> String in
            defer { over.open() }
            try await context.charge("ocr", "page", cost: "1.00")
            started.open()
            await goOn.pass()
            try await context.charge("ocr", "page", cost: "2.00")
            do { _ = try await context.step("late") { late.note("step") } } catch is CancellationError {}
            do {
                _ = try await context.call("clear", "search", maximumCost: "5.00") { _ in late.note("call") }
            } catch is CancellationError {}
            #expect(throws: CancellationError.self) { try context.heartbeat() }
            return "late"
        }
        await started.pass()
        time.advance(by: .seconds(60))
        let report = try await running
        #expect(report.bill.totalCost == "1.00")
        goOn.open()
        await over.pass()
        #expect(late.inOrder == [])
        let bill = try await engine.bill(of: report.runID)
        #expect(bill.totalCost == "3.00")
        let stored = try await engine.report(of: report.runID)
        #expect(stored.outcomes[0].status == .failed)
        #expect(stored.outcomes[0].output == nil)
    }

    @Test("an attempt that was left behind does not disturb the next one", arguments: Runners.all)
    func leftBehind(runner: any Runner) async throws {
        let engine = engine
        let doors = [Door(), Door()]
        let (goOn, over) = (Door(), Door())
        async let running = engine.run(
            [1],
            options: .with {
                $0.runner = runner
                $0.itemTimeout = .seconds(60)
                $0.retryPolicy = try! RetryPolicy(maxRetries: 1, initialDelay: 0)
            }
        ) { (_: Int, context: Context) -> Int in
            doors[context.attempt - 1].open()
            if context.attempt == 1 {
                defer { over.open() }
                await goOn.pass()
                return try await context.step("work") { 1 }
            }
            goOn.open()
            await over.pass()
            return try await context.step("work") { 2 }
        }
        await doors[0].pass()
        time.advance(by: .seconds(60))
        await doors[1].pass()
        let report = try await running
        #expect(try report.outputs(as: Int.self) == [2])
        #expect(report.outcomes[0].steps.map(\.name) == ["work"])
    }

    @Test("a call whose item is given up is in doubt", arguments: Runners.all)
    func doubt(runner: any Runner) async throws {
        let engine = engine
        let (started, release, over) = (Door(), Door(), Door())
        async let running = engine.run(
            [1],
            options: .with {
                $0.runner = runner
                $0.itemTimeout = .seconds(60)
            }
        ) { (_: Int, context: Context) -> Int in
            defer { over.open() }
            return try await context.call("clear", "search", maximumCost: "5.00") { _ in
                started.open()
                await release.pass()
                return 1
            }
        }
        await started.pass()
        time.advance(by: .seconds(60))
        let report = try await running
        #expect(report.bill.totalCost == .zero)
        #expect(report.bill.inDoubtCost == "5.00")
        // The callee answers after all, which resolves the doubt.
        release.open()
        await over.pass()
        let bill = try await engine.bill(of: report.runID)
        #expect(bill.totalCost == "5.00")
        #expect(bill.inDoubtCost == .zero)
    }
}

extension Context {
    /// Blocks the calling thread, as a processor may under the thread runner.
    func blockUntil(_ semaphore: DispatchSemaphore) { semaphore.wait() }
}

extension DispatchSemaphore {
    func waitForSignal() { wait() }
}

@Suite("Cancellation") struct CancellationTests {
    let engine = Engine.testing(time: ManualTime())

    /// A handle of a run that is about to begin.
    final class Watcher: Sendable {
        private let handle = Mutex<RunHandle?>(nil)
        func take(_ handle: RunHandle) { self.handle.withLock { $0 = handle } }
        var run: RunHandle {
            get throws { try #require(handle.withLock { $0 }) }
        }
    }

    @Test("by its handle a run gives up what is in flight and starts nothing further", arguments: Runners.all)
    func hard(runner: any Runner) async throws {
        let watcher = Watcher()
        let (started, never) = (Door(), Door())
        let processor = try RegisteredProcessor(
            ClosureProcessor<Int, Int>("test") { n, _ in
                started.open()
                await never.pass()
                return n
            })
        async let running = engine.run(
            processor, over: (1...100).map { Item("n\($0)", $0) }, options: .on(runner), watching: watcher.take)
        await started.pass()
        try watcher.run.cancel()
        let report = try await running
        #expect(report.status == .cancelled)
        #expect(report.error?.code == .cancelled)
        #expect(report.outcomes.count == 100)
        #expect(
            report.outcomes.allSatisfy { $0.status == .cancelled && $0.reason == .runCancelled && $0.output == nil })
        never.open()
    }

    @Test("with drain, items in flight end first") func drain() async throws {
        let watcher = Watcher()
        let (started, finish) = (Door(), Door())
        let processor = try RegisteredProcessor(
            ClosureProcessor<Int, Int>("test") { n, _ in
                started.open()
                await finish.pass()
                return n
            })
        async let running = engine.run(
            processor, over: (1...3).map { Item("n\($0)", $0) }, watching: watcher.take)
        await started.pass()
        try watcher.run.cancel(drain: true)
        finish.open()
        let report = try await running
        #expect(report.status == .cancelled)
        #expect(report.outcomes.map(\.status) == [.succeeded, .cancelled, .cancelled])
        let resumed = try await engine.resume(report.runID, with: processor)
        #expect(resumed.success)
        #expect(resumed.outcomes.map(\.carried) == [true, false, false])
    }

    @Test("a drain may be made a hard stop") func drainThenHard() async throws {
        let watcher = Watcher()
        let (started, never) = (Door(), Door())
        let processor = try RegisteredProcessor(
            ClosureProcessor<Int, Int>("test") { n, _ in
                started.open()
                await never.pass()
                return n
            })
        async let running = engine.run(processor, over: [Item("a", 1)], watching: watcher.take)
        await started.pass()
        try watcher.run.cancel(drain: true)
        try watcher.run.cancel()
        #expect(try await running.outcomes.map(\.status) == [.cancelled])
        never.open()
    }

    @Test("the task of an item in flight is cancelled", arguments: Runners.all)
    func cooperative(runner: any Runner) async throws {
        let watcher = Watcher()
        let (started, over) = (Door(), Door())
        let processor = try RegisteredProcessor(
            ClosureProcessor<Int, Int>("test") { n, _ in
                defer { over.open() }
                started.open()
                try await waitForCancellation()
            })
        async let running = engine.run(processor, over: [Item("a", 1)], options: .on(runner), watching: watcher.take)
        await started.pass()
        try watcher.run.cancel()
        _ = try await running
        await over.pass()
    }

    @Test("when the caller's task is cancelled, the run is and its report comes back", arguments: Runners.all, 1...8)
    func caller(runner: any Runner, round: Int) async throws {
        let engine = engine
        let (started, never) = (Door(), Door())
        let task = Task {
            try await engine.run([1, 2], options: .on(runner)) { (n: Int, _: Context) in
                started.open()
                await never.pass()
                return n
            }
        }
        await started.pass()
        task.cancel()
        let report = try await task.value
        #expect(report.status == .cancelled)
        #expect(report.outcomes.map(\.reason) == [.runCancelled, .runCancelled])
        never.open()
    }

    @Test("a caller that is cancelled from the start gets a cancelled report") func cancelledCaller() async throws {
        let engine = engine
        let calls = Calls()
        let task = Task {
            await withCheckedContinuation { continuation in
                withUnsafeCurrentTask { $0?.cancel() }
                continuation.resume()
            }
            return try await engine.run([1]) { (_: Int, _: Context) in calls.note("extract") }
        }
        #expect(try await task.value.status == .cancelled)
        #expect(calls["extract"] == 0)
    }

    /// Waits in its transformation.
    struct Slow: Processor {
        let name = "slow"
        let started: Door
        func transform(_ input: Int, in context: Context) async throws -> Int {
            started.open()
            try await waitForCancellation()
        }
        func extract(_ input: Int, in context: Context) -> Int { input }
    }

    @Test("a caller that is cancelled during preprocessing gets a cancelled report") func preprocessing() async throws {
        let engine = engine
        let started = Door()
        let task = Task { try await engine.run(Slow(started: started), over: [1, 2]) }
        await started.pass()
        task.cancel()
        let report = try await task.value
        #expect(report.status == .cancelled)
        #expect(report.error?.code == .cancelled)
        #expect(report.outcomes.map(\.status) == [.cancelled, .cancelled])
    }

    @Test("by its name, and false when it is not in progress") func byName() async throws {
        let watcher = Watcher()
        let (started, never) = (Door(), Door())
        let processor = try RegisteredProcessor(
            ClosureProcessor<Int, Int>("test") { n, _ in
                started.open()
                await never.pass()
                return n
            })
        async let running = engine.run(processor, over: [Item("a", 1)], watching: watcher.take)
        await started.pass()
        #expect(try engine.cancel(watcher.run.runID))
        let report = try await running
        #expect(report.status == .cancelled)
        #expect(engine.cancel(report.runID) == false)
        never.open()
    }

    @Test("finished items, charges and steps stay") func whatStays() async throws {
        let watcher = Watcher()
        let (started, never) = (Door(), Door())
        let calls = Calls()
        let processor = try RegisteredProcessor(
            ClosureProcessor<Int, Int>("test") { n, context in
                try await context.charge("ocr", "page", cost: "1.00", key: "page")
                let value = try await context.step("work") {
                    calls.note("work")
                    return n
                }
                guard n == 2, context.lineage.retryCount == 0 else { return value }
                started.open()
                await never.pass()
                return value
            })
        async let running = engine.run(
            processor, over: (1...2).map { Item("n\($0)", $0) }, watching: watcher.take)
        await started.pass()
        try watcher.run.cancel()
        let report = try await running
        #expect(report.outcomes.map(\.status) == [.succeeded, .cancelled])
        #expect(report.bill.totalCost == "2.00")
        let resumed = try await engine.resume(report.runID, with: processor)
        #expect(resumed.success)
        #expect(calls["work"] == 2)
        #expect(resumed.bill.totalCost == .zero)
        never.open()
    }
}
