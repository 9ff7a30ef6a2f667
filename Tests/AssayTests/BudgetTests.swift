import Assay
import AssayTesting
import Testing

@Suite("Budgets") struct BudgetTests {
    static let prices = PriceList.of(base: ["test": Price("0.10")], units: ["clear/search": "5.00"])

    /// Each item makes one call of 5.00.
    static let calling = ClosureProcessor<Int, Int>("test") { input, context in
        try await context.call("clear", "search") { _ in input }
    }

    let time = ManualTime(runsFree: true)
    var engine: Engine { .testing(prices: Self.prices, time: time) }

    func items(_ count: Int) -> [Item] { (0..<count).map { Item("n\($0)", $0) } }

    static func budget(
        _ limit: Money, scope: Budget.Scope = .run, window: Budget.Window = .total, mode: Budget.Mode = .enforce
    ) -> Budget {
        do { return try Budget(limit, scope: scope, window: window, mode: mode) } catch {
            preconditionFailure("\(error)")
        }
    }

    static func within(_ budgets: Budget..., runner: any Runner = .sequential) -> RunOptions {
        .with { ($0.budgets, $0.runner) = (budgets, runner) }
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var limit: Money
        var calls: Int
        var total: Money
        var statuses: [Status]
        var status: Status
        var testDescription: String { "limit \(limit)" }
    }

    static let table = [
        Case(
            limit: "15.10", calls: 3, total: "15.10", statuses: [.succeeded, .succeeded, .succeeded],
            status: .succeeded),
        Case(limit: "15.09", calls: 2, total: "10.10", statuses: [.succeeded, .succeeded, .failed], status: .partial),
        Case(limit: "10.00", calls: 1, total: "5.10", statuses: [.succeeded, .failed, .cancelled], status: .partial),
        Case(limit: "0.05", calls: 0, total: "0.00", statuses: [.skipped, .skipped, .skipped], status: .failed),
    ]

    @Test("stop a run before their limit", arguments: table) func stops(_ test: Case) async throws {
        let calls = Counter()
        let processor = ClosureProcessor<Int, Int>("test") { input, context in
            try await context.call("clear", "search") { _ in
                calls.next()
                return input
            }
        }
        let report = try await engine.run(
            processor, items: items(3), options: Self.within(Self.budget(test.limit)))
        #expect(calls.count == test.calls)
        #expect(report.bill.totalCost == test.total)
        #expect(report.outcomes.map(\.status) == test.statuses)
        #expect(report.status == test.status)
        #expect(report.error?.code == (test.status == .succeeded ? nil : .budgetExhausted))
        for outcome in report.outcomes {
            switch outcome.status {
            case .failed: #expect(outcome.error?.code == .budgetExhausted)
            case .cancelled: #expect(outcome.reason == .budgetExhausted)
            case .skipped: #expect(outcome.reason == .notReached)
            default: break
            }
        }
    }

    @Test("hold with 64 workers", arguments: 1...10) func manyWorkers(round: Int) async throws {
        let report = try await engine.run(
            Self.calling, items: items(64),
            options: Self.within(Self.budget("10.10"), runner: ThreadRunner(maxWorkers: 64)))
        #expect(report.bill.totalCost == "10.10")
        #expect(report.counts.succeeded == 2)
        #expect(report.counts.failed + report.counts.cancelled == 62)
        #expect(report.status == .partial)
    }

    @Test("name what was spent and asked for when they refuse") func message() async throws {
        let report = try await engine.run(
            Self.calling, items: items(2), options: Self.within(Self.budget("9.99")))
        #expect(
            report.error?.message
                == "budget 'budget' of run 'id-1' allows 9.99 USD: 5.10 spent, 0.00 reserved, 5.00 asked for; "
                + "raise its limit and resume the run")
        #expect(report.error?.retryable == false)
    }

    @Test("that were raised let the run go on where it stopped") func raised() async throws {
        let engine = engine
        let budgets = [Self.budget("10.10", scope: .execution)]
        let first = try await engine.run(Self.calling, items: items(3), options: .with { $0.budgets = budgets })
        #expect(first.bill.totalCost == "10.10")
        let second = try await engine.resume(
            Self.calling, after: first, options: .with { $0.budgets = [Self.budget("15.20", scope: .execution)] })
        #expect(second.success)
        #expect(second.bill.totalCost == "5.10")
        #expect(second.outcomes.map(\.carried) == [true, true, false])
    }

    @Test("of every scope count what was spent before", arguments: Budget.Scope.allCases)
    func scopes(scope: Budget.Scope) async throws {
        let store = MemoryStore()
        let scoped = Scope(accountID: ExternalID("acc_1"), underwritingID: ExternalID("uw_1"))
        let item = [Item("a", 1, accountID: "acc_1", underwritingID: "uw_1")]
        let execution = try #require(Identifier("exec_1"))
        let world = World.testing()
        func run(_ limit: Money) async throws -> Report {
            // Another engine each time: what counts is what the store holds.
            try await Engine(store: store, prices: Self.prices, world: world).run(
                Self.calling, items: item,
                options: .with {
                    $0.scope = scoped
                    $0.executionID = execution
                    $0.recovery = .reprocess
                    $0.budgets = [Self.budget(limit, scope: scope)]
                })
        }
        #expect(try await run("5.10").success)
        let second = try await run("10.19")
        // A run begins at nothing, and base charges are the service 'processor'.
        #expect(second.success == (scope == .run || scope == .service))
        #expect(second.error?.code == (second.success ? nil : .budgetExhausted))
        #expect(try await run("25.00").success)
    }

    @Test("begin anew with their window", arguments: [Budget.Window.day, .month]) func windows(window: Budget.Window)
        async throws
    {
        let engine = engine
        let options = Self.within(Self.budget("5.10", scope: .store, window: window))
        #expect(try await engine.run(Self.calling, items: items(1), options: options).success)
        #expect(try await engine.run(Self.calling, items: items(1), options: options).error?.code == .budgetExhausted)
        time.advance(by: .seconds(86_400 * (window == .day ? 1 : 31)))
        #expect(try await engine.run(Self.calling, items: items(1), options: options).success)
    }

    @Test("that only warn refuse nothing and say so once") func warning() async throws {
        let events = EventStream()
        let seen = Notes<Event>()
        let subscription = events.subscribe([.budgetWarning, .budgetExceeded]) { seen.add($0) }
        let engine = Engine.testing(prices: Self.prices, events: events)
        let report = try await engine.run(
            Self.calling, items: items(4), options: Self.within(Self.budget("10.00", mode: .warn)))
        await subscription.finish()
        #expect(report.success)
        #expect(report.bill.totalCost == "20.10")
        #expect(seen.all.map(\.kind) == [.budgetWarning, .budgetExceeded])
    }

    @Test("warn once when their share is reached") func share() async throws {
        let events = EventStream()
        let seen = Notes<Event>()
        let subscription = events.subscribe([.budgetWarning, .budgetExceeded]) { seen.add($0) }
        let engine = Engine.testing(prices: Self.prices, events: events)
        let budget = try Budget("12.62", warnAt: Number("0.8")!)
        _ = try await engine.run(Self.calling, items: items(2), options: Self.within(budget))
        await subscription.finish()
        #expect(seen.all.map(\.kind) == [.budgetWarning])
        #expect(seen.all.first?.data["limit"] == Money("12.62").jsonValue)
    }

    @Test("are overdrawn by what has happened, and then refuse everything else") func incurred() async throws {
        let report = try await engine.run(
            ClosureProcessor<Int, Int>("test") { input, context in
                try await context.charge("ocr", "page", cost: "7.00", incurred: true)
                return input
            }, items: items(3), options: Self.within(Self.budget("10.00")))
        #expect(report.success)
        #expect(report.bill.totalCost == "21.10")
        let refused = try await engine.run(
            ClosureProcessor<Int, Int>("test") { input, context in
                try await context.charge("ocr", "page", cost: "20.00", incurred: true)
                try await context.charge("ocr", "page", cost: "0.01")
                return input
            }, items: items(1), options: Self.within(Self.budget("10.00")))
        #expect(refused.error?.code == .budgetExhausted)
        #expect(refused.bill.totalCost == "20.10")
    }

    @Test("do not count a keyed charge twice") func keyed() async throws {
        let report = try await engine.run(
            ClosureProcessor<Int, Int>("test") { input, context in
                for _ in 1...4 { try await context.charge("ocr", "page", cost: "4.00", key: "once") }
                return input
            }, items: items(2), options: Self.within(Self.budget("8.10")))
        #expect(report.success)
        #expect(report.bill.totalCost == "8.10")
    }

    @Test("keep what is in doubt reserved until it is decided", arguments: [true, false])
    func doubt(settles: Bool) async throws {
        let store = MemoryStore()
        let world = World.testing()
        let lost = ClosureProcessor<Int, Int>("test") { _, context in
            try await context.call("clear", "search") { _ -> Int in
                throw ProcessingError(.api, "lost", outcomeUnknown: true)
            }
        }
        let options = Self.within(Self.budget("10.20", scope: .store))
        let first = try await Engine(store: store, prices: Self.prices, world: world).run(
            lost, items: items(1), options: options)
        #expect(first.bill.inDoubtCost == "5.00")
        // Another engine finds the doubt in the store.
        let engine = Engine(store: store, prices: Self.prices, world: world)
        let fits = try await engine.run(Self.calling, items: items(1), options: options)
        #expect(fits.success)
        let refused = try await engine.run(Self.calling, items: items(1), options: options)
        #expect(refused.error?.code == .budgetExhausted)
        let call = try #require(try await engine.callsInDoubt().first)
        if settles {
            try await engine.settle(callInDoubt: call.callID, at: "5.00")
        } else {
            try await engine.release(callInDoubt: call.callID)
        }
        let wider = Self.within(Self.budget("10.40", scope: .store))
        #expect(try await engine.run(Self.calling, items: items(1), options: wider).success == !settles)
    }

    @Test("count a call that is made again after doubt once") func continued() async throws {
        let attempts = Counter()
        let processor = ClosureProcessor<Int, Int>("test") { input, context in
            try await context.call("clear", "search", key: 1) { _ in
                guard attempts.next() > 1 else { throw ProcessingError(.api, "lost", outcomeUnknown: true) }
                return input
            }
        }
        let engine = engine
        let options = Self.within(Self.budget("5.20", scope: .execution))
        let first = try await engine.run(processor, items: items(1), options: options)
        #expect(first.bill.inDoubtCost == "5.00")
        let second = try await engine.resume(processor, after: first, options: options)
        #expect(second.success)
        #expect(try await engine.bill(ofExecution: first.executionID).totalCost == "5.20")
    }

    @Test("are refused with a share outside 0 to 1", arguments: ["-0.1", "1.01"]) func shares(text: String) {
        #expect(throws: ProcessingError.self) { try Budget("1.00", warnAt: Number(text)!) }
    }

    @Test("of any size are never exceeded", arguments: 1...60) func law(seed: Int) async throws {
        var chance = Seeded(state: UInt64(seed))
        let limit = Money(billionths: Int64.random(in: 0...30, using: &chance) * 1_000_000_000)
        let runner = try #require(Runners.all.randomElement(using: &chance))
        let salt = Int.random(in: 0..<1_000, using: &chance)
        let store = MemoryStore()
        let engine = Engine.testing(store, prices: Self.prices)
        var report = try await engine.run(
            Self.random(salt), items: items(20),
            options: Self.within(Self.budget(limit, scope: .execution), runner: runner))
        for _ in 1...3 where !report.success {
            report = try await engine.resume(
                Self.random(salt), after: report,
                options: Self.within(Self.budget(limit, scope: .execution), runner: runner))
        }
        let bill = try await engine.bill(ofExecution: report.executionID)
        #expect(try bill.totalCost.adding(bill.inDoubtCost) <= limit)
    }

    /// Charges and calls by chance, of which some fail and some are never heard of again.
    static func random(_ salt: Int) -> ClosureProcessor<Int, Int> {
        ClosureProcessor("test") { input, context in
            try await context.charge("ocr", "page", cost: Money(billionths: Int64((input + salt) % 3) * 1_000_000_000))
            return try await context.call("clear", "lookup", maximumCost: "2.00", key: .number(Number(input % 7))) {
                call in
                switch (input * 31 + salt + context.attempt) % 5 {
                case 0: throw Refusal()
                case 1: throw ProcessingError(.api, "lost", outcomeUnknown: true)
                case 2: call.settle("1.50")
                default: break
                }
                return input
            }
        }
    }
}

@Suite("A budget that a gate comes up against") struct GateBudgetTests {
    @Test("fails the item at fault") func refused() async throws {
        struct Spending: Processor {
            let name = "spending"
            func validate(_ input: Int, in context: Context) async throws {
                try await context.charge("ocr", "page", cost: "1.00")
            }
            func extract(_ input: Int, in context: Context) -> Int { input }
        }
        let budget = try Budget("1.50")
        let report = try await Engine.testing().run(
            Spending(), items: [Item("a", 1), Item("b", 2), Item("c", 3)], options: .with { $0.budgets = [budget] })
        #expect(report.status == .failed)
        #expect(report.error?.code == .budgetExhausted)
        #expect(report.outcomes.map(\.status) == [.skipped, .failed, .skipped])
        #expect(report.bill.totalCost == "1.00")
    }
}
