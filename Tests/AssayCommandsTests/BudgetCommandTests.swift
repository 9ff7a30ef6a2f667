import Assay
import AssayCommands
import AssayPipelines
import Testing

@Suite("Spending from the command line") struct BudgetCommandTests {
    /// A type whose items each make one call of 5.00; texts that begin with `lost` never hear of its outcome.
    static let registry: Registry = {
        var registry = Registry.standard
        do {
            try registry.register("paying", parameters: []) { name, _ in
                try RegisteredProcessor(
                    ClosureProcessor<String, String>(name) { text, context in
                        try await context.call("clear", "search", maximumCost: Money("5.00")) { _ in
                            guard !text.hasPrefix("lost") else {
                                throw ProcessingError(.api, "connection lost", outcomeUnknown: true)
                            }
                            return text
                        }
                    })
            }
        } catch { preconditionFailure("\(error)") }
        return registry
    }()

    static func shell(_ inputs: String..., top: String = "") throws -> TestShell {
        let shell = try TestShell(registry: registry)
        try shell.write(
            "run_as: processor\n\(top)\nprocessors:\n  - {processor_id: pay, processor_type: paying}\n", to: "p.yaml")
        try shell.write(inputs.map { "{\"input_id\": \"\($0)\", \"data\": \"\($0)\"}\n" }.joined(), to: "in.jsonl")
        return shell
    }

    @Test("stops at the budget with its own exit code, and goes on once that was raised")
    func budget() async throws {
        let shell = try Self.shell("a", "b", "c")
        #expect(await shell.assay("run", "p.yaml", "--inputs", "in.jsonl", "--budget", "10.00") == 3)
        let run = try #require(try await shell.runs().first)
        #expect(shell.messages.text.contains("to go on: assay resume \(run) --budget AMOUNT"))
        let (standing, _) = await shell.output(of: "costs", "budgets", "-o", "json")
        let json = try JSONValue(json: standing)
        #expect(json["run_id"] == .string(run))
        #expect(json["budgets"]?.array?.first?["spent"]?.number == Number("10"))
        #expect(json["budgets"]?.array?.first?["remaining"]?.number == Number("0"))
        // What the run was given counts again, so nothing is spent unasked.
        #expect(await shell.assay("resume", run) == 3)
        #expect(await shell.assay("resume", run, "--budget", "15") == 0)
        let (ledger, _) = await shell.output(of: "costs", "ledger", "-o", "json")
        #expect(try JSONValue(json: ledger)["charges"]?.array?.count { $0["cost"]?.number == Number("5") } == 3)
    }

    @Test("refuses a budget that is no amount") func badBudget() async throws {
        let shell = try Self.shell("a")
        #expect(await shell.assay("run", "p.yaml", "--inputs", "in.jsonl", "--budget", "lots") == 64)
        #expect(shell.messages.text.contains("--budget is refused: an amount must be a number such as 0.10"))
    }

    @Test("shows the budgets of a pipeline file for the account that is meant") func ofFile() async throws {
        let shell = try Self.shell(
            "a", "b", top: "account_id: acc_1\nbudget: {limit: 100, name: monthly, scope: account, window: month}")
        #expect(await shell.assay("run", "p.yaml", "--inputs", "in.jsonl") == 0)
        #expect(await shell.assay("costs", "budgets") == 0)
        #expect(shell.output.text.contains("monthly"))
        #expect(shell.output.lines.last?.contains("100.00  10.00      0.00  90.00") == true)
    }

    @Test("lists calls in doubt, and settles or releases them", arguments: [true, false])
    func inDoubt(settles: Bool) async throws {
        let shell = try Self.shell("a", "lost b")
        #expect(await shell.assay("run", "p.yaml", "--inputs", "in.jsonl") == 2)
        let (text, _) = await shell.output(of: "costs", "in-doubt", "list", "-o", "json")
        let calls = try JSONValue(json: text)["in_doubt"]?.array
        #expect(calls?.map { $0["input_id"] } == ["lost b"])
        let call = try #require(calls?.first?["call_id"]?.string)
        let code =
            settles
            ? await shell.assay("costs", "in-doubt", "settle", call, "--cost", "4.50")
            : await shell.assay("costs", "in-doubt", "release", call)
        #expect(code == 0)
        let (report, _) = await shell.output(of: "runs", "show", try await shell.runs()[0], "-o", "json")
        let bill = try JSONValue(json: report)["cost_breakdown"]
        #expect(bill?["total_cost"]?.number == Number(settles ? "9.5" : "5"))
        #expect(bill?["in_doubt_cost"]?.number == 0)
        #expect(await shell.assay("costs", "in-doubt", "release", call) == 1)
        #expect(await shell.assay("costs", "in-doubt", "release", "none") == 66)
        #expect(await shell.assay("costs", "in-doubt", "settle", call, "--cost", "-1") == 64)
    }
}

@Suite("Runners of files and flags") struct RunnerFlagTests {
    @Test(
        "are put together: what the flags do not say is the file's",
        arguments: [
            ("{type: thread, max_workers: 7}", ["--runner", "sequential"], "sequential"),
            ("{type: thread, max_workers: 7}", ["--workers", "3"], "thread"),
            ("sequential", ["--workers", "3"], "thread"),
            ("{type: thread, max_workers: 7}", ["--runner", "sequential"], "sequential"),
            ("{type: thread, max_workers: 7}", [], "thread"),
        ] as [(String, [String], String)])
    func together(file: String, flags: [String], name: String) async throws {
        let shell = try TestShell()
        try shell.write("runner: \(file)\n" + TestShell.capitals, to: "p.yaml")
        try shell.write("{\"data\": \"x\"}\n", to: "in.jsonl")
        let sink = CollectingSink()
        var value = shell.value
        value.output = sink
        _ = await CommandLineTool.run(["plan", "p.yaml", "--inputs", "in.jsonl", "-o", "json"] + flags, in: value)
        #expect(try JSONValue(json: sink.text)["runner"] == .string(name))
    }
}
