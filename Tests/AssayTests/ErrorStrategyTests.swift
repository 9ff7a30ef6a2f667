import Assay
import AssayTesting
import Synchronization
import Testing

@Suite("An error strategy") struct ErrorStrategyTests {
    static let node: Identifier = .numbered("node_", 1)
    static let failure = ProcessingError(.extraction, "no text")

    static func retry(_ retries: Int, _ initial: Double, maxDelay: Double = 60) -> RetryStrategy {
        // A policy of these numbers is always one.
        RetryStrategy((try? RetryPolicy(maxRetries: retries, initialDelay: initial, maxDelay: maxDelay)) ?? .none)
    }

    static func skip(_ limit: Int) -> SkipStrategy { (try? SkipStrategy(maxSkips: limit)) ?? .skip }

    static func composite(
        _ strategies: [any ErrorStrategy], _ order: CompositeStrategy.Order = .sequential
    ) -> CompositeStrategy { (try? CompositeStrategy(strategies, order: order)) ?? .standard }

    static func halt(final: Bool = false) throws -> HaltStrategy { try HaltStrategy(isFinal: final) }

    static func breaker(threshold: Int = 3) throws -> BreakerStrategy {
        BreakerStrategy(
            try CircuitBreakerPolicy(
                failureThreshold: threshold, recoveryTimeout: .seconds(60), successThreshold: 3))
    }

    static func recovery(
        _ strategy: any ErrorStrategy, time: ManualTime = ManualTime(), breakers: CircuitBreakers = Engine().breakers
    ) -> RunRecovery {
        RunRecovery(
            graph: .numbered("graph_", 1), standard: strategy, breakers: breakers, world: .testing(time: time))
    }

    /// The answers in short: delays in seconds, `skip`, `halt`.
    static func answers(
        _ count: Int, of recovery: RunRecovery, to error: ProcessingError = failure, at item: String = "jan"
    ) async -> [String] {
        var answers: [String] = []
        for _ in 0..<count {
            let admission = try? recovery.admit(node)
            let answer = await recovery.answer(to: error, of: node, at: item, data: 1, after: admission)
            if case .retry(let delay) = answer {
                answers.append("\(delay / .seconds(1))")
            } else {
                answers.append(answer.name)
            }
        }
        return answers
    }

    static func skips(_ count: Int) -> [String] { [String](repeating: "skip", count: count) }

    static let sequences: [(any ErrorStrategy, [String])] = [
        (SkipStrategy.skip, skips(12)),
        (skip(2), ["skip", "skip", "halt", "halt"]),
        (skip(0), ["halt"]),
        (retry(3, 1), ["1.0", "2.0", "4.0", "halt"]),
        (retry(5, 1, maxDelay: 5), ["1.0", "2.0", "4.0", "5.0", "5.0", "halt"]),
        (composite([retry(3, 1), skip(5)]), ["1.0", "2.0", "4.0"] + skips(5) + ["halt"]),
        (composite([retry(3, 1), skip(5)], .parallel), ["1.0", "2.0", "4.0"] + skips(5) + ["halt"]),
        (CompositeStrategy.standard, ["0.5", "1.0"] + skips(10) + ["halt"]),
        (composite([composite([retry(1, 1)]), composite([skip(1)])]), ["1.0", "skip", "halt"]),
    ]

    @Test("answers as its table says, asked again and again", arguments: sequences)
    func sequence(strategy: any ErrorStrategy, expected: [String]) async {
        #expect(await Self.answers(expected.count, of: Self.recovery(strategy)) == expected)
    }

    @Test(
        "that is a final halt ends the list, in both orders",
        arguments: [CompositeStrategy.Order.sequential, .parallel], [(false, "skip"), (true, "halt")])
    func halts(order: CompositeStrategy.Order, isFinal: (Bool, String)) async throws {
        let strategy = Self.composite([try Self.halt(final: isFinal.0), Self.skip(5)], order)
        #expect(await Self.answers(1, of: Self.recovery(strategy)) == [isFinal.1])
        let nested = Self.composite([Self.composite([try Self.halt(final: isFinal.0)]), Self.skip(5)], order)
        #expect(await Self.answers(1, of: Self.recovery(nested)) == [isFinal.1])
    }

    @Test("retries only what it is to retry")
    func retryOn() async throws {
        let rejected = ProcessingError(.validation, "no date")
        #expect(await Self.answers(1, of: Self.recovery(Self.retry(3, 1)), to: rejected) == ["halt"])
        let policy = try RetryPolicy(maxRetries: 1, retryOn: .codes([.validation]))
        let recovery = Self.recovery(RetryStrategy(policy))
        #expect(await Self.answers(2, of: recovery, to: rejected) == ["1.0", "halt"])
        #expect(await Self.answers(1, of: recovery, to: Self.failure, at: "feb") == ["halt"])
    }

    @Test("counts retries by node and item, and skips for the whole run: of six, five are skipped")
    func counts() async {
        let recovery = Self.recovery(Self.composite([Self.retry(3, 1), Self.skip(5)]))
        for item in 1...6 {
            let expected = ["1.0", "2.0", "4.0", item < 6 ? "skip" : "halt"]
            #expect(await Self.answers(4, of: recovery, at: "item_\(item)") == expected)
        }
        #expect(recovery.skippedItems.map(\.inputID) == (1...5).map { "item_\($0)" })
    }

    @Test("skips exactly as many as it may when all items fail at once")
    func concurrent() async {
        let recovery = Self.recovery(Self.composite([Self.skip(7)], .parallel))
        let skipped = await withTaskGroup(of: ErrorAnswer.self) { group in
            for item in 1...40 {
                group.addTask {
                    await recovery.answer(to: Self.failure, of: Self.node, at: "\(item)", data: 1, after: nil)
                }
            }
            return await group.reduce(0) { $0 + ($1 == .skip ? 1 : 0) }
        }
        #expect(skipped == 7)
        #expect(recovery.skippedCount == 7)
    }

    @Test("of a node counts for itself, apart from that of the graph")
    func perStrategy() async {
        let other: Identifier = .numbered("node_", 2)
        let recovery = RunRecovery(
            graph: .numbered("graph_", 1), standard: Self.skip(1), strategies: [other: Self.skip(1)],
            breakers: Engine().breakers, world: .testing())
        var answers: [String] = []
        for node in [Self.node, other, Self.node, other] {
            answers.append(
                await recovery.answer(to: Self.failure, of: node, at: "jan", data: 1, after: nil).name)
        }
        #expect(answers == ["skip", "skip", "halt", "halt"])
    }

    @Test("keeps what it skipped")
    func skippedItems() async {
        let recovery = Self.recovery(SkipStrategy.skip)
        _ = await Self.answers(1, of: recovery)
        #expect(
            recovery.skippedItems.map(\.jsonValue) == [
                [
                    "processor_id": "node_1", "input_id": "jan", "error": "no text",
                    "timestamp": "2025-03-03T09:15:00Z", "input_data": 1,
                ]
            ])
    }

    @Test("of one's own answers what it likes; one that throws halts, and is passed over among others")
    func own() async {
        let throwing = ClosureStrategy { _ in throw Self.failure }
        let own = ClosureStrategy { failure in
            failure.number == 1 && failure.node == Self.node && failure.skips == 0 ? .retry(after: .seconds(9)) : .skip
        }
        #expect(await Self.answers(2, of: Self.recovery(own)) == ["9.0", "skip"])
        #expect(await Self.answers(1, of: Self.recovery(throwing)) == ["halt"])
        for order in CompositeStrategy.Order.allCases {
            #expect(
                await Self.answers(2, of: Self.recovery(Self.composite([throwing, own], order))) == ["9.0", "skip"])
            #expect(await Self.answers(1, of: Self.recovery(Self.composite([throwing], order))) == ["halt"])
        }
    }

    @Test("that halts cleans up once a run, no longer than it may")
    func cleansUp() async throws {
        let time = ManualTime()
        let calls = Counter()
        let hanging = try HaltStrategy(cleanupTimeout: .seconds(5)) { failure in
            calls.next()
            #expect(failure.inputID == "jan")
            try await time.sleep(until: .seconds(1_000))
        }
        let recovery = Self.recovery(hanging, time: time)
        async let answer = recovery.answer(to: Self.failure, of: Self.node, at: "jan", data: 1, after: nil)
        await time.waitForSleepers(2)
        time.advance(by: .seconds(5))
        #expect(await answer == .halt(.init(cleanupTimeout: .seconds(5))))
        #expect(await Self.answers(1, of: recovery, at: "feb") == ["halt"])
        #expect(calls.count == 1)
    }

    @Test("without sense is refused")
    func refused() throws {
        #expect(throws: ProcessingError.self) { try SkipStrategy(maxSkips: -1) }
        #expect(throws: ProcessingError.self) { try HaltStrategy(cleanupTimeout: .seconds(-1)) }
        #expect(throws: ProcessingError.self) { try CompositeStrategy([]) }
        let breakers = [try Self.breaker(threshold: 3), try Self.breaker(threshold: 4)]
        #expect(throws: ProcessingError.self) { try CompositeStrategy(breakers) }
    }
}

extension ErrorStrategyTests {
    @Suite("that is a circuit breaker") struct WithBreaker {
        typealias Given = ErrorStrategyTests

        @Test("skips until it opens, and halts then") func opens() async throws {
            let recovery = Given.recovery(try Given.breaker())
            #expect(await Given.answers(4, of: recovery) == ["skip", "skip", "halt", "halt"])
        }

        @Test("opens at the last of failure, failure, success, failure, failure") func successes() async throws {
            let recovery = Given.recovery(try Given.breaker())
            #expect(await Given.answers(2, of: recovery) == ["skip", "skip"])
            recovery.succeed(Given.node, after: try recovery.admit(Given.node))
            #expect(await Given.answers(2, of: recovery) == ["skip", "halt"])
        }

        @Test("refuses while it is open, tries one at a time, and closes after three successes")
        func recovers() async throws {
            let time = ManualTime()
            let told = Mutex<[CircuitBreaker.State]>([])
            let recovery = RunRecovery(
                graph: .numbered("graph_", 1), standard: try Given.breaker(), breakers: Engine().breakers,
                world: .testing(time: time)
            ) { _, state in told.withLock { $0.append(state) } }
            time.advance(by: .seconds(2))
            _ = await Given.answers(3, of: recovery)
            time.advance(by: .seconds(28))
            #expect(throws: ProcessingError.self) { try recovery.admit(Given.node) }
            time.advance(by: .seconds(32))
            for _ in 1...3 {
                let trial = try recovery.admit(Given.node)
                #expect(throws: ProcessingError.self) { try recovery.admit(Given.node) }
                recovery.succeed(Given.node, after: trial)
            }
            #expect(told.withLock { $0 } == [.open, .halfOpen, .closed])
            #expect(await Given.answers(3, of: recovery) == ["skip", "skip", "halt"])
        }

        @Test("opens anew, and halts, when a trial fails") func failsAgain() async throws {
            let time = ManualTime()
            let recovery = Given.recovery(try Given.breaker(), time: time)
            _ = await Given.answers(3, of: recovery)
            time.advance(by: .seconds(60))
            #expect(await Given.answers(1, of: recovery) == ["halt"])
            time.advance(by: .seconds(59))
            #expect(throws: ProcessingError.self) { try recovery.admit(Given.node) }
            time.advance(by: .seconds(1))
            recovery.withdraw(Given.node, after: try recovery.admit(Given.node))
            recovery.succeed(Given.node, after: try recovery.admit(Given.node))
        }

        @Test("before a skip lets items pass quickly while it is open; attempts that were retried count as well")
        func passes() async throws {
            let open = Given.recovery(Given.composite([try Given.breaker(), Given.skip(9)]))
            #expect(await Given.answers(5, of: open) == Given.skips(5))
            #expect(throws: ProcessingError.self) { try open.admit(Given.node) }
            let retried = Given.recovery(Given.composite([Given.retry(5, 1), try Given.breaker()]))
            #expect(await Given.answers(3, of: retried) == ["1.0", "2.0", "4.0"])
            #expect(throws: ProcessingError.self) { try retried.admit(Given.node) }
        }

        @Test("lives as long as the engine, is listed under graph and node, and can be reset") func outlives()
            async throws
        {
            let engine = Engine()
            _ = await Given.answers(3, of: Given.recovery(try Given.breaker(), breakers: engine.breakers))
            let later = Given.recovery(try Given.breaker(), breakers: engine.breakers)
            #expect(throws: ProcessingError.self) { try later.admit(Given.node) }
            #expect(engine.breakers.all["graph_1/node_1"]?.state == .open)
            engine.breakers.reset("graph_1/node_1")
            later.succeed(Given.node, after: try later.admit(Given.node))
        }
    }
}
