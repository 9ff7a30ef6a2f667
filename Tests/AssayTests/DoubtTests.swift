import Assay
import AssayTesting
import Testing

@Suite("A call in doubt") struct DoubtTests {
    static let prices = PriceList.of(
        base: ["test": Price("0.10", policy: "per_execution")], units: ["clear/search": "5.00"])

    /// A call that is lost at its first attempt, and which notes the keys under which it is made.
    static func losing(_ keys: Notes<String>, options: CallOptions = CallOptions()) -> ClosureProcessor<Int, String> {
        ClosureProcessor("test") { _, context in
            try await context.call("clear", "search", key: .string(context.inputID ?? ""), options: options) { call in
                keys.add(call.idempotencyKey)
                guard keys.all.count > 1 else { throw ProcessingError(.timeout, "after 30 s") }
                return "called"
            }
        }
    }

    struct Answer: DoubtResolver {
        let resolution: DoubtResolution?
        func resolve(_ call: CallRecord) throws -> DoubtResolution {
            guard let resolution else { throw Refusal() }
            return resolution
        }
    }

    let keys = Notes<String>()

    func engine(_ store: MemoryStore, _ resolver: Answer? = nil) -> Engine {
        Engine(
            store: store, prices: Self.prices, resolvers: resolver.map { ["clear": $0] } ?? [:],
            world: .testing())
    }

    @Test("is decided by a person", arguments: [("5.00", "5.10"), ("3.25", "3.35"), (nil, "0.10")])
    func decided(cost: String?, total: String) async throws {
        let engine = engine(MemoryStore())
        let report = try await engine.run(Self.losing(keys), items: [Item("a", 1)])
        let call = try #require(try await engine.callsInDoubt(of: report.executionID).first)
        if let cost {
            try await engine.settle(callInDoubt: call.callID, at: Money(cost))
        } else {
            try await engine.release(callInDoubt: call.callID)
        }
        let bill = try await engine.bill(ofExecution: report.executionID)
        #expect(bill.totalCost.description == total)
        #expect(bill.inDoubt == [])
        #expect(bill.trackedCosts.map(\.inputID) == (cost == nil ? [] : ["a"]))
        #expect(await code { try await engine.release(callInDoubt: call.callID) } == .illegalMove)
        #expect(await code { try await engine.settle(callInDoubt: "none", at: .zero) } == .notFound)
    }

    @Test("is not charged again by an answer that comes after the decision") func lateAnswer() async throws {
        let engine = engine(MemoryStore())
        let begun = Door()
        let answer = Door()
        let processor = ClosureProcessor<Int, Int>("test") { _, context in
            try await context.call("clear", "search") { _ in
                begun.open()
                await answer.pass()
                return 1
            }
        }
        async let run = engine.run(RegisteredProcessor(processor), over: [Item("a", 1)]) { handle in
            Task {
                await begun.pass()
                handle.cancel()
            }
        }
        let report = try await run
        let call = try #require(try await engine.callsInDoubt().first)
        try await engine.settle(callInDoubt: call.callID, at: "4.00")
        answer.open()
        // Another run through the same store ends after the late answer was filed or refused.
        _ = try await engine.run(processor, items: [Item("b", 1)])
        #expect(try await engine.bill(of: report.runID).usageCost == "4.00")
    }

    struct Resolved: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var resolution: DoubtResolution?
        var made: Int
        var sameKey: Bool
        var output: String
        var total: Money
    }

    static let resolutions = [
        Resolved(
            testDescription: "settled, with its value", resolution: .settled("4.00", value: "kept"), made: 1,
            sameKey: true, output: "kept", total: "4.10"),
        Resolved(
            testDescription: "settled, its value lost", resolution: .settled("4.00"), made: 2, sameKey: true,
            output: "called", total: "5.10"),
        Resolved(
            testDescription: "released", resolution: .released, made: 2, sameKey: false, output: "called",
            total: "5.10"),
        Resolved(
            testDescription: "unknown", resolution: .unknown, made: 2, sameKey: true, output: "called", total: "5.10"),
        Resolved(
            testDescription: "the resolver fails", resolution: nil, made: 2, sameKey: true, output: "called",
            total: "5.10"),
    ]

    @Test("is asked about before it is made again", arguments: resolutions) func resolver(_ test: Resolved)
        async throws
    {
        let engine = engine(MemoryStore(), Answer(resolution: test.resolution))
        let first = try await engine.run(Self.losing(keys), items: [Item("a", 1)])
        let second = try await engine.resume(Self.losing(keys), after: first)
        #expect(try second.outcomes[0].get(as: String.self) == test.output)
        #expect(keys.all.count == test.made)
        #expect((Set(keys.all).count == 1) == test.sameKey)
        let bill = try await engine.bill(ofExecution: first.executionID)
        #expect(bill.totalCost == test.total)
        #expect(bill.inDoubt == [])
    }

    @Test(
        "is resolved when that is asked for",
        arguments: [(DoubtResolution.settled("4.00"), "4.10", 1), (.released, "0.10", 1), (.unknown, "0.10", 0)])
    func resolveAll(resolution: DoubtResolution, total: String, resolved: Int) async throws {
        let engine = engine(MemoryStore(), Answer(resolution: resolution))
        let report = try await engine.run(Self.losing(keys), items: [Item("a", 1)])
        #expect(try await engine.resolveDoubts(of: report.executionID).count == resolved)
        #expect(try await engine.bill(ofExecution: report.executionID).totalCost.description == total)
    }

    @Test(
        "follows its policy at once",
        arguments: [(DoubtPolicy.hold, "0.10", "5.00"), (.settle, "5.10", "0.00"), (.release, "0.10", "0.00")])
    func policy(policy: DoubtPolicy, total: String, doubt: String) async throws {
        let engine = engine(MemoryStore())
        let report = try await engine.run(
            Self.losing(keys), items: [Item("a", 1)], options: .with { $0.doubtPolicy = policy })
        #expect(report.bill.totalCost.description == total)
        #expect(report.bill.inDoubtCost.description == doubt)
    }

    @Test("that a dead program left follows its policy at the end of the next run, unless it was made again")
    func policyAfterDeath() async throws {
        let store = MemoryStore()
        let engine = engine(store)
        let first = try await engine.run(Self.losing(keys), items: [Item("a", 1), Item("b", 1)])
        // What the recovery of a store leaves of an intent whose program died.
        let template = try #require(try await engine.callsInDoubt().first)
        for (name, policy) in [("left", DoubtPolicy.settle), ("dropped", .release)] {
            var call = template
            (call.callID, call.callKey, call.cacheKey, call.doubtPolicy) = (name, name, nil, policy)
            try await store.file(call, charge: nil, cached: nil)
        }
        #expect(try await engine.resume(Self.losing(keys), after: first).success)
        #expect(try await engine.callsInDoubt() == [])
        #expect(try await engine.bill(ofExecution: first.executionID).usageCost == "15.00")
    }
}
