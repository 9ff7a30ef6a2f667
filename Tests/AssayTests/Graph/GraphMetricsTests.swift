import AssayTesting
import Testing

@testable import Assay

@Suite("Metrics of nodes and pipes") struct GraphMetricsTests {
    /// `a` takes a second, `b` three and fails on 2, `c` none.
    private func graph(_ time: ManualTime) throws -> Graph {
        try Graph.linear(
            "g",
            [
                Node("a") { (value: Int, context: Context) in
                    time.advance(by: .seconds(1))
                    try await context.charge("s", "o", cost: "0.5")
                    return value
                },
                Node("b") { (value: Int) in
                    time.advance(by: .seconds(3))
                    if value == 2 { throw ProcessingError(.extraction, "no text") }
                    return value
                },
                .passing("c"),
            ])
    }

    private func report(_ time: ManualTime = ManualTime()) async throws -> Report {
        try await Engine.testing(time: time).run(
            graph(time), over: [1, 2],
            options: .with {
                $0.runner = .sequential
                $0.errorStrategy = .skip
            })
    }

    @Test("are sums over the items of a node, the one that took longest first") func sums() async throws {
        let profile = try await report().profile
        #expect(profile.map(\.processorID.text) == ["b", "a", "c"])
        #expect(profile.map(\.state) == [.failed, .succeeded, .succeeded])
        #expect(profile.map(\.items) == [2, 2, 1])
        #expect(profile.map(\.errors) == [1, 0, 0])
        #expect(profile.map(\.attempts) == [2, 2, 1])
        #expect(profile.map(\.total) == [.seconds(6), .seconds(2), .zero])
        #expect(profile.map(\.mean) == [.seconds(3), .seconds(1), .zero])
        #expect(profile.map(\.errorRate) == [0.5, 0, 0])
        #expect(profile.map(\.cost) == [.zero, "1", .zero])
        #expect(profile[0].lastError == "extraction: no text" && profile[1].lastError == nil)
        let b = profile[0]
        #expect(b.itemsPerSecond == 2 / (b.uptime / .seconds(1)))
        #expect(b.finishedAt == b.startedAt?.advanced(by: b.uptime))
        #expect(profile[1].startedAt == Timestamp("2025-03-03T09:15:00Z"))
    }

    @Test("are written as JSON in the metrics of a report, under their documented keys") func json() async throws {
        let report = try await report()
        let nodes = try #require(report.jsonValue()["metrics"]?["nodes"]?.array)
        #expect(nodes.map { $0["processor_id"] } == ["b", "a", "c"])
        let b = try #require(nodes[0].object)
        #expect(
            Set(b.keys) == [
                "processor_id", "state", "uptime_seconds", "total_items_processed", "total_items_reused",
                "total_processing_time_seconds", "attempts", "error_count", "last_error", "average_processing_time",
                "throughput_items_per_second", "error_rate", "cost", "pipes", "config", "start_time", "end_time",
            ])
        #expect(b["state"] == "failed" && b["total_items_processed"] == 2 && b["error_count"] == 1)
        #expect(b["total_processing_time_seconds"] == 6 && b["average_processing_time"] == 3)
        #expect(b["last_error"] == "extraction: no text")
        #expect(b["config"]?["concurrency"] == 10 && b["config"]?["inputs"] == "require_all")
        let pipe = try #require(b["pipes"]?["a:output->b:input"])
        #expect(pipe["state"] == "closed" && pipe["size"] == 0 && pipe["max_size"] == 1_000)
        #expect(pipe["total_items"] == 2 && pipe["total_bytes"] == .null && pipe["active_taps"] == 0)
        for (node, written) in zip(report.profile, nodes) { #expect(NodeMetrics(json: written) == node) }
    }

    @Test("are not those of single processors") func processors() async throws {
        let report = try await Engine.testing().run([1]) { (value: Int, _) in value }
        #expect(report.profile.isEmpty)
        #expect(try report.jsonValue()["metrics"]?["nodes"] == nil)
    }

    @Test("count what was taken from earlier runs apart") func reused() async throws {
        let (engine, broken) = (Engine.testing(), Counter())
        let graph = try Graph.linear(
            "g",
            [
                .passing("a"),
                Node("b") { (value: JSONValue) in
                    if broken.next() == 1 { throw Refusal() }
                    return value
                },
            ])
        let first = try await engine.run(graph, over: [1], options: .failing)
        let second = try await engine.resume(first.runID, with: graph)
        let a = try #require(second.profile.first { $0.processorID.text == "a" })
        #expect(a.items == 0 && a.reused == 1 && a.attempts == 0 && a.state == .succeeded)
    }

    @Test("say which nodes were skipped and which never reached") func states() async throws {
        let graph = try Graph("g")
        try graph.add(.passing("split", outputs: ["left", "right"]))
        for name in ["l", "r"] { try graph.add(.passing(name)) }
        for wire in ["split:left -> l", "split:right -> r"] { try graph.wire(wire) }
        let report = try await Engine.testing().run(graph, over: [["left": 1] as JSONValue])
        let states = Dictionary(uniqueKeysWithValues: report.profile.map { ($0.processorID.text, $0.state) })
        #expect(states == ["split": .succeeded, "l": .succeeded, "r": .skipped])
        #expect(try await Engine.testing().run(graph, over: [JSONValue]()).profile.map(\.state) == [])
    }

    // MARK: In progress

    /// A run of `a -> b` over six items, `b` at work on the first of them, two in the pipe, three waiting for room.
    private func crowded(
        measured: Bool, kinds: Set<Event.Kind>,
        _ look: @escaping @Sendable (RunHandle, Engine, ManualTime) -> Void
    ) async throws -> (report: Report, told: [Event], engine: Engine) {
        let (time, events) = (ManualTime(), EventStream())
        let engine = Engine.testing(events: events, time: time)
        let (handles, told, put) = (Notes<RunHandle>(), Notes<Event>(), Counter())
        let (crowd, looked) = (Door(), Door())
        let subscription = events.subscribe(kinds) { told.add($0) }
        let graph = try Graph("g")
        try graph.add(.passing("a"))
        try graph.add(
            try Node("b") { (value: Int) in
                await looked.pass()
                return value
            }.with { $0.concurrency = 1 })
        try graph.wire("a -> b", capacity: 2)
        try graph.attach({ _ in if put.next() == 6 { crowd.open() } }, to: "a:output->b:input")
        try graph.add(.passing("last"))
        try graph.wire("b -> last")
        let options = GraphOptions.with { $0.measuresPipes = measured }
        async let running = engine.run(
            graph, over: (1...6).map { Item("i\($0)", $0) }, options: options
        ) { handles.add($0) }
        await crowd.pass()
        look(handles.all[0], engine, time)
        looked.open()
        let report = try await running
        await subscription.finish()
        return (report, told.all, engine)
    }

    @Test("of pipes tell how a run in progress stands") func pipes() async throws {
        let seen = Notes<PipeStatistics>()
        let (states, taps) = (Notes<[String: Status]>(), Notes<Int>())
        let (report, _, engine) = try await crowded(measured: true, kinds: []) { handle, engine, time in
            time.advance(by: .seconds(2))
            if let pipe = handle.pipes["a:output->b:input"] { seen.add(pipe) }
            if let pipe = handle.pipes["b:output->last:input"] { seen.add(pipe) }
            states.add(Dictionary(uniqueKeysWithValues: handle.profile.map { ($0.processorID.text, $0.state) }))
            taps.add(engine.events.summary().activeTaps)
        }
        let expected: JSONValue = [
            "state": "full", "size": 2, "max_size": 2, "is_full": true, "peak_size": 2, "total_items": 6,
            "total_bytes": 6, "active_taps": 1, "last_activity": "2025-03-03T09:15:00Z", "uptime_seconds": 2,
            "items_per_second": 3, "bytes_per_second": 3, "current_utilization": 1, "blocked_ms": 6_000,
        ]
        #expect(seen.all[0].jsonValue == expected)
        #expect(seen.all[1].totalItems == 0 && seen.all[1].state == .open && seen.all[1].lastActivity == nil)
        #expect(states.all == [["a": .running, "b": .running, "last": .pending]])
        #expect(taps.all == [1])
        #expect(engine.events.summary().activeTaps == 0)
        #expect(engine.events.summary().jsonValue["active_taps"] == 0)
        #expect(report.status == .succeeded)
        let b = try #require(report.profile.first { $0.processorID.text == "b" })
        #expect(b.pipes["a:output->b:input"]?.blocked == .seconds(6))
        #expect(b.pipes["a:output->b:input"]?.state == .closed)
    }

    @Test("of pipes leave bytes uncounted unless somebody wants them") func unmeasured() async throws {
        let seen = Notes<Int?>()
        _ = try await crowded(measured: false, kinds: [.pipeFull]) { handle, _, _ in
            seen.add(handle.pipes["a:output->b:input"]?.totalBytes)
        }
        #expect(seen.all == [nil])
    }

    @Test("a pipe is told to be full and empty once per change, and its values one by one") func told() async throws {
        let kinds: Set<Event.Kind> = [.pipeFull, .pipeEmpty, .pipeDataFlow]
        let (report, events, engine) = try await crowded(measured: false, kinds: kinds) { _, _, _ in }
        let ofPipe = events.filter { $0.data["pipe"] == "a:output->b:input" }
        #expect(ofPipe.filter { $0.kind == .pipeFull }.map(\.data) == [["pipe": "a:output->b:input", "max_size": 2]])
        #expect(ofPipe.filter { $0.kind == .pipeEmpty }.count == 1)
        let flow = ofPipe.filter { $0.kind == .pipeDataFlow }
        #expect(Set(flow.compactMap(\.inputID)) == Set((1...6).map { "i\($0)" }))
        #expect(flow.count == 6 && flow.allSatisfy { $0.data["size_bytes"] == 1 && $0.processorID?.text == "b" })
        #expect(ofPipe.last?.kind == .pipeEmpty)
        // Only the full pipe is of a level that is recorded.
        let recorded = try await engine.store.events(of: report.runID, after: 0, limit: 100).map(\.kind)
        #expect(recorded.filter(kinds.contains) == [.pipeFull])
    }

    @Test("the program says how much memory it has in use") func memory() throws {
        #if os(Linux)
            #expect(try #require(Engine.testing().memoryBytes) > 1_000_000)
        #else
            #expect(Engine.testing().memoryBytes == nil)
        #endif
    }

    // MARK: Levels

    @Test(
        "what waits behind a pipe fills it, empties it and waits for room",
        arguments: [
            ([0, 0], [], 0), ([1, 0], [.emptied(pipe: 0)], 1),
            ([1, 2, 1, 2], [.filled(pipe: 0), .filled(pipe: 0)], 2),
            (
                [2, 3, 4, 3, 2, 1, 0],
                [
                    .filled(pipe: 0), .blocked(pipe: 0, waiting: 1), .blocked(pipe: 0, waiting: 2),
                    .blocked(pipe: 0, waiting: 1), .blocked(pipe: 0, waiting: 0), .emptied(pipe: 0),
                ], 2
            ),
        ] as [([Int], [PipeLevels.Change], Int)])
    func levels(waiting: [Int], changes: [PipeLevels.Change], peak: Int) throws {
        let graph = try Graph.wired(["a", "b"])
        try graph.wire("a -> b", capacity: 2)
        var levels = PipeLevels(graph.wiring)
        for count in waiting {
            levels.note(count, at: 1)
            levels.note(count, at: 0)
        }
        #expect(levels.takeChanges() == changes)
        #expect(levels.takeChanges().isEmpty)
        let (size, highest) = levels.stand(before: 1)
        #expect(size == min(waiting.last ?? 0, 2) && highest == peak)
    }
}
