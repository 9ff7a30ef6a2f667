import Assay
import AssayCommands
import AssayPipelines
import Foundation
import Logging
import AssayTesting
import Testing

/// Two commands that share a store, as two terminals do.
@Suite("A run that others follow") struct FollowedRunTests {
    private static func shell(_ gate: Door) throws -> TestShell {
        let shell = try TestShell(registry: gate.registry)
        try shell.write(
            "run_as: processor\nprocessors: [{processor_id: w, processor_type: waits, parameters: {}}]\n", to: "p.yaml")
        try shell.write("{\"data\":\"one\"}\n{\"data\":\"two\"}\n", to: "in.jsonl")
        return shell
    }

    /// The second terminal, with what it writes.
    private static func terminal(_ shell: TestShell) -> (shell: Shell, output: CollectingSink, messages: CollectingSink)
    {
        let (output, messages) = (CollectingSink(), CollectingSink())
        var value = shell.value
        (value.output, value.messages) = (output, messages)
        return (value, output, messages)
    }

    @Test(
        "is stopped, with or without what is in flight, and told so when its end is stored", arguments: [true, false])
    func cancel(drain: Bool) async throws {
        let gate = Door()
        let shell = try Self.shell(gate)
        async let code = shell.assay("run", "p.yaml", "--inputs", "in.jsonl", "-o", "none")
        await gate.arrived()
        let other = Self.terminal(shell)
        let words = ["cancel", "last"] + (drain ? [] : ["--now"])
        async let cancelled = CommandLineTool.run(words, in: other.shell)
        if drain {
            await other.messages.waits(for: "is stopping")
            gate.open()
        }
        #expect(await cancelled == 0)
        #expect(await code == 1)
        gate.open()
        #expect(other.output.text.contains("cancelled  \(drain ? 1 : 0) succeeded, 0 failed of 2"))
        #expect(other.messages.text.contains("to go on: assay resume"))
        #expect(shell.messages.text.contains("cancelled from another terminal"))
        #expect(await shell.assay("cancel", "last") == 1)
        #expect(shell.messages.text.contains("had ended before: cancelled"))
        #expect(await shell.assay("resume", "last", "-o", "none") == 0)
    }

    @Test("lets others wait for its end and tells them its exit code", arguments: ["wait", "watch"])
    func wait(command: String) async throws {
        let gate = Door()
        let shell = try Self.shell(gate)
        async let code = shell.assay("run", "p.yaml", "--inputs", "in.jsonl", "-o", "none")
        await gate.arrived()
        let other = Self.terminal(shell)
        async let waited = CommandLineTool.run([command, "last"], in: other.shell)
        if command == "watch" { await other.messages.waits(for: "0 of 2") }
        gate.open()
        #expect(await waited == 0)
        #expect(await code == 0)
        #expect(other.output.text.contains("succeeded  2 succeeded, 0 failed of 2"))
        #expect(await shell.assay(command, "last") == 0)
    }

    @Test("shows others what is said in it as it is said, when it is of a queue as well")
    func logsOfQueue() async throws {
        let gates = [Door(), Door(), Door(), Door()]
        var registry = Registry.standard
        try registry.register("speaks", parameters: []) { name, _ in
            try RegisteredProcessor(
                ClosureProcessor(name) { (input: String, context: Context) -> String in
                    for (place, gate) in gates.enumerated() {
                        context.logger.info("\(input) comes to gate \(place)")
                        await gate.pass()
                    }
                    return input
                })
        }
        let shell = try TestShell(registry: registry)
        try shell.write(
            """
            run_as: processor
            processors: [{processor_id: s, processor_type: speaks, parameters: {}}]
            queue: {queue_capacity: 1, capacity_refresh_time: 0.01}

            """, to: "p.yaml")
        try shell.write("{\"data\":\"one\"}\n", to: "in.jsonl")
        #expect(await shell.submit("x") == 0)
        async let code = shell.assay("queue", "work", "--pipeline", "p.yaml", "--until-empty", "-o", "none")
        await gates[0].arrived()
        let other = Self.terminal(shell)
        async let followed = CommandLineTool.run(["logs", "last", "--follow"], in: other.shell)
        for (place, gate) in gates.enumerated() {
            await other.output.waits(for: "one comes to gate \(place)")
            gate.open()
        }
        #expect(await followed == 0)
        #expect(await code == 0)
    }

    @Test("shows others what is said in it as it is said, until its end")
    func logs() async throws {
        let gate = Door()
        let shell = try Self.shell(gate)
        async let code = shell.assay("run", "p.yaml", "--inputs", "in.jsonl", "--runner", "sequential", "-o", "none")
        await gate.arrived()
        let other = Self.terminal(shell)
        async let followed = CommandLineTool.run(["logs", "last", "--follow"], in: other.shell)
        await other.output.waits(for: "about one\n")
        #expect(!other.output.text.contains("about two"))
        gate.open()
        #expect(await followed == 0)
        #expect(await code == 0)
        #expect(other.output.text.contains("  item_2  about two\n"))
    }

    /// A worker of a queue that is busy with a run of two items.
    private static func working(_ gate: Door) async throws -> (shell: TestShell, worker: Task<Int32, Never>) {
        let shell = try TestShell(registry: gate.registry)
        try shell.write(
            """
            run_as: processor
            processors: [{processor_id: w, processor_type: waits, parameters: {}}]
            queue: {queue_capacity: 2, capacity_refresh_time: 0.01}

            """, to: "p.yaml")
        try shell.write("{\"data\":\"one\"}\n{\"data\":\"two\"}\n", to: "in.jsonl")
        #expect(await shell.assay("queue", "submit", "p.yaml", "--inputs", "in.jsonl", "-o", "none") == 0)
        let worker = Task { await shell.assay("queue", "work", "--pipeline", "p.yaml", "--until-empty", "-o", "none") }
        await gate.arrived()
        return (shell, worker)
    }

    @Test("lets others wait for its end when it is of a queue", arguments: ["wait", "watch"])
    func waitQueued(command: String) async throws {
        let gate = Door()
        let (shell, worker) = try await Self.working(gate)
        let other = Self.terminal(shell)
        async let waited = CommandLineTool.run([command, "last"], in: other.shell)
        gate.open()
        #expect(await waited == 0)
        #expect(other.output.text.contains("succeeded  2 succeeded, 0 failed of 2"))
        #expect(await worker.value == 0)
    }

    @Test(
        "is stopped with its execution when it is of a queue, with or without what is in flight",
        arguments: [true, false])
    func cancelQueued(drain: Bool) async throws {
        let gate = Door()
        let (shell, worker) = try await Self.working(gate)
        let other = Self.terminal(shell)
        async let cancelled = CommandLineTool.run(["cancel", "last"] + (drain ? [] : ["--now"]), in: other.shell)
        await other.messages.waits(for: "is stopping")
        gate.open()
        #expect(await cancelled == 0)
        #expect(other.output.text.contains("cancelled  \(drain ? 1 : 0) succeeded, 0 failed of 2"))
        #expect(await worker.value == 0)
        let (text, _) = await shell.output(of: "queue", "list", "cancelled", "-o", "json")
        #expect(try JSONValue(json: text)["executions"]?.array?.count == 1)
    }

    @Test("tells those who wait that a signal ended it")
    func signal() async throws {
        let gate = Door()
        let shell = try Self.shell(gate)
        async let code = shell.assay("run", "p.yaml", "--inputs", "in.jsonl", "-o", "none")
        await gate.arrived()
        let other = Self.terminal(shell)
        async let waited = CommandLineTool.run(["watch", "last", "-o", "jsonl"], in: other.shell)
        await other.output.waits(for: "\"counts\"")
        shell.signals.yield(.interrupt)
        await shell.messages.waits(for: "once more stops at once")
        gate.open()
        #expect(await waited == 130)
        #expect(await code == 130)
    }

    @Test("goes on when those who wait run out of time")
    func timeout() async throws {
        let gate = Door()
        let shell = try Self.shell(gate)
        async let code = shell.assay("run", "p.yaml", "--inputs", "in.jsonl", "-o", "none")
        await gate.arrived()
        let other = Self.terminal(shell)
        #expect(await CommandLineTool.run(["wait", "last", "--timeout", "1ms"], in: other.shell) == 124)
        #expect(other.messages.text.contains("is still in progress after 1ms"))
        gate.open()
        #expect(await code == 0)
    }

    @Test("is listed with the counts it has by now")
    func counts() async throws {
        let gate = Door()
        let shell = try Self.shell(gate)
        async let code = shell.assay("run", "p.yaml", "--inputs", "in.jsonl", "-o", "none")
        await gate.arrived()
        let (text, _) = await shell.output(of: "runs", "list", "-o", "json")
        let run = try JSONValue(json: text)["runs"]?.array?.first
        #expect(run?["status"] == "running" && run?["counts"]?["total"] == 2)
        gate.open()
        #expect(await code == 0)
    }

    @Test(
        "that dies is put in order by those who wait for it, who tell how it stands",
        arguments: [("wait", 1), ("cancel", 0)] as [(String, Int32)])
    func killed(command: String, code: Int32) throws {
        let shell = try TestShell()
        try shell.write(TestShell.capitals, to: "p.yaml")
        let owner = try Program(["run", "p.yaml", "-", "--runner", "sequential"], in: shell.folder)
        // More than a pipe holds, so that the program has begun to read when this returns.
        owner.write("{\"data\": \"x\"}" + String(repeating: "\n", count: 200_000))
        let follower = try Program(["watch", "last", "-o", "jsonl"], in: shell.folder)
        // It has reached the owner once it is told how the run stands.
        #expect(follower.lines(1).first?.contains("\"counts\"") == true)
        owner.send(SIGKILL)
        _ = owner.end()
        #expect(follower.output().contains("\"code\":\"interrupted\""))
        #expect(follower.end() == 1)
        let late = try Program([command, "last"], in: shell.folder)
        #expect(late.end() == code)
    }

    @Test("is stopped also while it reads its inputs, and is not taken for whole")
    func reading() async throws {
        let shell = try TestShell()
        try shell.write(TestShell.capitals, to: "p.yaml")
        let owner = try Program(["run", "p.yaml", "-", "--runner", "sequential"], in: shell.folder)
        owner.write("{\"data\":\"x\"}\n" + String(repeating: "\n", count: 200_000))
        let canceller = try Program(["cancel", "last", "-o", "json"], in: shell.folder)
        let text = canceller.output()
        #expect(canceller.end() == 0)
        #expect(owner.end() == 1)
        #expect(try JSONValue(json: text)["error"]?["code"] == "cancelled")
        #expect(await shell.assay("resume", "last") == 65)
    }
}
