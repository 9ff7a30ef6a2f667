import Assay
import AssayCommands
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
        #expect(await CommandLineTool.run(["graph", move, "last"], in: second) == 0)
        #expect(other.text.contains("goes on"))
        #expect(await code == 0)
        #expect(shell.messages.text.contains("going on: told so from another terminal"))
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

    @Test("is still paused after its program was killed, and let go once")
    func killed() async throws {
        let shell = try TestShell()
        try shell.write(Self.pipeline, to: "p.yaml")
        // The last line comes when the run stands; until then it may be killed without being done.
        try shell.write(Self.lines, to: "in.jsonl")
        let program = try Program(
            ["run", "p.yaml", "--inputs", "in.jsonl", "--break", "pay", "-o", "none"], in: shell.folder)
        #expect(program.end() == 4)
        for _ in 0..<3 {
            // Killed wherever it happens to be: on its way back to the pause, or after it went on.
            let again = try Program(["graph", "step", "last", "-o", "none"], in: shell.folder)
            again.send(SIGKILL)
            _ = again.end()
        }
        var code = await shell.assay("graph", "continue", "last")
        while code == 4 { code = await shell.assay("graph", "continue", "last") }
        // A kill after the release leaves a run that was in progress.
        if code == 1 { code = await shell.assay("resume", "last") }
        #expect(code == 0, "\(shell.messages.text)")
        let (bill, _) = await shell.output(of: "costs", "ledger", "-o", "json")
        let charges = try JSONValue(json: bill)["charges"]?.array ?? []
        #expect(charges.count { $0["kind"] == "base" && $0["processor_id"] == "pay" } >= 1)
    }
}
