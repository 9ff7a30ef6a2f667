import Assay
import AssayTesting
import Testing

@Suite("The law of costs and caches") struct CostLawTests {
    @Test("holds over pipelines drawn by chance, on this program's runners", arguments: 0..<8)
    func threads(block: Int) async throws {
        var avoided = MoneySum.zero
        for seed in block * 25..<(block + 1) * 25 {
            avoided += try await CostLaw(seed: seed).check(
                (MemoryStore(), MemoryStore()), under: Runners.all[seed % Runners.all.count])
        }
        // A law over caches that were never hit would say nothing.
        #expect(avoided > .zero)
    }

    @Test("holds on worker processes") func processes() async throws {
        var avoided = MoneySum.zero
        for seed in 0..<10 {
            avoided += try await CostLaw(seed: seed).check(
                (MemoryStore(), MemoryStore()), under: try Helper.runner(2))
        }
        #expect(avoided > .zero)
    }
}
