import Assay
import AssayTesting
import Testing

@Suite("A plan of a graph") struct GraphPlanTests {
    /// A node that makes one search for each number, equal ones for equal remainders of 5.
    private struct Searching: Processor {
        let name = "searching"
        var tells = true

        func expectedCosts(of input: Int, in context: Context) -> [ExpectedCost]? {
            tells ? [.call("clear", "search", key: .number(Number(input % 5)))] : nil
        }

        var costsOfAnyInput: [ExpectedCost]? { tells ? [.call("clear", "search", isCertain: false)] : nil }

        func extract(_ input: Int, in context: Context) async throws -> Int {
            try await context.call("clear", "search", key: .number(Number(input % 5))) { _ in input }
        }
    }

    private static let prices = PriceList.of(
        base: [
            "start": Price("0.10"), "behind": Price("0.25", policy: "per_execution"),
            "each": Price("0.02", policy: "per_input"),
        ],
        units: ["clear/search": "5.00"])

    private static func items(_ inputs: [Int]) -> [Item] { inputs.enumerated().map { Item("n\($0)", $1) } }

    /// `start` searches, `behind` and `each` pass on what it found.
    private static func graph(tells: Bool = true, search: String = "start") throws -> Graph {
        let graph = try Graph("g")
        for name in ["start", "behind", "each"] {
            if name == search {
                try graph.add(try Node(name, Searching(tells: tells)))
            } else {
                try graph.add(try Node.passing(name))
            }
        }
        try graph.wire("start -> behind")
        try graph.wire("behind -> each")
        return graph
    }

    private static func figures(_ plan: Plan) -> [String] {
        (plan.nodes ?? []).map { node in
            "\(node.processorID): \(node.starts)+\(node.possibleStarts) starts, "
                + "base \(node.base)+\(node.furtherBase.map { "\($0)" } ?? "?"), "
                + "\(node.calls.map { "\($0)" } ?? "?") calls, \(node.hits) hits, "
                + "\(node.low) to \(node.high.map { "\($0)" } ?? "?")"
        }
    }

    @Test("knows what its sources cost before they run, and leaves nothing behind") func sources() async throws {
        let store = MemoryStore()
        let engine = Engine.testing(store, prices: Self.prices)
        let full = try await engine.fullPlan(Self.graph(), over: Self.items([1, 6, 2]))
        let plan = full.plan
        #expect(
            Self.figures(plan) == [
                "start: 3+0 starts, base 0.10+0.00, 2 calls, 1 hits, 10.00 to 10.00",
                "behind: 3+0 starts, base 0.25+0.00, 0 calls, 0 hits, 0.00 to 0.00",
                "each: 3+0 starts, base 0.00+0.06, 0 calls, 0 hits, 0.00 to 0.00",
            ])
        #expect(full.entries.map(\.low) == ["5.00", "0.00", "5.00"])
        #expect((plan.base, plan.furtherBase, plan.low, plan.high) == ("0.35", "0.06", "10.35", "10.41"))
        #expect(plan.prices == ["start": "0.10", "behind": "0.25", "each": "0.02", "clear/search": "5.00"])
        #expect(try await store.runs(matching: RunFilter()).isEmpty)
        #expect(try await store.charges(matching: ChargeFilter()).isEmpty)
    }

    @Test("equals the bill where all of it is known: sources that search, once and again with a full cache")
    func exact() async throws {
        let prices = PriceList.of(
            base: ["start": Price("0.10"), "behind": Price("0.25", policy: "per_execution")],
            units: ["clear/search": "5.00"])
        let engine = Engine.testing(prices: prices)
        for _ in 1...2 {
            let plan = try await engine.plan(Self.graph(), over: Self.items([1, 6, 2, 9]))
            let report = try await engine.run(Self.graph(), over: Self.items([1, 6, 2, 9]))
            #expect(report.status == .succeeded)
            #expect(plan.low == plan.high)
            #expect(plan.low == MoneySum(report.bill.totalCost) && plan.base == report.bill.baseCost)
            #expect(plan.nodes?[0].hits == plan.groups.reduce(0) { $0 + $1.hits })
        }
    }

    @Test("says where costs are known only when nodes before have run, and what they are at most")
    func behind() async throws {
        let engine = Engine.testing(prices: Self.prices)
        let plan = try await engine.plan(Self.graph(search: "behind"), over: Self.items([1, 2]))
        let node = try #require(plan.nodes?[1])
        #expect((node.calls, node.low, node.high) == (2, "0.00", "10.00"))
        #expect(node.unknown == "what it is given is known only when the nodes before it have run")
        let report = try await engine.run(Self.graph(search: "behind"), over: Self.items([1, 2]))
        #expect(plan.low <= MoneySum(report.bill.totalCost))
        #expect(try MoneySum(report.bill.totalCost) <= #require(plan.high))
    }

    @Test("takes what a processor does not tell from the last run of the graph, and says so where there is none")
    func untold() async throws {
        let engine = Engine.testing(prices: Self.prices)
        let full = try await engine.fullPlan(Self.graph(tells: false), over: Self.items([1]))
        let first = full.plan
        #expect(first.high == nil && first.nodes?[0].calls == nil && first.nodes?[0].high == nil)
        #expect(first.nodes?[0].unknown == "its processor does not tell what it costs")
        #expect(
            full.entries[0].reason
                == "no earlier run of the execution had it; what 'start' costs is known only when it has run")
        _ = try await engine.run(Self.graph(tells: false), over: Self.items([1]))
        let second = try await engine.plan(Self.graph(tells: false), over: Self.items([3, 4]))
        #expect(second.nodes?[0].high == "10.00" && second.nodes?[0].low == .zero)
        #expect(second.nodes?[0].unknown?.hasPrefix("its cost is as in run") == true)
        #expect((second.estimate?.basis, second.estimate?.inputs, second.estimate?.cost) == (1, 2, "10.00"))
        #expect(second.prices["clear/search"] == "5.00")
    }

    @Test("of a resume takes saved outputs and knows what nodes behind them are given") func resume() async throws {
        let engine = Engine.testing(prices: Self.prices)
        let counter = Counter()
        func graph() throws -> Graph {
            let graph = try Graph("g")
            try graph.add(try Node("start", Searching()))
            try graph.add(
                try Node("behind") { (value: Int) in
                    if counter.next() == 1 { throw ProcessingError(.extraction, "the first time", retryable: false) }
                    return value
                })
            try graph.wire("start -> behind")
            return graph
        }
        var options = GraphOptions()
        options.errorStrategy = SkipStrategy.skip
        let first = try await engine.run(graph(), over: Self.items([1]), options: options)
        #expect(first.status == .failed && first.bill.totalCost == "5.35")
        let full = try await FullPlan {
            try await engine.plan(resuming: first.runID, with: graph(), options: options, each: $0)
        }
        let plan = full.plan
        #expect(full.entries.map(\.action) == [.resumed])
        #expect(full.entries[0].savedSteps == ["start"])
        #expect(plan.nodes?.map(\.saved) == [1, 0] && plan.nodes?.map(\.starts) == [0, 1])
        #expect(plan.low == .zero && plan.high == .zero)
        let report = try await engine.resume(first.runID, with: graph(), options: options)
        #expect(MoneySum(report.bill.totalCost) == plan.low)
    }

    @Test("knows values that the item cache of a node has, and what follows from them") func cached() async throws {
        let engine = Engine.testing(prices: Self.prices)
        func graph() throws -> Graph {
            let graph = try Graph("g")
            try graph.add(try Node.passing("start").with { $0.cache = CachePolicy() })
            try graph.add(try Node("behind", Searching()))
            try graph.wire("start -> behind")
            return graph
        }
        _ = try await engine.run(graph(), over: Self.items([1]))
        let plan = try await engine.plan(graph(), over: Self.items([1, 2]))
        #expect(plan.nodes?[0].cached == 1)
        // The search of 1 is in the cache and known to be; that of 2 is not known before `start` has run.
        #expect(plan.nodes?[1].hits == 1 && plan.nodes?[1].calls == 1)
        #expect(plan.nodes?[1].low == .zero && plan.nodes?[1].high == "5.00")
    }

    @Test("counts nodes that may get nothing as possible") func routed() async throws {
        let engine = Engine.testing(prices: PriceList.of(base: ["right": Price("0.50")], units: [:]))
        let graph = try Graph("g")
        try graph.add(try Node.passing("split", outputs: ["left", "right"]))
        try graph.add(try Node.passing("right"))
        try graph.wire("split:right -> right")
        let plan = try await engine.plan(graph, over: [Item("a", ["left": 1] as [String: Int])])
        #expect(plan.nodes?[1].starts == 0 && plan.nodes?[1].possibleStarts == 1)
        #expect((plan.base, plan.furtherBase, plan.high) == (.zero, "0.50", "0.50"))
    }

    @Test("of data that no source takes says what stops the run, which then costs nothing") func gate() async throws {
        let engine = Engine.testing(prices: Self.prices)
        let graph = try Graph.wired(["a", "b", "c"], ["a -> c"])
        try graph.connect("b", to: "c", "input")
        #expect(throws: ProcessingError.self) { try graph.levels() }
        let valid = try Graph("two")
        try valid.add(try Node.passing("start"))
        try valid.add(try Node.passing("other"))
        try valid.add(try Node.passing("join", inputs: ["left", "right"]))
        try valid.wire("start -> join:left")
        try valid.wire("other -> join:right")
        let full = try await engine.fullPlan(valid, over: [Item("a", ["start": 1, "othr": 2] as [String: Int])])
        let plan = full.plan
        #expect(plan.gate == "data of 'a' names the unknown source 'othr'; did you mean 'other'?")
        #expect(full.entries.map(\.action) == [.skipped] && plan.high == .zero && plan.base == .zero)
    }

    @Test("warns of budgets that do not last, and comes back from its JSON") func budget() async throws {
        let engine = Engine.testing(prices: Self.prices)
        var options = GraphOptions()
        options.run.budgets = [try Budget("8.00", name: "small")]
        let plan = try await engine.plan(Self.graph(), over: Self.items([1, 2]), options: options)
        #expect(
            plan.warnings == ["budget 'small' has 8.00 USD left and stops the run, which costs at least 10.35"])
        #expect(plan.jsonValue["graph_id"] == "g" && plan.jsonValue["processor_id"] == nil)
        let again = try #require(Plan(jsonValue: plan.jsonValue))
        #expect(again.jsonValue == plan.jsonValue && again.differences(from: plan).isEmpty)
    }

    @Test("is law: the bill is never outside of it", arguments: 1...30) func law(seed: Int) async throws {
        var chance = Seeded(state: UInt64(seed))
        let inputs = (0..<Int.random(in: 1...8, using: &chance)).map { _ in Int.random(in: 1...9, using: &chance) }
        let place = ["start", "behind", "each"].randomElement(using: &chance)!
        let engine = Engine.testing(prices: Self.prices)
        for _ in 1...2 {
            let plan = try await engine.plan(Self.graph(search: place), over: Self.items(inputs))
            let report = try await engine.run(Self.graph(search: place), over: Self.items(inputs))
            #expect(report.status == .succeeded)
            #expect(plan.low <= MoneySum(report.bill.totalCost))
            #expect(try MoneySum(report.bill.totalCost) <= #require(plan.high))
        }
    }
}
