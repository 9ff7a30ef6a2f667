import Assay
import AssayCommands
import Foundation
import Testing

@Suite("The command line") struct CommandTests {
    @Test(
        "refuses what it does not know and names the nearest word",
        arguments: [
            (["rnu"], 64, "unknown command 'rnu'; did you mean 'run'?"),
            (["runs", "shwo"], 64, "unknown command 'shwo'; did you mean 'show'?"),
            (["run", "p", "--runer", "thread"], 64, "Did you mean '--runner'?"),
            (["run", "p.yaml", "--runner", "temporal"], 64, "the runner 'temporal' is not part of this version"),
            (["run", "p.yaml", "--runner", "thraed"], 64, "did you mean 'thread'?"),
            (
                ["run", "p.yaml", "--workers", "0"], 64,
                "--workers must be a whole number between 1 and 1024, found '0'"
            ),
            (["run", "p.yaml", "--no-cache", "--refresh"], 64, "exclude each other"),
            (["run", "p.yaml", "--timeout", "30"], 64, "--timeout must be a duration with its unit"),
            (["run", "p.yaml", "--on-failure", "maybe"], 64, "unknown failure policy 'maybe'"),
            (["run"], 64, "name a pipeline file"), (["run", "p.yaml"], 64, "no inputs"),
            (["run", "gone.yaml", "x"], 66, "gone.yaml: no such file"),
            (["run", "p.yaml", "gone"], 66, "gone: no such file"),
            (["runs", "show", "gone"], 66, "there is no store"), (["resume", "gone"], 66, "there is no store"),
            (["runs", "list", "--status", "succeded"], 64, "did you mean 'succeeded'?"),
            (["store", "info", "--store", ":memory:"], 64, "in memory"),
        ] as [([String], Int32, String)])
    func refusals(arguments: [String], code: Int32, message: String) async throws {
        let shell = try TestShell()
        try shell.write(TestShell.capitals, to: "p.yaml")
        let place = shell.value.place(of: "p.yaml")
        #expect(await CommandLineTool.run(arguments, in: shell.value) == code)
        #expect(shell.messages.text.contains(message), "\(shell.messages.text) \(place)")
        #expect(shell.output.text.isEmpty)
        #expect(!FileManager.default.fileExists(atPath: shell.folder + "/.assay"))
    }

    @Test(
        "shows its help on the output",
        arguments: [["--help"], ["help"], ["run", "--help"], ["help", "runs", "items"]])
    func help(arguments: [String]) async throws {
        let shell = try TestShell()
        #expect(await CommandLineTool.run(arguments, in: shell.value) == 0)
        #expect(shell.output.text.contains("USAGE: assay"))
        #expect(shell.messages.text.isEmpty)
    }

    @Test("shows every finding of a pipeline with its place")
    func validate() async throws {
        let shell = try TestShell()
        try shell.write("run_as: processor\nprocesors: 3\n", to: "bad.yaml")
        try shell.write(TestShell.capitals, to: "good.yaml")
        #expect(await shell.assay("validate", "bad.yaml") == 65)
        let path = shell.value.place(of: "bad.yaml")
        #expect(shell.output.lines.last == "\(path):2:1: unknown key 'procesors'; did you mean 'processors'?")
        #expect(await shell.output(of: "validate", "good.yaml") == ("ok\n", 0))
        #expect(await shell.output(of: "validate", "gone.yaml").code == 66)
        let (json, _) = await shell.output(of: "validate", "bad.yaml", "-o", "json")
        #expect(try JSONValue(json: json)["findings"]?.array?.last?["line"] == 2)
    }

    @Test("names file and line of a wrong input")
    func wrongInput() async throws {
        let shell = try TestShell()
        try shell.write(TestShell.capitals, to: "p.yaml")
        try shell.write("{\"data\":\"x\"}\n{\"data\"\n", to: "in.jsonl")
        #expect(await shell.assay("run", "p.yaml", "--inputs", "in.jsonl") == 65)
        #expect(shell.messages.text.hasPrefix("in.jsonl:2: not valid JSON"))
    }

    @Test("writes files to begin with, and never over others")
    func initFiles() async throws {
        let shell = try TestShell()
        #expect(await shell.assay("init", "demo") == 0)
        #expect(shell.messages.text.contains("now try: assay run demo/pipeline.yaml demo/statements"))
        #expect(shell.messages.text.contains("assay run demo/program.yaml --inputs demo/documents.jsonl"))
        try FileManager.default.removeItem(atPath: shell.folder + "/demo/pipeline.yaml")
        try shell.write("mine", to: "demo/statements/2025-02.ofx")
        #expect(await shell.assay("init", "demo") == 65)
        #expect(shell.messages.text.contains("assay: demo/statements/2025-01.ofx, "))
        #expect(!FileManager.default.fileExists(atPath: shell.folder + "/demo/pipeline.yaml"))
    }

    @Test("lists runs, items, events and charges in every format", arguments: ["table", "json", "jsonl", "none"])
    func listings(format: String) async throws {
        let shell = try TestShell()
        try shell.write(TestShell.capitals, to: "p.yaml")
        try shell.write("{\"data\":\"x\"}\n{\"data\":1}\n", to: "in.jsonl")
        await shell.assay("run", "p.yaml", "--inputs", "in.jsonl", "-o", "none")
        let run = try await shell.runs()[0]
        let commands: [(words: [String], rows: Int)] = [
            (["runs", "list"], 1), (["runs", "list", "--status", "succeeded"], 0), (["runs", "items", run], 2),
            (["runs", "items", run, "--status", "failed"], 1), (["runs", "events", run], 3), (["costs", "ledger"], 1),
            (["costs", "report", "--by", "day"], 1), (["config", "show"], 15),
        ]
        for command in commands {
            let sink = CollectingSink()
            var inner = shell.value
            inner.output = sink
            #expect(await CommandLineTool.run(command.words + ["-o", format], in: inner) == 0)
            switch format {
            case "table": #expect(sink.lines.count == (command.rows == 0 ? 0 : command.rows + 1), "\(command.words)")
            case "json":
                let rows = try JSONValue(json: sink.text).object?.members.compactMap { $0.value.array }
                #expect(rows?.first?.count == command.rows, "\(command.words)")
            case "jsonl":
                #expect(try sink.lines.map { try JSONValue(json: $0) }.count == command.rows, "\(command.words)")
            default: #expect(sink.text.isEmpty)
            }
        }
    }

    @Test("adds prices and shows which are in force")
    func prices() async throws {
        let shell = try TestShell(world: .system)
        #expect(await shell.assay("costs", "prices", "set", "capitals", "0.25", "--policy", "per_run") == 0)
        #expect(await shell.assay("costs", "prices", "set", "capitals", "0.5", "--from", "2999-01-01") == 0)
        #expect(await shell.assay("costs", "prices", "set", "clear/search", "5") == 0)
        #expect(await shell.assay("costs", "prices", "set", "capitals", "0.1234567891") == 64)
        #expect(await shell.assay("costs", "prices", "set", "clear/search", "5", "--policy", "per_run") == 64)
        let (text, _) = await shell.output(of: "costs", "prices", "list", "-o", "json")
        let rows = try JSONValue(json: text)["prices"]?.array ?? []
        #expect(rows.map { $0["name"] } == ["capitals", "capitals", "clear/search"])
        #expect(rows.map { $0["in_force"] } == [true, false, true])
    }

    @Test("looks after the store")
    func store() async throws {
        let shell = try TestShell()
        try shell.write(TestShell.capitals, to: "p.yaml")
        try shell.write("{\"data\":\"x\"}\n", to: "in.jsonl")
        await shell.assay("run", "p.yaml", "--inputs", "in.jsonl", "-o", "none")
        #expect(await shell.output(of: "store", "check") == ("ok\n", 0))
        #expect(await shell.assay("store", "backup", "copy.db") == 0)
        #expect(await shell.assay("store", "backup", "copy.db") == 65)
        let (text, _) = await shell.output(of: "store", "info", "-o", "json")
        #expect(try JSONValue(json: text)["rows"]?["runs"] == 1)
    }
}
