import Assay
import Testing

@testable import AssayCommands

/// Somebody at a terminal who types.
private final class TypedSource: ByteSource {
    private let text: TextSource
    let isTerminal = true

    init(_ text: String) { self.text = TextSource(text) }

    func read(_ limit: Int) -> [UInt8] { text.read(limit) }
}

@Suite("A plan with a sample") struct PlanSampleTests {
    private static let words = ["plan", "p.yaml", "--inputs", "in.jsonl", "--sample", "2"]

    /// Six inputs of a processor that does not tell what it pays for: 5.00 each.
    private static func shell(terminal columns: Int? = nil) throws -> TestShell {
        let shell = try TestShell(terminal: columns, registry: BudgetCommandTests.registry)
        try shell.write(
            "run_as: processor\nprocessors:\n  - {processor_id: pay, processor_type: paying}\n", to: "p.yaml")
        let names = ["a", "b", "c", "d", "e", "f"]
        try shell.write(names.map { "{\"input_id\": \"\($0)\", \"data\": \"\($0)\"}\n" }.joined(), to: "in.jsonl")
        return shell
    }

    @Test("is made only when its cost is accepted") func refused() async throws {
        let shell = try Self.shell()
        #expect(await shell.assay(Self.words) == 64)
        #expect(
            shell.messages.text.contains(
                "a sample of 2 of 6 inputs costs 0.00 to an unknown amount USD; nothing was run; say --yes"))
        #expect(try await shell.runs().isEmpty)
    }

    @Test("estimates the rest from what was worked on, which the run carries") func accepted() async throws {
        let shell = try Self.shell()
        let (text, code) = await shell.output(of: Self.words + ["--yes", "--out", "plan.jsonl"])
        #expect(code == 0)
        #expect(text.contains("pay  4 run, 2 carried"))
        #expect(text.contains("about 20.00 USD, by 2 sampled inputs of run"))
        #expect(text.contains("an estimate for 4 inputs, never exact"))
        #expect(text.contains("costs 0.00 to 20.00 USD"))
        let run = try #require(try await shell.runs().first)
        let items = try JSONValue(json: await shell.output(of: "runs", "items", run, "-o", "json").text)["items"]?.array
        // Spread over the list.
        #expect(items?.map { $0["input_id"] } == ["a", "d"])
        let (report, ran) = await shell.output(of: "run", "--plan", "plan.jsonl", "-o", "json")
        #expect(ran == 0)
        let json = try JSONValue(json: report)
        #expect(json["cost_breakdown"]?["total_cost"]?.number == Number("20.00"))
        #expect(json["outcomes"]?.array?.map { $0["carried"] == true } == [true, false, false, true, false, false])
    }

    @Test("is told to programs as what it is") func json() async throws {
        let shell = try Self.shell()
        let (text, code) = await shell.output(of: Self.words + ["--yes", "-o", "json"])
        #expect(code == 0)
        let plan = try JSONValue(json: text)
        #expect(plan["estimate"]?["sample"] == true && plan["estimate"]?["by_inputs"] == 2)
        #expect(plan["estimate"]?["inputs"] == 4)
        #expect(plan["expected"]?.number == Number("20.00"))
        let execution = try #require(plan["execution_id"]?.string)
        #expect(shell.messages.text.contains("to carry what was sampled: --execution \(execution)"))
        let again = await shell.output(
            of: "run", "p.yaml", "--inputs", "in.jsonl", "--execution", execution, "-o", "json")
        #expect(try JSONValue(json: again.text)["cost_breakdown"]?["total_cost"]?.number == Number("20.00"))
    }

    @Test("asks who sits at a terminal", arguments: [("y\n", 0), ("yes\n", 0), ("n\n", 1), ("\n", 1), ("", 1)])
    func asked(answer: String, code: Int32) async throws {
        let shell = try Self.shell(terminal: 100)
        var value = shell.value
        value.input = TypedSource(answer)
        #expect(await CommandLineTool.run(Self.words, in: value) == code)
        #expect(shell.messages.text.contains("a sample of 2 of 6 inputs costs"))
        #expect(try await shell.runs().count == (code == 0 ? 1 : 0))
    }

    @Test("is not made where each input tells its cost, of what cannot be read again, or of earlier work")
    func needless() async throws {
        let shell = try Self.shell()
        try shell.write(TestShell.capitals, to: "free.yaml")
        let (text, code) = await shell.output(
            of: ["plan", "free.yaml", "--inputs", "in.jsonl", "--sample", "2", "--yes"])
        #expect(code == 0)
        #expect(text.contains("costs 0.10 USD"))
        #expect(shell.messages.text.contains("nothing is sampled: what each input costs is told by its processor"))
        #expect(try await shell.runs().isEmpty)
        #expect(await shell.assay("plan", "p.yaml", "-", "--sample", "2", "--yes") == 64)
        #expect(await shell.assay("plan", "--retry", "last", "--sample", "2") == 64)
        #expect(await shell.assay("plan", "p.yaml", "--inputs", "in.jsonl", "--sample", "0") == 64)
    }

    @Test("says by how many inputs it is when some of them failed") func failed() async throws {
        let shell = try Self.shell()
        try shell.write(
            "{\"input_id\": \"a\", \"data\": \"lost\"}\n{\"input_id\": \"b\", \"data\": \"b\"}\n"
                + "{\"input_id\": \"c\", \"data\": \"c\"}\n", to: "in.jsonl")
        let (text, _) = await shell.output(of: Self.words + ["--yes"])
        #expect(text.contains("by 1 sampled input of run"))
        #expect(text.contains("failed last time"))
    }
}

@Suite("The choice of a sample") struct PlanSampleChoiceTests {
    /// A row of a plan.
    private static func entry(_ number: Int, _ action: Plan.Action = .run) throws -> Plan.Entry {
        try #require(
            Plan.Entry(jsonValue: [
                "input_id": .string("\(number)"), "action": .string(action.rawValue), "group": "new", "reason": "",
                "digest": .string(Digest(of: 1).text), "saved_steps": [], "avoided_cost": 0, "low": 0, "high": 0,
            ]))
    }

    @Test("is spread evenly over lists of any length", arguments: [1, 2, 19, 20, 21, 40, 41, 100, 1_000, 12_345])
    func spread(count: Int) throws {
        var sample = PlanSample(20)
        for number in 0..<count { sample.take(try Self.entry(number)) }
        let chosen = sample.choices.compactMap { Int($0.inputID) }
        #expect(chosen.count == min(20, count))
        #expect(chosen == chosen.sorted() && chosen.first == 0)
        let gaps = zip(chosen.dropFirst(), chosen).map { $0 - $1 }
        #expect((gaps.max() ?? 0) <= 4 * max(1, count / 20))
        #expect(count - (chosen.last ?? 0) <= 4 * max(1, count / 20))
    }

    @Test("passes over what would not be worked on") func runnable() throws {
        var sample = PlanSample(2)
        for number in 0..<10 { sample.take(try Self.entry(number, number.isMultiple(of: 2) ? .carried : .run)) }
        #expect(sample.choices.allSatisfy { Int($0.inputID)?.isMultiple(of: 2) == false })
        #expect(sample.choices.count == 2)
    }
}
