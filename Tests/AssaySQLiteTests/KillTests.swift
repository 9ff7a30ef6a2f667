import Assay
import AssaySQLite
import AssayTesting
import Foundation
import Testing

@Suite("A killed program", .serialized) struct KillTests {
    private static let kills = Rig.isLong ? 2_000 : 50

    @Test("has lost nothing that it had acknowledged, and charged nothing twice")
    func killed() async throws {
        let folder = TemporaryFolder()
        let seed = Rig.seed()
        var chance = SeededNumbers(seed: seed)
        for number in 0..<Self.kills {
            let run = Sample.id("run_\(number)")
            let lines = Int.random(in: 0..<200, using: &chance)
            let spin = Int.random(in: 0..<200_000, using: &chance)
            let victim = try Victim(folder.database, run.text)
            victim.waits(for: lines, spin: spin)
            victim.kill()

            let store = try SQLiteStore.open(folder.database)
            defer { store.close() }
            let comment = Comment(rawValue: "ASSAY_SEED=\(seed), kill \(number) after \(lines) lines and \(spin) turns")
            #expect(try await victim.acknowledged.problems(in: store) == [], comment)
            guard let found = try await store.run(run) else { continue }
            #expect(store.recovered == [run], comment)
            #expect(found.status == .failed && found.error?.code == .interrupted, comment)
            if number % 10 == 9 { #expect(try await store.check() == [], comment) }
        }
    }
}
