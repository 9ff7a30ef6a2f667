import Assay
import AssaySQLite
import AssayTesting
import Foundation
import Testing

@Suite(
    "A power cut", .serialized, .enabled(if: LoopDisk.obstacle == nil, Comment(rawValue: LoopDisk.obstacle ?? "")))
struct PowerCutTests {
    @Test("takes nothing that was acknowledged, and leaves a store in good order") func confirmed() async throws {
        let cuts = Rig.isLong ? 500 : 15
        let (seed, start) = (Rig.seed(), ContinuousClock.now)
        var acknowledged = 0
        try await cut(cuts, seed: seed) { store, said, comment in
            let problems = try await said.problems(in: store)
            #expect(problems == [], comment)
            #expect(try await store.check() == [], comment)
            acknowledged += said.count
            return problems.isEmpty
        }
        let time = Rig.seconds(since: start)
        print("\(cuts) power cuts, \(acknowledged) acknowledgements looked up in \(time)")
    }

    @Test("would be noticed: a store that acknowledges too early is caught") func unconfirmed() async throws {
        var lost = 0
        try await cut(15, seed: Rig.seed(), "unconfirmed") { store, said, _ in
            lost = try await said.problems(in: store).count
            return lost == 0
        }
        #expect(lost > 0, "15 power cuts took nothing from a store that does not wait for its disk: the rig is blind")
    }

    /// Cuts the power while a program works, as often as that or until `look` has seen enough.
    private func cut(
        _ count: Int, seed: UInt64, _ words: String = "confirmed",
        _ look: (SQLiteStore, Acknowledged, Comment) async throws -> Bool
    ) async throws {
        var chance = SeededNumbers(seed: seed)
        var left = count
        while left > 0 {
            let disk = try LoopDisk()
            defer { withExtendedLifetime(disk) {} }
            let victim = try Victim(disk.folder + "/.assay/assay.db", "run", "endless", words)
            defer { victim.kill() }
            // The first cut may come before there is a run; the others fall into a store that has grown.
            for _ in 0..<min(left, 5) {
                let lines = victim.acknowledged.count + Int.random(in: 0..<400, using: &chance)
                let spin = Int.random(in: 0..<1_000_000, using: &chance)
                victim.waits(for: lines, spin: spin)
                #expect(victim.acknowledged.count >= lines, "the program ended")
                victim.stop()
                let found = try disk.afterPowerCut()
                defer { withExtendedLifetime(found) {} }
                victim.goOn()
                let store = try SQLiteStore.open(found.folder + "/.assay/assay.db")
                let comment = Comment(rawValue: "ASSAY_SEED=\(seed), cut \(count - left) after \(lines) lines")
                let goesOn = try await look(store, victim.acknowledged, comment)
                store.close()
                left -= 1
                guard goesOn else { return }
            }
        }
    }
}
