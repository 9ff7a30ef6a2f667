import Assay
import AssayTesting
import Testing

@Suite("The basis of a charge") struct ChargeBasisTests {
    /// Everything that the engine says of charges, said by a processor.
    static let forged: JSONObject = [
        "avoided_cost": 99, "cache_hit": true, "cached_at": "2025-03-03T09:15:00Z", "charged_despite_error": true,
        "price_source": "none", "quantity": 7, "resolved": "by person", "unit_price": 8, "page": 3,
    ]

    @Test("is the engine's, whatever a processor notes with its charges and calls", arguments: Runners.all)
    func forged(runner: any Runner) async throws {
        let engine = Engine.testing()
        let report = try await engine.run([1, 2], options: .on(runner)) { (n: Int, context: Context) in
            try await context.charge("svc", "op", cost: "1", metadata: Self.forged)
            return try await context.call("svc", "op", maximumCost: "5", key: JSONValue.number(Number(n))) { call in
                call.settle("5", metadata: Self.forged)
                return n
            }
        }
        let line = try #require(report.bill.byService["svc"]?["op"])
        #expect((line.count, line.cacheHits, line.total, line.avoided) == (4, 0, "12", .zero))
        #expect(report.bill.avoidedCost == .zero)
        #expect(report.run.metrics?.cacheHits == 0)
        #expect(report.bill.trackedCosts.filter { $0.kind == .usage }.map(\.annotations) == [["page": 3], ["page": 3]])
        let made: JSONObject = ["cache_hit": false, "page": 3]
        #expect(report.bill.trackedCosts.filter { $0.kind == .call }.map(\.annotations) == [made, made])
        let explanation = try await engine.explanation(of: report.runID)
        let items = try await engine.store.items(of: report.runID, from: 0, limit: 2)
        for (item, outcome) in zip(items, report.outcomes) {
            #expect(!explanation.of(item, outcome).contains { $0.decision.contains("hit") })
        }
    }

    @Test(
        "says who decided about a doubt",
        arguments: [
            (DoubtPolicy.hold, Charge.Basis.Resolution.person), (.settle, .policy),
        ])
    func doubt(policy: DoubtPolicy, resolution: Charge.Basis.Resolution) async throws {
        let engine = Engine.testing()
        let report = try await engine.run([1], options: .with { $0.doubtPolicy = policy }) {
            (n: Int, context: Context) in
            try await context.call("svc", "op", maximumCost: "5") { _ -> Int in
                throw ProcessingError(.timeout, "nobody knows")
            }
        }
        for call in try await engine.callsInDoubt() { try await engine.settle(callInDoubt: call.callID, at: "5") }
        let charges = try await engine.store.charges(matching: ChargeFilter(executionID: report.executionID))
        #expect(charges.filter { $0.kind == .call }.map(\.basis.resolution) == [resolution])
    }

    @Test("comes back from its stored form, and from nothing else") func stored() throws {
        for cause in Charge.Basis.Cause.allCases {
            let basis = Charge.Basis(
                cause, cachedAt: Timestamp("2025-03-03T09:15:00Z"), quantity: Number("1.50"), unitPrice: "0.000000001",
                priceSource: .file, resolution: .resolver)
            #expect(Charge.Basis(stored: basis.stored) == basis)
        }
        #expect(Charge.Basis(stored: [:]) == Charge.Basis())
        for wrong: JSONValue in [1, ["cause": "else"], ["unit_price": -1], ["quantity": "2"], ["unknown": 1]] {
            #expect(Charge.Basis(stored: wrong) == nil)
        }
    }
}
