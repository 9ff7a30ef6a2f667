import Assay
import AssaySQLite
import Foundation
import Testing

@Suite("What a dead owner left running", .timeLimit(.minutes(15))) struct LeftoverTests {
    @Test("is killed before the next owner of its store runs anything, and nothing else is")
    func killed() async throws {
        let shell = try TestShell()
        try shell.write(TestShell.capitals, to: "p.yaml")
        try shell.write("{\"data\": \"x\"}\n", to: "in.jsonl")
        #expect(await shell.assay("run", "p.yaml", "--inputs", "in.jsonl") == 0)
        let store = try SQLiteStore.open(shell.folder + "/.assay/assay.db", access: .readOnly)
        let token = "owner-" + Digest.hex(of: Array(store.path.utf8)).prefix(32)
        store.close()
        let leftover = try Self.sleeper(["ASSAY_LEASH": "others,\(token)"])
        let bystander = try Self.sleeper(["ASSAY_LEASH": "others"])
        defer { for sleeper in [leftover, bystander] { kill(sleeper.process.processIdentifier, SIGKILL) } }
        #expect(await shell.assay("run", "p.yaml", "--inputs", "in.jsonl") == 0)
        for await reason in leftover.end { #expect(reason == .uncaughtSignal) }
        #expect(bystander.process.isRunning)
    }

    @Test("does not include what a living program started, this one too")
    func living() async throws {
        let shell = try TestShell()
        try shell.write(TestShell.capitals, to: "p.yaml")
        try shell.write("{\"data\": \"x\"}\n", to: "in.jsonl")
        #expect(await shell.assay("run", "p.yaml", "--inputs", "in.jsonl") == 0)
        let child = try ChildProcess(.init("/bin/sleep", ["600"]))
        #expect(await shell.assay("run", "p.yaml", "--inputs", "in.jsonl") == 0)
        let program = try Program(["run", "p.yaml", "--inputs", "in.jsonl"], in: shell.folder)
        #expect(program.end() == 0)
        #expect(child.exit == nil)
        await child.end()
    }

    /// A program that sleeps, and how it ends, once it has.
    private static func sleeper(
        _ environment: [String: String]
    ) throws -> (process: Process, end: AsyncStream<Process.TerminationReason>) {
        let process = Process()
        let (end, continuation) = AsyncStream.makeStream(of: Process.TerminationReason.self)
        process.terminationHandler = { ended in
            continuation.yield(ended.terminationReason)
            continuation.finish()
        }
        process.executableURL = URL(fileURLWithPath: "/bin/sleep")
        process.arguments = ["600"]
        process.environment = environment
        try process.run()
        return (process, end)
    }
}
