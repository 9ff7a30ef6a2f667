import Assay
import AssayTesting
import Testing

@Suite("Cache") struct CacheTests {
    static let prices = PriceList.of(units: ["clear/search": "5.00"])
    let time: ManualTime
    let calls = Calls()
    let engine: Engine

    init() {
        time = ManualTime(runsFree: true)
        engine = .testing(prices: Self.prices, time: time)
    }

    /// A processor that pays for its input.
    func paying(_ cache: CachePolicy = CachePolicy(), key: JSONValue? = 1) -> ClosureProcessor<Int, Int?> {
        ClosureProcessor("test") { [calls] n, context in
            try await context.call("clear", "search", key: key, options: CallOptions(cache: cache)) { _ in
                calls.note("call")
                return n == 0 ? nil : n
            }
        }
    }

    func run(
        _ processor: some Processor, _ input: Int = 1, scope: Scope = Scope(), execution: String? = nil
    ) async throws -> Report {
        let item = Item("a", input, accountID: scope.accountID?.text, underwritingID: scope.underwritingID?.text)
        return try await engine.run(
            processor, items: [item],
            options: .with {
                $0.scope = scope
                $0.executionID = execution.flatMap { Identifier($0) }
            })
    }

    @Test("a hit costs nothing and says what it saved") func hit() async throws {
        let first = try await run(paying())
        time.advance(by: .seconds(10))
        let second = try await run(paying())
        #expect(calls["call"] == 1)
        #expect(second.bill.totalCost == .zero)
        #expect(second.bill.avoidedCost == "5.00")
        #expect(second.outcomes[0].avoidedCost == "5.00")
        let charge = try #require(second.bill.trackedCosts.first)
        #expect(charge.cost == .zero)
        #expect(charge.isCacheHit)
        #expect(charge.avoidedCost == "5.00")
        #expect(charge.annotations["cached_at"] == "2025-03-03T09:15:00Z")
        #expect(first.bill.trackedCosts.first?.annotations["cache_hit"] == false)
        let line = try #require(second.bill.byService["clear"]?["search"])
        #expect([line.count, line.cacheHits] == [1, 1])
        #expect(line.total == "0")
        #expect(line.avoided == "5")
        #expect(second.run.metrics?.cacheHits == 1)
        #expect(second.run.metrics?.avoidedCost == "5.00")
        #expect(first.run.metrics?.cacheMisses == 1)
    }

    @Test("without a key nothing is cached") func noKey() async throws {
        for _ in 1...2 { _ = try await run(paying(key: nil)) }
        #expect(calls["call"] == 2)
    }

    @Test("null is a value like any other") func null() async throws {
        #expect(try await run(paying(), 0).outputs(as: Int?.self) == [nil])
        #expect(try await run(paying(), 0).outputs(as: Int?.self) == [nil])
        #expect(calls["call"] == 1)
    }

    @Test("errors are never kept") func errors() async throws {
        let failing = ClosureProcessor<Int, Int>("test") { [calls] _, context in
            try await context.call("clear", "search", key: 1) { _ in
                guard calls.note("call") > 1 else { throw Refusal() }
                return 1
            }
        }
        #expect(try await run(failing).success == false)
        #expect(try await run(failing).success)
        #expect(calls["call"] == 2)
    }

    @Test(
        "a value is good while its age is below its time to live", arguments: [(59_999, 1), (60_000, 2), (60_001, 2)])
    func ttl(age: Int, made: Int) async throws {
        let processor = paying(CachePolicy(ttl: .seconds(60)))
        _ = try await run(processor)
        time.jump(by: .milliseconds(age))
        _ = try await run(processor)
        #expect(calls["call"] == made)
    }

    @Test("an expired value is replaced") func replaced() async throws {
        let processor = paying(CachePolicy(ttl: .seconds(60)))
        _ = try await run(processor, 1)
        time.jump(by: .seconds(60))
        _ = try await run(processor, 2)
        time.jump(by: .seconds(59))
        #expect(try await run(processor, 3).outputs(as: Int?.self) == [2])
    }

    @Test("refresh skips the look-up and replaces the value") func refresh() async throws {
        _ = try await run(paying(), 1)
        #expect(try await run(paying(CachePolicy(refresh: true)), 2).outputs(as: Int?.self) == [2])
        #expect(try await run(paying(), 3).outputs(as: Int?.self) == [2])
        #expect(calls["call"] == 2)
    }

    struct Sharing: Sendable, CustomTestStringConvertible {
        var scope: CacheScope
        /// Whether a run shares the value with one of another account, underwriting, execution.
        var account, underwriting, execution: Bool
        var testDescription: String { scope.rawValue }
    }

    static let sharing = [
        Sharing(scope: .account, account: false, underwriting: true, execution: true),
        Sharing(scope: .underwriting, account: true, underwriting: false, execution: true),
        Sharing(scope: .execution, account: true, underwriting: true, execution: false),
        Sharing(scope: .global, account: true, underwriting: true, execution: true),
    ]

    @Test("values are shared within their scope", arguments: sharing) func scopes(_ test: Sharing) async throws {
        let processor = paying(CachePolicy(scope: test.scope))
        let inputs = Counter()
        func made(_ account: String, _ underwriting: String, _ execution: String) async throws -> Int {
            calls.reset()
            let scope = Scope(accountID: ExternalID(account), underwritingID: ExternalID(underwriting))
            _ = try await run(processor, inputs.next(), scope: scope, execution: execution)
            return calls["call"]
        }
        #expect(try await made("acc_1", "uw_1", "exec_1") == 1)
        #expect(try await made("acc_2", "uw_1", "exec_1") == (test.account ? 0 : 1))
        #expect(try await made("acc_1", "uw_2", "exec_2") == (test.underwriting && test.execution ? 0 : 1))
        #expect(try await made("acc_1", "uw_1", "exec_3") == (test.execution ? 0 : 1))
    }

    @Test("other parameters, operations and services are other values") func parts() async throws {
        let processor = ClosureProcessor<Int, Int>("test") { [calls] n, context in
            for (service, operation, key) in [
                ("a", "x", 1), ("a", "y", 1), ("b", "x", 1), ("a", "x", 2), ("a", "x", 1),
            ] {
                _ = try await context.call(service, operation, key: .number(Number(key))) { _ in calls.note("call") }
            }
            return n
        }
        _ = try await run(processor)
        #expect(calls["call"] == 4)
    }

    @Test("two calls at once with one key make one call", arguments: [true, false])
    func concurrent(succeeds: Bool) async throws {
        let (inside, door) = (Door(), Door())
        let processor = ClosureProcessor<Int, Int>("test") { [calls] n, context in
            if n == 2 { await inside.pass() }
            return try await context.call("clear", "search", key: 1) { _ in
                let call = calls.note("call")
                if call == 1 {
                    inside.open()
                    await door.pass()
                    guard succeeds else { throw Refusal() }
                }
                return call
            }
        }
        async let running = engine.run(processor, over: [1, 2], options: .on(try ThreadRunner(maxWorkers: 2)))
        await inside.pass()
        door.open()
        let report = try await running
        #expect(calls["call"] == (succeeds ? 1 : 2))
        #expect(report.bill.totalCost == "5.00")
        #expect(report.bill.avoidedCost == (succeeds ? "5.00" : .zero))
    }

    // MARK: Whole items

    func runItems(
        _ policy: CachePolicy?, _ items: [Item] = [Item("a", 1)], version: String = "1", parameters: JSONValue = [:]
    ) async throws -> Report {
        let processor = ClosureProcessor<Int, Int>("test") { [calls] n, context in
            calls.note("extract")
            try await context.charge("clear", "search")
            return n
        }
        return try await engine.run(
            RegisteredProcessor(processor, version: version, parameters: parameters), over: items,
            options: .with { $0.itemCache = policy })
    }

    @Test("items are not cached unless asked for", arguments: [(nil, 2), (CachePolicy(), 1)])
    func itemCache(policy: CachePolicy?, made: Int) async throws {
        _ = try await runItems(policy)
        let second = try await runItems(policy)
        #expect(calls["extract"] == made)
        #expect(second.outcomes[0].cached == (policy != nil))
        #expect(second.outcomes[0].attempts == (policy == nil ? 1 : 0))
        #expect(try second.outputs(as: Int.self) == [1])
    }

    @Test("a cached item is a zero charge of its processor, and aggregated like any other") func itemHit() async throws
    {
        _ = try await runItems(CachePolicy())
        let second = try await runItems(CachePolicy(), [Item("a", 1), Item("b", 2)])
        #expect(second.outcomes.map(\.cached) == [true, false])
        #expect(second.outcomes.map(\.avoidedCost) == ["5.00", "0"])
        let charge = try #require(second.bill.trackedCosts.first)
        #expect([charge.service, charge.operation, charge.inputID] == ["test", "extract", "a"])
        #expect(charge.cost == .zero)
        #expect(charge.avoidedCost == "5.00")
        #expect(try second.summary(as: [Int].self) == [1, 2])
    }

    @Test("another version or other parameters are another item") func itemKey() async throws {
        _ = try await runItems(CachePolicy())
        _ = try await runItems(CachePolicy(), version: "2")
        _ = try await runItems(CachePolicy(), parameters: ["n": 1])
        #expect(calls["extract"] == 3)
    }

    @Test(
        "a run may leave the cache alone, or replace what is in it, whatever calls and items say",
        arguments: [(CacheMode.asConfigured, 1, 1), (.off, 2, 1), (.refresh, 2, 2)])
    func caching(caching: CacheMode, made: Int, kept: Int) async throws {
        let numbers = Calls()
        let processor = ClosureProcessor<Int, Int>("test") { _, context in
            try await context.call("clear", "search", key: 1) { _ in
                numbers.note("call")
                return numbers["call"]
            }
        }
        for way in [.asConfigured, caching] {
            _ = try await engine.run(
                RegisteredProcessor(processor), over: [Item("a", 1)],
                options: .with {
                    $0.caching = way
                    $0.itemCache = CachePolicy()
                })
        }
        #expect(numbers["call"] == made)
        let entries = try await engine.store.cacheEntries(matching: CacheFilter(), after: nil, limit: 9).entries
        #expect(entries.map(\.value) == [.number(Number(kept)), .number(Number(kept))])
        let hits = try await engine.store.charges(matching: ChargeFilter()).count { $0.isCacheHit }
        #expect(hits == (caching == .asConfigured ? 1 : 0))
    }

    @Test("items are refreshed, too") func itemRefresh() async throws {
        _ = try await runItems(CachePolicy())
        _ = try await runItems(CachePolicy(refresh: true))
        #expect(calls["extract"] == 2)
    }
}
