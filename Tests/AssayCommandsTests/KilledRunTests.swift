import Assay
import AssaySQLite
import Foundation
import Testing

@Suite("A killed run", .serialized) struct KilledRunTests {
    private static let items = 300
    private static let kills = ProcessInfo.processInfo.environment["ASSAY_SOAK"] == nil ? 20 : 1_000

    @Test("goes on to the result and the bill of an undisturbed one, whenever it was killed")
    func killed() async throws {
        for number in 0..<Self.kills {
            let lines = Int.random(in: 0...Self.items)
            let comment = Comment(rawValue: "kill \(number) after \(lines) lines")
            let shell = try TestShell()
            try shell.write(TestShell.capitals, to: "p.yaml")
            let inputs = (1...Self.items).map { #"{"input_id":"doc_\#($0)","data":"text \#($0)"}"# + "\n" }
            try shell.write(inputs.joined(), to: "in.jsonl")

            let program = try Program(
                ["run", "p.yaml", "--inputs", "in.jsonl", "--runner", "thread", "--workers", "2", "-o", "jsonl"],
                in: shell.folder)
            let printed = try program.lines(lines).map { try JSONValue(json: $0) }
            program.send(SIGKILL)
            _ = program.end()
            let acknowledged = Set(printed.compactMap { $0["index"]?.number?.integer })
            // A program killed at once leaves no store, or one half made, which the next owner puts in order.
            guard await shell.output(of: "runs", "list").code == 0, let run = try await shell.runs().last else {
                #expect(acknowledged.isEmpty, comment)
                #expect(await shell.assay("run", "p.yaml", "--inputs", "in.jsonl", "-o", "none") == 0, comment)
                continue
            }
            if await shell.output(of: "runs", "show", run).text.contains("while its inputs were read") {
                #expect(acknowledged.isEmpty, comment)
                #expect(await shell.assay("resume", run) == 65, comment)
                continue
            }
            guard try await Self.isListed(run, in: shell) else {
                #expect(acknowledged.isEmpty, comment)
                #expect(await shell.assay("resume", run) != 0, comment)
                continue
            }
            // A run that had ended already cannot be gone on with to any effect, and is as good.
            #expect(await shell.assay("resume", run) == 0, comment)

            let store = try SQLiteStore.open(shell.folder + "/.assay/assay.db")
            defer { store.close() }
            let last = try #require(try await store.runs(matching: RunFilter(limit: 1)).first)
            #expect(last.status == .succeeded && last.counts.succeeded == last.counts.total, comment)
            let outcomes = try await store.outcomes(of: last.id, from: 0, limit: .max)
            for outcome in outcomes {
                #expect(try outcome.get(as: String.self) == "TEXT \(outcome.index + 1)", comment)
                #expect(outcome.carried || !acknowledged.contains(outcome.index), comment)
            }
            let charges = try await store.charges(matching: ChargeFilter(executionID: last.executionID))
            #expect(charges.map(\.cost.description) == ["0.10"], comment)
            #expect(try await store.check() == [], comment)
        }
    }

    private static func isListed(_ run: String, in shell: TestShell) async throws -> Bool {
        let store = try SQLiteStore.open(shell.folder + "/.assay/assay.db")
        defer { store.close() }
        return try await store.run(try #require(Identifier(run)))?.isListed == true
    }

    @Test("is not offered to go on with when it had not read all of its inputs")
    func killedWhileReading() async throws {
        let shell = try TestShell()
        try shell.write(TestShell.capitals, to: "p.yaml")
        try shell.write("{\"data\":\"x\"}\n", to: "in.jsonl")
        let program = try Program(["run", "p.yaml", "-", "--runner", "sequential"], in: shell.folder)
        // More than a pipe holds, so that the program has begun to read when this returns.
        program.write(String(repeating: "\n", count: 200_000))
        program.send(SIGKILL)
        _ = program.end()
        #expect(await shell.assay("run", "p.yaml", "--inputs", "in.jsonl", "-o", "none") == 0)
        #expect(shell.messages.text.hasSuffix("its inputs were not all read, so run it again\n"))
        #expect(shell.messages.lines.count == 1)
        #expect(await shell.assay("resume", try #require(try await shell.runs().last)) == 65)
    }
}
