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
            guard let run = try await shell.runs().last else {
                #expect(acknowledged.isEmpty, comment)
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
}
