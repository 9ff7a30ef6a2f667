import Assay
import AssayCommands
import AssayTesting
import Foundation
import Testing

@Suite("A run that follows an earlier one of the same file and inputs") struct RunContinueTests {
    private func shell() throws -> TestShell {
        let shell = try TestShell()
        try shell.write(TestShell.capitals, to: "p.yaml")
        try shell.write("{\"input_id\": \"a\", \"data\": \"x\"}\n{\"input_id\": \"b\", \"data\": 7}\n", to: "in.jsonl")
        return shell
    }

    private func report(_ shell: TestShell, _ more: String...) async throws -> JSONValue {
        let (text, _) = await shell.output(of: ["run", "p.yaml", "--inputs", "in.jsonl", "-o", "json"] + more)
        return try JSONValue(json: text)
    }

    @Test("hints at it, and is a new execution all the same")
    func hint() async throws {
        let shell = try shell()
        let first = try await report(shell)
        #expect(!shell.messages.text.contains("--continue"))
        let second = try await report(shell)
        #expect(second["execution_id"] != first["execution_id"])
        let name = first["execution_id"]?.string ?? ""
        #expect(
            shell.messages.text.contains(
                "hint: an earlier run has finished 1 of these inputs; to carry those that are unchanged: --continue, or "
                    + "--execution \(name)"))
    }

    @Test("carries what is finished with --continue, and begins anew when there is none")
    func continues() async throws {
        let shell = try shell()
        let first = try await report(shell, "--continue")
        #expect(first["outcomes"]?.array?.map { $0["carried"] } == [false, false])
        let second = try await report(shell, "--continue")
        #expect(second["execution_id"] == first["execution_id"])
        #expect(second["outcomes"]?.array?.map { $0["carried"] } == [true, false])
        #expect(await shell.assay("run", "p.yaml", "--inputs", "in.jsonl", "--continue", "--execution", "e") == 64)
        try shell.write("{\"input_id\": \"a\", \"data\": \"x\"}\n", to: "other.jsonl")
        let (other, _) = await shell.output(
            of: "run", "p.yaml", "--inputs", "other.jsonl", "-o", "json", "--continue")
        #expect(try JSONValue(json: other)["execution_id"] != first["execution_id"])
    }

    @Test("says what is meant by a negative number that is a word of its own")
    func negative() async throws {
        let shell = try shell()
        #expect(await shell.assay("queue", "submit", "p.yaml", "--inputs", "in.jsonl", "--priority", "-3") == 64)
        #expect(shell.messages.lines.last == "assay: a negative number is written with '=', as --priority=-3")
    }

    @Test("says what is meant when the file of settings is taken for a pipeline")
    func settings() async throws {
        let shell = try shell()
        try shell.write(TestShell.capitals, to: "assay.yaml")
        #expect(await shell.assay("run", "assay.yaml", "--inputs", "in.jsonl") == 65)
        #expect(shell.messages.text.contains("assay.yaml is the file of settings"))
        #expect(shell.messages.text.contains("give the pipeline another name, such as pipeline.yaml"))
    }

    @Test("in JSON lines ends with a report without what the lines held")
    func lines() async throws {
        let shell = try shell()
        let (text, _) = await shell.output(of: "run", "p.yaml", "--inputs", "in.jsonl", "-o", "jsonl")
        let last = try JSONValue(json: String(text.split(separator: "\n").last ?? ""))
        #expect(last["type"] == "report")
        #expect(last["outcomes"] == nil)
        #expect(last["payloads"] == nil)
        #expect(last["counts"]?["failed"] == 1)
        try shell.write("{\"data\": \"x\"}\n{\"data\": \"y\"}\n", to: "good.jsonl")
        let (good, _) = await shell.output(of: "run", "p.yaml", "--inputs", "good.jsonl", "-o", "jsonl")
        let end = try JSONValue(json: String(good.split(separator: "\n").last ?? ""))
        #expect(end["summary"] == nil)
        #expect(end["status"] == "succeeded")
    }
}
