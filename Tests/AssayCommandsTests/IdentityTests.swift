import Assay
import AssayCommands
import AssayPipelines
import AssaySQLite
import Foundation
import Testing

@Suite("What counts as the same") struct IdentityTests {
    /// A shell with a program that reports a text of its own, and how it is run.
    private func shell(environment: [String: String] = [:], _ more: String = "") throws -> TestShell {
        var environment = environment
        environment["PATH"] = ProcessInfo.processInfo.environment["PATH"]
        let shell = try TestShell(environment: environment)
        try shell.write(Self.program("v1"), to: "score.py")
        try shell.write(Self.pipeline(more), to: "p.yaml")
        try shell.write("{\"input_id\": \"a\", \"data\": 1}\n{\"input_id\": \"b\", \"data\": 2}\n", to: "in.jsonl")
        return shell
    }

    private static func program(_ text: String, failing: String = "nothing") -> String {
        """
        import json, sys
        for line in sys.stdin:
            r = json.loads(line)
            if r["input_id"] == "\(failing)":
                print(json.dumps({"id": r["id"], "error": {"message": "no"}}), flush=True)
            else:
                print(json.dumps({"id": r["id"], "output": "\(text)"}), flush=True)
        """
    }

    private static func pipeline(_ more: String) -> String {
        """
        run_as: processor
        processors:
          - processor_id: score
            processor_type: command
            parameters: {command: [python3, ./score.py]}
        \(more)

        """
    }

    private func outcomes(_ text: String) throws -> [JSONValue] {
        try JSONValue(json: text)["outcomes"]?.array ?? []
    }

    private func run(_ shell: TestShell, _ more: String...) async throws -> ([JSONValue], Int32) {
        let (text, code) = await shell.output(of: ["run", "p.yaml", "--inputs", "in.jsonl", "-o", "json"] + more)
        return (text.isEmpty ? [] : try outcomes(text), code)
    }

    @Test("has the content of a program in the key of cached results")
    func cachedProgram() async throws {
        let shell = try shell("    cache: true")
        #expect(try await run(shell).0.map { $0["output"] } == ["v1", "v1"])
        #expect(try await run(shell).0.map { $0["cached"] } == [true, true])
        try shell.write(Self.program("v2"), to: "score.py")
        #expect(try await run(shell).0.map { $0["output"] } == ["v2", "v2"])
    }

    @Test("has the content of a program in what a key of the queue stands for", arguments: [false, true])
    func submittedProgram(isOwned: Bool) async throws {
        let shell = try shell("queue: {queue_capacity: 2, capacity_refresh_time: 0.01}")
        func submit(_ key: String) async -> Int32 {
            await shell.assay("queue", "submit", "p.yaml", "--inputs", "in.jsonl", "--idempotency-key", key)
        }
        #expect(await submit("first") == 0)
        var owner: Program?
        if isOwned {
            owner = try Program(["queue", "work", "--pipeline", "p.yaml", "-o", "jsonl"], in: shell.folder)
            _ = owner?.lines(1)
        }
        #expect(await submit("k") == 0)
        #expect(await submit("k") == 0)
        try shell.write(Self.program("v2"), to: "score.py")
        #expect(await submit("k") == 65)
        #expect(await submit("l") == 0)
        owner?.send(SIGINT)
        if let owner { #expect(owner.end() == 130) }
    }

    @Test("has what a processor depends on in its definition")
    func dependencies() async throws {
        let shell = try shell("    cache: true\n    depends_on: [./lib/*.txt]")
        try shell.write("one", to: "lib/a.txt")
        #expect(try await run(shell).0.map { $0["cached"] } == [false, false])
        #expect(try await run(shell).0.map { $0["cached"] } == [true, true])
        try shell.write("two", to: "lib/a.txt")
        #expect(try await run(shell).0.map { $0["cached"] } == [false, false])
        try FileManager.default.removeItem(atPath: shell.folder + "/lib")
        #expect(try await run(shell).1 == 65)
        #expect(shell.messages.text.contains("depends_on './lib/*.txt' names no file"))
    }

    @Test("has the values of variables in the definition, but not those of credentials")
    func variables() async throws {
        let more = "    cache: true\n"
        let given =
            "parameters: {command: [python3, ./score.py], settings: {region: \"${REGION}\"}, environment: {KEY: \"${KEY}\"}}"
        let text = Self.pipeline(more).replacingOccurrences(
            of: "parameters: {command: [python3, ./score.py]}", with: given)
        let shell = try shell()
        try shell.write(text, to: "p.yaml")
        func cached(_ region: String, _ key: String) async throws -> JSONValue? {
            let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
            let sink = CollectingSink()
            var value = shell.value
            value.environment = ["PATH": path, "REGION": region, "KEY": key]
            value.output = sink
            let code = await CommandLineTool.run(["run", "p.yaml", "--inputs", "in.jsonl", "-o", "json"], in: value)
            #expect(code == 0)
            return try outcomes(sink.text).first?["cached"]
        }
        #expect(try await cached("eu-west", "secret-1") == false)
        #expect(try await cached("eu-west", "secret-2") == true)
        #expect(try await cached("us-east", "secret-2") == false)
        let store = try Data(contentsOf: URL(fileURLWithPath: shell.folder + "/.assay/assay.db"))
        #expect(store.range(of: Data("eu-west".utf8)) == nil)
    }

    @Test("refuses to go on with an edited program, naming it, until somebody says what that means")
    func editedProgram() async throws {
        let shell = try shell()
        try shell.write(Self.program("v1", failing: "b"), to: "score.py")
        #expect(try await run(shell, "--execution", "e").1 == 2)
        let first = try await shell.runs()[0]
        try shell.write(Self.program("v2"), to: "score.py")
        for command in [["resume"], ["retry"], ["retry", "--reprocess"]] {
            #expect(await shell.assay(command + [first]) != 0)
            #expect(shell.messages.text.contains("its file './score.py' has changed"))
        }
        #expect(try await run(shell, "--execution", "e").1 != 0)
        #expect(try await shell.runs() == [first])
        let plan = await shell.output(of: "plan", "p.yaml", "--inputs", "in.jsonl", "--execution", "e", "-o", "json")
        #expect(plan.code == 1)
        let actions = try JSONValue(json: plan.text)["inputs"]?.array?.map { $0["action"] }
        #expect(actions == ["changed program", "changed program"])

        let kept = await shell.output(of: "resume", first, "--on-change", "keep", "-o", "json")
        #expect(try outcomes(kept.text).map { $0["output"] } == ["v1", "v2"])
        #expect(try outcomes(kept.text).map { $0["on_change"] } == ["keep", .null])
        // Whoever goes on with that has to say so once more.
        #expect(try await run(shell, "--execution", "e").1 != 0)
        let second = try await shell.runs()[0]
        let restarted = await shell.output(of: "resume", second, "--on-change", "restart", "-o", "json")
        #expect(try outcomes(restarted.text).map { $0["output"] } == ["v2", "v2"])
    }

    @Test("refuses a processor under another name, and does nothing again")
    func renamed() async throws {
        let shell = try shell()
        try shell.write(Self.program("v1", failing: "b"), to: "score.py")
        #expect(try await run(shell, "--execution", "e").1 == 2)
        let first = try await shell.runs()[0]
        let renamed = Self.pipeline("").replacingOccurrences(of: "processor_id: score", with: "processor_id: other")
        try shell.write(renamed, to: "other.yaml")
        #expect(await shell.assay("resume", first, "--pipeline", "other.yaml") != 0)
        #expect(shell.messages.text.contains("is of 'score', which is called 'other' now"))
        #expect(await shell.assay("run", "other.yaml", "--inputs", "in.jsonl", "--execution", "e") != 0)
        #expect(try await shell.runs() == [first])
        let kept = await shell.output(
            of: "resume", first, "--pipeline", "other.yaml", "--on-change", "keep", "-o", "json")
        #expect(try outcomes(kept.text).map { $0["on_change"] } == ["keep", .null])
        #expect(try outcomes(kept.text).map { $0["carried"] } == [true, false])
    }

    @Test("ends a run whose program changes while it is at work")
    func changedMeanwhile() async throws {
        let shell = try shell()
        // It edits itself when it is first asked.
        let edit = "    open('\(shell.folder)/score.py', 'a').write('# edited\\n')\n    r = json"
        try shell.write(
            Self.program("v1").replacingOccurrences(of: "    r = json", with: edit), to: "score.py")
        let (outcomes, code) = try await run(shell)
        #expect(code == 1)
        #expect(outcomes.map { $0["status"] } == ["cancelled", "cancelled"])
        #expect(outcomes.map { $0["reason"] } == ["definition_changed", "definition_changed"])
        #expect(shell.messages.text.contains("'./score.py' has changed since the run began"))
    }

    @Test("repeats in a resume what was said of the cache, until something else is said")
    func saidOnce() async throws {
        let shell = try shell("    cache: true")
        _ = try await run(shell)
        try shell.write(Self.program("v1", failing: "b"), to: "score.py")
        #expect(try await run(shell, "--no-cache").1 == 2)
        let first = try await shell.runs()[0]
        func caching(_ arguments: String...) async throws -> JSONValue? {
            await shell.assay(["retry", first] + arguments)
            let id = try await shell.runs()[0]
            let store = try SQLiteReading(shell.folder + "/.assay/assay.db")
            return try await store.request(of: id)["caching"]
        }
        #expect(try await caching() == "off")
        #expect(try await caching("--refresh") == "refresh")
        #expect(try await caching("--cache") == nil)
    }

    @Test("has a hint for a path in data that nobody looks at")
    func dataPath() async throws {
        let shell = try shell()
        try shell.write("{\"data\": {\"path\": \"\(shell.folder)/score.py\"}}\n", to: "in.jsonl")
        #expect(try await run(shell).1 == 0)
        #expect(shell.messages.text.contains("give it as 'file' so that a change of its content is noticed"))
    }

    @Test("is nothing to do where a folder is empty, which is 66 and no run")
    func empty() async throws {
        let shell = try shell()
        try FileManager.default.createDirectory(atPath: shell.folder + "/inbox", withIntermediateDirectories: false)
        #expect(await shell.assay("run", "p.yaml", "inbox") == 66)
        #expect(shell.messages.text.contains("nothing to do: 'inbox' has no files"))
        #expect(await shell.assay("run", "p.yaml", "inbox", "--allow-empty") == 0)
        #expect(try await shell.runs().count == 1)
    }
}

/// A store that is looked at.
private struct SQLiteReading {
    private let store: any Store

    init(_ path: String) throws { store = try SQLiteStore.open(path, access: .readOnly) }

    func request(of id: String) async throws -> JSONValue {
        let run = try await store.run(try #require(Identifier(id)))
        (store as? SQLiteStore)?.close()
        return run?.request ?? .null
    }
}
