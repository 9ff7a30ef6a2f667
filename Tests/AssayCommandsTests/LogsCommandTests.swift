import Assay
import Foundation
import Testing

@Suite("assay logs") struct LogsCommandTests {
    private static func shell() async throws -> TestShell {
        let shell = try TestShell()
        try shell.write(
            #"""
            graph_id: two
            processors:
              - processor_id: ocr
                processor_type: command
                parameters: {mode: once, command: [sh, -c, "echo \"reads $ASSAY_INPUT_ID\" >&2; cat"]}
              - processor_id: check
                processor_type: command
                parameters: {mode: once, command: [sh, -c, "printf 'checks\\n\\tall' >&2; cat"]}
            connections:
              - {from_processor: ocr, from_output: output, to_processor: check, to_input: input}
            """#, to: "g.yaml")
        try shell.write("{\"input_id\":\"a\",\"data\":1}\n{\"input_id\":\"b\",\"data\":2}\n", to: "in.jsonl")
        #expect(await shell.assay("run", "g.yaml", "--inputs", "in.jsonl", "-o", "none") == 0)
        return shell
    }

    @Test("What was said in a run is shown, of one input, and of one node")
    func shows() async throws {
        let shell = try await Self.shell()
        let (all, code) = await shell.output(of: "logs", "last")
        #expect(code == 0)
        for text in ["  ocr  a  reads a\n", "  ocr  b  reads b\n", "  check  a  checks\n", "  check  b  \tall\n"] {
            #expect(all.contains(text), "\(text) in \(all)")
        }
        let (one, _) = await shell.output(of: "logs", "last", "a", "--node", "ocr")
        #expect(one.hasSuffix("  ocr  a  reads a\n") && one.split(separator: "\n").count == 1)
        let (json, _) = await shell.output(of: "logs", "last", "b", "--node", "ocr", "-o", "json")
        let line = try #require(try JSONValue(json: json)["lines"]?.array?.first)
        #expect(line["text"] == "reads b" && line["source"] == "stderr" && line["attempt"] == 1)
        let (lines, _) = await shell.output(of: "logs", "last", "-o", "jsonl")
        #expect(lines.split(separator: "\n").count == 6)
    }

    @Test("A run that has ended is followed to its end at once")
    func follows() async throws {
        let shell = try await Self.shell()
        let (text, code) = await shell.output(of: "logs", "last", "--follow")
        #expect(code == 0 && text.split(separator: "\n").count == 6)
    }

    @Test("An input, a node and a run that are not there are named")
    func unknown() async throws {
        let shell = try await Self.shell()
        #expect(await shell.assay("logs", "last", "c") == 66)
        #expect(shell.messages.text.contains("has no input 'c'; 'assay runs items' lists them"))
        #expect(await shell.assay("logs", "last", "--node", "orc") == 66)
        #expect(shell.messages.text.contains("has no node 'orc'; did you mean 'ocr'?"))
        #expect(await shell.assay("logs", "nobody") == 66)
    }
}
