import AssayTesting
import Foundation
import Testing

@Suite("Histories") struct HistoryLawTests {
    /// Histories for each store: 500 in all, 20,000 where there is time for them.
    static let count = Rig.isLong ? 10_000 : 250

    /// Where the seeds begin: always the same ones, unless a failure is to be seen again.
    static var seeds: Range<Int> {
        guard let seed = ProcessInfo.processInfo.environment["ASSAY_SEED"].flatMap({ Int($0) }) else {
            return 1..<count + 1
        }
        return seed..<seed + 1
    }

    @Test(
        "A history of edits, crashes, resumes and retries never serves an old output and never pays twice",
        arguments: HistoryRig.Shelf.allCases)
    func histories(shelf: HistoryRig.Shelf) async throws {
        for seed in Self.seeds { try await HistoryRig(seed: seed, shelf: shelf).live() }
    }
}
