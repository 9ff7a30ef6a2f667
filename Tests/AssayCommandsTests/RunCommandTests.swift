import Assay
import AssayCommands
import Foundation
import AssayTesting
import Testing

@Suite("A run from the command line") struct RunCommandTests {
    static let lines = """
        {"input_id": "a", "data": "one"}
        {"input_id": "b", "data": 2}
        {"input_id": "c", "data": "three"}

        """

    private static func shell(_ text: String = lines, terminal: Int? = nil) throws -> TestShell {
        let shell = try TestShell(terminal: terminal)
        try shell.write(TestShell.capitals, to: "p.yaml")
        try shell.write(text, to: "in.jsonl")
        return shell
    }

    @Test("shows outputs, failures, the bill and what to do next, and tells that some failed")
    func table() async throws {
        let shell = try Self.shell()
        #expect(await shell.assay("run", "p.yaml", "--inputs", "in.jsonl") == 2)
        let run = try #require(try await shell.runs().first)
        let lines = shell.output.lines
        #expect(lines[0].hasPrefix("capitals: partial  2 succeeded, 1 failed of 3 in "))
        #expect(lines.contains("a      work  0.00  ONE"))
        #expect(lines.contains("     1  validation  b      text_transformer needs text, found number"))
        #expect(
            lines.contains("total                       0.10") && lines.contains("per success                 0.05"))
        #expect(shell.messages.text == "1 of 3 failed; to run only those again: assay retry \(run)\n")
    }

    @Test(
        "ends with the code of its status",
        arguments: [
            ("{\"data\":\"x\"}", 0), ("{\"data\":\"x\"}\n{\"data\":1}", 2), ("{\"data\":1}", 1), ("", 66),
            ("{\"input_id\":\"a\",\"data\":\"x\"}\n{\"input_id\":\"a\",\"data\":\"y\"}", 1),
        ] as [(String, Int32)])
    func codes(text: String, code: Int32) async throws {
        let shell = try Self.shell(text)
        #expect(await shell.assay("run", "p.yaml", "--inputs", "in.jsonl", "-o", "none") == code)
        #expect(shell.output.text.isEmpty)
    }

    @Test("says nothing when it goes well and the user wants quiet")
    func quiet() async throws {
        let shell = try Self.shell("{\"data\":\"x\"}")
        #expect(await shell.assay("run", "p.yaml", "--inputs", "in.jsonl", "--quiet") == 0)
        #expect(shell.output.text.isEmpty && shell.messages.text.isEmpty)
    }

    @Test("writes one report as JSON, with every outcome and resume point")
    func json() async throws {
        let shell = try Self.shell()
        let (text, code) = await shell.output(of: "run", "p.yaml", "--inputs", "in.jsonl", "-o", "json")
        #expect(code == 2)
        let report = try JSONValue(json: text)
        #expect(report["schema"] == "assay/report/1" && report["status"] == "partial")
        #expect(report["outcomes"]?.array?.map { $0["output"] } == ["ONE", .null, "THREE"])
        #expect(report["payloads"]?.array?.map { $0["step"] } == [nil, "extraction", nil])
        #expect(report["cost_breakdown"]?["total_cost"] == .number(Number("0.10")!))

        let run = try #require(report["run_id"]?.string)
        let (again, _) = await shell.output(of: "runs", "show", run, "-o", "json")
        #expect(again == text)
    }

    @Test("writes outcomes as they are finished and then the report as JSON lines")
    func jsonLines() async throws {
        let shell = try Self.shell()
        let (text, _) = await shell.output(of: "run", "p.yaml", "--inputs", "in.jsonl", "-o", "jsonl")
        let lines = try text.split(separator: "\n").map { try JSONValue(json: String($0)) }
        #expect(lines.map { $0["type"] } == ["outcome", "outcome", "outcome", "report"])
        #expect(lines.map { $0["input_id"] } == ["a", "b", "c", nil])
        #expect(lines[0]["schema"] == "assay/outcome/1" && lines[0]["run_id"] == lines[3]["run_id"])
        #expect(lines[3]["outcomes"] == nil && lines[3]["payloads"] == nil)
    }

    @Test(
        "writes no outcome that is taken back again: under atomic all of them after the verdict",
        arguments: [
            (lines, ["cancelled", "failed", "cancelled", "failed"]),
            ("{\"data\":\"x\"}\n{\"data\":\"y\"}", ["succeeded", "succeeded", "succeeded"]),
        ] as [(String, [JSONValue])])
    func atomic(text: String, statuses: [JSONValue]) async throws {
        let shell = try Self.shell(text)
        let (text, _) = await shell.output(
            of: "run", "p.yaml", "--inputs", "in.jsonl", "-o", "jsonl", "--on-failure", "atomic", "--workers", "1")
        let lines = try text.split(separator: "\n").map { try JSONValue(json: String($0)) }
        #expect(lines.map { $0["status"] } == statuses)
        #expect(lines.map { $0["type"] }.dropLast().allSatisfy { $0 == "outcome" } && lines.last?["type"] == "report")
        #expect(lines.allSatisfy { $0["status"] == "succeeded" || $0["output"] ?? .null == .null })
    }

    @Test("that ended while its inputs were read is on record with the reason, and is not offered to go on with")
    func unlisted() async throws {
        let shell = try Self.shell(Self.lines + "{bad\n")
        #expect(await shell.assay("run", "p.yaml", "--inputs", "in.jsonl", "--runner", "sequential") == 65)
        #expect(shell.messages.lines.count == 1 && shell.messages.text.hasPrefix("in.jsonl:4: not valid JSON"))
        let run = try #require(try await shell.runs().first)
        let (json, _) = await shell.output(of: "runs", "show", run, "-o", "json")
        let error = try #require(try JSONValue(json: json)["error"])
        #expect(error["message"]?.string.map { $0 + "\n" } == shell.messages.text)
        #expect(error["code"] == "configuration")
        let (table, _) = await shell.output(of: "runs", "show", run)
        #expect(table.contains("run the command again") && !table.contains("assay resume"))
        #expect(await shell.assay("resume", run) == 65)
        #expect(await shell.assay("retry", run) == 65)
    }

    /// An input during whose reading a file changes.
    private final class Meddler: ByteSource {
        private let source = TextSource("{\"data\":\"x\"}\n")
        private let shell: TestShell

        init(_ shell: TestShell) { self.shell = shell }

        func read(_ limit: Int) throws -> [UInt8] {
            try shell.write("currency: [\n", to: "prices.yaml")
            return source.read(limit)
        }
    }

    @Test("tells once when a price file that changed cannot be used, and goes on by the last good one")
    func prices() async throws {
        let shell = try TestShell()
        try shell.write("currency: USD\nprocessors: {capitals: 0.25}\n", to: "prices.yaml")
        try shell.write(
            """
            run_as: processor
            processors:
              - {processor_id: capitals, processor_type: text_transformer, parameters: {transformation: uppercase}}
            prices: prices.yaml

            """, to: "p.yaml")
        var value = shell.value
        value.input = Meddler(shell)
        #expect(await CommandLineTool.run(["run", "p.yaml", "-", "--quiet", "-o", "json"], in: value) == 0)
        #expect(shell.messages.text.hasPrefix("warning: the changed price file is not used: "))
        #expect(shell.messages.text.components(separatedBy: "warning:").count == 2)
        let total = try JSONValue(json: shell.output.text)["cost_breakdown"]?["total_cost"]
        #expect(total == .number(Number("0.25")!))
    }

    @Test("shows the item whose name has these bytes, not one that looks the same")
    func spellings() async throws {
        let shell = try Self.shell(
            "{\"input_id\":\"e\u{301}\",\"data\":\"x\"}\n{\"input_id\":\"\u{E9}\",\"data\":\"y\"}")
        #expect(await shell.assay("run", "p.yaml", "--inputs", "in.jsonl", "-o", "none") == 0)
        let run = try await shell.runs()[0]
        for (name, output) in [("e\u{301}", "X"), ("\u{E9}", "Y")] as [(String, JSONValue)] {
            let (text, _) = await shell.output(of: "runs", "items", run, name, "-o", "json")
            #expect(try JSONValue(json: text)["output"] == output)
        }
    }

    @Test("goes on when nobody reads its output any more")
    func closedPipe() async throws {
        let shell = try Self.shell()
        shell.output.close()
        #expect(await shell.assay("run", "p.yaml", "--inputs", "in.jsonl", "-o", "jsonl") == 2)
        #expect(await shell.assay("runs", "list") == 0)
        #expect(try await shell.runs().count == 1)
        #expect(!shell.messages.text.contains("write"))
    }

    @Test("has no live block without a terminal, and clears it on one")
    func live() async throws {
        let plain = try Self.shell()
        await plain.assay("run", "p.yaml", "--inputs", "in.jsonl", "-o", "none")
        #expect(!plain.messages.text.contains("\u{1B}"))
        let terminal = try Self.shell(terminal: 80)
        await terminal.assay("run", "p.yaml", "--inputs", "in.jsonl", "-o", "none", "--color", "never")
        let text = terminal.messages.text
        #expect(text.hasSuffix("assay retry \(try await terminal.runs()[0])\n"))
        #expect(
            text.components(separatedBy: "\u{1B}[").dropFirst().allSatisfy {
                $0.first?.isNumber == true || $0.hasPrefix("J")
            })
    }

    @Test("shows what terminals would act on as text")
    func hostile() async throws {
        let shell = try Self.shell(#"{"input_id":"a","data":"\u001b[2J\u202e"}"#)
        await shell.assay("run", "p.yaml", "--inputs", "in.jsonl")
        #expect(shell.output.text.contains("\\u{1b}[2J\\u{202e}"))
    }

    @Test("is retried and resumed by its name alone; the base is charged once")
    func again() async throws {
        let shell = try Self.shell()
        await shell.assay("run", "p.yaml", "--inputs", "in.jsonl", "--runner", "thread", "--workers", "2")
        try FileManager.default.removeItem(atPath: shell.folder + "/p.yaml")
        let first = try await shell.runs()[0]
        #expect(await shell.assay("retry", first, "-o", "none") == 2)
        #expect(await shell.assay("resume", first, "-o", "none") == 2)
        let (text, _) = await shell.output(of: "runs", "show", try await shell.runs()[0], "-o", "json")
        let report = try JSONValue(json: text)
        #expect(report["runner"] == "thread" && report["context"]?["previous_run_id"] == .string(first))
        #expect(report["outcomes"]?.array?.map { $0["carried"] } == [true, false, true])
        let (bill, _) = await shell.output(of: "costs", "report", "-o", "json")
        #expect(try JSONValue(json: bill)["total_cost"] == .number(Number("0.10")!))
    }

    @Test("takes one processor in place of a pipeline")
    func processor() async throws {
        let shell = try Self.shell("{\"data\":\"abc\"}")
        let (text, code) = await shell.output(
            of: "run", "--processor", "text_transformer", "--param", "text_transformer.transformation=reverse",
            "--inputs", "in.jsonl", "--store", ":memory:", "-o", "json")
        #expect(code == 0)
        #expect(try JSONValue(json: text)["outcomes"]?.array?[0]["output"] == "cba")
        #expect(!FileManager.default.fileExists(atPath: shell.folder + "/.assay"))
    }

    @Test("gives its scope to inputs that name none")
    func scope() async throws {
        let shell = try Self.shell(#"{"data":"x","account_id":"acc_1"}"# + "\n" + #"{"data":"y"}"#)
        let run = ["run", "p.yaml", "--inputs", "in.jsonl", "-o", "none", "--account"]
        #expect(await CommandLineTool.run(run + ["acc_1"], in: shell.value) == 0)
        #expect(await CommandLineTool.run(run + ["acc_2"], in: shell.value) == 1)
        #expect(shell.messages.text.contains("acc_1"))
    }

    @Test("shows the factors of bank statements", .enabled(if: TestShell.hasStatements))
    func factors() async throws {
        let shell = try TestShell(registry: .complete)
        #expect(await shell.assay("init") == 0)
        #expect(await shell.assay("validate", "pipeline.yaml") == 0)
        let samples = shell.folder + "/statements"
        #expect(await shell.assay("run", "pipeline.yaml", samples, "--store", ":memory:") == 0)
        #expect(shell.output.text.contains("2025-01-01–2025-01-31"))
        #expect(shell.output.text.contains("total                       0.10"))
    }
}

@Suite("Stopping a run") struct StopTests {
    private static func shell(_ gate: Door) throws -> TestShell {
        let shell = try TestShell(registry: gate.registry)
        try shell.write(
            "run_as: processor\nprocessors: [{processor_id: w, processor_type: waits, parameters: {}}]\n", to: "p.yaml")
        try shell.write("{\"data\":\"one\"}\n{\"data\":\"two\"}\n", to: "in.jsonl")
        return shell
    }

    @Test(
        "once finishes what is in flight and names the command to go on with",
        arguments: [(StopSignal.interrupt, Int32(130)), (.terminate, 143), (.hangUp, 129)])
    func drains(signal: StopSignal, status: Int32) async throws {
        let gate = Door()
        let shell = try Self.shell(gate)
        async let code = shell.assay("run", "p.yaml", "--inputs", "in.jsonl", "-o", "jsonl")
        await gate.arrived()
        shell.signals.yield(signal)
        // A closed terminal and its shell may both say so, which is not the second signal that ends at once.
        if signal == .hangUp { shell.signals.yield(signal) }
        await shell.messages.waits(for: "once more stops at once")
        gate.open()
        #expect(await code == status)
        let run = try await shell.runs()[0]
        #expect(shell.messages.text.contains("assay resume \(run)\n"))
        let statuses = try shell.output.lines.map { try JSONValue(json: $0)["status"] }
        #expect(statuses == ["succeeded", "cancelled", "cancelled"])
        #expect(await shell.assay("resume", run, "-o", "none") == 0)
    }

    @Test("twice does not wait for what is in flight; the run can be resumed all the same")
    func stops() async throws {
        let gate = Door()
        let shell = try Self.shell(gate)
        async let code = shell.assay("run", "p.yaml", "--inputs", "in.jsonl", "-o", "none")
        await gate.arrived()
        shell.signals.yield(.interrupt)
        shell.signals.yield(.interrupt)
        #expect(await code == 130)
        let run = try await shell.runs()[0]
        #expect(shell.messages.text.contains("assay resume \(run)\n"))
        gate.open()
        #expect(await shell.assay("resume", run, "-o", "none") == 0)
    }

    @Test("leaves the store to its owner: others may read along, and are told who works")
    func readAlong() async throws {
        let gate = Door()
        let shell = try Self.shell(gate)
        async let code = shell.assay("run", "p.yaml", "--inputs", "in.jsonl", "-o", "none")
        await gate.arrived()
        let run = try await shell.runs()[0]
        let (text, shown) = await shell.output(of: "runs", "show", run, "-o", "json")
        #expect(shown == 0)
        #expect(try JSONValue(json: text)["status"] == "running")
        #expect(await shell.assay("run", "p.yaml", "--inputs", "in.jsonl") == 74)
        #expect(shell.messages.text.contains("is in use by process"))
        gate.open()
        #expect(await code == 0)
    }
}
