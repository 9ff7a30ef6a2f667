import Assay
import Foundation
import Testing

@Suite("What failed, in a table") struct FailureTableTests {
    private static let pipeline = #"""
        run_as: processor
        processors:
          - processor_id: p
            processor_type: command
            parameters:
              mode: once
              command: [sh, -c, "cat >/dev/null; case $ASSAY_INPUT_ID in a*) printf 'Traceback (most recent call last):\n  File \"p.py\", line 3\nKeyError: amount\n\n' >&2; exit 1;; b) printf 'Traceback (most recent call last):\n  File \"p.py\", line 7\nValueError: -\n' >&2; exit 1;; esac; echo 1"]
        """#

    @Test("A failure of several lines is shown and counted by its last line")
    func lastLine() async throws {
        let shell = try TestShell()
        try shell.write(Self.pipeline, to: "p.yaml")
        try shell.write(
            ["a1", "a2", "b", "c"].map { "{\"input_id\":\"\($0)\",\"data\":1}\n" }.joined(), to: "in.jsonl")
        let (text, code) = await shell.output(of: "run", "p.yaml", "--inputs", "in.jsonl")
        #expect(code == 2)
        let table = text.split(separator: "\n\n").first { $0.hasPrefix("FAILED") } ?? ""
        #expect(table.contains(/2 +extraction +a1 +KeyError: amount/))
        #expect(table.contains(/1 +extraction +b +ValueError: -/))
        #expect(!table.contains("Traceback"))
        let (item, _) = await shell.output(of: "runs", "items", "last", "b", "-o", "json")
        #expect(item.contains(#"line 7\nValueError: -"#), "the whole text is there to be read")
    }

    @Test("A join behind a branch is found in the file, and said at the end of a run and of its drawing")
    func join() async throws {
        let shell = try TestShell()
        try shell.write(
            """
            graph_id: routed
            processors:
              - {processor_id: route, processor_type: simple, parameters: {function: passthrough}, output_pipes: [low, high]}
              - {processor_id: record, processor_type: simple, parameters: {function: passthrough}, input_pipes: [low, high]}
            connections:
              - {from_processor: route, from_output: low, to_processor: record, to_input: low}
              - {from_processor: route, from_output: high, to_processor: record, to_input: high}
            """, to: "g.yaml")
        try shell.write("{\"data\": {\"low\": 1}}\n", to: "in.jsonl")
        let (text, code) = await shell.output(of: "validate", "g.yaml")
        #expect(code == 0)
        #expect(text.contains("g.yaml:4:5: warning: node 'record' runs only on items for which 'route' gives all of"))
        #expect(text.hasSuffix("\nok\n"))
        let (json, _) = await shell.output(of: "validate", "g.yaml", "-o", "json")
        #expect(try JSONValue(json: json)["warnings"]?.array?.first?["line"] == 4)
        #expect(await shell.assay("run", "g.yaml", "--inputs", "in.jsonl") == 0)
        #expect(
            shell.messages.text.contains("hint: node 'record' ran on no input, since one of its own inputs never came"))
        let (drawing, _) = await shell.output(of: "graph", "show", "last")
        #expect(drawing.contains("record ran on no input: one of its own inputs never came for 1 of them"))
    }
}
