import Assay
import AssayTesting
import Testing

@Suite("Paid calls") struct CallTests {
    static let prices = PriceList.of(
        base: ["test": Price("0.50", policy: "per_execution")], units: ["clear/search": "0.75"])

    /// A processor of one call, whose body is `body`.
    static func calling(
        key: JSONValue? = nil, maximum: Money? = nil, options: CallOptions = CallOptions(),
        _ body: @escaping @Sendable (Call, Context) async throws -> Int
    ) -> ClosureProcessor<Int, Int> {
        ClosureProcessor("test") { _, context in
            try await context.call("clear", "search", maximumCost: maximum, key: key, options: options) { call in
                try await body(call, context)
            }
        }
    }

    let engine = Engine.testing(prices: prices)
    let items = [Item("a", 1)]

    func call(_ processor: some Processor) async throws -> Report { try await engine.run(processor, items: items) }

    func states(_ report: Report) async throws -> [CallRecord.State] {
        try await engine.store.calls(matching: CallFilter(executionID: report.executionID)).map(\.state)
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var settles: Money?
        var failure: ProcessingError?
        var billing = CallOptions.Billing.onSuccess
        var state: CallRecord.State
        var cost: Money?
        var despiteError = false
    }

    static let refused = ProcessingError(.api, "HTTP 500")
    static let unknown = ProcessingError(.api, "connection lost", outcomeUnknown: true)
    static let cases = [
        Case(testDescription: "returns", state: .settled, cost: "0.75"),
        Case(testDescription: "returns after it settled", settles: "0.40", state: .settled, cost: "0.40"),
        Case(
            testDescription: "throws after it settled", settles: "0.40", failure: refused, state: .settled,
            cost: "0.40",
            despiteError: true),
        Case(
            testDescription: "loses its answer after it settled", settles: "0.40", failure: unknown, state: .settled,
            cost: "0.40", despiteError: true),
        Case(testDescription: "throws", failure: refused, state: .released),
        Case(
            testDescription: "throws, billed on attempt", failure: refused, billing: .onAttempt, state: .settled,
            cost: "0.75", despiteError: true),
        Case(testDescription: "outcome unknown", failure: unknown, state: .inDoubt),
        Case(
            testDescription: "outcome unknown, billed on attempt", failure: unknown, billing: .onAttempt,
            state: .inDoubt),
        Case(testDescription: "timed out", failure: ProcessingError(.timeout, "after 30 s"), state: .inDoubt),
    ]

    @Test("end as their body does", arguments: cases, Runners.all) func end(_ test: Case, runner: any Runner)
        async throws
    {
        let processor = Self.calling(options: CallOptions(billing: test.billing)) { call, _ in
            if let cost = test.settles { call.settle(cost, metadata: ["page": 3]) }
            if let failure = test.failure { throw failure }
            return 1
        }
        let report = try await engine.run(processor, items: items, options: .on(runner))
        #expect(try await states(report) == [test.state])
        #expect(report.bill.usageCost == test.cost ?? .zero)
        #expect(report.outcomes[0].cost == test.cost ?? .zero)
        #expect(report.outcomes[0].status == (test.failure == nil ? .succeeded : .failed))
        #expect(report.bill.trackedCosts.count == (test.cost == nil ? 0 : 1))
        #expect(report.bill.inDoubt.count == (test.state == .inDoubt ? 1 : 0))
        #expect(report.bill.inDoubtCost == (test.state == .inDoubt ? "0.75" : .zero))
        if let charge = report.bill.trackedCosts.first {
            var expected: JSONObject = ["cache_hit": false]
            if test.despiteError { expected["charged_despite_error"] = true }
            if test.settles != nil { expected["page"] = 3 }
            #expect(charge.annotations == expected)
            #expect(charge.kind == .call)
        }
    }

    @Test("without a unit price cost the maximum, and settle against it") func maximum() async throws {
        let engine = Engine.testing()
        let report = try await engine.run(Self.calling(maximum: "5.00") { _, _ in 1 }, items: items)
        #expect(report.bill.usageCost == "5.00")
    }

    @Test("are on record before their body runs") func intent() async throws {
        let store = engine.store
        let report = try await call(
            Self.calling { call, context in
                let filter = CallFilter(executionID: context.executionID)
                let records = try await store.calls(matching: filter)
                #expect(records.map(\.state) == [.open])
                #expect(records.map(\.idempotencyKey) == [call.idempotencyKey])
                return 1
            })
        #expect(report.success)
    }

    @Test("without an intent on record the body is not run") func noIntent() async throws {
        let calls = Calls()
        let store = FaultyStore { write in
            if case .file = write { throw ProcessingError(.store, "the disk is full") }
        }
        let report = try await Engine.testing(store).run(Self.calling { _, _ in calls.note("body") }, items: items)
        #expect(report.error?.code == .store)
        #expect(calls["body"] == 0)
    }

    @Test("that returned stay open when their outcome cannot be filed, and are not released") func outcomeNotFiled()
        async throws
    {
        let writes = Counter()
        let store = FaultyStore { write in
            guard case .file = write, writes.next() == 2 else { return }
            throw ProcessingError(.store, "the disk is full")
        }
        let engine = Engine.testing(store, prices: Self.prices)
        let report = try await engine.run(Self.calling { _, _ in 1 }, items: items)
        #expect(report.error?.code == .store)
        let states = try await store.calls(matching: CallFilter(executionID: report.executionID)).map(\.state)
        #expect(states != [.released])
    }

    @Test("whose value is no JSON are paid all the same") func notJSON() async throws {
        let report = try await engine.run([1]) { (_: Int, context: Context) in
            try await context.call("clear", "search", key: 1) { _ in Double.infinity }
        }
        #expect(report.status == .failed)
        #expect(report.bill.usageCost == "0.75")
    }

    @Test("above their maximum are billed in full, with an event") func overrun() async throws {
        let report = try await call(
            Self.calling(maximum: "1.00") { call, _ in
                call.settle("1.50")
                return 1
            })
        #expect(report.bill.usageCost == "1.50")
        let event = try #require(engine.events.latest().first { $0.kind == .costOverrun })
        #expect(
            event.data == [
                "cost": Money(stringLiteral: "1.5").jsonValue, "maximum_cost": Money(stringLiteral: "1").jsonValue,
            ])
    }

    /// The idempotency keys of the calls made, each of which ends as it is told.
    func keys(_ ends: [ProcessingError?]) async throws -> [String] {
        let keys = Notes<String>()
        let processor = Self.calling(key: ["n": 1]) { call, _ in
            keys.add(call.idempotencyKey)
            if let end = ends[keys.all.count - 1] { throw end }
            return 1
        }
        let engine = Engine.testing(prices: Self.prices)
        var report = try await engine.run(processor, items: items)
        for _ in ends.dropFirst() { report = try await engine.resume(processor, after: report) }
        return keys.all
    }

    @Test("have 64 hex digits for a key: the same after a doubt, another after a failure") func idempotency()
        async throws
    {
        let afterDoubt = try await keys([Self.unknown, nil])
        #expect(afterDoubt[0] == afterDoubt[1])
        #expect(afterDoubt[0].count == 64 && afterDoubt[0].allSatisfy(\.isHexDigit))
        let afterFailure = try await keys([Self.refused, nil])
        #expect(afterFailure[0] != afterFailure[1])
        let long = try await keys([Self.unknown, Self.unknown, Self.refused, Self.unknown, nil])
        #expect(long[0] == long[2] && long[2] != long[3] && long[3] == long[4])
    }

    @Test("equal parameters have equal keys, however they are written") func equalParameters() async throws {
        let keys = Notes<String>()
        for text in [#"{"a": 1.0, "b": 2}"#, #"{"b": 2, "a": 1}"#] {
            let engine = Engine.testing(prices: Self.prices)
            let processor = Self.calling(key: try JSONValue(json: text)) { call, _ in
                keys.add(call.idempotencyKey)
                return 1
            }
            let execution = try #require(Identifier("exec_1"))
            _ = try await engine.run(processor, items: items, options: .with { $0.executionID = execution })
        }
        #expect(Set(keys.all).count == 1)
    }

    @Test(
        "in doubt are continued by a resume, whose outcome resolves them",
        arguments: [(nil, "0.75"), (refused, "0.00")])
    func continued(end: ProcessingError?, usage: String) async throws {
        let ends = [Self.unknown, end]
        let counter = Counter()
        let processor = Self.calling(key: 1) { _, _ in
            if let end = ends[counter.next() - 1] { throw end }
            return 1
        }
        let first = try await call(processor)
        #expect(first.bill.totalCost == "0.50")
        #expect(first.bill.inDoubtCost == "0.75")
        let second = try await engine.resume(processor, after: first)
        #expect(second.bill.totalCost.description == usage)
        #expect(second.bill.inDoubtCost == .zero)
        let execution = try await engine.bill(ofExecution: first.executionID)
        #expect(execution.usageCost.description == usage)
        #expect(execution.inDoubt == [])
        #expect(try await engine.bill(of: first.runID).inDoubtCost == .zero)
    }

    @Test(
        "that fail are paid as they are billed, and again by the retry",
        arguments: [
            (CallOptions.Billing.onSuccess, ["0.50", "0.75"], "1.25"), (.onAttempt, ["1.25", "0.75"], "2.00"),
        ])
    func failedCall(billing: CallOptions.Billing, totals: [String], execution: String) async throws {
        let attempts = Counter()
        let processor = Self.calling(key: 1, options: CallOptions(billing: billing)) { _, _ in
            guard attempts.next() > 1 else { throw Self.refused }
            return 1
        }
        let first = try await call(processor)
        let second = try await engine.resume(processor, after: first)
        #expect([first, second].map(\.bill.totalCost.description) == totals)
        #expect(try await engine.bill(ofExecution: first.executionID).totalCost.description == execution)
    }

    @Test("work in every phase", arguments: ["validate", "aggregate"]) func phases(place: String) async throws {
        struct Calling: Processor {
            let name = "calling"
            let place: String
            func validate(_ input: Int, in context: Context) async throws {
                if place == "validate" { _ = try await context.call("clear", "search") { _ in 1 } }
            }
            func extract(_ input: Int, in context: Context) -> Int { input }
            func aggregate(_ outputs: Outputs<Int>, in context: Context) async throws -> [Int] {
                place == "aggregate" ? [try await context.call("clear", "search") { _ in 1 }] : []
            }
        }
        let report = try await engine.run(Calling(place: place), over: [1])
        #expect(report.success)
        #expect(report.bill.usageCost == "0.75")
    }
}
