import Assay
import AssayTesting
import Synchronization
import Testing

@Suite("Laws of crashes") struct CrashLawTests {
    /// A paid service that knows what it was asked by idempotency key, and charges a key once.
    final class Provider: Sendable {
        private let asked = Mutex<[String: Int]>([:])
        func call(_ key: String) { asked.withLock { $0[key, default: 0] += 1 } }
        var keys: Set<String> { asked.withLock { Set($0.keys) } }
    }

    static let prices = PriceList.of(
        base: ["random": Price("0.10", policy: "per_execution")], units: ["ocr/page": "0.50", "clear/search": "5.00"])

    /// Steps that pay as chance has it.
    static func processor(_ pipeline: RandomPipeline, _ provider: Provider) throws -> RegisteredProcessor {
        try RegisteredProcessor(
            ClosureProcessor<Int, [Int]>("random") { [steps = pipeline.steps] input, context in
                var values = [input]
                for (index, cost) in steps.enumerated() {
                    let name = "s\(index)"
                    let before = values
                    values = try await context.step(name) {
                        switch cost {
                        case .nothing: break
                        // Without a key of its own: it is recorded with the step, once.
                        case .keyedUsage: try await context.charge("ocr", "page")
                        case .cachedCall:
                            let key = JSONValue.string("\(context.inputID ?? "")/\(name)")
                            let options = CallOptions(cache: CachePolicy(scope: .execution))
                            _ = try await context.call("clear", "search", key: key, options: options) { call in
                                provider.call(call.idempotencyKey)
                                return input
                            }
                        }
                        return before + [before.last! * 31 + index]
                    }
                }
                return values
            })
    }

    @Test(
        "a program may die at any write: resumed, it ends as if it had not, and nothing is paid twice",
        arguments: 1...120)
    func anyWrite(seed: Int) async throws {
        var chance = Seeded(state: UInt64(seed) &* 7_919)
        let pipeline = try RandomPipeline(seed: seed)
        let whole = try await Engine.testing(prices: Self.prices).run(
            Self.processor(pipeline, Provider()), over: pipeline.items)
        let provider = Provider()
        let processor = try Self.processor(pipeline, provider)
        let options = try RunOptions.with {
            $0.runner = pipeline.options.runner
            // Exactly what it costs: what a crash left reserved must not stand in the way.
            $0.budgets = [try Budget(whole.bill.totalCost, scope: .execution)]
        }
        let world = World.testing()
        let dying = DyingStore(after: Int.random(in: 1...40, using: &chance), hears: Bool.random(using: &chance))
        let execution = try #require(Identifier("exec"))
        do {
            let first = Engine(store: dying.store, prices: Self.prices, world: world)
            _ = try await first.run(
                processor, over: pipeline.items, options: options.with { $0.executionID = execution })
        } catch {
            // Dead.
        }
        try await dying.recover()

        let engine = Engine(store: dying.survivor, prices: Self.prices, world: world)
        var report: Report
        let runs = try await dying.survivor.runs(matching: RunFilter())
        if let last = runs.first, last.isListed {
            report = try await engine.resume(last.id, with: processor, options: options)
        } else {
            report = try await engine.run(
                processor, over: pipeline.items, options: options.with { $0.executionID = execution })
        }
        #expect(report.status == .succeeded, "\(report.error?.message ?? "")")
        guard report.status == .succeeded else { return }
        #expect(try report.outputs(as: [Int].self) == whole.outputs(as: [Int].self))
        #expect(try report.summary(as: [[Int]].self) == whole.summary(as: [[Int]].self))
        let bill = try await engine.bill(ofExecution: execution)
        #expect(bill.totalCost == whole.bill.totalCost)
        #expect(bill.inDoubt == [])
        let charges = try await dying.survivor.charges(matching: ChargeFilter())
        let keys = charges.compactMap(\.key)
        #expect(Set(keys).count == keys.count)
        let settled = try await dying.survivor.calls(matching: CallFilter(states: [.settled]))
        #expect(Set(settled.map(\.idempotencyKey)) == provider.keys)
        #expect(settled.count == charges.count { $0.kind == .call && !$0.isCacheHit })
    }
}

extension RunOptions {
    /// These options with what `change` changes.
    fileprivate func with(_ change: (inout RunOptions) -> Void) -> RunOptions {
        var options = self
        change(&options)
        return options
    }
}
