import Assay
import AssayTesting
import Testing

/// A processor that tells what it pays for, and pays for that.
struct Paying: Processor {
    let name = "paying"
    /// Which inputs fail, before they pay.
    var fails: @Sendable (Int) -> Bool = { _ in false }

    static let prices = PriceList.of(
        base: ["paying": Price("0.10", policy: "per_execution")],
        units: ["clear/search": "5.00", "ocr/page": "0.50", "clear/lookup": "0.25"])

    /// Inputs with equal remainders make equal searches.
    func key(of input: Int) -> JSONValue { .number(Number(input % 5)) }

    func expectedCosts(of input: Int, in context: Context) -> [ExpectedCost]? {
        [
            .usage("ocr", "page", quantity: Number(input)),
            .call("clear", "search", key: key(of: input)),
        ] + (input.isMultiple(of: 2) ? [.call("clear", "lookup", maximumCost: "0.40", isCertain: false)] : [])
    }

    func extract(_ input: Int, in context: Context) async throws -> Int {
        let pages = try await context.step("read") {
            try await context.charge("ocr", "page", quantity: Number(input))
            return input
        }
        if fails(input) { throw Refusal() }
        let found = try await context.step("search") {
            try await context.call("clear", "search", key: key(of: input)) { _ in input }
        }
        if input.isMultiple(of: 4) {
            _ = try await context.call("clear", "lookup", maximumCost: "0.40") { call in
                call.settle("0.30")
                return 1
            }
        }
        return pages + found
    }
}

@Suite("A plan") struct PlanTests {
    func items(_ inputs: [Int]) -> [Item] { inputs.enumerated().map { Item("n\($0)", $1) } }

    func processor(fails: @escaping @Sendable (Int) -> Bool = { _ in false }) throws -> RegisteredProcessor {
        try RegisteredProcessor(Paying(fails: fails))
    }

    @Test("tells what each input would do and cost, and leaves nothing behind") func fresh() async throws {
        let store = MemoryStore()
        let engine = Engine.testing(store, prices: Paying.prices)
        let full = try await engine.fullPlan(processor(), over: items([1, 6, 3]))
        let plan = full.plan
        #expect(full.entries.map(\.action) == [.run, .run, .run])
        #expect(full.entries.map(\.calls) == [1, 1, 1])
        #expect(full.entries.map(\.hits) == [0, 1, 0])
        #expect(full.entries.map(\.avoided) == ["0.00", "5.00", "0.00"])
        #expect(full.entries.map(\.low) == ["5.50", "3.00", "6.50"])
        #expect(full.entries.map(\.high) == ["5.50", "3.40", "6.50"])
        #expect((plan.base, plan.low, plan.high) == ("0.10", "15.10", "15.50"))
        #expect(
            plan.prices == ["paying": "0.10", "clear/search": "5.00", "clear/lookup": "0.25", "ocr/page": "0.50"])
        #expect(try await store.runs(matching: RunFilter()).isEmpty)
        #expect(try await store.charges(matching: ChargeFilter()).isEmpty)
    }

    @Test("equals what the run then does", arguments: 1...60) func law(seed: Int) async throws {
        var chance = Seeded(state: UInt64(seed))
        let inputs = (0..<Int.random(in: 0...12, using: &chance)).map { _ in Int.random(in: 1...9, using: &chance) }
        let bad = Set((0..<3).map { _ in Int.random(in: 1...12, using: &chance) })
        let caches = Bool.random(using: &chance)
        let runner = try #require(Runners.all.randomElement(using: &chance))
        let engine = Engine.testing(prices: Paying.prices)
        let options = RunOptions.with {
            $0.runner = runner
            $0.itemCache = caches ? CachePolicy() : nil
        }
        // An earlier run leaves carried items, saved steps and cached values behind.
        let failing = try processor { bad.contains($0) }
        var again = options
        let earlier = try await engine.run(failing, over: items(inputs), options: options)
        again.executionID = earlier.executionID
        for options in [again, options] {
            let full = try await engine.fullPlan(processor(), over: items(inputs), options: options)
            let plan = full.plan
            let report = try await engine.run(processor(), over: items(inputs), options: options)
            #expect(report.success)
            #expect(plan.inputs == inputs.count)
            for (entry, outcome) in zip(full.entries, report.outcomes) {
                let done: Plan.Action =
                    outcome.carried
                    ? .carried
                    : outcome.cached ? .cached : outcome.steps.contains(where: \.restored) ? .resumed : .run
                // Of equal inputs whichever ends first answers the others from the cache.
                let twins = full.entries.count { $0.digest == entry.digest }
                #expect(entry.action == done || (caches && twins > 1 && done == .cached), "\(entry.inputID)")
                #expect(entry.inputID == outcome.inputID)
            }
            #expect(plan.base == report.bill.baseCost)
            #expect(plan.low <= MoneySum(report.bill.totalCost))
            #expect(try MoneySum(report.bill.totalCost) <= #require(plan.high))
        }
    }

    @Test("of certain costs is exact") func exact() async throws {
        let engine = Engine.testing(prices: Paying.prices)
        let odd = items([1, 3, 5, 7, 9, 11])
        for _ in 1...2 {
            let plan = try await engine.plan(processor(), over: odd)
            let report = try await engine.run(processor(), over: odd)
            #expect(plan.low == plan.high)
            #expect(plan.low == MoneySum(report.bill.totalCost))
        }
    }

    @Test("of a resume knows what is carried and which steps are saved") func resume() async throws {
        let engine = Engine.testing(prices: Paying.prices)
        let first = try await engine.run(processor { $0 == 3 }, over: items([1, 3]))
        let full = try await FullPlan { try await engine.plan(resuming: first.runID, with: processor(), each: $0) }
        let plan = full.plan
        #expect(full.entries.map(\.action) == [.carried, .resumed])
        #expect(full.entries.map(\.group) == [.carried, .failed])
        #expect(full.entries[1].savedSteps == ["read"])
        #expect(plan.executionID == first.executionID)
        #expect(plan.base == .zero)
        #expect(full.entries[1].reason == "an earlier run did not finish it")
        let report = try await engine.resume(first.runID, with: processor())
        #expect(report.bill.totalCost == "5.00")
        #expect(plan.low <= "5.00" && plan.high! >= "5.00")
    }

    @Test("says what would stop the run", arguments: ["duplicate", "invalid"]) func gates(kind: String) async throws {
        struct Picky: Processor {
            let name = "picky"
            func validate(_ input: Int, in context: Context) throws {
                guard input > 0 else { throw ProcessingError(.validation, "\(input) is not positive") }
            }
            func extract(_ input: Int, in context: Context) -> Int { input }
        }
        let engine = Engine.testing(prices: .of(base: ["picky": Price("0.10")]))
        let items = kind == "duplicate" ? [Item("a", 1), Item("a", 2)] : [Item("a", 1), Item("b", -1)]
        let full = try await engine.fullPlan(RegisteredProcessor(Picky()), over: items)
        let plan = full.plan
        #expect(
            plan.gate
                == (kind == "duplicate"
                    ? "input_id 'a' is used by items 1 and 2" : "validation refuses 'b': -1 is not positive"))
        #expect(full.entries.map(\.action) == [.skipped, .skipped])
        #expect(
            plan.groups.map(\.kind) == [.skipped] && plan.groups.map(\.inputs) == [2] && plan.counts == [.skipped: 2])
        // A list that is refused costs nothing; one that fails in a gate has paid.
        let cost: MoneySum = kind == "duplicate" ? .zero : "0.10"
        #expect((plan.low, plan.high) == (cost, cost))
    }

    @Test("does not let transform or validate spend anything") func noSpending() async throws {
        struct Spending: Processor {
            let name = "spending"
            func validate(_ input: Int, in context: Context) async throws {
                try await context.charge("ocr", "page", cost: "1.00")
            }
            func extract(_ input: Int, in context: Context) -> Int { input }
        }
        let store = MemoryStore()
        let plan = try await Engine.testing(store).plan(RegisteredProcessor(Spending()), over: [Item("a", 1)])
        #expect(plan.gate == nil)
        #expect(plan.high == nil)
        #expect(try await store.charges(matching: ChargeFilter()).isEmpty)
    }

    @Test("takes costs nobody tells from the last run of the processor, and says that it estimates")
    func history() async throws {
        let engine = Engine.testing()
        let silent = try RegisteredProcessor(
            ClosureProcessor<Int, Int>("silent") { input, context in
                try await context.charge("ocr", "page", cost: Money(billionths: Int64(input) * 1_000_000_000))
                return input
            })
        #expect(try await engine.plan(silent, over: items([1])).high == nil)
        let run = try await engine.run(silent, over: items([2, 5, 3]))
        let full = try await engine.fullPlan(silent, over: items([1, 1, 1]))
        #expect((full.plan.low, full.plan.high, full.plan.expected) == ("0.00", "15.00", "10.00"))
        let estimate = try #require(full.plan.estimate)
        #expect(estimate.runID == run.runID && !estimate.isSample)
        #expect((estimate.basis, estimate.inputs, estimate.cost) == (3, 3, "10.00"))
        #expect(full.entries[0].reason.contains("its cost as in run"))
    }

    /// A processor that tells nothing: it uses as many pages as its input says, and makes a call at the list's price.
    private static let silent = ClosureProcessor<Int, Int>("silent") { input, context in
        try await context.charge("ocr", "page", quantity: Number(input))
        return try await context.call("clear", "search") { _ in input }
    }

    @Test("takes quantities of an earlier run times the prices of now", arguments: [false, true])
    func pricesOfNow(isSample: Bool) async throws {
        let store = MemoryStore()
        let first = Engine.testing(store, prices: .of(base: [:], units: ["ocr/page": "0.50", "clear/search": "5.00"]))
        let sampled = try await first.run(Self.silent, items: items([2, 4]))
        if isSample { _ = try await first.run(Self.silent, items: items([1_000])) }
        let dearer = Engine.testing(store, prices: .of(base: [:], units: ["ocr/page": "0.60", "clear/search": "7.00"]))
        let full = try await dearer.fullPlan(
            RegisteredProcessor(Self.silent), over: items([9]), by: isSample ? sampled.runID : nil)
        // The most is 4 × 0.60 + 7.00, the mean 3 × 0.60 + 7.00.
        #expect((full.plan.high, full.plan.expected) == ("9.40", "8.80"))
        #expect(full.plan.prices == ["ocr/page": "0.60", "clear/search": "7.00"])
        #expect(full.plan.estimate?.isSample == isSample)
        #expect(full.entries[0].reason.contains("by 2 sampled inputs") == isSample)
    }

    @Test("does not estimate from inputs that were only finished, carried or failed") func partial() async throws {
        let store = MemoryStore()
        let engine = Engine.testing(store)
        let processor = ClosureProcessor<Int, Int>("silent") { input, context in
            _ = try await context.step("pay") {
                try await context.charge("ocr", "page", cost: "1.00")
                return 1
            }
            if input == 2, context.lineage.previousRunID == nil { throw Refusal() }
            try await context.charge("ocr", "page", cost: "2.00")
            return input
        }
        let first = try await engine.run(processor, items: items([1, 2]))
        _ = try await engine.resume(first.runID, with: RegisteredProcessor(processor))
        // The resume carried one and finished the other, so the run before it says what an input costs.
        let plan = try await engine.plan(RegisteredProcessor(processor), over: items([7]))
        #expect(plan.estimate?.runID == first.runID)
        #expect((plan.estimate?.basis, plan.expected, plan.high) == (1, "3.00", "3.00"))
    }

    @Test("says why a processor cannot tell its costs, and does not fail of it") func untold() async throws {
        struct Broken: Processor {
            let name = "broken"
            func expectedCosts(of input: Int, in context: Context) async throws -> [ExpectedCost]? {
                switch input {
                case 1: throw ProcessingError(.processing, "the tariff is missing")
                case 2:
                    try await context.charge("ocr", "page", cost: "1.00")
                    return []
                case 3: return [.usage("ocr", "page", quantity: Number("0.000000001")!)]
                default: return [.usage("ocr", "page", quantity: 2)]
                }
            }
            func extract(_ input: Int, in context: Context) -> Int { input }
        }
        let engine = Engine.testing(prices: .of(base: [:], units: ["ocr/page": "0.50"]))
        let full = try await engine.fullPlan(RegisteredProcessor(Broken()), over: items([1, 2, 3, 4]))
        #expect(full.entries.map(\.high) == [nil, nil, nil, "1.00"])
        #expect(full.entries.map(\.calls) == [nil, nil, nil, 0])
        #expect(full.entries[0].reason.hasSuffix("; what it costs cannot be told: the tariff is missing"))
        #expect(full.entries[1].reason.contains("it asks for what costs or lasts, which a plan does not do"))
        #expect(full.entries[2].reason.contains("what it costs cannot be told: "))
    }

    @Test("counts inputs in groups by why they are worked on") func groups() async throws {
        let engine = Engine.testing(prices: Paying.prices)
        let first = try await engine.run(processor { $0 == 3 }, over: items([1, 3, 5]))
        var options = RunOptions()
        options.executionID = first.executionID
        // The third input comes with other data, the fourth is new.
        let plan = try await engine.plan(processor(), over: items([1, 3, 7, 9]), options: options)
        #expect(plan.groups.map(\.kind) == [.new, .failed, .changed, .carried])
        #expect(plan.groups.map(\.inputs) == [1, 1, 1, 1])
        #expect(plan.groups.map(\.saved) == [0, 1, 0, 0])
        #expect(plan.groups.map(\.reason).allSatisfy { $0 != nil })
        #expect(plan.counts == [.run: 2, .resumed: 1, .carried: 1])
        #expect(plan.groups.reduce(MoneySum(plan.base)) { $0 + $1.low } == plan.low)
    }

    @Test("of base prices per input counts each content once") func perInput() async throws {
        let prices = PriceList.of(base: ["test": Price("0.10", policy: "per_input")], units: [:])
        let engine = Engine.testing(prices: prices)
        let processor = try RegisteredProcessor(ClosureProcessor<Int, Int>("test") { input, _ in input })
        let plan = try await engine.plan(processor, over: items([1, 2, 1, 3, 2]))
        #expect(plan.base == "0.30")
    }

    @Test("warns of a budget it may come up against") func budgets() async throws {
        let engine = Engine.testing(prices: Paying.prices)
        func warnings(_ limit: Money) async throws -> [String] {
            let budget = try Budget(limit)
            return try await engine.plan(processor(), over: items([6]), options: .with { $0.budgets = [budget] })
                .warnings
        }
        #expect(try await warnings("8.50") == [])
        #expect(
            try await warnings("8.20") == [
                "budget 'budget' has 8.20 USD left and may stop the run, which costs up to 8.50"
            ])
        #expect(
            try await warnings("8.00")
                == ["budget 'budget' has 8.00 USD left and stops the run, which costs at least 8.10"])
    }

    @Test("is the same after a way through JSON") func json() async throws {
        let engine = Engine.testing(prices: Paying.prices)
        let first = try await engine.run(processor { $0 == 3 }, over: items([1, 3]))
        let full = try await FullPlan { try await engine.plan(resuming: first.runID, with: processor(), each: $0) }
        let plan = full.plan
        let read = try #require(Plan(jsonValue: JSONValue(json: plan.jsonValue.json)))
        #expect(read.differences(from: plan) == [])
        #expect(read.jsonValue == plan.jsonValue)
        #expect((read.groups, read.counts, read.low, read.high) == (plan.groups, plan.counts, plan.low, plan.high))
        #expect(full.entries.allSatisfy { Plan.Entry(jsonValue: $0.jsonValue) == $0 })
        #expect(Plan(jsonValue: ["schema": "assay/plan/2"]) == nil)
    }

    @Test("comes back from its JSON with sums that no single amount may reach") func largeSums() async throws {
        let engine = Engine.testing(prices: .of(base: [:], units: ["ocr/page": "900000.00"]))
        struct Dear: Processor {
            let name = "dear"
            func expectedCosts(of input: Int, in context: Context) -> [ExpectedCost]? {
                [.usage("ocr", "page"), .usage("ocr", "page")]
            }
            func extract(_ input: Int, in context: Context) -> Int { input }
        }
        let full = try await engine.fullPlan(RegisteredProcessor(Dear()), over: items([1, 2]))
        #expect(full.plan.low == "3600000.00")
        #expect(Plan(jsonValue: full.plan.jsonValue)?.low == full.plan.low)
        #expect(full.entries.map { Plan.Entry(jsonValue: $0.jsonValue) } == full.entries)
    }

    @Test("names what is different in another") func differences() async throws {
        let engine = Engine.testing(prices: Paying.prices)
        let full = try await engine.fullPlan(processor(), over: items([1, 2, 3]))
        let plan = full.plan
        let dearer = Engine.testing(
            prices: .of(
                base: ["paying": Price("0.20")],
                units: ["clear/search": "5.00", "ocr/page": "0.60", "clear/lookup": "0.25"]))
        let now = try await dearer.fullPlan(processor(), over: items([1, 2, 4]))
        #expect(
            now.plan.differences(from: plan) == [
                "the price of ocr/page is 0.60, was 0.50", "the price of paying is 0.20, was 0.10",
                "the base charge is 0.20, was 0.10",
            ])
        #expect(
            zip(now.entries, full.entries).map { $0.difference(from: $1) } == [
                "'n0' would cost 5.60 to 5.60, was 5.50 to 5.50", "'n1' would cost 6.20 to 6.60, was 6.00 to 6.40",
                "the data of 'n2' is another",
            ])
        #expect(
            try await engine.plan(processor(), over: items([1, 2])).differences(from: plan)[0]
                == "the number of inputs is 2, was 3")
        let other = try RegisteredProcessor(Paying(), version: "2")
        #expect(
            try await engine.plan(other, over: items([])).differences(from: plan)[0]
                == "'paying': its version has changed (none, now 2)")
    }
}
