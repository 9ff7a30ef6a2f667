import Assay
import AssayTesting
import Testing

/// Numbers that look random and are the same for the same seed.
struct Seeded: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

/// A small pipeline made by chance: items, steps that cost something, and the attempts at which they fail.
struct RandomPipeline: Sendable, CustomTestStringConvertible {
    enum Cost: CaseIterable { case nothing, keyedUsage, cachedCall }

    let seed: Int
    let steps: [Cost]
    let items: [Item]
    let options: RunOptions
    /// How often the step of the item still fails, by `item/step`.
    let faults: [String: Int]
    /// Whether the item fails before or after the step's body has paid.
    let paysFirst: Bool
    var testDescription: String { "seed \(seed)" }

    init(seed: Int) throws {
        var chance = Seeded(state: UInt64(seed))
        self.seed = seed
        steps = (0..<Int.random(in: 1...5, using: &chance)).map { _ in Cost.allCases.randomElement(using: &chance)! }
        let count = Int.random(in: 0...12, using: &chance)
        items = (0..<count).map { Item("n\($0)", $0) }
        var options = RunOptions()
        options.runner = Runners.all.randomElement(using: &chance)!
        options.retryPolicy = try RetryPolicy(maxRetries: Int.random(in: 0...2, using: &chance), initialDelay: 0)
        options.failurePolicy = [.collect, .stop, .tolerate(share: Number("0.5")!), .atomic].randomElement(
            using: &chance)!
        self.options = options
        var faults: [String: Int] = [:]
        for item in items {
            for step in steps.indices where Int.random(in: 0..<4, using: &chance) == 0 {
                faults["\(item.id)/s\(step)"] = Int.random(in: 1...3, using: &chance)
            }
        }
        self.faults = faults
        paysFirst = Bool.random(using: &chance)
    }

    static let prices = PriceList.of(
        base: ["random": Price("0.10", policy: "per_execution")], units: ["ocr/page": "0.50", "clear/search": "5.00"])

    /// The processor; with `faults` a step fails as often as it is told, over all attempts and runs.
    func processor(_ calls: Calls, faults: [String: Int] = [:]) throws -> RegisteredProcessor {
        try RegisteredProcessor(
            ClosureProcessor<Int, [Int]>("random") { [steps, paysFirst] input, context in
                var values = [input]
                for (index, cost) in steps.enumerated() {
                    let name = "s\(index)"
                    let id = "\(context.inputID ?? "")/\(name)"
                    let before = values
                    values = try await context.step(name) {
                        let fails = calls.note(id) <= faults[id] ?? 0
                        if fails, !paysFirst { throw Refusal(description: id) }
                        switch cost {
                        case .nothing: break
                        case .keyedUsage: try await context.charge("ocr", "page", key: name)
                        case .cachedCall:
                            let options = CallOptions(cache: CachePolicy(scope: .execution))
                            _ = try await context.call("clear", "search", key: .string(id), options: options) { _ in
                                input
                            }
                        }
                        if fails { throw Refusal(description: id) }
                        return before + [before.last! * 31 + index]
                    }
                }
                return values
            })
    }
}

@Suite("Laws") struct LawTests {
    @Test("of any small pipeline", arguments: 1...150) func laws(seed: Int) async throws {
        let pipeline = try RandomPipeline(seed: seed)
        let whole = try await Engine.testing(prices: RandomPipeline.prices).run(
            pipeline.processor(Calls()), over: pipeline.items)
        #expect(whole.success)

        let store = MemoryStore()
        let engine = Engine.testing(store, prices: RandomPipeline.prices)
        let processor = try pipeline.processor(Calls(), faults: pipeline.faults)
        var report = try await engine.run(processor, over: pipeline.items, options: pipeline.options)
        try keepsOrder(report, of: pipeline)
        var runs = 1
        while !report.success, runs < 60 {
            report = try await engine.resume(report.runID, with: processor, options: pipeline.options)
            try keepsOrder(report, of: pipeline)
            runs += 1
        }

        // Resumed to its end, a run ends as if nothing had failed.
        #expect(report.success)
        #expect(try report.outputs(as: [Int].self) == whole.outputs(as: [Int].self))
        #expect(try report.summary(as: [[Int]].self) == whole.summary(as: [[Int]].self))

        // What is paid for is paid for once: base per execution, usage by its key, calls by the cache.
        let bill = try await engine.bill(ofExecution: report.executionID)
        #expect(bill.totalCost == whole.bill.totalCost)
        let keys = try await store.charges(matching: ChargeFilter()).compactMap(\.key)
        #expect(Set(keys).count == keys.count)
    }

    func keepsOrder(_ report: Report, of pipeline: RandomPipeline) throws {
        #expect(report.outcomes.map(\.inputID) == pipeline.items.map(\.id))
        #expect(report.outcomes.map(\.index) == Array(pipeline.items.indices))
        let sum = try report.outcomes.reduce(Money.zero) { try $0.adding($1.cost) }
        #expect(sum == report.bill.usageCost)
    }

    @Test("charged and avoided are together what it costs without a cache", arguments: 1...20)
    func avoided(seed: Int) async throws {
        var chance = Seeded(state: UInt64(seed))
        let inputs = (0..<30).map { _ in Int.random(in: 0..<8, using: &chance) }
        let runner = try #require(Runners.all.randomElement(using: &chance))
        let engine = Engine.testing(prices: RandomPipeline.prices)
        func run(key: Bool, in engine: Engine) async throws -> Bill {
            try await engine.run(inputs, options: .on(runner)) { (n: Int, context: Context) in
                try await context.call("clear", "search", key: key ? .number(Number(n)) : nil) { call in
                    call.settle(Money(billionths: Int64(n) * 1_000))
                    return n
                }
            }.bill
        }
        let uncached = try await run(key: false, in: engine)
        var charged = Money.zero
        for _ in 1...2 {
            let cached = try await run(key: true, in: engine)
            #expect(MoneySum(cached.totalCost) + cached.avoidedCost == MoneySum(uncached.totalCost))
            charged = try charged.adding(cached.totalCost)
        }
        let distinct = try Set(inputs).reduce(Money.zero) { try $0.adding(Money(billionths: Int64($1) * 1_000)) }
        #expect(charged == distinct)
    }
}
