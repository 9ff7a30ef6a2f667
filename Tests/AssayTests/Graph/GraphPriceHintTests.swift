import Assay
import AssayTesting
import Testing

@Suite("A missing price in a graph") struct GraphPriceHintTests {
    /// The hints of a run of two nodes in a row.
    private static func hints(
        _ prices: PriceList = PriceList(), price: Price? = nil, search: Bool = false
    ) async throws -> [String] {
        let engine = Engine.testing(prices: prices)
        let graph = try Graph("g")
        try graph.add(
            try Node("first") { (value: Int, context: Context) in
                if search { try await context.charge("clear", "search") }
                return value
            })
        try graph.add(try Node.passing("second").with { $0.price = price })
        try graph.wire("first -> second")
        let report = try await engine.run(graph, over: [1, 2, 3])
        #expect(report.status == .succeeded)
        return engine.events.latest(EventQuery(kinds: [.hint])).compactMap { $0.data["message"]?.string }
    }

    @Test("is no matter while another node has one, wherever that stands") func someHave() async throws {
        #expect(try await Self.hints(price: Price("0.10")) == [])
        #expect(try await Self.hints(PriceList.of(base: ["second": Price("0.10")])) == [])
    }

    @Test("is hinted at once where no node has one") func noneHas() async throws {
        #expect(try await Self.hints() == ["no processor of graph 'g' has a price; 0.00 is charged"])
    }

    @Test("of a service is hinted at whatever the nodes cost") func service() async throws {
        #expect(
            try await Self.hints(price: Price("0.10"), search: true) == [
                "'clear/search' has no price; 0.00 is charged"
            ])
    }
}
