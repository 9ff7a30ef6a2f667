import Assay
import AssayCommands
import Foundation
import Testing

@Suite("A graph from the command line") struct GraphCommandTests {
    /// A pipeline that a configured program of another system would read, as it stands.
    private static let configured = """
        # pipeline_config.yaml
        graph_id: my_configured_pipeline
        processors:
          - processor_id: input_proc
            processor_type: simple
            parameters:
              function: passthrough
            input_pipes: [input]
            output_pipes: [output]

          - processor_id: transform_proc
            processor_type: text_transformer
            parameters:
              transformation: uppercase
            input_pipes: [input]
            output_pipes: [output]

        connections:
          - from_processor: input_proc
            from_output: output
            to_processor: transform_proc
            to_input: input

        error_strategy:
          type: retry
          max_retries: 3
          initial_delay: 0.5

        """

    private static let sample = """
        graph_id: sample
        account_id: acc_1
        runner: {type: thread, max_workers: 4}
        budget: {limit: 5.00}
        monitoring: {log_level: WARNING}
        processors:
          - {processor_id: start, processor_type: simple, parameters: {function: passthrough}, price: 0.10}
          - {processor_id: clean, processor_type: simple, parameters: {function: passthrough}, price: {base_cost: 0.25, charge: per_execution}}
          - {processor_id: keep, processor_type: data_filter, parameters: {condition: all}, timeout: 30s, concurrency: 2}
          - processor_id: join
            processor_type: aggregator
            parameters: {operation: count}
            input_pipes: [left, right]
            inputs: allow_missing
            error_strategy: {type: composite, strategies: [{type: retry, max_retries: 3, initial_delay: 1.0}, {type: skip, max_skips: 5}]}
        connections:
          - {from_processor: start, from_output: output, to_processor: clean, to_input: input}
          - {from_processor: start, from_output: output, to_processor: keep, to_input: input, capacity: 10}
          - {from_processor: clean, from_output: output, to_processor: join, to_input: left}
          - {from_processor: keep, from_output: output, to_processor: join, to_input: right}
        alerts:
          - {name: failures, on: [processor_error], condition: event.data.retryable == false, action: log, cooldown: 60}
        taps:
          - {pipe: "start:output->clean:input", to: log}

        """

    private static func shell(_ pipeline: String, _ lines: String) throws -> TestShell {
        let shell = try TestShell()
        try shell.write(pipeline, to: "p.yaml")
        try shell.write(lines, to: "in.jsonl")
        return shell
    }

    private func report(_ shell: TestShell, _ arguments: String...) async throws -> (JSONValue, Int32) {
        let (text, code) = await shell.output(of: arguments + ["-o", "json"])
        return (try JSONValue(json: text), code)
    }

    @Test("runs a configured pipeline as it stands")
    func configured() async throws {
        let shell = try Self.shell(Self.configured, "{\"data\": \"hello\"}\n")
        let (report, code) = try await report(shell, "run", "p.yaml", "--inputs", "in.jsonl")
        #expect(code == 0)
        #expect(report["outcomes"]?.array?.first?["output"] == ["transform_proc:output": "HELLO"])
        #expect(report["graph_id"] == "my_configured_pipeline" && report["processor_id"] == nil)
    }

    @Test("runs the example of the format to its output and bill, and says what its tap saw")
    func sample() async throws {
        let shell = try Self.shell(Self.sample, "{\"data\": {\"text\": \" Hi \", \"n\": 4}}\n")
        let (report, code) = try await report(shell, "run", "p.yaml", "--inputs", "in.jsonl", "--account", "acc_1")
        #expect(code == 0)
        #expect(report["outcomes"]?.array?.first?["output"] == ["join:output": 2])
        #expect(report["cost_breakdown"]?["total_cost"]?.number == Number("0.35"))
        let nodes = try #require(report["outcomes"]?.array?.first?["nodes"]?.object)
        #expect(nodes.keys == ["clean", "join", "keep", "start"])
        #expect(nodes["join"]?["status"] == "succeeded" && nodes["join"]?["attempts"] == 1)
        #expect(shell.messages.text.contains(#"tap start:output->clean:input item_1: {"n":4,"text":" Hi "}"#))
    }

    @Test("says so once when what a tap sees cannot be written, and runs on")
    func brokenTap() async throws {
        let taps = "taps: [{pipe: 'input_proc:output->transform_proc:input', to: /dev/full}]\n"
        let shell = try Self.shell(Self.configured + taps, "{\"data\": \"a\"}\n{\"data\": \"b\"}\n")
        #expect(await shell.assay("run", "p.yaml", "--inputs", "in.jsonl", "-o", "none") == 0)
        let warnings = shell.messages.lines.filter {
            $0.contains("warning: tap input_proc:output->transform_proc:input")
        }
        #expect(warnings.count == 1)
    }

    @Test("names the node in failures, in JSON and in the table")
    func failingNode() async throws {
        let shell = try Self.shell(Self.configured, "{\"data\": 5}\n")
        let (report, code) = try await report(shell, "run", "p.yaml", "--inputs", "in.jsonl")
        #expect(code == 1)
        #expect(report["outcomes"]?.array?.first?["error"]?["processor_id"] == "transform_proc")
        let (text, _) = await shell.output(of: ["runs", "show", "last"])
        #expect(text.contains("FAILED  NODE            CODE"))
        let (events, _) = await shell.output(of: ["runs", "events", "last"])
        #expect(events.contains("processor_complete  input_proc"))
    }

    @Test("routes nothing where a filter keeps nothing")
    func filtered() async throws {
        let pipeline = """
            processors:
              - {processor_id: keep, processor_type: data_filter, parameters: {condition: numbers_only}}
              - {processor_id: twice, processor_type: simple, parameters: {function: multiply}}
            connections:
              - {from_processor: keep, from_output: output, to_processor: twice, to_input: input}

            """
        let shell = try Self.shell(pipeline, "{\"data\": 4}\n{\"data\": \"four\"}\n")
        let (report, code) = try await report(shell, "run", "p.yaml", "--inputs", "in.jsonl")
        #expect(code == 0)
        let outcomes = try #require(report["outcomes"]?.array)
        #expect(outcomes.map { $0["output"] } == [["twice:output": 8], [:]])
        #expect(outcomes[1]["nodes"]?["twice"]?["reason"] == "not_routed")
    }

    @Test("goes on with what failed and takes the rest from the record, also without a name of its own")
    func resumed() async throws {
        let pipeline = """
            error_strategy: {type: skip}
            processors:
              - {processor_id: first, processor_type: simple, parameters: {function: passthrough}, price: 1.00}
              - {processor_id: second, processor_type: simple, parameters: {function: multiply}}
            connections:
              - {from_processor: first, from_output: output, to_processor: second, to_input: input}

            """
        let shell = try Self.shell(pipeline, "{\"data\": 4}\n{\"data\": \"four\"}\n")
        let (first, code) = try await report(shell, "run", "p.yaml", "--inputs", "in.jsonl")
        #expect(code == 2)
        #expect(first["outcomes"]?.array?.map { $0["status"] } == ["succeeded", "failed"])
        let (second, again) = try await report(
            shell, "resume", "last", "--set", "processors.second.parameters.function=passthrough", "--on-change", "keep"
        )
        #expect(again == 0)
        #expect(second["outcomes"]?.array?.map { $0["carried"] } == [true, false])
        #expect(second["outcomes"]?.array?.last?["output"] == ["second:output": "four"])
        #expect(second["outcomes"]?.array?.last?["nodes"]?["first"]?["attempts"] == 0)
    }

    @Test(
        "is drawn",
        arguments: [
            ("text", "sample: 4 nodes, 4 pipes"), ("mermaid", "graph TD"), ("dot", "digraph"), ("svg", "<svg"),
        ])
    func drawn(format: String, beginning: String) async throws {
        let shell = try Self.shell(Self.sample, "")
        let (text, code) = await shell.output(of: "graph", "show", "p.yaml", "--format", format)
        #expect(code == 0)
        #expect(text.hasPrefix(beginning))
        #expect(await shell.assay("graph", "show", "p.yaml", "--format", "png") == 64)
    }

    @Test("is drawn with the statuses of a run")
    func coloured() async throws {
        let shell = try Self.shell(Self.configured, "{\"data\": 5}\n")
        #expect(await shell.assay("run", "p.yaml", "--inputs", "in.jsonl", "-o", "none") == 1)
        let (text, _) = await shell.output(of: "graph", "show", "p.yaml", "--run", "last")
        #expect(text.contains("level 0: input_proc (succeeded)\nlevel 1: transform_proc (failed)\n"))
    }

    @Test("runs in batches, by its file, a flag and the environment", arguments: [0, 1, 2])
    func batches(way: Int) async throws {
        let lines = (1...5).map { "{\"input_id\": \"n\($0)\", \"data\": \"x\($0)\"}\n" }.joined()
        let shell = try TestShell(environment: way == 2 ? ["ASSAY_BATCH_SIZE": "2"] : [:])
        try shell.write(Self.configured + (way == 0 ? "batch: {size: 2}\n" : ""), to: "p.yaml")
        try shell.write(lines, to: "in.jsonl")
        #expect(await shell.assay("validate", "p.yaml") == 0)
        let (text, code) = await shell.output(
            of: ["run", "p.yaml", "--inputs", "in.jsonl", "-o", "jsonl"] + (way == 1 ? ["--batch-size", "2"] : []))
        #expect(code == 0)
        let found = try text.split(separator: "\n").map { try JSONValue(json: String($0)) }
        let batches = found.filter { $0["type"] == "batch" }
        #expect(batches.map { $0["outcomes"]?.array?.count } == [2, 2, 1])
        #expect(batches.last?["outcomes"]?.array?.first?["output"] == ["transform_proc:output": "X5"])
        let (again, _) = await shell.output(of: "resume", "last", "-o", "json")
        #expect(try JSONValue(json: again)["counts"]?["succeeded"] == 5)
    }

    @Test("refuses breakpoints beside batches")
    func breakpointsInBatches() async throws {
        let shell = try Self.shell(
            Self.configured + "batch: {size: 2}\nbreakpoints: [{processor_id: transform_proc}]\n", "{\"data\": \"x\"}\n"
        )
        #expect(await shell.assay("run", "p.yaml", "--inputs", "in.jsonl") == 65)
        #expect(shell.messages.text.contains("key 'breakpoints' cannot be used with 'batch'"))
        try shell.write(Self.configured, to: "p.yaml")
        let flags = ["--batch-size", "2", "--break", "transform_proc"]
        #expect(await shell.assay(["run", "p.yaml", "--inputs", "in.jsonl"] + flags) == 65)
        #expect(shell.messages.text.contains("breakpoints pause a whole run"))
    }

    @Test(
        "refuses what is for single processors",
        arguments: [
            (["run", "--retries", "2"], "--retries is for a single processor"),
            (["run", "--timeout", "2s"], "--timeout is for a single processor"),
        ])
    func refused(words: [String], message: String) async throws {
        let shell = try Self.shell(Self.configured, "{\"data\": \"x\"}\n")
        #expect(await shell.assay([words[0], "p.yaml", "--inputs", "in.jsonl"] + words.dropFirst()) == 64)
        #expect(shell.messages.text.hasPrefix("assay: \(message)"))
    }

    @Test(
        "keeps every output as a checkpoint when its file says so, and goes on from one",
        arguments: ["", ", storage_path: saved"])
    func checkpoints(place: String) async throws {
        let pipeline = Self.configured + "checkpoints: {enabled: true\(place)}\n"
        let shell = try Self.shell(pipeline, "{\"input_id\": \"x/1\", \"data\": \"hello\"}\n")
        #expect(await shell.assay("run", "p.yaml", "--inputs", "in.jsonl", "-o", "none") == 0)
        func checkpoints(_ words: String...) async -> (text: String, code: Int32) {
            await shell.output(of: ["checkpoints"] + words + ["--pipeline", "p.yaml"])
        }
        let list = try #require(try JSONValue(json: await checkpoints("list", "-o", "json").text)["checkpoints"]?.array)
        #expect(list.map { $0["name"] } == ["transform_proc/x/1", "input_proc/x/1"])
        let id = try #require(list[1]["checkpoint_id"]?.string)
        #expect(await checkpoints("show", id).text.contains("x/1"))
        #expect(await checkpoints("restore", id).text == "\"hello\"\n")
        let (report, code) = try await report(shell, "resume", "last", "--from", id)
        #expect(code == 0)
        #expect(report["outcomes"]?.array?.map { $0["output"] } == [["transform_proc:output": "HELLO"]])
        #expect(report["outcomes"]?.array?.first?["nodes"]?["input_proc"]?["attempts"] == 0)
        #expect(report["outcomes"]?.array?.first?["nodes"]?["transform_proc"]?["attempts"] == 1)
        #expect(await checkpoints("delete", id).code == 0)
        #expect(await shell.assay("resume", "last", "--from", id) == 66)
        #expect(shell.messages.text.contains("checkpoint '\(id)' not found"))
    }

    @Test("shows what its nodes did, in the table and in JSON, when it has ended and afterwards")
    func nodes() async throws {
        let shell = try Self.shell(Self.sample, "{\"data\": 4}\n{\"data\": \"x\"}\n")
        let (table, _) = await shell.output(of: "run", "p.yaml", "--inputs", "in.jsonl", "--account", "acc_1")
        let (again, _) = await shell.output(of: "runs", "show", "last")
        for text in [table, again] {
            #expect(text.contains(/NODE +ITEMS +REUSED +FAILED +TIME +MEAN +USD\n/))
            #expect(text.contains(/clean +2 .* 0\.25\n/))
        }
        let (report, _) = try await report(shell, "runs", "show", "last")
        let nodes = try #require(report["metrics"]?["nodes"]?.array)
        #expect(Set(nodes.map { $0["processor_id"] }) == ["start", "clean", "keep", "join"])
        #expect(nodes.allSatisfy { $0["total_items_processed"] == 2 && $0["state"] == "succeeded" })
    }

    @Test("refuses to go on from a checkpoint where there is no graph")
    func noGraph() async throws {
        let pipeline = """
            run_as: processor
            processors: [{processor_id: a, processor_type: simple, parameters: {function: uppercase}}]

            """
        let shell = try Self.shell(pipeline, "{\"data\": 4}\n")
        #expect(await shell.assay("run", "p.yaml", "--inputs", "in.jsonl", "-o", "none") == 1)
        #expect(await shell.assay("resume", "last", "--from", "x") == 64)
        #expect(shell.messages.text.contains("--from names a checkpoint of a graph's node"))
    }
}
