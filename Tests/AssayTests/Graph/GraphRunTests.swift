@testable import Assay
import AssayTesting
import Logging
import Testing

extension GraphOptions {
    /// All defaults, with what `change` changes.
    static func with(_ change: (inout GraphOptions) throws -> Void) rethrows -> GraphOptions {
        var options = GraphOptions()
        try change(&options)
        return options
    }

    static let failing = GraphOptions.with { $0.errorStrategy = .skip }
}

extension Outcome {
    /// The output as JSON.
    var json: JSONValue? { get throws { try output?.json() } }
    /// What became of it at each node.
    var nodes: [String: String] {
        Dictionary(
            uniqueKeysWithValues: (passage?.nodes ?? []).map { node in
                (node.id.text, node.reason.map { "\(node.status.rawValue): \($0.rawValue)" } ?? node.status.rawValue)
            })
    }
}

@Suite("A graph at work") struct GraphRunTests {
    static let runners: [(any Runner)?] = [nil, .sequential] + Runners.threads.prefix(2).map { $0 }

    static func joining(
        _ inputs: Node.Inputs = .requireAll, number: @escaping @Sendable (Int) throws -> Int = { 2 * $0 }
    ) throws -> Graph {
        let graph = try Graph("my_dag")
        try graph.add(try Node("text_processor") { (data: [String: String]) in data["text", default: ""].uppercased() })
        try graph.add(
            try Node("number_processor") { (data: [String: Int]) in try number(data["number", default: 0]) })
        let node = try Node("aggregator", inputs: ["text_input", "number_input"]) { (values: JSONValue) in
            "Text: \(values["text_input"]?.string ?? ""), Number: \(values["number_input"]?.number?.description ?? "")"
        }
        try graph.add(node.with { $0.missingInputs = inputs })
        try graph.wire("text_processor -> aggregator:text_input")
        try graph.wire("number_processor -> aggregator:number_input")
        return graph
    }

    static let fed: JSONValue = ["text_processor": ["text": "hello"], "number_processor": ["number": 5]]

    // MARK: Values

    @Test("carries values along a row", arguments: runners)
    func row(runner: (any Runner)?) async throws {
        let graph = try Graph.linear(
            "row", { (text: String) in text.uppercased() },
            { (text: String) in String(text.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed()) },
            { (text: String) in "Processed: \(text)" })
        let report = try await Engine.testing().run(
            graph, over: ["  hello world  "], options: .with { $0.runner = runner })
        #expect(report.status == .succeeded)
        #expect(try report.outcomes[0].json == ["step3:output": "Processed: HELLO WORLD"])
        #expect(try report.summary(as: [JSONValue].self) == [["step3:output": "Processed: HELLO WORLD"]])
        #expect(report.run.graphID == graph.id)
        #expect(graph.description.executions == .init(total: 1, successful: 1, failed: 0))
    }

    @Test("joins what comes from two sources", arguments: runners)
    func join(runner: (any Runner)?) async throws {
        let report = try await Engine.testing().run(
            Self.joining(), over: [Self.fed], options: .with { $0.runner = runner })
        #expect(try report.outcomes[0].json == ["aggregator:output": "Text: HELLO, Number: 10"])
        #expect(
            report.outcomes[0].nodes == [
                "text_processor": "succeeded", "number_processor": "succeeded", "aggregator": "succeeded",
            ])
    }

    @Test("a join that allows missing inputs absorbs the failure of a branch")
    func absorbed() async throws {
        let graph = try Self.joining(.allowMissing) { _ in throw Refusal() }
        let report = try await Engine.testing().run(graph, over: [Self.fed], options: .failing)
        #expect(report.status == .succeeded)
        let outcome = report.outcomes[0]
        #expect(try outcome.json == ["aggregator:output": "Text: HELLO, Number: "])
        #expect(outcome.passage?.absorbed.map(\.message) == ["refused"])
        #expect(outcome.nodes["number_processor"] == "failed")
        #expect(outcome.error == nil)
    }

    @Test("a join that needs all inputs is skipped for the failure of a branch, and the item fails")
    func notAbsorbed() async throws {
        let graph = try Self.joining { _ in throw Refusal() }
        let report = try await Engine.testing().run(graph, over: [Self.fed], options: .failing)
        #expect(report.status == .failed)
        let outcome = report.outcomes[0]
        #expect(outcome.status == .failed && outcome.error?.message == "refused")
        #expect(outcome.nodes["aggregator"] == "skipped: upstream_failed")
        #expect(outcome.passage?.absorbed.isEmpty == true)
        #expect(outcome.output == nil)
    }

    @Test("results that did arrive are kept in the output of a failed item")
    func partialResult() async throws {
        let graph = try Graph.parallel(
            "g",
            branches: [.passing("good"), Node("bad") { (_: JSONValue) -> JSONValue in throw Refusal() }])
        let outcome = try await Engine.testing().run(graph, over: [7], options: .failing).outcomes[0]
        #expect(outcome.status == .failed)
        #expect(try outcome.json == ["good:output": 7])
    }

    @Test(
        "a splitter routes maps of its outputs, and gives other values to all of them",
        arguments: [
            (["left": 1], ["l:output": 1], "skipped: not_routed"),
            (
                ["left": 1, "other": 2], ["l:output": ["left": 1, "other": 2], "r:output": ["left": 1, "other": 2]],
                "succeeded"
            ),
        ] as [(JSONValue, JSONValue, String)])
    func split(value: JSONValue, result: JSONValue, right: String) async throws {
        let graph = try Graph("g")
        try graph.add(.passing("split", outputs: ["left", "right"]))
        for name in ["l", "r"] { try graph.add(.passing(name)) }
        for wire in ["split:left -> l", "split:right -> r"] { try graph.wire(wire) }
        let outcome = try await Engine.testing().run(graph, over: [value]).outcomes[0]
        #expect(outcome.status == .succeeded)
        #expect(try outcome.json == result)
        #expect(outcome.nodes["r"] == right)
    }

    @Test("a missing source is skipped where it may be, and fails the run where not")
    func missingSource() async throws {
        let data: JSONValue = ["text_processor": ["text": "hello"]]
        let refused = try await Engine.testing().run(Self.joining(), over: [Self.fed, data, Self.fed])
        #expect(refused.status == .failed)
        #expect(refused.error?.code == .prevalidation)
        #expect(refused.error?.message == "data of 'item_2' has no value for the source 'number_processor'")
        #expect(refused.outcomes.map(\.reason) == [.preprocessingStopped, nil, .notReached])
        let graph = try Graph.wired(["a", "b"]) { $0.missingInputs = .allowMissing }
        try graph.add(.passing("c", inputs: ["left", "right"]).with { $0.missingInputs = .allowMissing })
        for wire in ["a -> c:left", "b -> c:right"] { try graph.wire(wire) }
        let outcome = try await Engine.testing().run(graph, over: [["a": 1] as JSONValue]).outcomes[0]
        #expect(outcome.nodes == ["a": "succeeded", "b": "skipped: no_input", "c": "succeeded"])
        #expect(try outcome.json == ["c:output": ["left": 1]])
    }

    @Test("a node that emits and returns nothing gives the list of what it emitted")
    func emitting() async throws {
        let graph = try Graph.linear(
            "g",
            [
                Node("chunks") { (count: Int, context: Context) -> JSONValue in
                    for number in 0..<count { try await context.emit(number) }
                    return .null
                }, .passing("after"),
            ])
        let report = try await Engine.testing().run(graph, over: [3, 0])
        #expect(try report.outcomes.map { try $0.json } == [["after:output": [0, 1, 2]], ["after:output": .null]])
    }

    @Test("gates are part of a node, whose rejection is the failure of that item alone")
    func gates() async throws {
        let processor = StrictLength()
        let graph = try Graph.linear("g", [.passing("before"), Node("strict", processor), .passing("after")])
        let report = try await Engine.testing().run(graph, over: ["abcdef", "abc"], options: .failing)
        #expect(report.outcomes.map(\.status) == [.succeeded, .failed])
        #expect(try report.outcomes[0].json == ["after:output": "ABCDEF"])
        let error = try #require(report.outcomes[1].error)
        #expect(error.code == .validation && error.step == "validation" && error.phase == .preprocessing)
        #expect(error.message == "too short")
    }

    struct StrictLength: Processor {
        let name = "strict_length"
        func transform(_ input: String, in context: Context) -> String { input.uppercased() }
        func validate(_ input: String, in context: Context) throws {
            guard input.count > 5 else { throw Refusal(description: "too short") }
        }
        func extract(_ input: String, in context: Context) -> String { input }
    }

    // MARK: Items

    @Test("outcomes are in item order, whatever order they end in", arguments: runners)
    func order(runner: (any Runner)?) async throws {
        let graph = try Graph.diamond(
            "d", splitter: .passing("a"), left: Node("b") { (value: Int) in value + 1 },
            right: Node("c") { (value: Int) in value * 2 },
            joiner: Node("d") { (values: [String: Int]) in
                values["left", default: 0] * 1_000 + values["right", default: 0]
            })
        let report = try await Engine.testing().run(graph, over: 0..<200, options: .with { $0.runner = runner })
        #expect(report.status == .succeeded)
        #expect(
            try report.outcomes.map { try $0.json?["d:output"]?.number?.integer }
                == (0..<200).map { ($0 + 1) * 1_000 + $0 * 2 })
        #expect(report.outcomes.map(\.index) == Array(0..<200))
    }

    @Test("an empty graph gives every item an empty result, and no items give an empty summary")
    func empty() async throws {
        let report = try await Engine.testing().run(Graph("g"), over: [1, 2])
        #expect(report.status == .succeeded)
        #expect(try report.outcomes.map { try $0.json } == [[:], [:]])
        let none = try await Engine.testing().run(Graph.wired(["a"]), over: [Int]())
        #expect(none.status == .succeeded)
        #expect(try none.summary(as: [JSONValue].self) == [])
    }

    @Test("refuses an invalid graph before the run exists, and a second run at the same time")
    func refused() async throws {
        let engine = Engine.testing()
        let graph = try Graph.wired(["a", "b"], ["a -> b", "b -> a"])
        #expect(await code { try await engine.run(graph, over: [1]) } == .graph)
        let (door, entered) = (Door(), Door())
        let busy = try Graph.linear(
            "busy",
            [
                Node("a") { (value: Int) in
                    entered.open()
                    await door.pass()
                    return value
                }
            ])
        async let first = engine.run(busy, over: [1])
        await entered.pass()
        #expect(await code { try await engine.run(busy, over: [1]) } == .alreadyRunning)
        #expect(await code { try busy.add(.passing("b")) } == .alreadyRunning)
        door.open()
        #expect(try await first.status == .succeeded)
        #expect(try await engine.run(busy, over: [1]).status == .succeeded)
    }

    @Test("independent nodes and items work at the same time")
    func concurrency() async throws {
        let meeting = Meeting(of: 6)
        let graph = try Graph.parallel(
            "g",
            branches: try ["x", "y"].map { name in
                try Node(name) { (value: Int) in
                    await meeting.join()
                    return value
                }
            })
        #expect(try await Engine.testing().run(graph, over: [1, 2, 3]).status == .succeeded)
    }

    @Test("a node works on as many items as its concurrency says, also when blocked by full pipes")
    func limit() async throws {
        let gauge = Gauge()
        let graph = try Graph("g")
        try graph.add(
            try Node("narrow") { (value: Int) in
                gauge.enter()
                await Task.yield()
                gauge.leave()
                return value
            }.with { $0.concurrency = 2 })
        try graph.add(try Node.passing("after").with { $0.concurrency = 1 })
        try graph.wire("narrow -> after", capacity: 1)
        let report = try await Engine.testing().run(graph, over: 0..<100)
        #expect(report.status == .succeeded)
        #expect(gauge.most <= 2)
    }

    @Test("no more items are in the graph than may be")
    func inFlight() async throws {
        let gauge = Gauge()
        let graph = try Graph.linear(
            "g",
            [
                Node("in") { (value: Int) in
                    gauge.enter()
                    return value
                }, .passing("between"),
                Node("out") { (value: Int) in
                    gauge.leave()
                    return value
                },
            ])
        let report = try await Engine.testing().run(graph, over: 0..<100, options: .with { $0.maxInFlight = 3 })
        #expect(report.status == .succeeded)
        #expect(gauge.most <= 3)
    }

    // MARK: Failures

    @Test("the standard strategy tries a node three times and then lets ten items pass; the eleventh halts the run")
    func standardStrategy() async throws {
        let calls = Notes<Int>()
        let graph = try Graph.linear(
            "g",
            [
                Node("bad") { (value: Int) -> Int in
                    calls.add(value)
                    throw Refusal()
                }
            ])
        let time = ManualTime(runsFree: true)
        let report = try await Engine.testing(time: time).run(
            graph, over: 0..<12, options: .with { $0.runner = .sequential })
        #expect(report.status == .failed)
        #expect(calls.all == (0..<11).flatMap { [$0, $0, $0] })
        #expect(report.counts.failed == 11 && report.counts.cancelled == 1)
        #expect(report.outcomes[11].reason == .graphHalted)
        let skipped = (1...10).map { "item_\($0) at node 'bad'" }.joined(separator: ", ")
        #expect(
            report.error?.message
                == "max_retries: 2 of graph 'g' (the default) was used up by 3 attempts at item_11, and max_skips: 10 of "
                + "graph 'g' (the default) was used up by \(skipped); item_11 failed at node 'bad': refused")
        #expect(report.outcomes[0].attempts == 3)
    }

    @Test("counts retries by node and item and skips by run: six failing items, each tried four times, the sixth halts")
    func composite() async throws {
        let calls = Counter()
        let graph = try Graph.linear(
            "g",
            [
                Node("bad") { (value: Int) -> Int in
                    calls.next()
                    throw Refusal()
                }
            ])
        let options = try GraphOptions.with {
            $0.runner = .sequential
            $0.errorStrategy = try CompositeStrategy([
                RetryStrategy(RetryPolicy(maxRetries: 3)), SkipStrategy(maxSkips: 5),
            ])
        }
        let report = try await Engine.testing().run(graph, over: 0..<6, options: options)
        #expect(calls.count == 24)
        #expect(report.status == .failed)
        #expect(report.outcomes.map(\.status) == Array(repeating: .failed, count: 6))
    }

    @Test(
        "failure policies apply to items",
        arguments: [
            (FailurePolicy.collect, Status.partial, "sfsfs"), (.stop, .failed, "sfccc"), (.atomic, .failed, "cfccc"),
        ])
    func policies(policy: FailurePolicy, status: Status, outcomes: String) async throws {
        let graph = try Graph.linear(
            "g",
            [
                .passing("before"),
                Node("sometimes") { (value: Int) in
                    guard value % 2 == 0 else { throw Refusal() }
                    return value
                },
            ])
        let options = GraphOptions.with {
            $0.runner = .sequential
            $0.errorStrategy = .skip
            $0.run.failurePolicy = policy
        }
        let report = try await Engine.testing().run(graph, over: 0..<5, options: options)
        #expect(report.status == status)
        #expect(report.outcomes.map { String($0.status.rawValue.prefix(1)) }.joined() == outcomes)
    }

    @Test("an attempt that is out of time is made again, and its late answer dropped")
    func timeout() async throws {
        let time = ManualTime()
        let (calls, door, entered) = (Counter(), Door(), Door())
        let graph = try Graph("g")
        try graph.add(
            try Node("slow") { (value: Int) in
                if calls.next() == 1 {
                    entered.open()
                    await door.pass()
                }
                return value
            }.with {
                $0.timeout = .seconds(5)
                $0.errorStrategy = RetryStrategy.once
            })
        async let report = Engine.testing(time: time).run(graph, over: [1])
        await time.waitForSleepers()
        await entered.pass()
        time.advance(by: .seconds(5))
        let outcome = try await report.outcomes[0]
        #expect(outcome.status == .succeeded)
        #expect(outcome.attempts == 2)
        door.open()
    }

    @Test("a cancelled run ends with what was done, and can be resumed from there")
    func cancel() async throws {
        let engine = Engine.testing()
        let (calls, entered) = (Notes<String>(), Door())
        let graph = try Graph.linear(
            "g",
            [
                Node("a") { (value: Int) in
                    calls.add("a")
                    return value + 1
                },
                Node("b") { (value: Int) in
                    calls.add("b")
                    guard calls.all.count > 2 else {
                        entered.open()
                        try await waitForCancellation()
                    }
                    return value * 10
                },
            ])
        let handles = Notes<RunHandle>()
        async let ended = engine.run(graph, over: [Item("x", 1)]) { handles.add($0) }
        await entered.pass()
        handles.all[0].cancel()
        let report = try await ended
        #expect(report.status == .cancelled)
        #expect(report.outcomes[0].nodes == ["a": "succeeded", "b": "cancelled: run_cancelled"])
        let resumed = try await engine.resume(report.runID, with: graph)
        #expect(resumed.status == .succeeded)
        #expect(try resumed.outcomes[0].json == ["b:output": 20])
        #expect(calls.all == ["a", "b", "b"])
    }

    // MARK: Resuming

    @Test("resuming runs only the nodes that failed or were never reached", arguments: runners)
    func resume(runner: (any Runner)?) async throws {
        let engine = Engine.testing()
        let (calls, broken) = (Notes<String>(), Counter())
        @Sendable func counting(_ name: String, _ body: @escaping @Sendable (JSONValue) throws -> JSONValue = { $0 })
            throws -> Node
        {
            try Node(name) { (value: JSONValue) in
                calls.add(name)
                return try body(value)
            }
        }
        let graph = try Graph.diamond(
            "d", splitter: counting("a"), left: counting("b"),
            right: counting("c") { value in
                if broken.count == 0, value == 2 { throw Refusal() }
                return value
            }, joiner: counting("d"))
        let options = GraphOptions.with {
            $0.runner = runner
            $0.errorStrategy = .skip
        }
        let first = try await engine.run(graph, over: [1, 2], options: options)
        #expect(first.outcomes.map(\.status) == [.succeeded, .failed])
        #expect(calls.all.sorted() == ["a", "a", "b", "b", "c", "c", "d"])
        broken.next()
        let second = try await engine.resume(first.runID, with: graph, options: options)
        #expect(second.status == .succeeded)
        #expect(calls.all.dropFirst(7) == ["c", "d"])
        #expect(second.outcomes[0].carried)
        #expect(second.outcomes[1].passage?["a"]?.attempts == 0)
        #expect(try second.outcomes[1].json == ["d:output": ["left": 2, "right": 2]])
        var again = options
        again.run.recovery = .reprocess
        #expect(try await engine.resume(first.runID, with: graph, options: again).status == .succeeded)
        #expect(calls.all.count == 9 + 8)
    }

    @Test("an item that comes back with other data starts over at every node")
    func changed() async throws {
        let engine = Engine.testing()
        let calls = Notes<String>()
        let graph = try Graph.linear(
            "g",
            [
                Node("same") { (_: Int) in
                    calls.add("same")
                    return "x"
                },
                Node("next") { (text: String) in
                    calls.add("next")
                    return text
                },
                Node("bad") { (_: String) -> String in throw Refusal() },
            ])
        let first = try await engine.run(graph, over: [Item("i", 1)], options: .failing)
        let options = GraphOptions.with {
            $0.errorStrategy = .skip
            $0.run.executionID = first.executionID
            $0.run.previousRunID = first.runID
        }
        let second = try await engine.run(graph, over: [Item("i", 2)], options: options)
        #expect(second.outcomes[0].inputChanged)
        #expect(calls.all == ["same", "next", "same", "next"])
    }

    @Test("steps of a node are saved under the node, and its charges are those of the node")
    func steps() async throws {
        let engine = Engine.testing()
        let (calls, broken) = (Counter(), Counter())
        let graph = try Graph.linear(
            "g",
            try ["x", "y"].map { name in
                try Node(name) { (value: Int, context: Context) in
                    let made = try await context.step("make") {
                        calls.next()
                        try await context.charge("ocr", "page", cost: "0.5")
                        return value + 1
                    }
                    if name == "y", broken.next() == 1 { throw Refusal() }
                    return made
                }
            })
        let first = try await engine.run(graph, over: [1], options: .failing)
        #expect(calls.count == 2)
        #expect(first.outcomes[0].status == .failed)
        #expect(first.outcomes[0].cost == "1")
        #expect(first.outcomes[0].passage?["x"]?.cost == "0.5")
        let second = try await engine.resume(first.runID, with: graph, options: .failing)
        #expect(second.status == .succeeded)
        #expect(calls.count == 2)
        #expect(second.outcomes[0].steps.map(\.name) == ["y/make"])
        #expect(second.outcomes[0].steps.map(\.restored) == [true])
        #expect(second.bill.usageCost == .zero)
    }

    // MARK: Costs

    @Test("each node's base is charged when it first starts, and not when it is never reached")
    func bases() async throws {
        let graph = try Graph("g")
        try graph.add(try Node.passing("start").with { $0.price = Price("0.10") })
        try graph.add(
            try Node.passing("split", outputs: ["left", "right"]).with { $0.price = Price("0.25", policy: "per_input") }
        )
        try graph.add(try Node.passing("never").with { $0.price = Price("7") })
        try graph.add(.passing("l"))
        for wire in ["start -> split", "split:left -> l", "split:right -> never"] { try graph.wire(wire) }
        let values: [JSONValue] = [["left": 1], ["left": 2], ["left": 1]]
        let report = try await Engine.testing().run(graph, over: values)
        #expect(report.bill.baseCost == "0.6")
        #expect(report.status == .succeeded)
    }

    @Test("a budget that does not last fails the node and lets nothing further in")
    func budget() async throws {
        let graph = try Graph.linear(
            "g",
            [
                .passing("before"),
                Node("paid") { (value: Int, context: Context) in
                    try await context.charge("s", "o", cost: "5")
                    return value
                },
            ])
        let options = try GraphOptions.with {
            $0.runner = .sequential
            $0.errorStrategy = .skip
            $0.run.budgets = [try Budget("10")]
        }
        let report = try await Engine.testing().run(graph, over: 0..<4, options: options)
        #expect(report.bill.totalCost == "10")
        #expect(report.outcomes.map(\.status) == [.succeeded, .succeeded, .failed, .cancelled])
        #expect(report.outcomes[2].error?.code == .budgetExhausted)
        #expect(report.error?.code == .budgetExhausted)
    }

    @Test("a cached node is not run again in another execution")
    func cache() async throws {
        let engine = Engine.testing()
        let calls = Counter()
        let graph = try Graph("g")
        try graph.add(
            try Node("a") { (value: Int, context: Context) in
                calls.next()
                try await context.charge("s", "o", cost: "5")
                return value + 1
            }.with { $0.cache = CachePolicy() })
        let first = try await engine.run(graph, over: [1])
        let second = try await engine.run(graph, over: [1])
        #expect(calls.count == 1)
        #expect(try second.outcomes[0].json == first.outcomes[0].json)
        #expect(second.bill.totalCost == .zero)
        #expect(second.outcomes[0].avoidedCost == "5")
    }

    // MARK: Telling

    @Test("tells of nodes with their names and the graph's")
    func events() async throws {
        let events = EventStream(level: .debug)
        let engine = Engine.testing(events: events)
        let graph = try Graph.linear("g", [.passing("a"), Node("b") { (_: JSONValue) -> Int in throw Refusal() }])
        _ = try await engine.run(graph, over: [1], options: .failing)
        let told = events.latest(100).map { event in
            "\(event.kind.rawValue) \(event.processorID?.text ?? "-") \(event.graphID?.text ?? "-")"
        }
        #expect(
            told.filter { !$0.hasPrefix("charge") && !$0.hasPrefix("hint") } == [
                "run_start - g", "graph_start - g", "item_start - g", "processor_start a g", "processor_complete a g",
                "pipe_data_flow b g", "processor_start b g", "processor_error b g", "item_complete - g",
                "item_error - g",
                "graph_complete - g", "run_complete - g",
            ])
        let error = try #require(events.latest(100).first { $0.kind == .processorError })
        #expect(error.data["decision"] == "skip" && error.data["message"] == "refused")
    }

    @Test("reports in JSON under the graph's name, with what became of items at nodes")
    func json() async throws {
        let graph = try Graph.linear("g", [.passing("a"), Node("b") { (_: JSONValue) -> Int in throw Refusal() }])
        let report = try await Engine.testing().run(graph, over: [1], options: .failing)
        let json = try report.jsonValue()
        #expect(json["graph_id"] == "g")
        #expect(json["processor_id"] == nil)
        let outcome = json["outcomes"]?.array?.first
        #expect(outcome?["nodes"]?["a"]?["status"] == "succeeded")
        #expect(outcome?["nodes"]?["a"]?["attempts"] == 1)
        #expect(outcome?["nodes"]?["b"]?["status"] == "failed")
        #expect(outcome?["nodes"]?["b"]?["error"]?["message"] == "refused")
        #expect(outcome?["absorbed_errors"] == [])
        #expect(report.nodeStatuses == [graph.nodes[0].id: .succeeded, graph.nodes[1].id: .failed])
    }
}

extension RetryStrategy {
    /// One further attempt, at once.
    static let once: RetryStrategy = {
        do { return RetryStrategy(try RetryPolicy(maxRetries: 1, initialDelay: 0)) } catch {
            preconditionFailure("\(error)")
        }
    }()
}

/// A place where so many must be at the same time before anyone goes on.
final class Meeting: Sendable {
    private let door = Door()
    private let counter = Counter()
    private let size: Int
    init(of size: Int) { self.size = size }

    func join() async {
        if counter.next() == size { door.open() }
        await door.pass()
    }
}

@Suite("A run of a graph that is stopped") struct GraphStopTests {
    private let called = Notes<String>()

    /// A node that all items have passed before the next one, which takes them one by one, is done with the first; that
    /// one fails for `bad`.
    private func graph(bad: Int? = nil, during: @escaping @Sendable (Int) -> Void = { _ in }) throws -> Graph {
        let (passed, all) = AsyncStream.makeStream(of: Void.self)
        var enter = try Node("enter") { (value: Int) in
            if value == 60 { all.finish() }
            return value
        }
        var work = try Node("work") { (value: Int) in
            for await _ in passed {}
            called.add("\(value)")
            during(value)
            if value == bad { throw ProcessingError(.extraction, "broken", retryable: false) }
            return value
        }
        (enter.concurrency, work.concurrency) = (1, 1)
        let graph = try Graph("g")
        try graph.add(enter)
        try graph.add(work)
        try graph.connect("enter", to: "work")
        return graph
    }

    @Test(
        "starts no further node, although its items have entered",
        arguments: [FailurePolicy.stop, .atomic, .tolerate(share: 0)])
    func policy(policy: FailurePolicy) async throws {
        let options = GraphOptions.with {
            $0.run.failurePolicy = policy
            $0.errorStrategy = .skip
        }
        let report = try await Engine.testing().run(graph(bad: 3), over: 1...60, options: options)
        #expect(report.status == .failed)
        #expect(called.all == ["1", "2", "3"])
        #expect(report.outcomes[2].status == .failed)
        #expect(report.outcomes[59].status == .cancelled)
    }

    @Test("starts no further node when it is cancelled, and goes on behind those that have ended")
    func cancel() async throws {
        let handles = Notes<RunHandle>()
        let graph = try graph { if $0 == 5, handles.all.count == 1 { handles.all[0].cancel(drain: true) } }
        let engine = Engine.testing()
        let items = (1...60).map { Item("i\($0)", $0) }
        let report = try await engine.run(graph, over: items) { handles.add($0) }
        #expect(report.status == .cancelled)
        #expect(called.all == ["1", "2", "3", "4", "5"])
        #expect(report.counts.succeeded == 5 && report.counts.cancelled == 55)
        let resumed = try await engine.resume(report.runID, with: graph) { handles.add($0) }
        #expect(resumed.status == .succeeded)
        #expect(called.all.count == 60)
    }
}
