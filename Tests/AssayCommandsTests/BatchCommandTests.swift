import Assay
import AssayCommands
import Foundation
import Testing

@Suite("A run in batches from the command line") struct BatchCommandTests {
    private static func shell(_ keys: String = "") throws -> TestShell {
        let shell = try TestShell()
        try shell.write(TestShell.capitals + keys, to: "p.yaml")
        let lines = (1...7).map { "{\"input_id\": \"i\($0)\", \"data\": \($0 == 4 ? "4" : "\"x\"")}\n" }
        try shell.write(lines.joined(), to: "in.jsonl")
        return shell
    }

    @Test("says how its batches ended")
    func table() async throws {
        let shell = try Self.shell()
        #expect(await shell.assay("run", "p.yaml", "--inputs", "in.jsonl", "--batch-size", "3") == 2)
        #expect(shell.output.lines[1] == "batches: 2 succeeded, 1 partial")
    }

    @Test("prints each batch with its outcomes, and then the report")
    func lines() async throws {
        let shell = try Self.shell()
        let (text, code) = await shell.output(
            of: "run", "p.yaml", "--inputs", "in.jsonl", "--batch-size", "3", "-o", "jsonl")
        #expect(code == 2)
        let lines = try text.split(separator: "\n").map { try JSONValue(json: String($0)) }
        #expect(lines.map { $0["type"] } == ["batch", "batch", "batch", "report"])
        #expect(lines.prefix(3).map { $0["batch_index"] } == [0, 1, 2])
        #expect(lines.prefix(3).map { $0["outcomes"]?.array?.count } == [3, 3, 1])
        #expect(lines[0]["schema"] == "assay/batch/1")
        #expect(lines[3]["outcomes"] == nil)
        #expect(lines[3]["batches"]?["total_batches"] == 3)
        #expect(lines[3]["batches"]?["results"] == nil)
    }

    @Test("adds its batches up in the report")
    func report() async throws {
        let shell = try Self.shell("batch: {size: 5, parallel: true}\n")
        let (text, _) = await shell.output(of: "run", "p.yaml", "--inputs", "in.jsonl", "-o", "json")
        let report = try JSONValue(json: text)
        let batches = try #require(report["batches"])
        #expect(batches["total_batches"] == 2 && batches["total_items"] == 7 && batches["successful_items"] == 6)
        #expect(batches["results"] == .array(Array(repeating: "X", count: 6)))
        #expect(batches["errors"]?.array?.count == 1)
        #expect(batches["batch_metrics"]?.array?.map { $0["batch_size"] } == [5, 2])
        #expect(report["outcomes"]?.array?.count == 7)
    }

    @Test(
        "takes the size from the flag, the slot, the pipeline",
        arguments: [
            (["--batch-size", "2"], "", 4), (["--batch-size", "auto"], "", 1),
            (["--batch-size", "auto", "--slot", "D3-Q2"], "", 2), (["--slot", "D3-Q2"], "batch: {}\n", 2),
            ([], "batch: {size: 4}\n", 2), (["--batch-size", "1"], "batch: {size: 4}\n", 7),
        ] as [([String], String, Int)])
    func size(flags: [String], keys: String, batches: Int) async throws {
        let shell = try Self.shell(keys)
        let (text, _) = await shell.output(
            of: ["run", "p.yaml", "--inputs", "in.jsonl", "-o", "json"] + flags)
        #expect(try JSONValue(json: text)["batches"]?["total_batches"] == .number(Number(batches)))
    }

    @Test("cuts by the slots of its inputs")
    func slots() async throws {
        let shell = try Self.shell()
        let lines = (0..<8).map { "{\"data\": \"x\", \"slot\": \"\($0 < 7 ? "D3-Q2" : "D1-Q1")\"}\n" }
        try shell.write(lines.joined(), to: "slots.jsonl")
        let (text, _) = await shell.output(
            of: "run", "p.yaml", "--inputs", "slots.jsonl", "--batch-size", "auto", "-o", "json")
        #expect(try JSONValue(json: text)["batches"]?["batch_metrics"]?.array?.map { $0["batch_size"] } == [5, 2, 1])
    }

    @Test("is cut in the same way when it is resumed")
    func resumed() async throws {
        let shell = try Self.shell()
        #expect(await shell.assay("run", "p.yaml", "--inputs", "in.jsonl", "--batch-size", "3", "-o", "none") == 2)
        let (text, code) = await shell.output(of: "resume", "last", "-o", "jsonl")
        #expect(code == 2)
        let lines = try text.split(separator: "\n").map { try JSONValue(json: String($0)) }
        #expect(
            lines.prefix(3).map { $0["outcomes"]?.array?.map { $0["carried"] == true } } == [
                [true, true, true], [false, true, true], [true],
            ])
    }

    @Test(
        "is refused for a size that is none, and for a slot without batches",
        arguments: [
            (["--batch-size", "0"], "assay: --batch-size must be 'auto' or a whole number above 0, found '0'\n"),
            (["--batch-size", "few"], "assay: --batch-size must be 'auto' or a whole number above 0, found 'few'\n"),
            (["--slot", "A"], "assay: --slot names a slot of batches; add --batch-size auto\n"),
        ] as [([String], String)])
    func wrong(flags: [String], message: String) async throws {
        let shell = try Self.shell()
        #expect(await shell.assay(["run", "p.yaml", "--inputs", "in.jsonl"] + flags) == 64)
        #expect(shell.messages.text == message)
    }
}
