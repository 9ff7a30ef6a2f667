import Assay
import AssayTesting
import Logging
import Synchronization
import Testing

@Suite("Events") struct EventTests {
    static let prices = PriceList.of(base: ["test": Price("0.10")], units: ["clear/search": "5.00"])

    /// Fails odd numbers once, pays for even ones.
    static let processor = ClosureProcessor<Int, Int>("test") { n, context in
        let value = try await context.step("work") { n }
        guard n.isMultiple(of: 2) || context.attempt > 1 else { throw Refusal() }
        if n == 5 { throw ProcessingError(.validation, "no 5") }
        return try await context.call("clear", "search", key: 1) { _ in value }
    }

    func run(_ events: EventStream, _ runner: any Runner = .sequential, count: Int = 2) async throws -> (Engine, Report)
    {
        let engine = Engine.testing(prices: Self.prices, events: events)
        let report = try await engine.run(
            Self.processor, over: Array(1...count),
            options: .with {
                $0.runner = runner
                $0.retryPolicy = try RetryPolicy(maxRetries: 1)
            })
        return (engine, report)
    }

    func stored(_ engine: Engine, _ report: Report) async throws -> [Event] {
        try await engine.store.events(of: report.runID, after: 0, limit: .max)
    }

    @Test("tell a run from its start to its end") func kinds() async throws {
        let (engine, report) = try await run(EventStream(level: .debug))
        #expect(
            try await stored(engine, report).map(\.kind.rawValue) == [
                "run_start", "charge", "item_start", "step_saved", "item_retry", "cache_miss", "charge",
                "item_complete",
                "item_start", "step_saved", "charge", "cache_hit", "item_complete", "run_complete",
            ])
    }

    @Test("say what, when, where and for whom") func fields() async throws {
        let (engine, report) = try await run(EventStream(level: .debug))
        let events = try await stored(engine, report)
        let retry = try #require(events.first { $0.kind == .itemRetry })
        #expect(retry.inputID == "item_1")
        #expect(retry.data == ["code": "extraction", "message": "refused", "attempt": 1, "after_ms": 1_000])
        let complete = try #require(events.last)
        #expect(complete.data["status"] == "succeeded")
        #expect(complete.data["counts"]?["succeeded"] == 2)
        #expect(events.allSatisfy { $0.runID == report.runID && $0.executionID == report.executionID })
        #expect(Set(events.map(\.eventID)).count == events.count)
        #expect(
            retry.jsonValue.object?.keys == [
                "data", "event_id", "event_type", "execution_id", "graph_id", "input_id", "level", "processor_id",
                "run_id",
                "schema", "sequence", "timestamp",
            ])
        #expect(retry.jsonValue["level"] == "warning")
    }

    @Test("of failures name code, message and step") func failure() async throws {
        let (engine, report) = try await run(EventStream(), count: 5)
        let error = try #require(try await stored(engine, report).first { $0.kind == .itemError })
        #expect(error.inputID == "item_5")
        #expect(error.data == ["code": "validation", "message": "no 5", "step": "extraction"])
    }

    @Test("are numbered from 1 without gaps and kept in that order", arguments: Runners.all)
    func gapless(runner: any Runner) async throws {
        let (engine, report) = try await run(EventStream(level: .debug), runner, count: 200)
        let events = try await stored(engine, report)
        #expect(events.map(\.sequence) == (1...events.count).map { $0 })
        #expect(events.last?.kind == .runComplete)
        #expect(events.filter { $0.kind == .itemComplete }.count == 200)
        let rest = try await engine.store.events(of: report.runID, after: 100, limit: 10)
        #expect(rest.map(\.sequence) == (101...110).map { $0 })
    }

    @Test(
        "below the level are not recorded",
        arguments: [
            (Logger.Level.info, ["run_start", "item_retry", "run_complete"]), (.warning, ["item_retry"]),
            (.critical, []),
        ])
    func level(level: Logger.Level, kinds: [String]) async throws {
        let (engine, report) = try await run(EventStream(level: level))
        let events = try await stored(engine, report)
        #expect(events.map(\.kind.rawValue) == kinds)
        #expect(events.map(\.sequence) == Array(1...max(1, kinds.count)).prefix(kinds.count).map { $0 })
        #expect(engine.events.latest().map(\.kind.rawValue) == kinds)
    }

    @Test("reach those who ask for them, in order, recorded or not", arguments: Runners.all)
    func subscribers(runner: any Runner) async throws {
        let stream = EventStream()
        let (all, charges) = (Notes<Event>(), Notes<Event>())
        let everything = stream.subscribe { all.add($0) }
        let some = stream.subscribe([.charge]) { charges.add($0) }
        let (engine, report) = try await run(stream, runner, count: 50)
        await everything.finish()
        await some.finish()
        // The base and one call of each item but the fifth.
        #expect(charges.all.count == 50)
        #expect(charges.all.allSatisfy { $0.kind == .charge && $0.sequence == nil })
        #expect(all.all.compactMap(\.sequence) == Array(1...(try await stored(engine, report).count)))
        #expect(all.all.first?.kind == .runStart)
        #expect(all.all.last?.kind == .runComplete)
    }

    @Test("a subscriber that throws disturbs nobody") func throwing() async throws {
        let stream = EventStream()
        let (seen, heard) = (Counter(), Counter())
        let broken = stream.subscribe { _ in
            seen.next()
            throw Refusal()
        }
        let sound = stream.subscribe { _ in heard.next() }
        let (_, report) = try await run(stream)
        await broken.finish()
        await sound.finish()
        #expect(report.success)
        #expect(seen.count == heard.count)
        #expect(seen.count > 3)
    }

    @Test("after its end a subscription gets nothing more") func finished() async throws {
        let stream = EventStream()
        let seen = Counter()
        let subscription = stream.subscribe { _ in seen.next() }
        await subscription.finish()
        _ = try await run(stream)
        #expect(seen.count == 0)
    }

    @Test("the ring keeps the newest and counts what it dropped", arguments: [(1, 3), (2, 3), (5, 3), (100, 3)])
    func ring(runs: Int, capacity: Int) async throws {
        let stream = EventStream(capacity: capacity)
        let engine = Engine.testing(events: stream)
        var expected: [Event.Kind] = []
        for _ in 1...runs {
            let report = try await engine.run([1]) { (n: Int, _: Context) in n }
            expected += try await engine.store.events(of: report.runID, after: 0, limit: .max).map(\.kind)
        }
        #expect(stream.latest(1_000).map(\.kind) == expected.suffix(capacity))
        #expect(stream.latest(2).map(\.kind) == expected.suffix(2))
        #expect(stream.dropped == max(0, expected.count - capacity))
    }

    @Test(
        "have the documented levels",
        arguments: [
            ("processor_start", "debug"), ("processor_error", "error"), ("pipe_full", "warning"), ("run_start", "info"),
            ("item_start", "debug"), ("item_error", "error"), ("item_retry", "warning"), ("step_saved", "debug"),
            ("charge", "debug"), ("cost_in_doubt", "warning"), ("cost_overrun", "warning"),
            ("budget_warning", "warning"),
            ("budget_exceeded", "error"), ("cache_hit", "debug"), ("cache_miss", "debug"), ("breaker_open", "error"),
            ("alert", "warning"), ("hint", "info"), ("warning", "warning"), ("admission_denied", "warning"),
            ("execution_status", "info"), ("batch_complete", "info"), ("checkpoint_create", "info"),
        ])
    func levels(kind: String, level: String) throws {
        #expect(try #require(Event.Kind(rawValue: kind)).level.rawValue == level)
    }

    /// What a log was told.
    struct Log: LogHandler {
        let lines: Notes<String>
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.info
        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }
        func log(event: LogEvent) {
            let all = metadata.merging(event.metadata ?? [:]) { $1 }
            let facts = all.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: " ")
            lines.add("\(event.level) \(event.message) \(facts)")
        }
    }

    @Test("a processor's log lines name run, processor, account and item") func logger() async throws {
        let lines = Notes<String>()
        let engine = Engine(
            logger: Logger(label: "test") { _ in Log(lines: lines) }, world: .testing())
        let items = [Item("a", 1, accountID: "acc_1")]
        let report = try await engine.run(
            RegisteredProcessor(
                ClosureProcessor<Int, Int>("test") { n, context in
                    context.logger.notice("hello")
                    return n
                }), over: items, options: .with { $0.scope.accountID = ExternalID("acc_1") })
        #expect(lines.all == ["notice hello account=acc_1 item=a processor=test run=\(report.runID)"])
    }
}

@Suite("Hints") struct HintTests {
    func hints(_ engine: Engine) -> [String] {
        engine.events.latest().filter { $0.kind == .hint }.compactMap { $0.data["message"]?.string }
    }

    static let priced = PriceList.of(base: ["test": Price("0.10")])

    @Test("two items that fail alike give one hint with their number") func repeated() async throws {
        let engine = Engine.testing(prices: Self.priced)
        _ = try await engine.run([1, 2, 3, 4]) { (n: Int, _: Context) -> Int in
            throw Refusal(description: n == 4 ? "other" : "no text")
        }
        #expect(hints(engine) == ["3 items failed with extraction: no text"])
    }

    @Test("different failures give none") func different() async throws {
        let engine = Engine.testing(prices: Self.priced)
        _ = try await engine.run([1, 2]) { (n: Int, _: Context) -> Int in throw Refusal(description: "\(n)") }
        #expect(hints(engine) == [])
    }

    @Test(
        "more than 100 slow items one after another are told of the thread runner",
        arguments: [
            (101, 51, true), (100, 51, false), (101, 50, false),
        ])
    func slow(count: Int, milliseconds: Int, told: Bool) async throws {
        let time = ManualTime(runsFree: true)
        let engine = Engine.testing(prices: Self.priced, time: time)
        _ = try await engine.run(Array(1...count)) { (n: Int, _: Context) in
            time.advance(by: .milliseconds(milliseconds))
            return n
        }
        #expect(hints(engine).contains { $0.contains("thread") } == told)
    }

    @Test("ten look-ups that miss although two items are equal mean that keys are not stable") func unstableKeys()
        async throws
    {
        let engine = Engine.testing(prices: Self.priced)
        let number = Counter()
        _ = try await engine.run(Array(repeating: 1, count: 10)) { (_: Int, context: Context) in
            try await context.call("clear", "search", maximumCost: "1", key: .number(Number(number.next()))) { _ in 1 }
        }
        #expect(hints(engine).contains { $0.contains("key") })
    }
}
