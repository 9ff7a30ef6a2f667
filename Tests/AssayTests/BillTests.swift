import Assay
import AssayTesting
import Testing

@Suite("Bills") struct BillTests {
    static func id(_ text: StaticString) throws -> Identifier { try #require(Identifier("\(text)")) }

    static func charge(
        _ number: Int, _ operation: String, item: Int? = 0, kind: Charge.Kind = .call, cost: Money, second: Int = 0
    ) throws -> Charge {
        Charge(
            costID: "cost_\(number)", kind: kind, runID: try id("run_123"), executionID: try id("exec_456"),
            processorID: try id("bank_statement"), inputID: item.map { "doc_\($0 + 1)" }, itemIndex: item,
            service: kind == .base ? "processor" : "clear", operation: operation, cost: cost,
            timestamp: try #require(Timestamp("2025-03-03T09:15:0\(second)Z")))
    }

    @Test("are written as documented") func golden() throws {
        let bill = try Bill(
            [
                Self.charge(0, "bank_statement", item: nil, kind: .base, cost: "0.10"),
                Self.charge(1, "business_search", cost: "5.00"),
                Self.charge(2, "person_search", cost: "5.00", second: 5),
            ], currency: "USD", runID: Self.id("run_123"), executionID: Self.id("exec_456"))
        let expected = try JSONValue(
            json: """
                {"run_id": "run_123", "execution_id": "exec_456", "currency": "USD",
                 "base_cost": 0.10, "usage_cost": 10.00, "total_cost": 10.10, "avoided_cost": 0.00,
                 "in_doubt_cost": 0.00, "complete": true, "incomplete_reason": null,
                 "tracked_costs": [
                   {"cost_id": "cost_1", "service": "clear", "operation": "business_search", "cost": 5.00,
                    "timestamp": "2025-03-03T09:15:00Z", "input_id": "doc_1", "metadata": {"cache_hit": false}},
                   {"cost_id": "cost_2", "service": "clear", "operation": "person_search", "cost": 5.00,
                    "timestamp": "2025-03-03T09:15:05Z", "input_id": "doc_1", "metadata": {"cache_hit": false}}],
                 "in_doubt": [],
                 "by_service": {"clear": {
                   "business_search": {"count": 1, "cache_hits": 0, "total_cost": 5.00, "avoided_cost": 0.00},
                   "person_search": {"count": 1, "cache_hits": 0, "total_cost": 5.00, "avoided_cost": 0.00}}}}
                """)
        #expect(bill.jsonValue.json == expected.json)
    }

    @Test("list entries by item, then in order of recording") func order() throws {
        let bill = try Bill(
            [
                Self.charge(1, "x", item: 1, cost: "1"), Self.charge(2, "x", item: 0, cost: "1"),
                Self.charge(3, "x", item: nil, cost: "1"), Self.charge(4, "x", item: 0, cost: "1"),
            ], currency: "USD")
        #expect(bill.trackedCosts.map(\.costID) == ["cost_3", "cost_2", "cost_4", "cost_1"])
    }

    @Test("of an execution name its runs, and entries keep theirs") func execution() async throws {
        let engine = Engine.testing(prices: .of(base: ["test": Price("0.10")], units: ["ocr/page": "0.50"]))
        let processor = ClosureProcessor<Int, Int>("test") { n, context in
            try await context.charge("ocr", "page")
            return n
        }
        let first = try await engine.run(processor, items: [Item("a", 1)])
        let second = try await engine.again(processor, after: first, items: [Item("a", 2)])
        let bill = try await engine.bill(ofExecution: first.executionID)
        #expect(bill.runs == [first.runID, second.runID])
        #expect(bill.baseCost == "0.20")
        #expect(bill.totalCost == "1.20")
        let entries = try #require(bill.jsonValue["tracked_costs"]?.array)
        #expect(entries.compactMap { $0["run_id"]?.string } == [first.runID.text, second.runID.text])
        #expect(bill.jsonValue["runs"] == [.string(first.runID.text), .string(second.runID.text)])
        #expect(await code { try await engine.bill(ofExecution: first.runID) } == .notFound)
    }

    @Test("list what is in doubt with what a person needs to settle it") func doubt() async throws {
        let engine = Engine.testing()
        let report = try await engine.run([1]) { (_: Int, context: Context) -> Int in
            try await context.call("clear", "search", maximumCost: "5.00") { _ in
                throw ProcessingError(.timeout, "late")
            }
        }
        let call = try #require(report.bill.jsonValue["in_doubt"]?.array?.first)
        #expect(
            call.object?.keys == [
                "call_id", "idempotency_key", "input_id", "maximum_cost", "operation", "service", "timestamp",
            ])
        #expect(call["maximum_cost"] == Money(stringLiteral: "5.00").jsonValue)
        #expect(call["input_id"] == "item_1")
        #expect(engine.events.latest().contains { $0.kind == .costInDoubt })
    }

    @Test("say what a success cost") func costPerSuccess() throws {
        let bill = try Bill([Self.charge(1, "x", cost: "10")], currency: "USD")
        #expect(bill.costPerSuccess(3) == "3.333333")
        #expect(bill.costPerSuccess(0) == nil)
    }
}

/// The worked examples: processor `bank_statement`, base 0.10 per execution, one call of 5.00 per item.
@Suite("Worked examples of costs", .serialized) struct CostExampleTests {
    static let prices = PriceList.of(
        base: [
            "bank_statement": Price("0.10", policy: "per_execution"),
            "clear_check": Price("0.10", policy: "per_execution"),
        ], units: ["clear/search": "5.00", "clear/check": "0.75", "ocr/page": "0.50"])

    /// Searches for each item, unless it is told to refuse or fail it.
    struct BankStatement: Processor {
        let name = "bank_statement"
        var refuses: Set<Int> = []
        var fails: Set<Int> = []
        func validate(_ input: Int, in context: Context) throws {
            if refuses.contains(input) { throw Refusal() }
        }
        func extract(_ input: Int, in context: Context) async throws -> Int {
            if fails.contains(input) { throw Refusal() }
            return try await context.call("clear", "search", key: .number(Number(input))) { _ in input * 100 }
        }
    }

    let engine = Engine.testing(prices: prices)

    func run(_ processor: BankStatement, _ inputs: [Int], _ runner: any Runner) async throws -> Report {
        try await engine.run(processor, items: inputs.map { Item("doc_\($0)", $0) }, options: .on(runner))
    }

    func sums(_ bill: Bill) -> [String] {
        [bill.baseCost, bill.usageCost, bill.totalCost].map(\.description) + [bill.avoidedCost.description]
    }

    @Test("1: three items succeed", arguments: Runners.all) func one(runner: any Runner) async throws {
        let report = try await run(BankStatement(), [1, 2, 3], runner)
        #expect(sums(report.bill) == ["0.10", "15.00", "15.10", "0.00"])
        #expect(report.success)
        #expect(try report.summary(as: [Int].self) == [100, 200, 300])
        #expect(report.outcomes.map(\.cost) == ["5", "5", "5"])
    }

    @Test("2: one fails before its call, two succeed", arguments: Runners.all) func two(runner: any Runner) async throws
    {
        let report = try await run(BankStatement(fails: [1]), [1, 2, 3], runner)
        #expect(sums(report.bill) == ["0.10", "10.00", "10.10", "0.00"])
        #expect(report.status == .partial)
        #expect(report.counts.failed == 1)
        #expect(report.summaryIsMissing)
    }

    @Test("3: the first of two fails validation", arguments: Runners.all) func three(runner: any Runner) async throws {
        let report = try await run(BankStatement(refuses: [1]), [1, 2], runner)
        #expect(sums(report.bill) == ["0.10", "0.00", "0.10", "0.00"])
        #expect(report.outcomes.map(\.status) == [.failed, .skipped])
    }

    @Test("4: the same item in a new execution comes from the cache", arguments: Runners.all)
    func four(runner: any Runner) async throws {
        let first = try await run(BankStatement(), [1], runner)
        let second = try await run(BankStatement(), [1], runner)
        #expect(sums(first.bill) == ["0.10", "5.00", "5.10", "0.00"])
        #expect(sums(second.bill) == ["0.10", "0.00", "0.10", "5.00"])
        #expect(first.success && second.success)
    }

    @Test("5: a retry in the same execution pays the rest", arguments: Runners.all) func five(runner: any Runner)
        async throws
    {
        let first = try await run(BankStatement(fails: [1]), [1], runner)
        let second = try await engine.resume(BankStatement(), after: first, options: .on(runner))
        #expect(sums(first.bill) == ["0.10", "0.00", "0.10", "0.00"])
        #expect(sums(second.bill) == ["0.00", "5.00", "5.00", "0.00"])
        #expect(try await engine.bill(ofExecution: first.executionID).totalCost == "5.10")
        #expect(second.success)
    }

    @Test("one execution of two processors and three runs", arguments: Runners.all)
    func execution(runner: any Runner) async throws {
        let execution = try #require(Identifier("exec_1"))
        let options = RunOptions.with {
            $0.runner = runner
            $0.executionID = execution
        }
        let check = ClosureProcessor<Int, Int>("clear_check") { n, context in
            for person in 1...2 {
                _ = try await context.call("clear", "check", key: .number(Number(person))) { _ in person }
            }
            return n
        }
        let statement = ClosureProcessor<Int, Int>("bank_statement") { n, context in
            try await context.charge("ocr", "page", quantity: 5)
            return n
        }
        let first = try await engine.run(check, items: [Item("a", 1)], options: options)
        let second = try await engine.run(statement, items: [Item("a", 1)], options: options)
        let third = try await engine.run(check, items: [Item("a", 2)], options: options)
        #expect(sums(first.bill) == ["0.10", "1.50", "1.60", "0.00"])
        #expect(sums(second.bill) == ["0.10", "2.50", "2.60", "0.00"])
        #expect(sums(third.bill) == ["0.00", "0.00", "0.00", "1.50"])
        #expect(sums(try await engine.bill(ofExecution: execution)) == ["0.20", "4.00", "4.20", "1.50"])
    }

    @Test("in doubt, and resolved by the resume", arguments: Runners.all) func doubt(runner: any Runner) async throws {
        let attempts = Counter()
        let processor = ClosureProcessor<Int, Int>("bank_statement") { n, context in
            try await context.call("clear", "search", key: 1) { _ in
                guard attempts.next() > 1 else { throw ProcessingError(.timeout, "no answer in 30 s") }
                return n
            }
        }
        let first = try await engine.run(processor, items: [Item("a", 1)], options: .on(runner))
        #expect(first.bill.totalCost == "0.10")
        #expect(first.bill.inDoubtCost == "5.00")
        #expect(first.bill.inDoubt.count == 1)
        let second = try await engine.resume(processor, after: first, options: .on(runner))
        #expect(second.bill.totalCost == "5.00")
        let execution = try await engine.bill(ofExecution: first.executionID)
        #expect(execution.totalCost == "5.10")
        #expect(execution.inDoubtCost == .zero)
    }

    @Test("in doubt, and settled or released by a person", arguments: [(true, "5.10"), (false, "0.10")])
    func byHand(settles: Bool, total: String) async throws {
        let processor = ClosureProcessor<Int, Int>("bank_statement") { _, context in
            try await context.call("clear", "search", key: 1) { _ in throw ProcessingError(.timeout, "no answer") }
        }
        let report = try await engine.run(processor, items: [Item("a", 1)])
        var call = try #require(report.bill.inDoubt.first)
        call.state = settles ? .settled : .released
        let charge = Charge(
            costID: "by-hand", kind: .call, runID: call.runID, executionID: call.executionID,
            processorID: call.processorID,
            inputID: call.inputID, itemIndex: 0, service: call.service, operation: call.operation, cost: "5.00",
            timestamp: call.timestamp)
        try await engine.store.file(call, charge: settles ? charge : nil, cached: nil)
        let bill = try await engine.bill(ofExecution: report.executionID)
        #expect(bill.totalCost.description == total)
        #expect(bill.inDoubtCost == .zero)
    }
}
