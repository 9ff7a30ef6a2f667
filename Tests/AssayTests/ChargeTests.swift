import Assay
import AssayTesting
import Testing

@Suite("Base charges") struct BaseChargeTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var policy: String
        var costs: [Money]
        var testDescription: String { policy }
    }

    static let cases = [
        Case(policy: "per_execution", costs: ["0.10", "0.00", "0.00"]),
        Case(policy: "per_run", costs: ["0.10", "0.10", "0.10"]),
        Case(policy: "per_input", costs: ["0.10", "0.00", "0.10"]),
    ]

    static func engine(_ policy: String, _ policies: [any ChargePolicy] = [], _ store: any Store = MemoryStore())
        -> Engine
    {
        .testing(store, prices: .of(base: ["steps": Price("0.10", policy: policy)]), policies: policies)
    }

    @Test("follow their policy over three runs of an execution", arguments: cases, Runners.all)
    func threeRuns(_ test: Case, runner: any Runner) async throws {
        let engine = Self.engine(test.policy)
        let first = try await engine.run(StepProcessor(), items: [Item("a", "A")], options: .on(runner))
        var costs = [first.bill.baseCost]
        for data in ["A", "B"] {
            let run = try await engine.again(
                StepProcessor(), after: first, items: [Item("a", data)], options: .on(runner))
            costs.append(run.bill.baseCost)
        }
        #expect(costs == test.costs)
        let sum = try test.costs.reduce(Money.zero) { try $0.adding($1) }
        #expect(try await engine.bill(ofExecution: first.executionID).baseCost == sum)
        let other = try await engine.run(StepProcessor(), items: [Item("a", "A")], options: .on(runner))
        #expect(other.bill.baseCost == "0.10")
    }

    @Test(
        "per_input charges each distinct input once",
        arguments: [([1, 2, 3], "0.30"), ([1, 2, 1], "0.20"), ([], "0.00")])
    func perInput(inputs: [Int], cost: String) async throws {
        let report = try await Self.engine("per_input").run(
            StepProcessor(), items: inputs.enumerated().map { Item("n\($0)", $1) })
        #expect(report.bill.baseCost.description == cost)
    }

    static let beginnings: [(failing: String, policy: String, cost: String)] = [
        ("prevalidation", "per_run", "0.00"), ("prevalidation", "per_execution", "0.00"),
        ("prevalidation", "per_input", "0.00"),
        ("transform", "per_run", "0.10"), ("transform", "per_execution", "0.10"), ("transform", "per_input", "0.00"),
        ("validate", "per_run", "0.10"), ("validate", "per_input", "0.00"),
        ("extract", "per_run", "0.10"), ("extract", "per_input", "0.10"),
    ]

    @Test(
        "are paid when the first item is about to be transformed, per input when its extraction starts",
        arguments: beginnings, [false, true])
    func early(row: (failing: String, policy: String, cost: String), inBatches: Bool) async throws {
        let items = [Item("a", 1)] + (row.failing == "prevalidation" ? [Item("a", 1)] : [])
        let options = RunOptions.with { $0.batching = inBatches ? Batching(size: 2) : nil }
        let engine = Self.engine(row.policy)
        let processor = StepProcessor(failingAt: row.failing)
        let plan = try await engine.plan(RegisteredProcessor(processor), over: items, options: options)
        let report = try await engine.run(processor, items: items, options: options)
        #expect(report.status == .failed)
        #expect(report.bill.totalCost.description == row.cost)
        #expect(report.bill.trackedCosts == [])
        #expect(plan.base == report.bill.totalCost)
    }

    @Test("per input are paid of as many inputs as were started on", arguments: Runners.all)
    func stopped(runner: any Runner) async throws {
        let engine = Self.engine("per_input")
        let options = RunOptions.with {
            $0.runner = runner
            $0.failurePolicy = .stop
        }
        let started = Notes<Int>()
        let report = try await engine.run(Array(0..<600), options: options, name: "steps") { input, _ in
            started.add(input)
            if input == 183 { throw Refusal() }
            return input
        }
        #expect(report.status == .failed)
        #expect(report.bill.baseCost == (try Money("0.10").times(Number(started.all.count))))
        #expect(started.all.count < 600)
    }

    /// Charges by the day, or not at all.
    struct Daily: ChargePolicy {
        let name = "daily"
        var broken = false
        func charges(for request: ChargeRequest) throws -> [KeyedAmount] {
            if broken { throw Refusal(description: "no calendar") }
            return [KeyedAmount(key: "daily|\(request.processorID)|2025-03-03", amount: request.basePrice)]
        }
    }

    @Test("follow a policy of one's own") func own() async throws {
        let engine = Self.engine("daily", [Daily()])
        let items = [Item("a", 1), Item("b", 2)]
        #expect(try await engine.run(StepProcessor(), items: items).bill.baseCost == "0.10")
        #expect(try await engine.run(StepProcessor(), items: items).bill.baseCost == .zero)
    }

    @Test("a policy that throws leaves the result and an incomplete bill") func broken() async throws {
        let engine = Self.engine("daily", [Daily(broken: true)])
        let report = try await engine.run(StepProcessor(), items: [Item("a", 1)])
        #expect(report.success)
        #expect(report.bill.incompleteReason == "no calendar")
        #expect(report.bill.jsonValue["complete"] == false)
        #expect(engine.events.latest().contains { $0.kind == .warning })
    }

    @Test("under strict costs a policy that throws fails the run") func strict() async throws {
        let engine = Self.engine("daily", [Daily(broken: true)])
        let report = try await engine.run(
            StepProcessor(), items: [Item("a", 1)], options: .with { $0.strictCosts = true })
        #expect(report.status == .failed)
        #expect(report.error?.code == .cost)
        #expect(report.error?.step == "cost")
        #expect(report.error?.exception == "CostCalculationError")
        #expect(report.bill.incompleteReason != nil)
    }

    @Test("a ledger that cannot be written leaves the result and an incomplete bill") func ledger() async throws {
        let store = FaultyStore { write in
            if case .record = write { throw ProcessingError(.store, "the disk is full") }
        }
        let report = try await Self.engine("per_run", [], store).run(StepProcessor(), items: [Item("a", 1)])
        #expect(report.success)
        #expect(report.bill.incompleteReason == "the disk is full")
    }
}

@Suite("Usage charges") struct UsageTests {
    static let prices = PriceList.of(units: ["ocr/page": "0.50"])

    /// The bill of a run of one item that works with `body`.
    static func bill(
        _ runner: any Runner = .sequential, _ body: @escaping @Sendable (Context) async throws -> Void
    ) async throws -> Report {
        try await Engine.testing(prices: prices).run([1], options: .on(runner)) { (n: Int, context: Context) in
            try await body(context)
            return n
        }
    }

    @Test("cost unit price × quantity, and say so", arguments: Runners.all) func pages(runner: any Runner) async throws
    {
        let report = try await Self.bill(runner) { try await $0.charge("ocr", "page", quantity: 5) }
        #expect(report.bill.totalCost == "2.50")
        #expect(
            report.bill.trackedCosts[0].annotations == [
                "quantity": 5, "unit_price": Money(stringLiteral: "0.50").jsonValue,
            ])
        #expect(report.outcomes[0].cost == "2.50")
    }

    @Test("a given cost counts") func given() async throws {
        let report = try await Self.bill { try await $0.charge("ocr", "page", quantity: 5, cost: "0.0375") }
        #expect(report.bill.totalCost == "0.0375")
    }

    @Test("what has no price costs nothing, says so, and gives a hint") func noPrice() async throws {
        let engine = Engine.testing(prices: .of(base: ["test": Price("0.10")]))
        let report = try await engine.run([1, 2]) { (n: Int, context: Context) in
            try await context.charge("fax", "page")
            return n
        }
        #expect(report.bill.usageCost == .zero)
        #expect(report.bill.trackedCosts.map(\.basis.priceSource) == [PriceOrigin.none, PriceOrigin.none])
        #expect(engine.events.latest().filter { $0.kind == .hint }.count == 1)
    }

    @Test(
        "without a key every one counts, with a key once per item and execution",
        arguments: [(nil, "2.00"), ("k", "0.50")])
    func key(key: String?, total: String) async throws {
        let engine = Engine.testing(prices: Self.prices)
        let processor = ClosureProcessor<Int, Int>("test") { n, context in
            for _ in 1...2 { try await context.charge("ocr", "page", key: key) }
            guard context.lineage.retryCount > 0 else { throw Refusal() }
            return n
        }
        let first = try await engine.run(processor, items: [Item("a", 1)])
        let second = try await engine.resume(processor, after: first)
        #expect(try await engine.bill(ofExecution: first.executionID).totalCost.description == total)
        #expect(first.outcomes[0].cost == first.bill.totalCost)
        #expect(second.outcomes[0].cost == second.bill.totalCost)
    }

    @Test("a key is an item's own") func keyPerItem() async throws {
        let report = try await Engine.testing(prices: Self.prices).run([1, 1]) { (n: Int, context: Context) in
            try await context.charge("ocr", "page", key: "k")
            return n
        }
        #expect(report.bill.totalCost == "1.00")
    }

    @Test("stay whatever happens afterwards", arguments: Runners.all) func stay(runner: any Runner) async throws {
        let report = try await Self.bill(runner) { context in
            try await context.charge("ocr", "page")
            _ = try await context.step("first") {
                try await context.charge("ocr", "page", quantity: 2)
                return 1
            }
            try await context.charge("ocr", "page", quantity: 3)
            throw Refusal()
        }
        #expect(report.status == .failed)
        #expect(report.bill.totalCost == "3.00")
        #expect(report.outcomes[0].cost == "3.00")
        // What was charged outside of the step is on record with the outcome.
        #expect(report.bill.trackedCosts.map(\.step) == ["first", nil, nil])
    }

    @Test("stay when the step they belong to cannot be saved") func stepNotSaved() async throws {
        let store = FaultyStore { write in
            if case .save = write { throw ProcessingError(.store, "the disk is full") }
        }
        let report = try await Engine.testing(store, prices: Self.prices).run([1]) { (n: Int, context: Context) in
            try await context.step("read") {
                try await context.charge("ocr", "page")
                return n
            }
        }
        #expect(report.error?.code == .store)
        #expect(report.bill.totalCost == "0.50")
    }

    @Test("of each attempt count") func attempts() async throws {
        let report = try await Engine.testing(prices: Self.prices).run(
            [1], options: .with { $0.retryPolicy = try RetryPolicy(maxRetries: 2) }
        ) { (n: Int, context: Context) in
            try await context.charge("ocr", "page")
            guard context.attempt == 3 else { throw Refusal() }
            return n
        }
        #expect(report.bill.totalCost == "1.50")
    }

    /// Charges in the function it is told.
    struct Charging: Processor {
        let name = "charging"
        let place: String
        func charge(_ current: String, _ context: Context) async throws {
            if place == current { try await context.charge("ocr", "page") }
        }
        func transform(_ input: Int, in context: Context) async throws -> Int {
            try await charge("transform", context)
            return input
        }
        func validate(_ input: Int, in context: Context) async throws { try await charge("validate", context) }
        func extract(_ input: Int, in context: Context) async throws -> Int {
            try await charge("extract", context)
            return input
        }
        func aggregate(_ outputs: Outputs<Int>, in context: Context) async throws -> [Int] {
            try await charge("aggregate", context)
            return []
        }
    }

    @Test("work in every phase", arguments: ["transform", "validate", "extract", "aggregate"])
    func phases(place: String) async throws {
        let report = try await Engine.testing(prices: Self.prices).run(Charging(place: place), over: [1, 2])
        let (count, item) = place == "aggregate" ? (1, Money.zero) : (2, "0.50")
        #expect(report.bill.trackedCosts.count == count)
        #expect(report.outcomes.map(\.cost) == [item, item])
    }

    @Test(
        "that are not exact, negative or too large are refused and not recorded",
        arguments: [
            ("0.000000001", 1, Number("0.5")), ("-1", 1, nil), ("2000000", 1, nil), ("1000000", 2, 2),
        ])
    func refused(cost: String, index: Int, quantity: Number?) async throws {
        let amount = Money(billionths: Int64((Double(cost) ?? 0) * 1e9))
        let prices = PriceList.of(units: ["ocr/page": quantity == nil ? "1" : amount])
        let report = try await Engine.testing(prices: prices).run([1]) { (n: Int, context: Context) in
            try await context.charge("ocr", "page", quantity: quantity ?? 1, cost: quantity == nil ? amount : nil)
            return n
        }
        #expect(report.error?.code == .cost)
        #expect(report.bill.trackedCosts == [])
    }

    @Test("of a fact that has happened are recorded at once") func incurred() async throws {
        let store = MemoryStore()
        _ = try await Engine.testing(store, prices: Self.prices).run([1]) { (n: Int, context: Context) in
            try await context.charge("ocr", "page", incurred: true)
            #expect(
                try await store.charges(matching: ChargeFilter(runID: context.runID)).count { $0.kind == .usage } == 1)
            return n
        }
    }
}

@Suite("Prices in another currency") struct CurrencyTests {
    @Test("than the store's are refused before the run exists") func refused() async throws {
        var prices = PriceList(currency: "EUR")
        prices.add(Price("0.10"), for: .processor("test"))
        let store = MemoryStore()
        let engine = Engine.testing(store, prices: prices)
        #expect(await code { try await engine.run([1]) { (n: Int, _) in n } } == .cost)
        #expect(try await store.runs(matching: RunFilter()).isEmpty)
        #expect(
            try await Engine.testing(MemoryStore(currency: "EUR"), prices: prices).run([1]) { (n: Int, _) in n }.success
        )
    }
}
