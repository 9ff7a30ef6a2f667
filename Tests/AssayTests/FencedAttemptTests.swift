import Assay
import AssayTesting
import Testing

@Suite("Calls of attempts that were given up", .timeLimit(.minutes(5))) struct FencedAttemptTests {
    static let prices = PriceList.of(units: ["clear/search": "5.00"])

    @Test("are in doubt whatever their body throws when it is cancelled") func ownCancellation() async throws {
        let time = ManualTime()
        let engine = Engine.testing(prices: Self.prices, time: time)
        let (keys, made) = (Notes<String>(), Door())
        let processor = ClosureProcessor<Int, Int>("test") { input, context in
            try await context.call("clear", "search", key: 1) { call in
                keys.add(call.idempotencyKey)
                made.open()
                guard keys.all.count == 1 else { return input }
                do { try await waitForCancellation() } catch {
                    throw Refusal(description: "cancelled, in its own words")
                }
            }
        }
        let begun = Door()
        async let run = engine.run(RegisteredProcessor(processor), over: [Item("a", 1)]) { handle in
            Task {
                await made.pass()
                handle.cancel()
                begun.open()
            }
        }
        let report = try await run
        await begun.pass()
        #expect(report.bill.inDoubtCost == "5.00")
        let second = try await engine.resume(processor, after: report)
        #expect(second.success)
        #expect(Set(keys.all).count == 1 && keys.all.count == 2)
    }

    @Test("cannot be released by a late failure while a later attempt makes them", arguments: [true, false])
    func lateFailure(fails: Bool) async throws {
        let time = ManualTime()
        let engine = Engine.testing(prices: Self.prices, time: time)
        let attempts = Counter()
        let (begun, answer, ended) = (Door(), Door(), Door())
        let processor = ClosureProcessor<Int, Int>("test") { input, context in
            let attempt = attempts.next()
            defer { if attempt == 1 { ended.open() } }
            return try await context.call("clear", "search", key: 1) { call in
                guard attempt == 1 else {
                    answer.open()
                    await ended.pass()
                    return input
                }
                begun.open()
                await answer.pass()
                if fails { throw ProcessingError(.api, "HTTP 500") }
                return input
            }
        }
        async let run = engine.run(
            processor, items: [Item("a", 1)],
            options: .with {
                $0.runner = ThreadRunner.two
                $0.itemTimeout = .seconds(10)
                $0.retryPolicy = try! RetryPolicy(maxRetries: 1, initialDelay: 0)
            })
        await begun.pass()
        time.advance(by: .seconds(10))
        let report = try await run
        #expect(report.success)
        #expect(report.bill.totalCost == "5.00")
        #expect(try await engine.store.calls(matching: CallFilter()).map(\.state) == [.settled])
    }

    @Test("tell the breaker of their service when they ran out of time") func breaker() async throws {
        let time = ManualTime()
        let engine = Engine.testing(prices: Self.prices, time: time)
        let (begun, never) = ([Door(), Door()], Door())
        let processor = ClosureProcessor<Int, Int>("test") { input, context in
            try await context.call("clear", "search") { _ in
                begun[input].open()
                await never.pass()
                return input
            }
        }
        let policy = try CircuitBreakerPolicy(failureThreshold: 2)
        async let run = engine.run(
            processor, items: (0..<4).map { Item("n\($0)", $0) },
            options: .with {
                $0.itemTimeout = .seconds(10)
                $0.breakers = ["clear": policy]
            })
        for door in begun {
            await door.pass()
            time.advance(by: .seconds(10))
        }
        let report = try await run
        #expect(report.outcomes.map(\.error?.code) == [.timeout, .timeout, .circuitOpen, .circuitOpen])
        never.open()
    }

    @Test("without a key have idempotency keys of their own, and each continues its own doubt") func unkeyed()
        async throws
    {
        let engine = Engine.testing(prices: Self.prices)
        let keys = Notes<String>()
        let runs = Counter()
        let processor = ClosureProcessor<Int, [Int]>("test") { _, context in
            let run = runs.next()
            return try await withThrowingTaskGroup(of: Int.self) { group in
                for page in 1...3 {
                    group.addTask {
                        try await context.step("page\(page)") {
                            try await context.call("clear", "search") { call in
                                keys.add("\(page) \(call.idempotencyKey)")
                                if run == 1, page == 2 { throw ProcessingError(.api, "lost", outcomeUnknown: true) }
                                return page
                            }
                        }
                    }
                }
                var pages: [Int] = []
                while let page = await group.nextResult() { pages.append(try page.get()) }
                return pages.sorted()
            }
        }
        let first = try await engine.run(processor, items: [Item("a", 1)])
        #expect(Set(keys.all).count == 3)
        let second = try await engine.resume(processor, after: first)
        #expect(second.success)
        #expect(keys.all.count(where: { $0.hasPrefix("2 ") }) == 2)
        #expect(Set(keys.all).count == 3)
        #expect(try await engine.bill(ofExecution: first.executionID).totalCost == "15.00")
    }

    @Test("without a key of items are not continued by those of the run") func ofTheRun() async throws {
        struct Both: Processor {
            let name = "both"
            let keys: Notes<String>
            func extract(_ input: Int, in context: Context) async throws -> Int {
                guard input > 0 else { return input }
                return try await context.call("clear", "search") { call in
                    keys.add(call.idempotencyKey)
                    throw ProcessingError(.api, "lost", outcomeUnknown: true)
                }
            }
            func aggregate(_ outputs: Outputs<Int>, in context: Context) async throws -> [Int] {
                try await context.call("clear", "search") { call in
                    keys.add(call.idempotencyKey)
                    return []
                }
            }
        }
        let keys = Notes<String>()
        let engine = Engine.testing(prices: Self.prices)
        let report = try await engine.run(
            Both(keys: keys), items: [Item("a", 0), Item("b", 1)], options: .with { $0.aggregatePartial = true })
        #expect(Set(keys.all).count == 2)
        #expect(report.bill.inDoubtCost == "5.00")
        #expect(report.bill.totalCost == "5.00")
    }
}

@Suite("A doubt that inputs share") struct SharedDoubtTests {
    @Test("is continued by whichever goes first, within one account", arguments: [true, false])
    func shared(sameAccount: Bool) async throws {
        let engine = Engine.testing(prices: FencedAttemptTests.prices)
        let keys = Notes<String>()
        let processor = ClosureProcessor<Int, Int>("test") { input, context in
            try await context.call("clear", "search", key: 1) { call in
                keys.add(call.idempotencyKey)
                guard keys.all.count > 1 else { throw ProcessingError(.api, "lost", outcomeUnknown: true) }
                return input
            }
        }
        let items = [Item("a", 1, accountID: "acc_1"), Item("b", 2, accountID: sameAccount ? "acc_1" : "acc_2")]
        let first = try await engine.run(processor, items: [items[0]])
        let second = try await engine.again(processor, after: first, items: items.reversed())
        #expect(second.success)
        #expect(Set(keys.all).count == (sameAccount ? 1 : 2))
        let bill = try await engine.bill(ofExecution: first.executionID)
        #expect(bill.totalCost == (sameAccount ? "5.00" : "10.00"))
        #expect(bill.inDoubt == [])
    }
}

@Suite("Cached values of items with accounts of their own") struct ItemAccountTests {
    @Test("are not shown to other accounts, of calls and of whole results", arguments: [true, false])
    func accounts(whole: Bool) async throws {
        let engine = Engine.testing(prices: .of(units: ["clear/search": "5.00"]))
        let calls = Counter()
        let processor = ClosureProcessor<Int, Int>("test") { input, context in
            try await context.call("clear", "search", key: whole ? nil : 1) { _ in calls.next() }
        }
        let items = ["acc_1", "acc_2", "acc_1"].enumerated().map { Item("n\($0)", 1, accountID: $1) }
        let report = try await engine.run(
            processor, items: items, options: .with { $0.itemCache = whole ? CachePolicy() : nil })
        #expect(try report.outputs(as: Int.self) == [1, 2, 1])
        #expect(report.bill.totalCost == "10.00")
        #expect(report.bill.avoidedCost == "5.00")
    }
}

@Suite("A run that was to do everything again and died") struct DeadReprocessTests {
    @Test("is gone on with as such: older successes are not taken over") func notCarried() async throws {
        let store = MemoryStore()
        let world = World.testing()
        let calls = Counter()
        let processor = ClosureProcessor<Int, Int>("test") { _, _ in calls.next() }
        let items = (0..<4).map { Item("n\($0)", $0) }
        let first = try await Engine(store: store, world: world).run(RegisteredProcessor(processor), over: items)
        #expect(first.success)
        // The second run dies when its second outcome is to be filed.
        let outcomes = Counter()
        let dying = FaultyStore(store) { write in
            if case .commit = write, outcomes.next() > 1 { throw ProcessingError(.store, "gone") }
            if case .update(let run) = write, run.status.isTerminal { throw ProcessingError(.store, "gone") }
        }
        _ = await code {
            try await Engine(store: dying, world: world).resume(
                first.runID, with: RegisteredProcessor(processor), options: .with { $0.recovery = .reprocess })
        }
        var dead = try #require(try await store.runs(matching: RunFilter()).first)
        #expect(dead.id != first.runID)
        dead.status = .failed
        dead.epoch += 1
        try await store.update(dead)
        let report = try await Engine(store: store, world: world).resume(
            dead.id, with: RegisteredProcessor(processor))
        #expect(report.success)
        #expect(report.outcomes.map(\.carried) == [true, false, false, false])
        #expect(try report.outputs(as: Int.self).allSatisfy { $0 > 4 })
    }
}

extension ThreadRunner {
    fileprivate static var two: ThreadRunner {
        do { return try ThreadRunner(maxWorkers: 2) } catch { preconditionFailure("\(error)") }
    }
}
