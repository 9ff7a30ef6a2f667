import Assay
import AssayCommands
import AssaySQLite
import AssayTesting
import Foundation
import Testing

extension TestShell {
    /// A pipeline that turns texts into capitals, and takes them from a queue.
    static let queued =
        capitals + "queue: {queue_capacity: 2, capacity_refresh_time: 0.01, concurrency_limit: 1, max_queue_size: 4}\n"

    /// A shell with that pipeline and an input.
    static func queueing(_ pipeline: String = queued) throws -> TestShell {
        let shell = try TestShell()
        try shell.write(pipeline, to: "p.yaml")
        try shell.write("{\"data\": \"a\"}\n{\"data\": \"b\"}\n", to: "in.jsonl")
        return shell
    }

    func submit(_ name: String, _ more: String...) async -> Int32 {
        await CommandLineTool.run(
            ["queue", "submit", "p.yaml", "--inputs", "in.jsonl", "--execution", name, "-o", "none"] + more, in: value)
    }

    /// The executions of a status, or all.
    func executions(_ arguments: String...) async throws -> [String] {
        let sink = CollectingSink()
        var shell = value
        shell.output = sink
        _ = await CommandLineTool.run(["queue", "list"] + arguments + ["-o", "json"], in: shell)
        let rows = try JSONValue(json: sink.text)["executions"]?.array ?? []
        return rows.map {
            "\($0["execution_id"]?.string ?? "") \($0["status"]?.string ?? "") \($0["priority"]?.json ?? "")"
        }
    }
}

@Suite("The command queue") struct QueueCommandTests {
    @Test("submits, cycles by priority and tells how things stand")
    func cycle() async throws {
        let shell = try TestShell.queueing()
        for (name, priority) in [("ten", "10"), ("least", "-1"), ("five", "5.5")] {
            #expect(await shell.submit(name, "--priority=\(priority)") == 0)
        }
        #expect(try await shell.executions() == ["least pending -1", "five pending 5.5", "ten pending 10"])
        let (lines, code) = await shell.output(of: "queue", "cycle", "--pipeline", "p.yaml", "-o", "jsonl")
        #expect(code == 0)
        let ended = try lines.split(separator: "\n").map { try JSONValue(json: String($0))["execution_id"]?.string }
        #expect(ended == ["least", "five"])
        let (text, _) = await shell.output(of: "queue", "status")
        #expect(text.hasPrefix("Engine State (engine):\n  pending: 1 executions\n  running: 0 executions\n"))
        let (json, _) = await shell.output(of: "queue", "status", "-o", "json")
        let status = try JSONValue(json: json)
        #expect(status["schema"] == "assay/queue/1")
        #expect(status["counts"]?["succeeded"] == 2)
        #expect(status["total"] == 3)
        #expect(try await shell.executions("pending") == ["ten pending 10"])
        #expect(await shell.assay("queue", "list", "pendin") == 64)
    }

    @Test("works until nothing waits, and says what became of each")
    func work() async throws {
        let shell = try TestShell.queueing()
        for name in ["c", "b", "a"] { #expect(await shell.submit(name, "--priority=1") == 0) }
        let (text, code) = await shell.output(of: "queue", "work", "--pipeline", "p.yaml", "--until-empty")
        #expect(code == 0)
        #expect(text.split(separator: "\n").map { $0.prefix(12) } == ["c  succeeded", "b  succeeded", "a  succeeded"])
        let (bill, _) = await shell.output(of: "costs", "report", "-o", "json")
        #expect(try JSONValue(json: bill)["total_cost"] == JSONValue(json: "0.3"))
    }

    @Test("refuses a submission to a full queue with 75, and tells why")
    func full() async throws {
        let shell = try TestShell.queueing()
        for number in 0..<4 { #expect(await shell.submit("e\(number)") == 0) }
        #expect(await shell.submit("more") == 75)
        #expect(shell.messages.lines.last == "assay: queue_full: queue is full: 4 of 4 waiting")
        #expect(try await shell.executions().count == 4)
        #expect(await shell.submit("e0") == 65)
    }

    @Test("refuses a priority that has no place in an order, as wrong usage", arguments: ["nan", "inf", "-inf"])
    func notFinite(text: String) async throws {
        let shell = try TestShell.queueing()
        #expect(await shell.submit("a", "--priority=\(text)") == 64)
        #expect(
            shell.messages.lines.last
                == "assay: --priority must be high, normal, low or a finite number such as --priority=-3, found '\(text)'"
        )
        #expect(await shell.submit("a") == 0)
        #expect(await shell.assay("queue", "priority", "a", "--priority=\(text)") == 64)
    }

    @Test("takes away what a program left that was killed while it submitted, and nothing else")
    func leftSpool() async throws {
        let shell = try TestShell.queueing()
        #expect(await shell.submit("a") == 0)
        try shell.write("{}", to: ".assay/assay-submission-4711.jsonl")
        try shell.write("{}", to: ".assay/submission.jsonl")
        #expect(await shell.submit("b") == 0)
        let left = try FileManager.default.contentsOfDirectory(atPath: shell.folder + "/.assay")
        #expect(left.filter { $0.hasSuffix(".jsonl") } == ["submission.jsonl"])
    }

    @Test("takes a submission once under its key")
    func key() async throws {
        let shell = try TestShell.queueing()
        let arguments = ["queue", "submit", "p.yaml", "--inputs", "in.jsonl", "--idempotency-key", "k", "-o", "json"]
        let sink = CollectingSink()
        var value = shell.value
        value.output = sink
        for _ in 0..<2 { #expect(await CommandLineTool.run(arguments, in: value) == 0) }
        #expect(Set(try sink.lines.map { try JSONValue(json: $0)["execution_id"]?.string }).count == 1)
        #expect(try await shell.executions().count == 1)
        #expect(await CommandLineTool.run(arguments + ["--metadata", "a=1"], in: value) == 65)
    }

    @Test("pauses, cancels, skips, gives priorities, copies, retries and prunes")
    func changes() async throws {
        let shell = try TestShell.queueing()
        for name in ["a", "b", "c"] { #expect(await shell.submit(name, "--priority=3") == 0) }
        #expect(await shell.assay("queue", "pause") == 0)
        #expect(await shell.assay("queue", "cancel", "a") == 0)
        #expect(await shell.assay("queue", "cancel", "a") == 1)
        #expect(await shell.assay("queue", "skip", "b", "--reason", "twice") == 0)
        #expect(await shell.assay("queue", "priority", "c", "--priority=-2") == 0)
        #expect(await shell.assay("queue", "cycle", "--pipeline", "p.yaml") == 0)
        #expect(try await shell.executions() == ["c pending -2", "a cancelled 3", "b skipped 3"])
        #expect(await shell.assay("queue", "unpause") == 0)
        #expect(await shell.assay("queue", "cycle", "--pipeline", "p.yaml") == 0)
        #expect(await shell.assay("queue", "copy", "c") == 0)
        #expect(await shell.assay("queue", "resume", "a") == 0)
        #expect(await shell.assay("queue", "work", "--pipeline", "p.yaml", "--until-empty") == 0)
        #expect(try await shell.executions("succeeded").count == 3)
        #expect(await shell.assay("queue", "prune", "--status", "pending") == 65)
        #expect(await shell.assay("queue", "prune") == 0)
        #expect(try await shell.executions() == ["b skipped 3"])
        #expect(await shell.assay("queue", "cancel", "nobody") == 66)
    }

    @Test("takes a snapshot and fills another store with it")
    func snapshot() async throws {
        let shell = try TestShell.queueing()
        for name in ["a", "b"] { #expect(await shell.submit(name, "--priority=3") == 0) }
        let (snapshot, code) = await shell.output(of: "queue", "snapshot")
        #expect(code == 0)
        try shell.write(snapshot, to: "snapshot.json")
        #expect(await shell.assay("queue", "restore", "snapshot.json") == 65)
        #expect(await shell.assay("queue", "restore", "snapshot.json", "--store", "other/assay.db") == 0)
        let (again, _) = await shell.output(of: "queue", "snapshot", "--store", "other/assay.db")
        #expect(again == snapshot)
        #expect(
            await shell.assay(
                "queue", "work", "--pipeline", "p.yaml", "--until-empty", "--store", "other/assay.db") == 0)
    }

    @Test("needs a pipeline that says how to work, and works on no other's executions")
    func pipelines() async throws {
        let shell = try TestShell.queueing()
        #expect(await shell.submit("a") == 0)
        try shell.write(TestShell.capitals, to: "plain.yaml")
        #expect(await shell.assay("queue", "work", "--pipeline", "plain.yaml") == 65)
        try shell.write(TestShell.queued.replacing("capitals", with: "letters"), to: "other.yaml")
        #expect(await shell.assay("queue", "work", "--pipeline", "other.yaml", "--until-empty") == 0)
        #expect(try await shell.executions("pending").count == 1)
        #expect(await shell.assay("queue", "work", "--pipeline", "p.yaml", "--until-empty") == 0)
        #expect(try await shell.executions("succeeded").count == 1)
    }

    @Test(
        "drains at a first signal, and ends as the signal says",
        arguments: [
            (StopSignal.interrupt, Int32(130)), (.terminate, 143), (.hangUp, 129),
        ])
    func signals(row: (signal: StopSignal, code: Int32)) async throws {
        let shell = try TestShell.queueing()
        #expect(await shell.submit("a") == 0)
        async let code = shell.assay("queue", "work", "--pipeline", "p.yaml", "-o", "table")
        await shell.output.waits(for: "a  succeeded")
        shell.signals.yield(row.signal)
        #expect(await code == row.code)
    }
}

@Suite("A queue that another program owns", .serialized) struct OwnedQueueTests {
    @Test("is reached through its owner: submissions, pauses, priorities, cancellations")
    func owner() async throws {
        let shell = try TestShell.queueing()
        #expect(await shell.submit("first") == 0)
        let program = try Program(["queue", "work", "--pipeline", "p.yaml", "-o", "jsonl"], in: shell.folder)
        #expect(try JSONValue(json: program.lines(1)[0])["execution_id"] == "first")
        #expect(await shell.assay("queue", "pause") == 0)
        for (name, priority) in [("b", "2"), ("c", "3"), ("d", "4")] {
            #expect(await shell.submit(name, "--priority=\(priority)") == 0)
        }
        #expect(await shell.submit("b") == 65)
        #expect(await shell.assay("queue", "priority", "d", "--priority=1") == 0)
        #expect(await shell.assay("queue", "cancel", "b") == 0)
        #expect(try await shell.executions("pending") == ["d pending 1", "c pending 3"])
        let (snapshot, code) = await shell.output(of: "queue", "snapshot")
        #expect(code == 0)
        #expect(try JSONValue(json: snapshot)["queue"] == ["d", "c"])
        #expect(await shell.assay("queue", "unpause") == 0)
        let ended = try program.lines(3).map { try JSONValue(json: $0)["execution_id"]?.string ?? "" }
        #expect(ended == ["b", "d", "c"])
        program.send(SIGINT)
        #expect(program.end() == 130)
        #expect(try await shell.executions("succeeded").count == 3)
        let left = try FileManager.default.contentsOfDirectory(atPath: shell.folder + "/.assay")
        #expect(left.filter { $0.hasSuffix(".jsonl") } == [])
    }

    @Test("says so when its owner runs something else")
    func otherOwner() async throws {
        let shell = try TestShell.queueing()
        #expect(await shell.submit("a") == 0)
        let program = try Program(["run", "p.yaml", "-", "-o", "jsonl"], in: shell.folder)
        // More than a pipe holds, so that the program has begun to read when this returns.
        program.write(String(repeating: "\n", count: 200_000))
        #expect(await shell.assay("queue", "pause") == 75)
        #expect(shell.messages.text.contains("the program that owns the store has no queue"))
        program.send(SIGKILL)
        _ = program.end()
    }
}
