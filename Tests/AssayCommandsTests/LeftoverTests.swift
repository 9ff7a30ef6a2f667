import Assay
import AssaySQLite
import Foundation
import Testing

@Suite("What a dead owner left running") struct LeftoverTests {
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
        #expect(await shell.assay("run", "p.yaml", "--inputs", "in.jsonl") == 0)
        defer { for process in [leftover, bystander] { kill(process.processIdentifier, SIGKILL) } }
        // Only guards against a leftover that lives on; nothing waits in a thread that others need.
        for _ in 1...1_000 where leftover.isRunning { try await Task.sleep(for: .milliseconds(10)) }
        #expect(!leftover.isRunning)
        #expect(bystander.isRunning)
    }

    private static func sleeper(_ environment: [String: String]) throws -> Process {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sleep")
        process.arguments = ["600"]
        process.environment = environment
        try process.run()
        return process
    }
}
