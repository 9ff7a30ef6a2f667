import AssayTesting
import Foundation
import Synchronization
import Testing

@testable import Assay

@Suite("The process runner", .timeLimit(.minutes(15))) struct ProcessRunnerTests {
    // MARK: The contract of every runner

    @Test("keeps the contract", arguments: RunnerRule.all + RunnerRule.ofPrograms, [1, 2, 4])
    func contract(rule: RunnerRule, workers: Int) async throws { try await rule.check(try Helper.runner(workers)) }

    @Test("gives the same outcomes and bill when every step fails once and an input changes") func same() async throws {
        let comparison = RunnerComparison(
            try RegisteredProcessor(StepProcessor()), over: (1...6).map { Item("doc_\($0)", $0) },
            changing: Item("doc_3", 33), prices: .of(base: ["steps": Price("0.10", policy: "per_input")]))
        try await comparison.check(under: [.sequential, try Helper.runner(2)])
    }

    @Test("1 to 1024 workers, nothing else", arguments: [-1, 0, 1_025]) func workers(count: Int) {
        let error = #expect(throws: ProcessingError.self) { try ProcessRunner(maxWorkers: count) }
        #expect(error?.code == .configuration)
    }

    @Test("is refused before the run exists by a program that does not serve as a worker") func unserved() async throws
    {
        let store = MemoryStore()
        let error = await #expect(throws: ProcessingError.self) {
            try await Engine.testing(store).run(
                StepProcessor(), items: [Item("a", 1)], options: .on(try ProcessRunner()))
        }
        #expect(error?.code == .configuration)
        #expect(error?.message.contains("WorkerProcess.serveIfAsked") == true)
        #expect(try await store.runs(matching: RunFilter()).isEmpty)
    }

    @Test("refuses a processor that its workers do not have, or have in another version") func unknown() async throws {
        let others = [
            try RegisteredProcessor(StepProcessor("stranger")), try RegisteredProcessor(StepProcessor(), version: "2"),
        ]
        for processor in others {
            let error = await #expect(throws: ProcessingError.self) {
                try await Engine.testing().run(processor, over: [Item("a", 1)], options: .on(try Helper.runner(1)))
            }
            #expect(error?.code == .configuration)
        }
    }

    @Test("a program that is no worker makes the runner unavailable") func noWorker() async throws {
        let runner = try ProcessRunner(maxWorkers: 1, executable: "/bin/false")
        let error = await #expect(throws: ProcessingError.self) {
            try await Engine.testing().run(StepProcessor(), items: [Item("a", 1)], options: .on(runner))
        }
        #expect(error?.code == .runnerUnavailable)
        #expect(error?.message == "a worker could not be started: worker exited with status 1 before answering")
    }

    // MARK: Workers

    @Test("three items of 100 ms are seen by two processes") func twoProcesses() async throws {
        let report = try await Helper.run(["pid", "pid", "pid"], on: try Helper.runner(2))
        #expect(Set(try report.outputs(as: String.self)).count == 2)
    }

    @Test("a worker that dies costs the attempt at its item and nothing else", arguments: Death.all)
    func death(death: Death) async throws {
        let report = try await Helper.run([death.input, "fine", "fine"], on: try Helper.runner(2), maxCrashes: 1)
        #expect(report.outcomes.map(\.status) == [.failed, .succeeded, .succeeded])
        let failed = report.outcomes[0]
        #expect(failed.error?.code == .workerCrashed && failed.reason == .poison && failed.attempts == 1)
        #expect(failed.error?.message.hasPrefix(death.message) == true, "\(failed.error?.message ?? "")")
    }

    @Test("an attempt lost with its worker is repeated on a fresh one") func repeated() async throws {
        let report = try await Helper.run(["once", "fine"], on: try Helper.runner(1))
        #expect(report.success)
        #expect(report.outcomes.map(\.attempts) == [2, 1])
    }

    @Test("an item that kills every worker is failed after three, and 99 others are not disturbed") func poison()
        async throws
    {
        let inputs = (0..<100).map { $0 == 37 ? "segv" : "fine" }
        let runner = ObservedRunner(try Helper.runner(2))
        let report = try await Helper.run(inputs, on: runner)
        #expect(report.counts.succeeded == 99)
        #expect(report.outcomes[37].attempts == 3 && report.outcomes[37].reason == .poison)
        #expect(runner.workers == 2)
    }

    @Test("more than ten items that kill workers open the pool's breaker, which closes after 60 s") func breaker()
        async throws
    {
        let time = ManualTime()
        let runner = try Helper.runner(1, time: time)
        let report = try await Helper.run(
            ["fine"] + Array(repeating: "kill", count: 12) + ["fine"], on: runner, maxCrashes: 1)
        #expect(report.outcomes.dropFirst().prefix(11).allSatisfy { $0.error?.code == .workerCrashed })
        #expect(report.outcomes.suffix(2).map(\.error?.code) == [.circuitOpen, .circuitOpen])
        time.advance(by: .seconds(60))
        #expect(try await Helper.run(["fine"], on: runner).success)
    }

    @Test("one item that kills workers again and again does not open the breaker") func onePoison() async throws {
        let report = try await Helper.run(["kill", "fine"], on: try Helper.runner(1), maxCrashes: 15)
        #expect(report.outcomes.map(\.status) == [.failed, .succeeded])
        #expect(report.outcomes[0].attempts == 15)
    }

    // MARK: Silence and stops

    @Test("a worker that is silent is killed", arguments: ["stop", "half"]) func silent(input: String) async throws {
        // Three times as long as a worker is silent between two beats, on a machine that is busy as well.
        let report = try await Helper.run(
            [input, "fine"], on: try Helper.runner(1, heartbeatTimeout: .seconds(3)))
        #expect(report.outcomes.map(\.status) == [.failed, .succeeded])
        #expect(report.outcomes[0].error?.code == .timeout)
        #expect(report.outcomes[0].error?.message == "no heartbeat for 3 s")
    }

    @Test("work that takes longer than the heartbeat limit goes on, since the worker beats by itself") func beats()
        async throws
    {
        let report = try await Helper.run(["nap"], on: try Helper.runner(1, heartbeatTimeout: .seconds(3)))
        #expect(report.success)
    }

    @Test("a cancelled item is shown when its worker is gone, though that ignores SIGTERM") func cancelled()
        async throws
    {
        let worker = Mutex<pid_t>(0)
        let handle = Mutex<RunHandle?>(nil)
        var options = RunOptions.on(try Helper.runner(1))
        options.onChunk = { _, chunk in
            worker.withLock { $0 = (try? chunk.value()) ?? 0 }
            handle.withLock { $0?.cancel() }
        }
        let report = try await Engine.testing().run(
            Helper.misbehaving, over: [Item("a", "stubborn")], options: options
        ) { run in handle.withLock { $0 = run } }
        #expect(report.outcomes.map(\.status) == [.cancelled])
        #expect(report.outcomes[0].reason == .runCancelled)
        #expect(kill(worker.withLock { $0 }, 0) != 0)
    }

    @Test("a timed-out item's worker is ended and another goes on") func timeout() async throws {
        let time = ManualTime()
        // It says when it has begun.
        var options = RunOptions.on(try Helper.runner(1) { _ in time.advance(by: .seconds(4)) })
        options.itemTimeout = .seconds(4)
        let report = try await Engine.testing(time: time).run(
            Helper.misbehaving, over: [Item("a", "spin"), Item("b", "fine")], options: options)
        #expect(report.outcomes.map(\.status) == [.failed, .succeeded], "\(report.outcomes.map(\.error?.message))")
        #expect(report.outcomes[0].error?.message == "timed out after 4 s")
    }

    @Test("a grandchild that holds the worker's pipes is not waited for, and ends with it") func grandchild()
        async throws
    {
        let grandchild = Mutex<pid_t>(0)
        var options = RunOptions.on(try Helper.runner(1))
        options.maxCrashes = 1
        options.onChunk = { _, chunk in grandchild.withLock { $0 = (try? chunk.value()) ?? 0 } }
        let report = try await Engine.testing().run(
            Helper.misbehaving, over: [Item("a", "grandchild")], options: options)
        #expect(report.outcomes[0].error?.message == "worker exited with status 3 before answering")
        let stat = ProcessTable.file("stat", of: grandchild.withLock { $0 })
        #expect(stat.map { String(decoding: $0, as: UTF8.self).contains(") Z ") } ?? true)
    }

    // MARK: Values and output

    @Test("values of 10 MB cross in both directions, and the engine says that this is a lot") func large() async throws
    {
        let text = "large " + String(repeating: "0123456789", count: 1 << 20)
        let hints = Mutex<[String]>([])
        let events = EventStream()
        let watch = events.subscribe { event in
            if event.kind == .hint { hints.withLock { $0.append(event.data["hint"]?.string ?? "") } }
        }
        let report = try await Engine.testing(events: events).run(
            Helper.misbehaving, over: [Item("a", text)], options: .on(try Helper.runner(1)))
        #expect(try report.outputs(as: String.self).first?.utf8.count == 10 << 20)
        await watch.finish()
        #expect(hints.withLock { $0 }.contains("large_item"))
    }

    @Test("values above 16 MiB are refused with their size, in both directions") func tooLarge() async throws {
        let inputs = [String(repeating: "x", count: 17 << 20), "grow \(17 << 20)"]
        let report = try await Helper.run(inputs, on: try Helper.runner(1))
        for (outcome, what) in zip(report.outcomes, ["input", "output"]) {
            #expect(
                outcome.error?.message
                    == "the \(what) has 17.0 MiB of JSON, and a worker process takes up to 16 MiB; use the runner 'thread' or smaller values"
            )
            #expect(outcome.error?.retryable == false)
        }
    }

    @Test(
        "what a processor asks for with more than 16 MiB is refused with its size, and the worker goes on",
        arguments: [
            ("charge much", "a charge of s/o with its metadata"), ("ask much", "a call of s/o with its key"),
            ("settle much", "a paid call with its metadata"),
        ])
    func asksTooMuch(input: String, what: String) async throws {
        let report = try await Helper.run([input, "fine"], on: try Helper.runner(1), maxCrashes: 1)
        #expect(report.outcomes.map(\.status) == [.failed, .succeeded])
        #expect(
            report.outcomes[0].error?.message
                == "\(what) has 17.0 MiB of JSON, and a worker process takes up to 16 MiB; use the runner 'thread' or smaller values"
        )
        #expect(report.outcomes[0].error?.retryable == false)
        #expect(report.bill.totalCost == (try Money(input == "settle much" ? 2 : 0)))
        #expect(report.bill.inDoubtCost == .zero)
    }

    @Test("logs and failures of any length cost no worker") func longTexts() async throws {
        let report = try await Helper.run(["log much", "throw much"], on: try Helper.runner(1), maxCrashes: 1)
        #expect(report.outcomes.map(\.status) == [.succeeded, .failed])
        #expect(report.outcomes[1].error?.code == .api)
        #expect(report.outcomes[1].error?.message.utf8.count == 8_192)
    }

    @Test("a run whose metadata has more than 16 MiB fails its items, not this program") func largeRun() async throws {
        var options = RunOptions.on(try Helper.runner(1))
        options.metadata = ["much": .string(String(repeating: "x", count: 17 << 20))]
        let report = try await Engine.testing().run(Helper.misbehaving, over: [Item("a", "fine")], options: options)
        #expect(
            report.outcomes[0].error?.message
                == "the run with its metadata has 17.0 MiB of JSON, and a worker process takes up to 16 MiB; use the runner 'thread' or smaller values"
        )
    }

    @Test("what user code prints is passed on line by line, harmless to a terminal") func prints() async throws {
        let (lines, line) = AsyncStream.makeStream(of: String.self)
        let runner = try Helper.runner(1) { line.yield($0) }
        let engine = Engine.testing()
        let report = try await engine.run(Helper.misbehaving, over: [Item("a", "print")], options: .on(runner))
        #expect(report.success)
        for await found in lines {
            #expect(found == "\\u{1b}[2J\\u{0} not a frame")
            break
        }
        let kept = try await engine.store.logLines(matching: LogFilter(runID: report.runID), limit: 9)
        #expect(kept.map(\.text) == ["\\u{1b}[2J\\u{0} not a frame"])
        #expect(kept.map(\.inputID) == ["a"] && kept.map(\.source) == [.stderr])
    }

    @Test("a flood of 100 MB on standard error is cut short and stalls nobody") func flood() async throws {
        let bytes = Mutex(0)
        let runner = try Helper.runner(1) { line in bytes.withLock { $0 += line.utf8.count + 1 } }
        #expect(try await Helper.run(["flood", "fine"], on: runner).success)
        #expect(bytes.withLock { $0 } <= 1 << 20 + 1_024)
    }
}

/// A way for a worker to die, and what is said of it.
struct Death: CustomTestStringConvertible {
    let input: String
    let message: String
    var testDescription: String { input }

    static let all = [
        Death(input: "trap", message: "worker crashed with signal \(trap) in step 'processing'"),
        Death(input: "exit", message: "worker exited with status 3 before answering"),
        Death(input: "segv", message: "worker crashed with signal 11 (SIGSEGV) before answering"),
        Death(input: "kill", message: "worker crashed with signal 9 (SIGKILL) before answering"),
        Death(
            input: "garbage", message: "worker was killed because it sent bytes that are not a frame, before answering"),
        Death(
            input: "nothing", message: "worker was killed because it sent bytes that are not a frame, before answering"),
        Death(input: "huge", message: "worker was killed because it sent a frame of 2147483648 bytes"),
    ]

    #if arch(x86_64)
        private static let trap = "4 (SIGILL)"
    #else
        private static let trap = "5 (SIGTRAP)"
    #endif
}

/// The program `AssayWorkerHelper`, as workers.
enum Helper {
    static let path = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
        .deletingLastPathComponent().appendingPathComponent("AssayWorkerHelper").path

    /// What the helper has under this name; here nothing is extracted.
    static let misbehaving: RegisteredProcessor = {
        do {
            return try RegisteredProcessor(ClosureProcessor<String, String>("misbehaving") { input, _ in input })
        } catch {
            preconditionFailure("\(error)")
        }
    }()

    static func runner(
        _ workers: Int, heartbeatTimeout: Duration = .seconds(60), time: any TimeSource = World.system.time,
        output: @escaping @Sendable (String) -> Void = { _ in }
    ) throws -> ProcessRunner {
        try ProcessRunner(
            maxWorkers: workers, executable: path, heartbeatTimeout: heartbeatTimeout, time: time, output: output)
    }

    static func run(_ inputs: [String], on runner: any Runner, maxCrashes: Int = 3) async throws -> Report {
        var options = RunOptions.on(runner)
        options.maxCrashes = maxCrashes
        let items = inputs.enumerated().map { Item("item_\($0)", $1) }
        return try await Engine.testing().run(misbehaving, over: items, options: options)
    }

    /// Waits until `condition` holds, ten seconds at most.
    static func wait(until condition: () -> Bool) async {
        for _ in 0..<2_000 where !condition() { try? await Task.sleep(for: .milliseconds(5)) }
    }
}
