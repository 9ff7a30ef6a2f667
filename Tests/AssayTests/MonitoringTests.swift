import Assay
import AssayTesting
import Logging
import Synchronization
import Testing

@Suite("Monitoring") struct MonitoringTests {
    static func fail(_ engine: Engine, name: String = "test") async throws -> Report {
        try await engine.run([1, 2], name: name) { input, _ in
            guard input == 1 else { throw ProcessingError(.extraction, "no text") }
            return input
        }
    }

    @Test("gives the newest events, by kind, processor, level and run") func queries() async throws {
        let engine = Engine.testing()
        let first = try await Self.fail(engine, name: "a")
        _ = try await Self.fail(engine, name: "b")
        let events = engine.events
        #expect(events.latest(EventQuery(kinds: [.runStart])).count == 2)
        #expect(events.latest(EventQuery(kinds: [.itemError], runID: first.runID)).map(\.inputID) == ["item_2"])
        #expect(events.latest(EventQuery(processorID: Identifier("b"))).allSatisfy { $0.processorID?.text == "b" })
        #expect(events.latest(EventQuery(level: .error)).map(\.kind) == [.itemError, .itemError])
        let all = events.latest(EventQuery())
        #expect(events.latest(EventQuery(limit: 2)) == Array(all.suffix(2)))
        #expect(events.latest(EventQuery(limit: 0)).isEmpty)
    }

    @Test("adds up what was recorded") func summary() async throws {
        let time = ManualTime()
        let engine = Engine(events: EventStream(time: time), world: .testing(time: time))
        _ = try await Self.fail(engine, name: "a")
        let total = engine.events.latest().count
        time.advance(by: .seconds(30))
        let summary = engine.events.summary()
        #expect(summary.totalEvents == total)
        #expect(summary.eventsByType[.itemError] == 1)
        #expect(summary.eventsByProcessor[.numbered("a", 0)] == nil)
        #expect(summary.eventsByProcessor.values.reduce(0, +) == total)
        #expect(summary.recentEventsPerSecond == Double(total) / 60)
        #expect(summary.activeProcessors.isEmpty)
        let json = summary.jsonValue
        #expect(json["uptime_seconds"] == 30)
        #expect(json["active_taps"] == 0)
        #expect(json["status"] == "idle")
        #expect(json["processor_statuses"] == ["a": "completed"])
        time.advance(by: .seconds(31))
        #expect(engine.events.summary().recentEventsPerSecond == 0)
    }

    @Test("is exported as one array or as lines, in no other form") func export() async throws {
        let engine = Engine.testing()
        _ = try await Self.fail(engine)
        let events = engine.events.latest(EventQuery()).map(\.jsonValue)
        #expect(try JSONValue(json: try engine.events.export(as: "json")) == .array(events))
        let lines = try engine.events.export(as: "jsonl").split(separator: "\n")
        #expect(try lines.map { try JSONValue(json: String($0)) } == events)
        let error = #expect(throws: ProcessingError.self) { try engine.events.export(as: "xml") }
        #expect(error?.message == "unknown export format 'xml'; known: json, jsonl")
    }

    @Test("that is off gives nobody any event") func disabled() async throws {
        let engine = Engine.testing(events: EventStream(isEnabled: false))
        let heard = Counter()
        let subscription = engine.events.subscribe { _ in heard.next() }
        let report = try await Self.fail(engine)
        await subscription.finish()
        #expect(heard.count == 0)
        #expect(engine.events.latest().isEmpty)
        #expect(try await engine.store.events(of: report.runID, after: 0, limit: 9).isEmpty)
    }

    @Test("counts what a subscriber throws and what it is too slow for") func counts() async throws {
        let engine = Engine.testing()
        let failing = engine.events.subscribe([.runComplete]) { _ in throw ProcessingError(.processing, "no") }
        let (gate, opener) = AsyncStream.makeStream(of: Void.self)
        let slow = engine.events.subscribe([.itemStart]) { _ in for await _ in gate {} }
        _ = try await engine.run(Array(1...1_500)) { (input: Int, _) in input }
        #expect(slow.dropped >= 499)
        opener.finish()
        await slow.finish()
        await failing.finish()
        #expect(failing.errors == 1)
        #expect(failing.dropped == 0)
    }
}
