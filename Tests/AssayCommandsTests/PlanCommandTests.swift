import Assay
import AssayCommands
import Testing

@Suite("Plans and explanations from the command line") struct PlanCommandTests {
    static func shell() throws -> TestShell {
        let shell = try BudgetCommandTests.shell("a", "b")
        try shell.write(
            "{\"input_id\": \"a\", \"data\": \"a\"}\n{\"input_id\": \"b\", \"data\": 1}\n", to: "mixed.jsonl")
        return shell
    }

    static func plan(_ shell: TestShell, _ arguments: String...) async throws -> JSONValue {
        let sink = CollectingSink()
        var value = shell.value
        value.output = sink
        _ = await CommandLineTool.run(["plan"] + arguments + ["-o", "json"], in: value)
        return try JSONValue(json: sink.text)
    }

    @Test("a plan needs no store and makes none") func withoutStore() async throws {
        let shell = try Self.shell()
        #expect(await shell.assay("plan", "p.yaml", "--inputs", "in.jsonl") == 0)
        #expect(shell.output.text.contains("pay  2 run"))
        #expect(shell.output.text.contains("costs 0.00 to an unknown amount USD"))
        #expect(await shell.assay("runs", "list") == 66)
    }

    @Test("a saved plan is carried out as it was found") func carriedOut() async throws {
        let shell = try Self.shell()
        #expect(await shell.assay("plan", "p.yaml", "--inputs", "in.jsonl", "--out", "plan.json") == 0)
        #expect(shell.messages.text.contains("to do exactly this: assay run --plan plan.json"))
        #expect(await shell.assay("run", "--plan", "plan.json") == 0)
        // The second time there is an earlier run to take costs from, so the plan is not what would be done.
        #expect(await shell.assay("run", "--plan", "plan.json") == 65)
    }

    @Test(
        "a saved plan is refused when anything has changed, which is named", arguments: ["input", "pipeline", "price"])
    func refused(change: String) async throws {
        let shell = try Self.shell()
        #expect(await shell.assay("run", "p.yaml", "--inputs", "in.jsonl") == 0)
        #expect(await shell.assay("plan", "p.yaml", "--inputs", "in.jsonl", "--out", "plan.json") == 0)
        let expected: String
        switch change {
        case "input":
            try shell.write(
                "{\"input_id\": \"a\", \"data\": \"a\"}\n{\"input_id\": \"b\", \"data\": \"c\"}\n", to: "in.jsonl")
            expected = "the data of 'b' is another"
        case "pipeline":
            try shell.write(
                "run_as: processor\nprocessors:\n  - {processor_id: pay, processor_type: paying, version: 2}\n",
                to: "p.yaml")
            expected = "processors.pay.version has changed"
        default:
            #expect(await shell.assay("costs", "prices", "set", "pay", "0.10") == 0)
            expected = "the base charge is 0.10, was 0.00"
        }
        #expect(await shell.assay("run", "--plan", "plan.json") == 65)
        #expect(shell.messages.text.contains("'plan.json' is no longer what would be done; nothing was run"))
        #expect(shell.messages.text.contains(expected))
        #expect(try await shell.runs().count == 1)
    }

    /// Flags of a run that was planned without them, and what they make of it.
    static let otherwise: [(flags: [String], difference: String)] = [
        (["--on-failure", "stop"], "the failure policy is stop, was collect"),
        (["--timeout", "30s"], "the time limit of an attempt is 30s, was 1h 0m"),
        (["--retries", "2"], "the retry policy is"), (["--budget", "7"], "budget '--budget' of 7.00 is new"),
        (["--runner", "thread", "--workers", "3"], "the number of workers is 3, was"),
        (["--no-cache"], "the use of the cache is off, was as_configured"),
    ]

    @Test("a saved plan is refused when it would be done in another way, which is named", arguments: otherwise)
    func changedFlags(row: (flags: [String], difference: String)) async throws {
        let shell = try Self.shell()
        #expect(await shell.assay("plan", "p.yaml", "--inputs", "in.jsonl", "--out", "plan.json") == 0)
        #expect(await CommandLineTool.run(["run", "--plan", "plan.json"] + row.flags, in: shell.value) == 65)
        #expect(shell.messages.text.contains(row.difference), "\(shell.messages.text)")
        #expect(await shell.assay("run", "--plan", "plan.json") == 0)
    }

    @Test("a saved plan keeps the flags it was made with")
    func sameFlags() async throws {
        let shell = try Self.shell()
        let code = await shell.assay(
            "plan", "p.yaml", "--inputs", "in.jsonl", "--retries", "2", "--budget", "70", "--on-failure",
            "tolerate:0.5", "--out", "plan.json")
        #expect(code == 0)
        #expect(await shell.assay("run", "--plan", "plan.json") == 0)
    }

    @Test("a plan of a retry says what is kept and what is done again, and is carried out as a retry")
    func retry() async throws {
        let shell = try Self.shell()
        #expect(await shell.assay("run", "p.yaml", "--inputs", "in.jsonl", "--budget", "5") == 3)
        let run = try #require(try await shell.runs().first)
        let plan = try await Self.plan(shell, "--retry", run, "--budget", "50", "--out", "plan.json")
        let (explained, _) = await shell.output(of: "runs", "items", run, "-o", "json")
        let statuses = try JSONValue(json: explained)["items"]?.array?.map { $0["status"] } ?? []
        #expect(plan["inputs"]?.array?.map { $0["action"] == "run" } == statuses.map { $0 == "failed" })
        #expect(plan["command"] == nil)
        #expect(await shell.assay("run", "--plan", "plan.json") == 0)
        #expect(try await shell.runs().count == 2)
        #expect(await shell.assay("plan", "--retry", run, "--resume", run) == 64)
        #expect(await shell.assay("plan", "p.yaml", "--retry", run) == 64)
    }

    @Test("a plan of a resume says what is carried, and is carried out") func resume() async throws {
        let shell = try Self.shell()
        #expect(await shell.assay("run", "p.yaml", "--inputs", "in.jsonl", "--budget", "5") == 3)
        let run = try #require(try await shell.runs().first)
        let plan = try await Self.plan(shell, "--resume", run, "--budget", "50", "--out", "plan.json")
        #expect(plan["inputs"]?.array?.map { $0["action"] } == ["carried", "run"])
        #expect(plan["high"]?.number == Number("5"))
        #expect(await shell.assay("run", "--plan", "plan.json") == 0)
        #expect(try await shell.runs().count == 2)
    }

    @Test("a plan of a list that would stop the run says so") func gate() async throws {
        let shell = try Self.shell()
        #expect(await shell.assay("plan", "p.yaml", "--inputs", "mixed.jsonl") == 1)
        #expect(
            shell.output.text.contains("the run would stop before anything is extracted: transformation refuses 'b'"))
    }

    @Test("a plan is refused for what is no plan", arguments: [("none.json", 66), ("p.yaml", 65), ("in.json", 65)])
    func noPlan(path: String, code: Int32) async throws {
        let shell = try Self.shell()
        try shell.write("{}", to: "in.json")
        #expect(await shell.assay("run", "--plan", path) == code)
        #expect(await shell.assay("run", "p.yaml", "--plan", "plan.json") == 64)
        #expect(await shell.assay("plan", "p.yaml", "-", "--out", "plan.json") == 64)
    }

    /// A graph with prices of two of its nodes.
    private static let graph = """
        graph_id: sample
        processors:
          - {processor_id: start, processor_type: simple, parameters: {function: passthrough}, price: 0.10}
          - {processor_id: clean, processor_type: simple, parameters: {function: uppercase}, price: {base_cost: 0.25, charge: per_execution}}
          - {processor_id: pay, processor_type: paying}
        connections:
          - {from_processor: start, from_output: output, to_processor: clean, to_input: input}
          - {from_processor: clean, from_output: output, to_processor: pay, to_input: input}

        """

    @Test("a plan of a graph tells what each node costs, and what is known only when those before have run")
    func ofGraph() async throws {
        let shell = try Self.shell()
        try shell.write(Self.graph, to: "g.yaml")
        let (text, code) = await shell.output(of: "plan", "g.yaml", "--inputs", "in.jsonl")
        #expect(code == 0)
        #expect(text.contains("sample  2 run"))
        #expect(text.contains("costs 0.35 to an unknown amount USD, 0.35 of it base charges"))
        #expect(text.contains("what 'pay' costs is known only when it has run"))
        let plan = try await Self.plan(shell, "g.yaml", "--inputs", "in.jsonl")
        #expect(plan["graph_id"] == "sample" && plan["processor_id"] == nil)
        #expect(plan["nodes"]?.array?.map { $0["base_cost"]?.number } == ["0.10", "0.25", "0.00"].map { Number($0) })
        #expect(plan["nodes"]?.array?.map { $0["calls"] } == [0, 0, .null])
    }

    @Test("a saved plan of a graph is carried out as it was found, at its price, and not when anything has changed")
    func graphCarriedOut() async throws {
        let shell = try Self.shell()
        let free = Self.graph.split(separator: "\n").filter { !$0.contains("pay") }.joined(separator: "\n")
        try shell.write(free, to: "g.yaml")
        let plan = try await Self.plan(shell, "g.yaml", "--inputs", "in.jsonl", "--budget", "0.30")
        #expect(plan["low"]?.number == Number("0.35") && plan["high"]?.number == Number("0.35"))
        #expect(plan["warnings"]?.array?.count == 1)
        #expect(await shell.assay("plan", "g.yaml", "--inputs", "in.jsonl", "--out", "plan.json") == 0)
        let (report, code) = await shell.output(of: "run", "--plan", "plan.json", "-o", "json")
        #expect(code == 0)
        #expect(try JSONValue(json: report)["cost_breakdown"]?["total_cost"]?.number == Number("0.35"))
        #expect(await shell.assay("costs", "prices", "set", "clean", "0.50") == 0)
        #expect(await shell.assay("run", "--plan", "plan.json") == 0, "the file's price goes before the database's")
        try shell.write("{\"input_id\": \"a\", \"data\": \"z\"}\n", to: "in.jsonl")
        #expect(await shell.assay("run", "--plan", "plan.json") == 65)
    }

    @Test("an explanation gives reasons for the run, each input, and everything about one") func explain() async throws
    {
        let shell = try Self.shell()
        #expect(await shell.assay("run", "p.yaml", "--inputs", "in.jsonl", "--budget", "5") == 3)
        #expect(await shell.assay("explain", "last") == 0)
        let text = shell.output.text
        #expect(text.contains("exceeded") && text.contains("5.00 spent, 0.00 reserved, 5.00 asked for"))
        let (one, _) = await shell.output(of: "explain", "last", "a", "-o", "json")
        #expect(
            try JSONValue(json: one)["decisions"]?.array?.map { $0["subject"] } == [
                "input", "call clear/search", "status",
            ])
        #expect(await shell.assay("explain", "last", "none") == 66)
    }
}
