import Assay
import AssayTesting
import Testing

@Suite("What has no price") struct MissingPriceTests {
    static let prices = PriceList.of(units: ["gpu/hour": "2.50"])

    private static func hints(
        _ body: @escaping @Sendable (Context) async throws -> Void, strict: Bool = false
    ) async throws -> (report: Report, hints: [String]) {
        let engine = Engine.testing(prices: prices)
        let report = try await engine.run([1, 2], options: .with { $0.strictCosts = strict }) {
            (n: Int, context: Context) in
            try await body(context)
            return n
        }
        let events = engine.events.latest(EventQuery(kinds: [.hint])).filter { $0.data["hint"] == "no_price" }
        return (report, events.compactMap { $0.data["message"]?.string })
    }

    @Test("is hinted at once for each processor and each operation of a service") func subjects() async throws {
        let (report, hints) = try await Self.hints { context in
            for _ in 1...3 {
                try await context.charge("gpu", "minute", quantity: 500)
                try await context.charge("fax", "page")
                _ = try await context.call("cpu", "hour") { _ in 1 }
            }
        }
        #expect(report.success)
        #expect(
            Set(hints) == [
                "'test' has no price; 0.00 is charged", "'gpu/minute' has no price; 0.00 is charged; known: gpu/hour",
                "'fax/page' has no price; 0.00 is charged",
                "'cpu/hour' has no price; 0.00 is charged; did you mean the service 'gpu'?",
            ])
        #expect(hints.count == 4)
    }

    @Test("is refused under strict costs, be it a charge or a call") func strict() async throws {
        let asks: [@Sendable (Context) async throws -> Void] = [
            { try await $0.charge("gpu", "minute", quantity: 500) },
            { _ = try await $0.call("gpu", "minute") { _ in 1 } },
        ]
        for ask in asks {
            let (report, _) = try await Self.hints(ask, strict: true)
            #expect(report.status == .failed)
            #expect(report.outcomes.map { $0.error?.code } == [.cost, .cost])
            #expect(
                report.outcomes[0].error?.message.hasPrefix("'gpu/minute' has no price, and strict_costs needs one")
                    == true)
            #expect(report.bill.trackedCosts.isEmpty)
        }
    }

    @Test("is no matter where the cost or the most it can be is stated, nor for processors") func stated() async throws
    {
        let (report, _) = try await Self.hints(
            { context in
                try await context.charge("gpu", "minute", cost: "1.00")
                _ = try await context.call("gpu", "minute", maximumCost: "1.00") { _ in 1 }
                try await context.charge("gpu", "hour")
            }, strict: true)
        #expect(report.success)
        #expect(report.bill.totalCost == "9.00")
    }
}
