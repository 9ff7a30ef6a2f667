import Assay
import AssayCommands
import AssaySQLite
import AssayTesting
import Foundation
import Synchronization
import Testing

/// What somebody types, line by line.
private final class Typing: ByteSource {
    private let lines = Mutex<[String]>([])
    private let typed = DispatchSemaphore(value: 0)

    func type(_ line: String?) {
        if let line { lines.withLock { $0.append(line + "\n") } }
        typed.signal()
    }

    func read(_ limit: Int) -> [UInt8] {
        typed.wait()
        return lines.withLock { $0.isEmpty ? [] : Array($0.removeFirst().utf8) }
    }

    func stop() { typed.signal() }

    let isTerminal = true
}

@Suite("A run that a breakpoint pauses, from the command line") struct PauseCommandTests {
    private static let pipeline = """
        graph_id: pays
        processors:
          - {processor_id: read, processor_type: simple, parameters: {function: passthrough}}
          - {processor_id: pay, processor_type: simple, parameters: {function: multiply}, price: 0.10}
        connections:
          - {from_processor: read, from_output: output, to_processor: pay, to_input: input}

        """
    private static let lines = [50, 150, 99, 200].map { "{\"data\": \($0)}\n" }.joined()

    private static func shell(_ more: String = "", terminal columns: Int? = nil) throws -> TestShell {
        let shell = try TestShell(terminal: columns)
        try shell.write(pipeline + more, to: "p.yaml")
        try shell.write(lines, to: "in.jsonl")
        return shell
    }

    private static let run = ["run", "p.yaml", "--inputs", "in.jsonl"]

    private func status(_ shell: TestShell) async throws -> JSONValue? {
        let (text, _) = await shell.output(of: "runs", "show", "last", "-o", "json")
        return try JSONValue(json: text)["status"]
    }

    @Test("is left paused without a terminal, and gone on with from pause to pause to its end and bill")
    func left() async throws {
        let shell = try Self.shell()
        #expect(await shell.assay(Self.run + ["--break", "pay:value > 100", "--runner", "sequential"]) == 4)
        #expect(
            shell.messages.text.contains("paused before node 'pay' on input 'item_2'; to go on: assay graph continue"))
        #expect(try await status(shell) == "paused")
        let (shown, _) = await shell.output(of: "graph", "show", "last")
        #expect(shown.contains("level 1: pay (paused)\nread:output -> pay:input"))
        #expect(shown.contains("paused before node 'pay' on input 'item_2', given:\n  150"))
        #expect(shown.contains("breakpoint at 'pay' if value > 100: 1 match"))
        #expect(await shell.assay("wait", "last") == 4)
        #expect(await shell.assay("resume", "last") == 1)
        #expect(shell.messages.text.contains("is paused; to go on: assay graph continue"))
        #expect(await shell.assay("graph", "continue", "last") == 4)
        #expect(shell.messages.text.contains("paused before node 'pay' on input 'item_4'"))
        let (text, code) = await shell.output(of: "graph", "continue", "last", "-o", "json")
        #expect(code == 0)
        let report = try JSONValue(json: text)
        #expect(
            report["outcomes"]?.array?.map { $0["output"]?["pay:output"] ?? .null } == [100, 300, 198, 400])
        #expect(report["cost_breakdown"]?["total_cost"]?.number == Number("0.1"))
        #expect(try await shell.runs().count == 1)
        #expect(await shell.assay("graph", "continue", "last") == 1)
        #expect(shell.messages.text.contains("is succeeded, not paused"))
    }

    @Test("is stepped node by node, and taken to its end")
    func step() async throws {
        let shell = try Self.shell("breakpoints: [{processor_id: read, condition: input_id == 'item_1'}]\n")
        #expect(await shell.assay(Self.run + ["--runner", "sequential"]) == 4)
        #expect(await shell.assay("graph", "step", "last") == 4)
        #expect(await shell.assay("graph", "step", "last") == 4)
        #expect(await shell.assay("graph", "continue", "last", "--to-end") == 0)
    }

    @Test("is cancelled where it stands, and resumed")
    func cancel() async throws {
        let shell = try Self.shell()
        #expect(await shell.assay(Self.run + ["--break", "pay"]) == 4)
        #expect(await shell.assay("cancel", "last") == 0)
        #expect(try await status(shell) == "cancelled")
        #expect(await shell.assay("resume", "last", "--break", "pay:value == 200") == 4)
        #expect(await shell.assay("graph", "continue", "last") == 0)
        #expect(try await status(shell) == "succeeded")
    }

    @Test("asks at a terminal and does what is typed")
    func terminal() async throws {
        let shell = try Self.shell(terminal: 100)
        let typing = Typing()
        var value = shell.value
        value.input = typing
        let words = Self.run + ["--break", "pay:value > 100", "--runner", "sequential"]
        async let code = CommandLineTool.run(words, in: value)
        await shell.messages.waits(
            for: "paused before node 'pay' on input 'item_2'\n  150\ncontinue, step, show or cancel?")
        typing.type("what")
        await shell.messages.waits(for: "there is no word 'what' here")
        typing.type("show")
        await shell.messages.waits(for: "breakpoint at 'pay' if value > 100: 1 match")
        typing.type("continue")
        await shell.messages.waits(for: "paused before node 'pay' on input 'item_4'")
        typing.type("c")
        #expect(await code == 0)
        #expect(try await status(shell) == "succeeded")
    }

    @Test("is left paused when nobody types any more")
    func endOfInput() async throws {
        let shell = try Self.shell(terminal: 100)
        let typing = Typing()
        var value = shell.value
        value.input = typing
        async let code = CommandLineTool.run(Self.run + ["--break", "pay"], in: value)
        await shell.messages.waits(for: "continue, step, show or cancel?")
        typing.type(nil)
        #expect(await code == 4)
        #expect(try await status(shell) == "paused")
    }

    @Test("is told by another terminal to go on while it asks", arguments: ["continue", "step"])
    func another(move: String) async throws {
        let shell = try Self.shell(terminal: 100)
        let typing = Typing()
        var value = shell.value
        value.input = typing
        let words = Self.run + ["--break", "pay:value == 200", "--runner", "sequential"]
        async let code = CommandLineTool.run(words, in: value)
        await shell.messages.waits(for: "continue, step, show or cancel?")
        let other = CollectingSink()
        var second = shell.value
        second.messages = other
        #expect(await CommandLineTool.run(["graph", move, "last", "--budget", "9"], in: second) == 64)
        #expect(await CommandLineTool.run(["graph", move, "last"], in: second) == 0)
        #expect(other.text.contains("goes on"))
        #expect(await code == 0)
        #expect(shell.messages.text.contains("going on: told so from another terminal"))
    }

    @Test("keeps its breakpoints when it is told to go on to its end while it does not stand still")
    func toEndTooSoon() async throws {
        let gate = Door()
        let shell = try TestShell(registry: gate.registry)
        try shell.write(
            """
            graph_id: row
            processors:
              - {processor_id: first, processor_type: waits, parameters: {}}
              - {processor_id: second, processor_type: simple, parameters: {function: uppercase}}
            connections:
              - {from_processor: first, from_output: output, to_processor: second, to_input: input}

            """, to: "p.yaml")
        try shell.write("{\"data\": \"a\"}\n", to: "in.jsonl")
        async let code = shell.assay(Self.run + ["--break", "second"])
        await gate.arrived()
        let other = CollectingSink()
        var second = shell.value
        second.messages = other
        #expect(await CommandLineTool.run(["graph", "continue", "last", "--to-end"], in: second) == 1)
        #expect(other.text.contains("not paused"))
        gate.open()
        #expect(await code == 4)
    }

    @Test("goes on as it was begun: with saved outputs of nodes that have changed, where these were to be kept")
    func asBegun() async throws {
        let shell = try TestShell()
        func pipeline(_ multiplier: Int) -> String {
            let parameters = "{function: multiply, multiplier: \(multiplier)}"
            return """
                graph_id: row
                processors:
                  - {processor_id: a, processor_type: simple, parameters: \(parameters), price: 0.10}
                  - {processor_id: b, processor_type: simple, parameters: {function: passthrough}}
                  - {processor_id: c, processor_type: simple, parameters: {function: passthrough}}
                connections:
                  - {from_processor: a, from_output: output, to_processor: b, to_input: input}
                  - {from_processor: b, from_output: output, to_processor: c, to_input: input}

                """
        }
        try shell.write(pipeline(2), to: "p.yaml")
        try shell.write(pipeline(5), to: "edited.yaml")
        try shell.write("{\"data\": 10}\n", to: "in.jsonl")
        #expect(await shell.assay(Self.run + ["--break", "b"]) == 4)
        #expect(await shell.assay("cancel", "last") == 0)
        let resume = ["resume", "last", "--pipeline", "edited.yaml", "--on-change", "keep", "--break", "c"]
        #expect(await shell.assay(resume) == 4)
        let (text, code) = await shell.output(of: "graph", "continue", "last", "-o", "json")
        #expect(code == 0)
        #expect(try JSONValue(json: text)["outcomes"]?.array?.map { $0["output"]?["c:output"] ?? .null } == [20])
        let (ledger, _) = await shell.output(of: "costs", "ledger", "-o", "json")
        let charges = try JSONValue(json: ledger)["charges"]?.array ?? []
        #expect(charges.filter { $0["processor_id"] == "a" }.count == 1)
    }

    @Test("is refused a node that is not there, a condition that cannot be read, and a single processor")
    func refusals() async throws {
        let shell = try Self.shell()
        #expect(await shell.assay(Self.run + ["--break", "pya"]) == 64)
        #expect(shell.messages.text.contains("unknown processor 'pya'; did you mean 'pay'?"))
        #expect(await shell.assay(Self.run + ["--break", "pay:value >"]) == 64)
        #expect(shell.messages.text.contains("--break pay:value >: "))
        try shell.write(TestShell.capitals, to: "one.yaml")
        #expect(await shell.assay("run", "one.yaml", "--inputs", "in.jsonl", "--break", "capitals") == 64)
        #expect(shell.messages.text.contains("--break is for graphs"))
    }

    @Test("is let go once by whichever program lives to do it, with nothing done or charged twice in a run")
    func killed() async throws {
        var chance = SeededNumbers(seed: Rig.seed())
        var kills = 0
        while kills < (Rig.isLong ? 1_000 : 25) { kills += try await killed(&chance) }
    }

    /// The last run whose inputs are on record.
    private func listed(_ shell: TestShell) async throws -> Assay.Run? {
        let store = try SQLiteStore.open(shell.folder + "/.assay/assay.db", access: .readOnly)
        defer { store.close() }
        return try await store.runs(matching: RunFilter()).first { $0.isListed }
    }

    /// Goes on from pause to pause with programs that are killed wherever they are, until the work is done.
    ///
    /// - Returns: how many were killed.
    private func killed(_ chance: inout SeededNumbers) async throws -> Int {
        let shell = try Self.shell()
        let run = Self.run + ["--break", "pay", "-o", "none"]
        #expect(await shell.assay(run) == 4)
        var (kills, resumes) = (0, 0)
        var outcome: Int32 = 4
        for _ in 0..<500 where outcome != 0 {
            // A resume that was killed before its inputs were on record left a run that nothing goes on from.
            let run = try #require(try await listed(shell))
            let words =
                run.status == .paused
                ? ["graph", chance.next() % 3 == 0 ? "step" : "continue", run.id.text, "-o", "none"]
                : ["resume", run.id.text, "--break", "pay", "-o", "none"]
            resumes += run.status == .paused ? 0 : 1
            let program = try Program(words, in: shell.folder)
            // One in four lives, so that the work gets on however long programs take to start.
            if chance.next() % 4 > 0 {
                try await Task.sleep(for: .microseconds(Int64(chance.next() % 150_000)))
                program.send(SIGKILL)
            }
            outcome = program.end()
            kills += outcome < 0 ? 1 : 0
        }
        #expect(outcome == 0, "\(kills) kills, \(resumes) resumes")
        let (text, _) = await shell.output(of: "runs", "items", "last", "-o", "json")
        let outputs = try JSONValue(json: text)["items"]?.array?.map { $0["output"]?["pay:output"] ?? .null }
        #expect(outputs == [100, 300, 198, 400])
        let (ledger, _) = await shell.output(of: "costs", "ledger", "-o", "json")
        let charges = try JSONValue(json: ledger)["charges"]?.array ?? []
        let bases = charges.compactMap { "\($0["run_id"]?.string ?? "") \($0["processor_id"]?.string ?? "")" }
        #expect(Set(bases).count == bases.count)
        #expect(!bases.isEmpty)
        return kills
    }
}

@Suite("A graph in the queue, from the command line") struct QueuedGraphCommandTests {
    private static let pipeline = """
        graph_id: pays
        runner: sequential
        processors:
          - {processor_id: read, processor_type: simple, parameters: {function: passthrough}}
          - {processor_id: pay, processor_type: simple, parameters: {function: multiply}, price: 0.10}
        connections:
          - {from_processor: read, from_output: output, to_processor: pay, to_input: input}
        queue: {queue_capacity: 2, capacity_refresh_time: 0.01}

        """

    @Test("is submitted, paused by a breakpoint of its file, and gone on with to its end")
    func pauses() async throws {
        let shell = try TestShell.queueing(
            Self.pipeline + "breakpoints: [{processor_id: pay, hit_count: 1, condition: input_id == 'item_1'}]\n")
        try shell.write("{\"data\": 1}\n{\"data\": 2}\n", to: "in.jsonl")
        #expect(await shell.submit("one") == 0)
        #expect(await shell.assay("queue", "cycle", "--pipeline", "p.yaml") == 0)
        #expect(try await shell.executions("paused").count == 1)
        #expect(await shell.assay("graph", "continue", "last") == 0)
        #expect(try await shell.executions("succeeded").count == 1)
    }

    @Test("is let go by another terminal while the queue is worked on")
    func another() async throws {
        let shell = try TestShell.queueing(Self.pipeline + "breakpoints: [{processor_id: pay}]\n")
        try shell.write("{\"data\": 1}\n", to: "in.jsonl")
        #expect(await shell.submit("one") == 0)
        async let code = shell.assay("queue", "work", "--pipeline", "p.yaml")
        await shell.messages.waits(for: "execution one is paused at a breakpoint")
        #expect(await shell.assay("graph", "continue", "last") == 0)
        await shell.output.waits(for: "one  succeeded")
        shell.signals.yield(.interrupt)
        #expect(await code == 130)
    }

    @Test("is waited for, watched and cancelled by another terminal while it is paused and its queue is worked on")
    func followed() async throws {
        let shell = try TestShell.queueing(Self.pipeline + "breakpoints: [{processor_id: pay, hit_count: 1}]\n")
        try shell.write("{\"data\": 1}\n", to: "in.jsonl")
        #expect(await shell.submit("one") == 0)
        async let code = shell.assay("queue", "work", "--pipeline", "p.yaml")
        await shell.messages.waits(for: "execution one is paused at a breakpoint")
        #expect(await shell.assay("wait", "last") == 4)
        #expect(await shell.assay("watch", "last") == 4)
        let (text, cancelled) = await shell.output(of: "cancel", "last")
        #expect(cancelled == 0)
        #expect(text.contains("cancelled  0 succeeded, 0 failed of 1"))
        #expect(try await shell.executions("cancelled").count == 1)
        #expect(await shell.assay("cancel", "last") == 1)
        shell.signals.yield(.interrupt)
        #expect(await code == 130)
    }

    @Test("is not let go by a worker with another pipeline, who says why")
    func otherWorker() async throws {
        let shell = try TestShell.queueing(Self.pipeline + "breakpoints: [{processor_id: pay, hit_count: 1}]\n")
        try shell.write(Self.pipeline.replacing("graph_id: pays", with: "graph_id: others"), to: "other.yaml")
        try shell.write("{\"data\": 1}\n", to: "in.jsonl")
        #expect(await shell.submit("one") == 0)
        #expect(await shell.assay("queue", "cycle", "--pipeline", "p.yaml") == 0)
        let run = try #require(try await shell.runs().first)
        let two = ["queue", "submit", "other.yaml", "--inputs", "in.jsonl", "--execution", "two", "-o", "none"]
        #expect(await shell.assay(two) == 0)
        // The first worker has heard out the signals of the shell.
        let (signals, strike) = AsyncStream.makeStream(of: StopSignal.self)
        var second = shell.value
        second.stopSignals = { signals }
        async let code = CommandLineTool.run(["queue", "work", "--pipeline", "other.yaml"], in: second)
        await shell.output.waits(for: "two  succeeded")
        #expect(await shell.assay("graph", "continue", run) == 65)
        #expect(shell.messages.text.contains("execution 'one' waits for "))
        #expect(try await shell.executions("paused").count == 1)
        strike.yield(.interrupt)
        #expect(await code == 130)
        #expect(await shell.assay("graph", "continue", run) == 0)
        #expect(try await shell.executions("succeeded").count == 2)
    }

    @Test("has its taps told what goes through its pipes")
    func taps() async throws {
        let shell = try TestShell.queueing(
            Self.pipeline + "taps: [{pipe: \"read:output->pay:input\", to: log}]\n")
        try shell.write("{\"data\": 1}\n", to: "in.jsonl")
        #expect(await shell.submit("one") == 0)
        #expect(await shell.assay("queue", "cycle", "--pipeline", "p.yaml") == 0)
        #expect(shell.messages.text.contains("tap read:output->pay:input item_1: 1"))
    }
}
