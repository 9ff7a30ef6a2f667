import Assay
import AssayCommands
import AssayPipelines
import Testing

/// A processor that tells what it pays for: a search for each text, and a page.
private struct Telling: Processor {
    let name: String

    func expectedCosts(of input: String, in context: Context) -> [ExpectedCost]? {
        [.call("clear", "search", key: .string(input)), .usage("ocr", "page")]
    }

    func extract(_ input: String, in context: Context) async throws -> String {
        try await context.charge("ocr", "page")
        return try await context.call("clear", "search", key: .string(input)) { _ in input }
    }
}

@Suite("A saved plan binds") struct PlanBindingTests {
    private static let registry: Registry = {
        var registry = BudgetCommandTests.registry
        do {
            try registry.register("telling", parameters: []) { name, _ in
                try RegisteredProcessor(Telling(name: name))
            }
        } catch { preconditionFailure("\(error)") }
        return registry
    }()

    private static let pipeline = """
        run_as: processor
        budget: {name: file, limit: 70}
        processors:
          - {processor_id: pay, processor_type: telling}
        prices: prices.yaml

        """
    private static let prices =
        "{processors: {pay: 0.10, other: 1}, services: {clear: {search: 5, look: 2}, ocr: {page: 0.5}}}\n"
    private static let inputs = "{\"input_id\": \"a\", \"data\": \"a\"}\n{\"input_id\": \"b\", \"data\": \"b\"}\n"

    private static func shell() throws -> TestShell {
        let shell = try TestShell(registry: registry)
        try shell.write(pipeline, to: "p.yaml")
        try shell.write(prices, to: "prices.yaml")
        try shell.write(inputs, to: "in.jsonl")
        return shell
    }

    /// A file, what is written in place of what in it, and how the refusal names that.
    static let changes: [(file: String, then: String, now: String, told: String)] = [
        ("prices.yaml", "search: 5", "search: 6", "the price of clear/search is 6.00, was 5.00"),
        ("prices.yaml", "search: 5, ", "", "the price of clear/search is none, was 5.00"),
        ("prices.yaml", "page: 0.5", "page: 0.25", "the price of ocr/page is 0.25, was 0.50"),
        ("prices.yaml", "pay: 0.10", "pay: 0.20", "the price of pay is 0.20, was 0.10"),
        ("in.jsonl", "\"data\": \"b\"", "\"data\": \"c\"", "the data of 'b' is another"),
        ("in.jsonl", "{\"input_id\": \"b\"", "{\"input_id\": \"c\"", "input 'c' stands in the place of 'b'"),
        (
            "in.jsonl", "{\"input_id\": \"b\"", "{\"input_id\": \"d\", \"data\": 1}\n{\"input_id\": \"b\"",
            "the number of inputs is 3, was 2"
        ),
        ("p.yaml", "limit: 70", "limit: 80", "budget.limit is 80, was 70"),
        ("p.yaml", "processor_type: telling", "processor_type: telling, version: 2", "processors.pay.version has"),
        ("p.yaml", "run_as: processor\n", "run_as: processor\non_failure: stop\n", "on_failure has changed"),
    ]

    @Test(
        "and is refused for each change, which is named, in any store",
        arguments: changes, [[], ["--store", ":memory:"]])
    func refused(change: (file: String, then: String, now: String, told: String), store: [String]) async throws {
        let shell = try Self.shell()
        let words = ["plan", "p.yaml", "--inputs", "in.jsonl", "--out", "plan.jsonl"]
        #expect(await shell.assay(words + store) == 0)
        let texts = ["p.yaml": Self.pipeline, "prices.yaml": Self.prices, "in.jsonl": Self.inputs]
        let text = try #require(texts[change.file])
        try shell.write(text.replacing(change.then, with: change.now), to: change.file)
        #expect(await shell.assay(["run", "--plan", "plan.jsonl"] + store) == 65)
        #expect(shell.messages.text.contains("'plan.jsonl' is no longer what would be done; nothing was run"))
        #expect(shell.messages.text.contains(change.told), "\(shell.messages.text)")
        // As it was, it holds.
        try shell.write(text, to: change.file)
        #expect(await shell.assay(["run", "--plan", "plan.jsonl"] + store) == 0)
    }

    @Test("but not to prices that it did not count on") func otherPrices() async throws {
        let shell = try Self.shell()
        #expect(await shell.assay("plan", "p.yaml", "--inputs", "in.jsonl", "--out", "plan.jsonl") == 0)
        try shell.write(
            Self.prices.replacing("look: 2", with: "look: 3").replacing("other: 1", with: "other: 2"), to: "prices.yaml"
        )
        let (report, code) = await shell.output(of: "run", "--plan", "plan.jsonl", "-o", "json")
        #expect(code == 0)
        #expect(try JSONValue(json: report)["cost_breakdown"]?["total_cost"]?.number == Number("11.10"))
    }

    @Test("to the limit of a budget, by its name") func budget() async throws {
        let shell = try Self.shell()
        let words = ["plan", "p.yaml", "--inputs", "in.jsonl", "--budget", "50", "--out", "plan.jsonl"]
        #expect(await shell.assay(words) == 0)
        #expect(await shell.assay("run", "--plan", "plan.jsonl", "--budget", "60") == 65)
        #expect(shell.messages.text.contains("limit of budget '--budget' is 60.00, was 50.00"))
    }

    @Test("to the content of a program") func program() async throws {
        let shell = try Self.shell()
        try shell.write(
            "run_as: processor\nprocessors:\n  - {processor_id: p, processor_type: command, "
                + "parameters: {command: [sh, ./p.sh], mode: once}}\n", to: "c.yaml")
        try shell.write("cat\n", to: "p.sh")
        #expect(await shell.assay("plan", "c.yaml", "--inputs", "in.jsonl", "--out", "plan.jsonl") == 0)
        try shell.write("cat; true\n", to: "p.sh")
        #expect(await shell.assay("run", "--plan", "plan.jsonl") == 65)
        #expect(shell.messages.text.contains("'p': its file './p.sh' has changed"))
    }

    @Test("only as a whole: a file that lacks rows, or has too many, is refused") func cutShort() async throws {
        let shell = try Self.shell()
        #expect(await shell.assay("plan", "p.yaml", "--inputs", "in.jsonl", "--out", "plan.jsonl") == 0)
        let lines = try shell.read("plan.jsonl").split(separator: "\n")
        #expect(lines.count == 3)
        try shell.write(lines.dropLast().joined(separator: "\n") + "\n", to: "short.jsonl")
        try shell.write((lines + lines.suffix(1)).joined(separator: "\n") + "\n", to: "long.jsonl")
        #expect(await shell.assay("run", "--plan", "short.jsonl") == 65)
        #expect(shell.messages.text.contains("short.jsonl: has fewer rows than its plan has inputs; plan again"))
        #expect(await shell.assay("run", "--plan", "long.jsonl") == 65)
        #expect(shell.messages.text.contains("long.jsonl: has more rows than its plan has inputs; plan again"))
    }

    @Test("and its file is replaced only by a whole one, and never what is no file") func outFile() async throws {
        let shell = try Self.shell()
        let words = ["plan", "p.yaml", "--inputs", "in.jsonl", "--out"]
        #expect(await shell.assay(words + ["."]) == 64)
        #expect(await shell.assay(words + ["none/plan.jsonl"]) == 74)
        try shell.write("old", to: "plan.jsonl")
        try shell.write("{\"input_id\": \"a\"", to: "bad.jsonl")
        #expect(await shell.assay("plan", "p.yaml", "--inputs", "bad.jsonl", "--out", "plan.jsonl") == 65)
        #expect(try shell.read("plan.jsonl") == "old")
        #expect(await shell.assay(words + ["plan.jsonl"]) == 0)
        #expect(try shell.read("plan.jsonl").contains("\"schema\":\"assay/plan/2\""))
    }

    @Test("A plan shows groups, and rows where they are asked for") func forms() async throws {
        let shell = try Self.shell()
        let words = ["plan", "p.yaml", "--inputs", "in.jsonl"]
        let groups = await shell.output(of: words).text
        #expect(groups.contains("GROUP") && groups.contains("new") && !groups.contains("INPUT "))
        #expect(groups.contains("costs 11.10 USD, 0.10 of it the base charge"))
        let rows = await shell.output(of: words + ["--items"]).text
        #expect(rows.contains("INPUT ") && !rows.contains("GROUP"))
        let lines = await shell.output(of: words + ["-o", "jsonl"]).text.split(separator: "\n")
        let values = try lines.map { try JSONValue(json: String($0)) }
        #expect(values.map { $0["input_id"] } == ["a", "b", nil])
        #expect(values.last?["groups"]?.array?.map { $0["inputs"] } == [2])
        let whole = try JSONValue(json: await shell.output(of: words + ["-o", "json"]).text)
        #expect(whole["inputs"]?.array == Array(values.dropLast()))
    }

    @Test("A plan of many inputs that a gate stops says of each that it is not reached") func gate() async throws {
        let shell = try Self.shell()
        let count = 2_500
        let lines = (1...count).map { "{\"input_id\": \"\($0)\", \"data\": \"\($0)\"}\n" }
        try shell.write(lines.joined() + "{\"input_id\": \"1\", \"data\": \"1\"}\n", to: "many.jsonl")
        let (text, code) = await shell.output(of: "plan", "p.yaml", "--inputs", "many.jsonl", "-o", "json")
        #expect(code == 1)
        let plan = try JSONValue(json: text)
        #expect(plan["inputs"]?.array?.count == count + 1)
        #expect(
            plan["inputs"]?.array?.allSatisfy { $0["action"] == "skipped" && $0["low"]?.number == Number("0") } == true)
        #expect(plan["groups"]?.array?.map { $0["group"] } == ["not reached"])
        #expect(plan["low"]?.number == Number("0"))
    }
}
