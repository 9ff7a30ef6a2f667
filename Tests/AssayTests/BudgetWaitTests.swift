import Assay
import AssayTesting
import Testing

@Suite("Budgets that calls wait for") struct BudgetWaitTests {
    let engine = Engine.testing(prices: .of(units: ["clear/search": "5.00"]))

    static func within(_ budgets: [Budget], _ runner: any Runner = .sequential) -> RunOptions {
        .with { ($0.budgets, $0.runner) = (budgets, runner) }
    }

    func items(_ count: Int) -> [Item] { (0..<count).map { Item("n\($0)", $0) } }

    @Test(
        "let as many calls of one price through whatever the number of workers", arguments: Runners.all,
        [Budget.Scope.run, .execution, .service, .store])
    func sameNumber(runner: any Runner, scope: Budget.Scope) async throws {
        let calls = Counter()
        let report = try await engine.run(
            ClosureProcessor<Int, Int>("test") { input, context in
                try await context.call("llm", "ask", maximumCost: "1.00") { call in
                    calls.next()
                    // Others get to ask while this one has its reservation.
                    for _ in 0..<20 { await Task.yield() }
                    call.settle("0.70")
                    return input
                }
            }, items: items(20), options: Self.within([try Budget("5.00", scope: scope)], runner))
        #expect(calls.count == 6)
        #expect(report.bill.totalCost == "4.20")
        #expect(report.counts.succeeded == 6)
        #expect(report.error?.code == .budgetExhausted)
        #expect(report.error?.message.contains("4.20 spent") == true)
    }

    @Test("refuse nobody for what others have reserved and do not need", arguments: Runners.threads)
    func reserved(runner: any Runner) async throws {
        let report = try await engine.run(
            ClosureProcessor<Int, Int>("test") { input, context in
                try await context.call("llm", "ask", maximumCost: "5.00") { call in
                    for _ in 0..<20 { await Task.yield() }
                    call.settle("0.10")
                    return input
                }
            }, items: items(30), options: Self.within([try Budget("8.00")], runner))
        #expect(report.success)
        #expect(report.bill.totalCost == "3.00")
    }

    @Test("count what is in doubt as if it were spent") func doubt() async throws {
        let report = try await engine.run(
            ClosureProcessor<Int, Int>("test") { input, context in
                try await context.call("llm", "ask", maximumCost: "2.00") { _ in
                    guard input > 0 else { throw ProcessingError(.timeout, "nobody knows") }
                    return input
                }
            }, items: items(3), options: Self.within([try Budget("3.00")]))
        #expect(report.bill.inDoubtCost == "2.00")
        #expect(report.error?.code == .budgetExhausted)
    }

    @Test("reserve the larger of the price and the maximum", arguments: [("1.00", "9.99"), ("7.00", "11.99")])
    func larger(maximum: String, limit: String) async throws {
        let report = try await engine.run(
            ClosureProcessor<Int, Int>("test") { input, context in
                try await context.call("clear", "search", maximumCost: Money(stringLiteral: maximum)) { _ in input }
            }, items: items(2), options: Self.within([try Budget(Money(stringLiteral: limit))]))
        #expect(report.bill.totalCost == "5.00")
        #expect(report.error?.code == .budgetExhausted)
    }

    @Test("refuse a call that has neither, and say what it needs") func unpriced() async throws {
        let calls = Counter()
        let report = try await engine.run(
            ClosureProcessor<Int, Int>("test") { input, context in
                try await context.call("free", "op") { call in
                    calls.next()
                    call.settle("9.00")
                    return input
                }
            }, items: items(2), options: Self.within([try Budget("10.10", name: "per run")]))
        #expect(calls.count == 0)
        #expect(report.outcomes.map { $0.error?.code } == [.cost, .cost])
        #expect(
            report.outcomes[0].error?.message.hasPrefix(
                "'free.op' has no price and no maximum_cost; under budget 'per run' one is needed") == true)
    }

    @Test("let such calls through one at a time where they are allowed", arguments: Runners.all)
    func allowed(runner: any Runner) async throws {
        let (calls, gauge) = (Counter(), Gauge())
        let report = try await engine.run(
            ClosureProcessor<Int, Int>("test") { input, context in
                try await context.call("free", "op") { call in
                    calls.next()
                    gauge.enter()
                    for _ in 0..<20 { await Task.yield() }
                    gauge.leave()
                    call.settle("9.00")
                    return input
                }
            }, items: items(6), options: Self.within([try Budget("10.10", unpriced: .allow)], runner))
        #expect(calls.count == 2)
        #expect(gauge.most == 1)
        #expect(report.bill.totalCost == "18.00")
        #expect(report.error?.code == .budgetExhausted)
    }

    @Test("refuse a call that only the call it is made in keeps out, as it would wait for itself") func nested()
        async throws
    {
        let report = try await engine.run(
            ClosureProcessor<Int, Int>("test") { input, context in
                try await context.call("llm", "outer", maximumCost: "3.00") { _ in
                    try await context.call("llm", "inner", maximumCost: "3.00") { _ in input }
                }
            }, items: items(1), options: Self.within([try Budget("5.00")]))
        #expect(report.error?.code == .budgetExhausted)
        #expect(report.bill.totalCost == .zero)
    }

    @Test("let calls in calls go first, so that those they are made in can end", arguments: Runners.threads)
    func nestedFirst(runner: any Runner) async throws {
        let report = try await engine.run(
            ClosureProcessor<Int, Int>("test") { input, context in
                try await context.call("llm", "outer", maximumCost: "2.00") { call in
                    for _ in 0..<20 { await Task.yield() }
                    call.settle("0.01")
                    return try await context.call("llm", "inner", maximumCost: "1.00") { call in
                        call.settle("0.01")
                        return input
                    }
                }
            }, items: items(12), options: Self.within([try Budget("5.50")], runner))
        #expect(report.success)
        #expect(report.bill.totalCost == "0.24")
    }

    @Test("do not mistake calls beside each other in one item for calls in each other") func beside() async throws {
        let report = try await engine.run(
            ClosureProcessor<Int, Int>("test") { input, context in
                async let first = context.call("llm", "ask", maximumCost: "3.00") { call in
                    for _ in 0..<20 { await Task.yield() }
                    call.settle("0.50")
                    return input
                }
                async let second = context.call("llm", "ask", maximumCost: "3.00") { call in
                    call.settle("0.50")
                    return input
                }
                return try await first + second
            }, items: items(1), options: Self.within([try Budget("5.00")]))
        #expect(report.success)
        #expect(report.bill.totalCost == "1.00")
    }

    @Test("keep nobody from being stopped while he waits") func stopped() async throws {
        let entered = Door()
        let waits = Door()
        let handle = Notes<RunHandle>()
        let engine = engine
        let processor = try RegisteredProcessor(
            ClosureProcessor<Int, Int>("test") { input, context in
                if input > 0 {
                    await entered.pass()
                    waits.open()
                }
                return try await context.call("llm", "ask", maximumCost: "3.00") { _ in
                    entered.open()
                    try await waitForCancellation()
                }
            })
        async let report = engine.run(
            processor, over: items(2), options: Self.within([try Budget("5.00")], try ThreadRunner(maxWorkers: 2)),
            watching: { handle.add($0) })
        await waits.pass()
        handle.all.first?.cancel()
        #expect(try await report.outcomes.map(\.status) == [.cancelled, .cancelled])
    }

    @Test("hold for charges that wait for their step as for calls", arguments: Runners.all)
    func charges(runner: any Runner) async throws {
        let report = try await engine.run(
            ClosureProcessor<Int, Int>("test") { input, context in
                try await context.charge("ocr", "page", cost: "0.70")
                return input
            }, items: items(20), options: Self.within([try Budget("5.00")], runner))
        #expect(report.bill.totalCost == "4.90")
        #expect(report.counts.succeeded == 7)
    }

    @Test(
        "begin their days in their time zones",
        arguments: [
            ("UTC", 3_600, false), ("Pacific/Kiritimati", 3_600, true), ("Asia/Kathmandu", 3_600, false),
            ("Asia/Kathmandu", 9 * 3_600, true), ("UTC", 9 * 3_600, false), ("UTC", 15 * 3_600, true),
        ])
    func zones(zone: String, seconds: Int, begins: Bool) async throws {
        // It is 09:15 in UTC; the day begins at 10:00 UTC on Kiritimati and at 18:15 UTC in Kathmandu.
        let time = ManualTime(runsFree: true)
        let engine = Engine.testing(prices: .of(units: ["clear/search": "5.00"]), time: time)
        let budget = try Budget("5.00", scope: .store, window: .day, timeZone: zone)
        let processor = ClosureProcessor<Int, Int>("test") { input, context in
            try await context.call("clear", "search") { _ in input }
        }
        #expect(try await engine.run(processor, items: items(1), options: Self.within([budget])).success)
        time.advance(by: .seconds(seconds))
        let second = try await engine.run(processor, items: items(1), options: Self.within([budget]))
        #expect(second.success == begins)
    }

    @Test("of a month begin it in their time zones") func month() async throws {
        let time = ManualTime(runsFree: true)
        let engine = Engine.testing(prices: .of(units: ["clear/search": "5.00"]), time: time)
        let processor = ClosureProcessor<Int, Int>("test") { input, context in
            try await context.call("clear", "search") { _ in input }
        }
        func run(_ zone: String) async throws -> Bool {
            let budget = try Budget("5.00", name: zone, scope: .store, window: .month, timeZone: zone)
            return try await engine.run(processor, items: items(1), options: Self.within([budget])).success
        }
        #expect(try await run("UTC"))
        // From 3 March 09:15 to 31 March 20:15 UTC, which is April on Kiritimati.
        time.advance(by: .seconds(28 * 86_400 + 11 * 3_600))
        #expect(try await !run("UTC"))
        #expect(try await run("Pacific/Kiritimati"))
    }

    @Test("are refused in a time zone that nobody knows") func unknownZone() {
        #expect(throws: ProcessingError.self) { try Budget("1.00", timeZone: "Mars/Olympus") }
    }
}
