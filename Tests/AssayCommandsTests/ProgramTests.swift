import Assay
import Foundation
import Testing

@Suite("The program") struct ProgramTests {
    @Test("shows its version and help and ends well", arguments: ["--version", "--help"])
    func help(flag: String) throws {
        let program = try Program([flag])
        let (text, messages) = (program.output(), program.messages())
        #expect(program.end() == 0 && !text.isEmpty && messages.isEmpty)
    }

    @Test("refuses a wrong flag and a missing file with their codes")
    func refusals() throws {
        for (arguments, code) in [(["run", "--nonsense"], 64), (["run", "gone.yaml", "x"], 66)] as [([String], Int32)] {
            let program = try Program(arguments)
            #expect(!program.messages().isEmpty)
            #expect(program.end() == code)
        }
    }

    @Test("runs from the input to the output, and colours nothing without a terminal")
    func pipes() throws {
        let shell = try TestShell()
        try shell.write(TestShell.capitals, to: "p.yaml")
        let program = try Program(["run", "p.yaml", "-", "-o", "jsonl"], in: shell.folder)
        program.write("{\"data\":\"hello\"}\n")
        program.closeInput()
        let lines = program.output().split(separator: "\n")
        #expect(program.messages().isEmpty)
        #expect(program.end() == 0)
        #expect(try lines.map { try JSONValue(json: String($0))["type"] } == ["outcome", "report"])
    }

    @Test("works in processes, and goes on in processes with a run whose processor failed")
    func processes() async throws {
        let shell = try TestShell()
        try shell.write(TestShell.capitals, to: "p.yaml")
        try shell.write("{\"data\":\"hello\"}\n{\"data\":[1]}\n{\"data\":\"you\"}\n", to: "in.jsonl")
        let first = try Program(
            ["run", "p.yaml", "--inputs", "in.jsonl", "--runner", "process", "-o", "jsonl"], in: shell.folder)
        let lines = try first.output().split(separator: "\n").map { try JSONValue(json: String($0)) }
        #expect(first.end() == 2)
        #expect(lines.compactMap { $0["output"]?.string }.sorted() == ["HELLO", "YOU"])
        let run = try #require(lines.last?["run_id"]?.string)
        for command in ["resume", "retry"] {
            let again = try Program([command, run, "-o", "json"], in: shell.folder)
            let report = try JSONValue(json: again.output())
            #expect(again.end() == 2)
            #expect(report["runner"] == "process" && report["counts"]?["failed"] == 1)
            #expect(report["cost_breakdown"]?["total_cost"] == 0)
        }
    }

    @Test("ends quietly when its reader goes away")
    func closedPipe() throws {
        let shell = try TestShell()
        try shell.write(TestShell.capitals, to: "p.yaml")
        let program = try Program(["run", "p.yaml", "-"], in: shell.folder)
        program.closeOutput()
        program.write("{\"data\":\"hello\"}\n")
        program.closeInput()
        #expect(program.messages().isEmpty)
        #expect(program.end() == 0)
    }

    @Test(
        "ends at Ctrl-C and SIGTERM also while it waits for input",
        arguments: [(SIGINT, 130), (SIGTERM, 143)] as [(Int32, Int32)])
    func signals(signal: Int32, code: Int32) async throws {
        let shell = try TestShell()
        try shell.write(TestShell.capitals, to: "p.yaml")
        let program = try Program(["run", "p.yaml", "-", "--runner", "sequential"], in: shell.folder)
        // More than a pipe holds, so that the program has begun to read when this returns.
        program.write("{\"data\": \"x\"}" + String(repeating: "\n", count: 200_000))
        program.send(signal)
        let messages = program.messages()
        #expect(messages.contains("stopped while the inputs were read") && !messages.contains("assay resume"))
        #expect(program.end() == code)
        let run = try #require(try await shell.runs().first)
        let (text, _) = await shell.output(of: "runs", "show", run, "-o", "json")
        let error = try JSONValue(json: text)["error"]
        #expect(error?["code"] == "cancelled")
        #expect(error?["message"]?.string?.hasPrefix("stopped while the inputs were read") == true)
    }
}
