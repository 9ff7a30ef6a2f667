import Assay
import AssayTesting
import Foundation
import Logging
import Synchronization
import Testing

@Suite("An alert") struct AlertTests {
    static func event(_ kind: Event.Kind = .processorError, _ data: JSONObject = [:]) -> Event {
        Event(
            kind, timestamp: ManualTime().now(), runID: nil, executionID: nil, processorID: .numbered("node_", 1),
            inputID: "jan", data: data)
    }

    static func error(_ number: Int) -> ProcessingError { ProcessingError(.extraction, "\(number)") }

    /// An engine whose runs fail one item each and retry nothing.
    static func engine(_ time: ManualTime, level: Logger.Level = .info) -> Engine {
        Engine(events: EventStream(level: level, time: time), world: .testing(time: time))
    }

    static func fail(_ engine: Engine) async throws {
        _ = try await engine.run([1]) { (_: Int, _) -> Int in throw error(1) }
    }

    @Test("fires again when its cooldown has passed since it fired last: at 0, 60 and 130 s of six events")
    func cooldown() async throws {
        let time = ManualTime()
        let engine = Self.engine(time)
        let fired = Mutex<[Timestamp]>([])
        let (heard, hear) = AsyncStream.makeStream(of: Void.self)
        // The condition is asked last, so when it has been asked for an event all else is decided.
        let rules = [
            try AlertRule(
                "errors", on: [.itemError],
                action: .perform { alert in fired.withLock { $0.append(alert.event.timestamp) } }),
            try AlertRule("heard", on: [.itemError]) { _ in
                hear.yield()
                return false
            },
        ]
        let alerts = try engine.watch(rules)
        var sounds = heard.makeAsyncIterator()
        for moment in [0, 10_000, 59_900, 60_000, 61_000, 130_000] {
            time.advance(by: .milliseconds(moment) - time.uptime())
            try await Self.fail(engine)
            await sounds.next()
        }
        await alerts.finish()
        #expect(alerts.states.map(\.fired) == [3, 0])
        #expect(alerts.states.map(\.suppressed) == [3, 0])
        #expect(alerts.states.first?.lastFired == time.now())
        // By the events that fired it: their alert is told a moment after it is decided, when the clock may be further.
        let moments = fired.withLock { $0.map(\.milliseconds) }
        #expect(moments.map { $0 - (moments.first ?? 0) } == [0, 60_000, 130_000])
        let told = engine.events.latest(EventQuery(kinds: [.alert]))
        #expect(told.count == 3)
        #expect(told.first?.data["alert"] == "errors")
    }

    @Test("fires where its condition holds") func condition() async throws {
        let engine = Self.engine(ManualTime())
        let rules = [
            try AlertRule("yes", condition: try Condition("event.data.code == 'extraction'", for: .alert)),
            try AlertRule("no", condition: try Condition("event.data.code == 'timeout'", for: .alert)),
        ]
        let alerts = try engine.watch(rules)
        try await Self.fail(engine)
        await alerts.finish()
        #expect(alerts.states.map(\.fired) == [1, 0])
        #expect(alerts.states.map(\.isActive) == [true, false])
        #expect(try await alerts.clear("yes"))
        #expect(try await !alerts.clear("nobody"))
        #expect(alerts.states.map(\.isActive) == [false, false])
        #expect(alerts.states.map(\.fired) == [1, 0])
    }

    @Test("whose condition throws does not fire, and that is a warning") func brokenCondition() async throws {
        let engine = Self.engine(ManualTime())
        let alerts = try engine.watch([try AlertRule("broken", on: [.itemError]) { _ in throw Self.error(1) }])
        try await Self.fail(engine)
        await alerts.finish()
        #expect(alerts.states.map(\.fired) == [0])
        let warning = engine.events.latest(EventQuery(kinds: [.warning])).first
        #expect(warning?.data["message"]?.string?.hasPrefix("the condition of alert 'broken' failed") == true)
    }

    @Test("whose action throws is counted, and disturbs neither the run nor another alert") func brokenAction()
        async throws
    {
        let engine = Self.engine(ManualTime())
        let done = Counter()
        let alerts = try engine.watch([
            try AlertRule("broken", on: [.itemError], action: .perform { _ in throw Self.error(1) }),
            try AlertRule("whole", on: [.itemError], action: .perform { _ in done.next() }),
        ])
        try await Self.fail(engine)
        await alerts.finish()
        #expect(alerts.states.map(\.errors) == [1, 0])
        #expect(done.count == 1)
    }

    @Test("fires at no alert, and at kinds below the level only when it names them") func kinds() async throws {
        let engine = Self.engine(ManualTime(), level: .error)
        let alerts = try engine.watch([
            try AlertRule("all", cooldown: .zero), try AlertRule("starts", on: [.itemStart, .alert], cooldown: .zero),
        ])
        try await Self.fail(engine)
        await alerts.finish()
        #expect(alerts.states.map(\.fired) == [1, 1])
    }

    @Test("is of one name, and without sense refused") func names() throws {
        let rule = try AlertRule("a")
        let error = #expect(throws: ProcessingError.self) { try Engine().watch([rule, rule]) }
        #expect(error?.code == .exists)
        #expect(throws: ProcessingError.self) { try AlertRule("") }
        #expect(throws: ProcessingError.self) { try AlertRule("a", cooldown: .seconds(-1)) }
    }
}
