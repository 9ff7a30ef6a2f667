import Assay
import AssayCommands
import AssayTesting
import Foundation
import Testing

@Suite("A worker of the command queue") struct QueuePipelineTests {
    private static let settings = "queue: {queue_capacity: 2, capacity_refresh_time: 0.01}\n"

    private static func pipeline(_ name: String, _ function: String = "uppercase", _ queue: String = settings) -> String
    {
        """
        run_as: processor
        processors:
          - {processor_id: \(name), processor_type: simple, parameters: {function: \(function)}}
        \(queue)
        """
    }

    /// A shell with two pipelines, and an execution of each.
    private func shell() async throws -> TestShell {
        let shell = try TestShell()
        try shell.write("{\"data\": \"a\"}\n", to: "in.jsonl")
        for name in ["letters", "words"] {
            try shell.write(Self.pipeline(name), to: "\(name).yaml")
            #expect(await shell.submit("\(name).yaml", as: name) == 0)
        }
        return shell
    }

    @Test("takes only executions of its pipeline, and says once what the others wait for")
    func own() async throws {
        let shell = try await shell()
        #expect(await shell.assay("queue", "work", "--pipeline", "letters.yaml", "--until-empty") == 0)
        #expect(try await shell.standing() == ["letters succeeded -", "words pending a worker of words.yaml"])
        #expect(shell.messages.lines.filter { $0 == "execution 'words' waits for a worker of words.yaml" }.count == 1)
        #expect(shell.messages.lines.last == "1 succeeded; 0.00 USD; 1 waiting (1 for a worker of words.yaml)")
        #expect(await shell.assay("queue", "work", "--pipeline", "words.yaml", "--until-empty") == 0)
        #expect(try await shell.standing() == ["letters succeeded -", "words succeeded -"])
        #expect(shell.messages.lines.last == "1 succeeded; 0.00 USD; nothing waits")
    }

    @Test(
        "takes executions of all pipelines it is given, by name or by their folder",
        arguments: [["--pipeline", "words.yaml", "--pipeline", "letters.yaml"], [], ["."]])
    func several(given: [String]) async throws {
        let shell = try await shell()
        try shell.write("no: [pipeline", to: "notes.yaml")
        try shell.write("a: 1", to: "other.yml")
        #expect(await CommandLineTool.run(["queue", "work", "--until-empty"] + given, in: shell.value) == 0)
        #expect(try await shell.standing() == ["letters succeeded -", "words succeeded -"])
    }

    @Test("leaves an execution whose file has changed since, and takes it when the file is as it was")
    func changed() async throws {
        let shell = try await shell()
        try shell.write(Self.pipeline("words", "lowercase"), to: "words.yaml")
        #expect(await shell.assay("queue", "work", "--until-empty") == 0)
        #expect(
            try await shell.standing() == [
                "letters succeeded -",
                "words pending words.yaml as it was when this was submitted; submit it again as the file is now",
            ])
        try shell.write(
            Self.pipeline("words", "uppercase", "queue: {queue_capacity: 9, capacity_refresh_time: 0.01}\n"),
            to: "words.yaml")
        #expect(await shell.assay("queue", "work", "--pipeline", "words.yaml", "--until-empty") == 0)
        #expect(try await shell.standing().contains("words succeeded -"))
    }

    @Test("refuses pipelines that contradict each other in what holds for the whole queue, and names it")
    func contradiction() async throws {
        let shell = try await shell()
        try shell.write(
            Self.pipeline("words", "uppercase", "queue: {queue_capacity: 9, capacity_refresh_time: 0.01}\n"),
            to: "words.yaml")
        #expect(await shell.assay("queue", "work") == 65)
        #expect(shell.messages.text.contains("letters.yaml and words.yaml differ in queue.queue_capacity"))
        #expect(await shell.assay("queue", "work", "--pipeline", "words.yaml", ".") == 64)
        #expect(await shell.assay("queue", "work", "nowhere") == 66)
    }

    @Test("ends with 2 when an execution was aborted, and with 0 when it only waited for a rate")
    func aborted() async throws {
        let rate = ", admission: {type: rate, count: 1, seconds: 0.05}"
        let shell = try TestShell()
        try shell.write("{\"data\": \"a\"}\n", to: "in.jsonl")
        try shell.write(
            Self.pipeline(
                "letters", "uppercase",
                "queue: {queue_capacity: 2, capacity_refresh_time: 0.01, max_denials: 1\(rate)}"),
            to: "letters.yaml")
        for name in ["a", "b", "c"] { #expect(await shell.submit("letters.yaml", as: name) == 0) }
        #expect(await shell.assay("queue", "work", "--pipeline", "letters.yaml", "--until-empty") == 0)
        #expect(try await shell.standing() == ["a succeeded -", "b succeeded -", "c succeeded -"])
    }

    @Test("is told where a submission is in the line, and by which word")
    func line() async throws {
        let shell = try await shell()
        #expect(shell.messages.lines == ["next in line", "1 before it in the line"])
        for (name, word) in [("low", "low"), ("high", "high"), ("normal", "normal")] {
            #expect(await shell.submit("words.yaml", as: name, "--priority", word) == 0)
        }
        #expect(
            shell.messages.lines.suffix(3) == ["2 before it in the line", "next in line", "3 before it in the line"])
        let (table, _) = await shell.output(of: "queue", "list")
        let rows = table.split(separator: "\n").dropFirst().map { $0.split(separator: " ").prefix(5).map(String.init) }
        #expect(rows.map { $0[0] } == ["high", "letters", "words", "normal", "low"])
        #expect(rows.map { $0[3] } == ["0", "by", "by", "by", "low"])
        #expect(await shell.assay("queue", "priority", "low", "--priority=normal") == 0)
        let waiting = try await shell.executions("pending").map { $0.prefix { $0 != " " } }
        #expect(waiting == ["high", "letters", "words", "low", "normal"])
    }

    @Test("finds the inputs that were submitted, whoever takes the name of the execution")
    func name() async throws {
        let shell = try await shell()
        try shell.write("{\"data\": \"b\"}\n", to: "other.jsonl")
        #expect(await shell.assay("run", "words.yaml", "--inputs", "other.jsonl", "--execution", "words") == 65)
        #expect(shell.messages.text.contains("input 1 given here differs"))
        let submitted = try String(contentsOfFile: shell.folder + "/in.jsonl", encoding: .utf8)
        try shell.write(submitted + "{\"data\": \"more\"}\n", to: "more.jsonl")
        #expect(await shell.assay("run", "words.yaml", "--inputs", "more.jsonl", "--execution", "words") == 65)
        #expect(shell.messages.text.contains("it has fewer inputs than are given here"))
        #expect(await shell.assay("run", "letters.yaml", "--inputs", "in.jsonl", "--execution", "words") == 65)
        #expect(shell.messages.text.contains("execution 'words' was submitted to the queue"))
        #expect(await shell.assay("queue", "work", "--until-empty") == 0)
        #expect(try await shell.standing() == ["letters succeeded -", "words succeeded -"])
    }
}

extension TestShell {
    fileprivate func submit(_ pipeline: String, as name: String, _ more: String...) async -> Int32 {
        await CommandLineTool.run(
            ["queue", "submit", pipeline, "--inputs", "in.jsonl", "--execution", name] + more, in: value)
    }

    /// Every execution with its status and what it waits for, in the order of their names.
    fileprivate func standing() async throws -> [String] {
        let sink = CollectingSink()
        var shell = value
        shell.output = sink
        _ = await CommandLineTool.run(["queue", "list", "-o", "json"], in: shell)
        return (try JSONValue(json: sink.text)["executions"]?.array ?? []).map {
            "\($0["execution_id"]?.string ?? "") \($0["status"]?.string ?? "") \($0["waits_for"]?.string ?? "-")"
        }.sorted()
    }
}
