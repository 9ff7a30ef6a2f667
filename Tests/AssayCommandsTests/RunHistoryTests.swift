import Assay
import AssayCommands
import Testing

@Suite("The history of an execution") struct RunHistoryTests {
    /// A folder with a run of which one of three items failed, retried once, oldest first.
    private static func shell() async throws -> (TestShell, first: String, second: String) {
        let shell = try TestShell()
        try shell.write(TestShell.capitals, to: "p.yaml")
        try shell.write(RunCommandTests.lines, to: "in.jsonl")
        #expect(await shell.assay("run", "p.yaml", "--inputs", "in.jsonl", "-o", "none") == 2)
        #expect(await shell.assay("retry", "last", "-o", "none") == 2)
        let runs = try await shell.runs()
        return (shell, runs[1], runs[0])
    }

    @Test("is listed from its first run to its newest, with how each came about and what it cost")
    func lineage() async throws {
        let (shell, first, second) = try await Self.shell()
        let (text, code) = await shell.output(of: "runs", "lineage", first, "-o", "json")
        let json = try JSONValue(json: text)
        #expect(code == 0 && json["total_cost"] == .number(Number("0.10")!))
        let rows = try #require(json["runs"]?.array)
        #expect(rows.map { $0["run_id"] } == [.string(first), .string(second)])
        #expect(rows.map { $0["relation"] } == ["run", "retry"])
        #expect(rows.map { $0["total_cost"] } == [.number(Number("0.10")!), .number(Number("0.00")!)])
        let (table, _) = await shell.output(of: "runs", "lineage", second)
        #expect(table.contains("\n└ \(second)"))
    }

    @Test("shows in what a run differs from the one it follows")
    func difference() async throws {
        let (shell, first, second) = try await Self.shell()
        let (text, _) = await shell.output(of: "runs", "diff", second, "-o", "json")
        let json = try JSONValue(json: text)
        #expect(json["other_run_id"] == .string(first) && json["items"] == [] && json["request"] == [])
        #expect(json["old"]?["total_cost"] == .number(Number("0.10")!))

        let change = "processors.capitals.parameters.transformation=lowercase"
        #expect(
            await shell.assay("resume", second, "--set", change, "--on-change", "restart", "-o", "none") == 2)
        let (changed, _) = await shell.output(of: "runs", "diff", "last", first, "-o", "json")
        let difference = try JSONValue(json: changed)
        #expect(difference["items"]?.array?.map { $0["input_id"] } == ["a", "c"])
        #expect(difference["items"]?.array?.map { $0["new"]?["status"] } == ["succeeded", "succeeded"])
        let paths = difference["request"]?.array?.compactMap { $0["path"]?.string }
        #expect(paths?.contains("processors.capitals.parameters.transformation") == true)
        let (table, _) = await shell.output(of: "runs", "diff", "last", first)
        #expect(table.contains("changed") && table.contains("uppercase") && table.contains("lowercase"))
        #expect(await shell.assay("runs", "diff", first) == 64)
    }

    @Test("finds every value in which two requests differ")
    func values() {
        let old: JSONValue = ["a": 1, "b": [["processor_id": "p", "x": 1], 2], "c": 3]
        let new: JSONValue = ["a": 1, "b": [["processor_id": "p", "x": 4]], "d": [:]]
        let found = ValueDifference.between(old, new)
        #expect(found.map(\.path) == ["b.p.x", "b.1", "c", "d"])
        #expect(found.map(\.old) == [1, 2, 3, nil] && found.map(\.new) == [4, nil, nil, [:]])
    }

    @Test("keeps what a resume still needs, and only says what it would delete unless it is told to")
    func deletion() async throws {
        let (shell, first, second) = try await Self.shell()
        #expect(await shell.output(of: "runs", "delete", second).code == 1)
        #expect(await shell.output(of: "runs", "delete", second, "--yes").code == 1)
        #expect(await shell.output(of: "runs", "delete", first).code == 64)
        #expect(shell.messages.text.contains("say --yes"))
        #expect(await shell.output(of: "runs", "items", first, "-o", "jsonl").text.isEmpty == false)
        #expect(await shell.output(of: "runs", "delete", first, "--yes").code == 0)
        #expect(await shell.output(of: "runs", "items", first, "-o", "jsonl").text.isEmpty)
        #expect(await shell.output(of: "runs", "show", first).text.contains("were deleted"))
        #expect(await shell.assay("resume", first) == 66)
        #expect(await shell.assay("runs", "diff", second) == 66)
        #expect(await shell.output(of: "runs", "delete", first, "--yes").code == 1)
        // What was finished in the deleted run is not done again.
        #expect(await shell.assay("resume", second, "-o", "none") == 2)
        let (items, _) = await shell.output(of: "runs", "items", "last", "-o", "json")
        #expect(try JSONValue(json: items)["items"]?.array?.map { $0["carried"] } == [true, false, true])
        let (bill, _) = await shell.output(of: "costs", "report", "-o", "json")
        #expect(try JSONValue(json: bill)["total_cost"] == .number(Number("0.10")!))
        #expect(await shell.output(of: "store", "check") == ("ok\n", 0))
    }

    @Test("cannot be gone on with once its last run is deleted")
    func closed() async throws {
        let (shell, _, second) = try await Self.shell()
        #expect(await shell.output(of: "runs", "delete", second, "--yes", "--force").code == 0)
        let (text, _) = await shell.output(of: "runs", "lineage", second, "-o", "json")
        let execution = try #require(try JSONValue(json: text)["execution_id"]?.string)
        #expect(await shell.assay("run", "p.yaml", "--inputs", "in.jsonl", "--execution", execution) == 66)
        #expect(shell.messages.text.contains("begin a new execution"))
    }

    @Test("is deleted by age, oldest first")
    func age() async throws {
        let (shell, first, second) = try await Self.shell()
        let (none, _) = await shell.output(of: "runs", "delete", "--older-than", "1h", "-o", "json")
        #expect(try JSONValue(json: none)["runs"] == [])
        // A run that ended in this very millisecond is not older than one.
        var value = shell.value
        value.world = shell.laterWorld
        let sink = CollectingSink()
        value.output = sink
        #expect(
            await CommandLineTool.run(["runs", "delete", "--older-than", "1h", "--yes", "-o", "json"], in: value) == 0)
        let rows = try JSONValue(json: sink.text)["runs"]?.array
        #expect(rows?.map { $0["run_id"] } == [.string(first), .string(second)])
        #expect(rows?.map { $0["deleted"] } == [true, false])
    }
}

extension TestShell {
    /// A world whose clock is two hours ahead.
    fileprivate var laterWorld: World {
        struct Later: TimeSource {
            func now() -> Timestamp { World.system.time.now().advanced(by: .seconds(7_200)) }
            func uptime() -> Duration { World.system.time.uptime() }
            func sleep(until deadline: Duration) async throws { try await World.system.time.sleep(until: deadline) }
        }
        var world = World.system
        world.time = Later()
        return world
    }
}
