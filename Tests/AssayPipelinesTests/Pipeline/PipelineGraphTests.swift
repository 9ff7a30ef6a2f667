import Assay
import AssayPipelines
import Testing

@Suite("A graph in a pipeline file") struct PipelineGraphTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private static func node(_ id: String, _ more: String = "") -> String {
        "  - {processor_id: \(id), processor_type: simple, parameters: {function: passthrough}\(more)}"
    }

    private static func connection(_ from: String, _ to: String, _ more: String = "") -> String {
        "  - {from_processor: \(from), from_output: output, to_processor: \(to), to_input: input\(more)}"
    }

    @Test("is what a file without run_as describes")
    func graph() throws {
        let text = """
            graph_id: g
            runner: {type: thread, max_workers: 3}
            max_in_flight: 7
            processors:
            \(Self.node("a", ", output_pipes: [left, right], concurrency: 4, timeout: 2s, price: 0.5"))
            \(Self.node("b", ", input_pipes: [x, y], inputs: allow_missing, merge: {x: append}, cache: true"))
            connections:
              - {from_processor: a, from_output: left, to_processor: b, to_input: x, capacity: 5}
              - {from_processor: a, from_output: right, to_processor: b, to_input: x}
              - {from_processor: a, from_output: right, to_processor: b, to_input: y}
            """
        let pipeline = try folder.load(text)
        guard case .graph(let graph, let options) = pipeline.content else {
            Issue.record("no graph")
            return
        }
        #expect(pipeline.processor == nil)
        #expect(graph.id.text == "g")
        #expect(graph.connections.map(\.name) == ["a:left->b:x", "a:right->b:x", "a:right->b:y"])
        #expect(graph.connections.map(\.capacity) == [5, 1_000, 1_000])
        #expect(options.maxInFlight == 7 && options.runner?.name == "thread" && options.runner?.maxWorkers == 3)
        let (a, b) = (try #require(graph.node("a")), try #require(graph.node("b")))
        #expect(a.outputs.map(\.text) == ["left", "right"] && a.concurrency == 4 && a.timeout == .seconds(2))
        #expect(a.price?.amount == (try Money(#require(Number("0.5")))))
        #expect(b.inputs.map(\.text) == ["x", "y"] && b.missingInputs == .allowMissing && b.cache != nil)
        #expect(b.appending.map(\.text) == ["x"])
    }

    @Test("has the file's name where it has none of its own, whenever it is read")
    func nameless() throws {
        for _ in 0..<2 {
            guard case .graph(let graph, _) = try folder.load("processors: []").content else {
                Issue.record("no graph")
                return
            }
            #expect(graph.id.text == "p")
        }
    }

    @Test("is looked at as a whole: one fault hides no other, and brings no false ones")
    func faults() throws {
        let text = """
            processors:
            \(Self.node("alpha", ", timeout: 30"))
            \(Self.node("beta", ", merge: {inpt: append}"))
            \(Self.node("end", ", input_pipes: ['a b']"))
            connections:
            \(Self.connection("alpha", "beta"))
              - {from_processor: beta, from_output: output, to_processor: end, to_input: anything}
            breakpoints:
              - {processor_id: alpa, condition: 'value.x >'}
            """
        let found = try folder.findings(of: text)
        #expect(found.count == 5)
        let expected = [
            "timeout needs a unit", "inpt", "may only contain letters",
            "unknown processor 'alpa'; did you mean 'alpha'?",
            "condition: ",
        ]
        for part in expected { #expect(found.contains { $0.contains(part) }, "\(part): \(found)") }
    }

    @Test("may be empty, and has the default strategy, threads and limits of its own")
    func empty() throws {
        guard case .graph(let graph, let options) = try folder.load("processors: []").content else {
            Issue.record("no graph")
            return
        }
        #expect(graph.nodes.isEmpty)
        #expect(options.runner == nil && options.maxInFlight == 1_000)
        #expect((options.errorStrategy as? CompositeStrategy)?.strategies.count == 2)
    }

    @Test("reads strategies of every type")
    func strategies() throws {
        let text = """
            error_strategy: {type: composite, strategy_order: parallel, strategies: [{type: skip, max_skips: 2}, \
            {type: retry, max_retries: 4, initial_delay: 0.5}, {type: halt, cleanup_timeout: 5, final: true}]}
            processors:
            \(Self.node("a", ", error_strategy: {type: circuit_breaker, failure_threshold: 2, recovery_timeout: 30}"))
            """
        guard case .graph(let graph, let options) = try folder.load(text).content else {
            Issue.record("no graph")
            return
        }
        let composite = try #require(options.errorStrategy as? CompositeStrategy)
        #expect(composite.order == .parallel)
        #expect((composite.strategies[0] as? SkipStrategy)?.maxSkips == 2)
        #expect((composite.strategies[1] as? RetryStrategy)?.policy.maxRetries == 4)
        #expect((composite.strategies[2] as? HaltStrategy)?.cleanupTimeout == .seconds(5))
        #expect((composite.strategies[2] as? HaltStrategy)?.isFinal == true)
        let breaker = try #require(graph.node("a")?.errorStrategy as? BreakerStrategy)
        #expect(breaker.policy.failureThreshold == 2 && breaker.policy.recoveryTimeout == .seconds(30))
    }

    @Test("may name strategies that a program registers, with their keys")
    func registered() throws {
        var registry = Registry.standard
        try registry.registerStrategy("first_only", keys: ["limit"]) { keys in
            guard let limit = keys["limit"]?.number?.integer else {
                throw ProcessingError(.configuration, "first_only needs 'limit'")
            }
            return try SkipStrategy(maxSkips: limit)
        }
        func load(_ strategy: String) throws -> [String] {
            try folder.findings(
                of: "processors: []\nerror_strategy: \(strategy)", registry: registry)
        }
        #expect(try load("{type: first_only, limit: 3}") == [])
        #expect(try load("{type: first_only}") == ["2:17: first_only needs 'limit'"])
        #expect(try load("{type: first_only, limt: 3}").count == 2)
        #expect(throws: ProcessingError.self) { try registry.registerStrategy("skip", keys: []) { _ in .skip } }
    }

    static let rows: [(String, [String])] = [
        (
            "connections:\n" + connection("transfrom", "b"),
            ["5:22: connections[0]: unknown processor 'transfrom'; known: a, b"]
        ),
        (
            "connections:\n  - {from_processor: a, from_output: out, to_processor: b, to_input: input}",
            ["5:38: connections[0]: processor 'a' has no output 'out'; known: output"]
        ),
        (
            "connections:\n  - {from_processor: a, to_processor: b, to_input: input}",
            ["5:5: connections[0] needs 'from_output'"]
        ),
        (
            "connections:\n" + connection("a", "b", ", capacity: 0"),
            ["5:90: capacity must be at least 1, found 0"]
        ),
        (
            "connections:\n" + connection("a", "b") + "\n" + connection("b", "a"),
            ["6:5: graph contains a cycle: a -> b -> a"]
        ),
        (
            "connections: []",
            ["2:5: node 'a' is not connected to any other node", "3:5: node 'b' is not connected to any other node"]
        ),
    ]

    @Test("is refused with the problems of the graph, at the connection or node that has them")
    func problems() throws {
        func found(_ nodes: [String], _ connections: [String]) throws -> [String] {
            let lines = ["processors:"] + nodes + ["connections:"] + connections
            return try folder.findings(of: lines.joined(separator: "\n"))
        }
        let (a, b, c) = (Self.node("a"), Self.node("b"), Self.node("c"))
        let (ab, ac, bc) = (Self.connection("a", "b"), Self.connection("a", "c"), Self.connection("b", "c"))
        #expect(
            try found([a, b, c], [ac, bc]) == [
                "7:5: input 'input' of node 'c' has 2 connections (a:output, b:output); "
                    + "set merge: append or use two ports"
            ])
        #expect(try found([a, b], [ab, ab]) == ["6:5: connection a:output->b:input is given twice"])
        #expect(try found([a, b, c], [ab]) == ["4:5: node 'c' is not connected to any other node"])
        let join = Self.node("c", ", input_pipes: [input, right]")
        #expect(try found([a, join], [ac]) == ["3:5: input 'right' of node 'c' has no connection"])
        #expect(
            try found([a], [Self.connection("a", "a")]) == ["4:5: graph contains a cycle: a -> a"])
    }

    @Test("is refused with the place of every mistake", arguments: rows)
    func findings(tail: String, expected: [String]) throws {
        let text = "processors:\n\(Self.node("a"))\n\(Self.node("b"))\n\(tail)"
        #expect(try folder.findings(of: text) == expected)
    }

    @Test("names a processor that is there twice, and one with faults does not make others faulty")
    func nodes() throws {
        let text = """
            processors:
            \(Self.node("a"))
            \(Self.node("a"))
              - {processor_id: c, processor_type: simpel}
              - {processor_id: 'd:e', processor_type: simple, parameters: {function: strip}}
            connections:
            \(Self.connection("a", "c"))
            """
        #expect(
            try folder.findings(of: text) == [
                "3:20: processor_id 'a' is already used at line 2",
                "4:39: unknown processor type 'simpel'; did you mean 'simple'?",
                "5:20: processor_id 'd:e' may only contain letters, digits, '.', '_' and '-'",
            ])
    }
}
