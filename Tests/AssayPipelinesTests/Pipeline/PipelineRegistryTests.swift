import Assay
import AssayPipelines
import Testing

@Suite("The registry of processor types") struct PipelineRegistryTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// The standard types and `greeter`, which needs a `greeting`.
    static func registry() throws -> Registry {
        var registry = Registry.standard
        try registry.register("greeter", parameters: ["greeting", "mark"]) { name, parameters in
            guard let greeting = parameters["greeting"]?.string else {
                throw ProcessingError(.configuration, "processor '\(name)' of type greeter needs parameter 'greeting'")
            }
            let mark = parameters["mark"]?.string ?? "."
            return try RegisteredProcessor(
                ClosureProcessor<String, String>(name) { input, _ in "\(greeting), \(input)\(mark)" })
        }
        return registry
    }

    @Test("knows the standard types and those that were added")
    func names() throws {
        #expect(Registry().names.isEmpty)
        #expect(
            Registry.standard.names == ["aggregator", "command", "data_filter", "http", "simple", "text_transformer"])
        #expect(
            try Self.registry().names == [
                "aggregator", "command", "data_filter", "greeter", "http", "simple", "text_transformer",
            ])
    }

    @Test("refuses a name that is taken", arguments: ["simple", "greeter"])
    func taken(name: String) throws {
        var registry = try Self.registry()
        let error = #expect(throws: ProcessingError.self) {
            try registry.register(name, parameters: []) { _, _ in throw ProcessingError(.processing, "never made") }
        }
        #expect(error?.code == .exists)
        #expect(error?.message == "processor type '\(name)' is registered already")
    }

    @Test("makes processors for files")
    func file() async throws {
        let text = PipelineText.type("greeter", parameters: "{greeting: Hello}")
        let pipeline = try folder.load(text, registry: Self.registry())
        #expect(pipeline.processor?.name.text == "a")
        #expect(pipeline.processor?.parameters == ["greeting": "Hello"])
        let report = try await Engine().run(pipeline.single, over: [Item("1", "you")], options: pipeline.options)
        #expect(try report.outputs(as: String.self) == ["Hello, you."])
    }

    @Test(
        "reports what a type does not take",
        arguments: [
            ("{}", ["3:15: processor 'a' of type greeter needs parameter 'greeting'"]),
            (
                "{greeting: Hello, marc: '!'}",
                ["3:33: unknown parameter 'marc' of processor 'a' of type greeter; did you mean 'mark'?"]
            ),
            (
                "{greting: Hello}",
                [
                    "3:15: processor 'a' of type greeter needs parameter 'greeting'",
                    "3:16: unknown parameter 'greting' of processor 'a' of type greeter; did you mean 'greeting'?",
                ]
            ),
            ("Hello", ["3:15: parameters must be a map, found text 'Hello'"]),
        ])
    func findings(parameters: String, expected: [String]) throws {
        let text = PipelineText.type("greeter", parameters: parameters)
        #expect(try folder.findings(of: text, registry: Self.registry()) == expected)
    }

    @Test("suggests the nearest of its names")
    func nearest() throws {
        let text = PipelineText.type("greter", parameters: "{}")
        #expect(
            try folder.findings(of: text, registry: Self.registry())
                == ["2:48: unknown processor type 'greter'; did you mean 'greeter'?"])
        #expect(try folder.findings(of: text, registry: Registry()) == ["2:48: unknown processor type 'greter'"])
    }

    @Test("makes processors without a file")
    func make() async throws {
        let registry = try Self.registry()
        for (type, parameters, expected) in [
            ("simple", ["function": "uppercase"], "YOU"), ("text_transformer", ["transformation": "reverse"], "uoy"),
            ("text_transformer", [:], "you"), ("greeter", ["greeting": "Hi", "mark": "!"], "Hi, you!"),
        ] as [(String, JSONValue, String)] {
            let processor = try registry.make(type, name: "n", parameters: parameters)
            #expect(processor.name.text == "n")
            // They tell one processor from another, as when a file gave them.
            #expect(processor.parameters == parameters)
            let report = try await Engine().run(processor, over: [Item("1", "you")])
            #expect(try report.outputs(as: String.self) == [expected])
        }
    }

    @Test(
        "refuses what it cannot make",
        arguments: [
            ("simpel", "n", ["function": "strip"], "unknown processor type 'simpel'; did you mean 'simple'?"),
            ("simple", "n", [:], "parameters:1:1: processor 'n' of type simple needs parameter 'function'"),
            ("simple", "n", 5, "parameters:1:1: parameters must be a map, found number 5"),
            (
                "simple", "n", ["function": "fly"],
                "parameters:1:13: unknown function 'fly'; known: passthrough, uppercase, lowercase, strip, multiply"
            ),
            (
                "greeter", "n", ["greeting": "Hi", "marc": "!"],
                "parameters:1:18: unknown parameter 'marc' of processor 'n' of type greeter; did you mean 'mark'?"
            ),
            ("greeter", "n", [:], "parameters:1:1: processor 'n' of type greeter needs parameter 'greeting'"),
            (
                "simple", "a:b", ["function": "strip"],
                "a processor's name must be 1 to 128 letters, digits, '.', '_' or '-', not starting with '.', "
                    + "found 'a:b'"
            ),
        ] as [(String, String, JSONValue, String)])
    func refused(type: String, name: String, parameters: JSONValue, message: String) throws {
        let registry = try Self.registry()
        let error = #expect(throws: ProcessingError.self) {
            try registry.make(type, name: name, parameters: parameters)
        }
        #expect(error?.code == .configuration)
        #expect(error?.message == message)
    }
}

@Suite("A program may register") struct RegisteredNameTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private struct PerWeek: ChargePolicy {
        let name = "per_week"
        func charges(for request: ChargeRequest) -> [KeyedAmount] {
            [KeyedAmount(key: "week|\(request.processorID)", amount: request.basePrice)]
        }
    }

    private struct Never: AdmissionPolicy {
        let reason: String
        func admit(_ execution: Execution.ID, request: JSONObject, scope: Scope) -> Admission { .deny(reason) }
    }

    private struct Silent: DoubtResolver {
        func resolve(_ call: CallRecord) -> DoubtResolution { .unknown }
    }

    @Test("charge policies, which prices of nodes and lists may name and engines charge by")
    func chargePolicies() async throws {
        var registry = Registry.standard
        try registry.register(PerWeek())
        let pipeline = try folder.load(
            PipelineText.node("price: {base_cost: 0.40, charge: per_week}"), registry: registry)
        let engine = Engine(chargePolicies: registry.chargePolicies)
        for expected in ["0.40", "0.00"] {
            let report = try await engine.run(pipeline.single, over: [Item("a", 1)], options: pipeline.options)
            #expect(report.bill.totalCost == (try Money(#require(Number(expected)))))
        }
        let list = PipelineText.top("prices: {processors: {a: {base_cost: 1, charge: per_weak}}}")
        #expect(
            try folder.findings(of: list, registry: registry) == [
                "3:49: unknown charge policy 'per_weak'; did you mean 'per_week'?"
            ])
    }

    @Test("admission policies with their keys") func admissions() async throws {
        var registry = Registry.standard
        try registry.registerAdmission("never", keys: ["reason"]) { keys in
            guard let reason = keys["reason"]?.string else {
                throw ProcessingError(.configuration, "never needs 'reason'")
            }
            return Never(reason: reason)
        }
        func queue(_ admission: String) -> String {
            PipelineText.top("queue: {queue_capacity: 1, capacity_refresh_time: 1, admission: \(admission)}")
        }
        let pipeline = try folder.load(queue("{type: never, reason: closed}"), registry: registry)
        let execution = try #require(Identifier("exec_1"))
        let answer = try await pipeline.queue?.admission.admit(execution, request: [:], scope: Scope())
        #expect(answer == .deny("closed"))
        #expect(try folder.findings(of: queue("{type: never}"), registry: registry) == ["3:65: never needs 'reason'"])
        #expect(
            try folder.findings(of: queue("{type: nevr}"), registry: registry) == [
                "3:72: unknown admission policy 'nevr'; did you mean 'never'?"
            ])
    }

    @Test("each name once") func twice() throws {
        var registry = Registry.standard
        try registry.register(PerWeek())
        try registry.registerAdmission("never", keys: []) { _ in Never(reason: "") }
        try registry.register(Silent(), ofService: "clear")
        let attempts: [(inout Registry) throws -> Void] = [
            { try $0.register(PerWeek()) }, { try $0.registerAdmission("never", keys: []) { _ in Never(reason: "") } },
            { try $0.registerAdmission("rate", keys: []) { _ in Never(reason: "") } },
            { try $0.register(Silent(), ofService: "clear") },
            { try $0.register(StandardChargePolicy.perRun) },
            { try $0.register("simple", parameters: []) { _, _ in throw CancellationError() } },
            { try $0.registerStrategy("retry", keys: []) { _ in .skip } },
        ]
        for attempt in attempts {
            let error = #expect(throws: ProcessingError.self) { try attempt(&registry) }
            #expect(error?.code == .exists)
        }
    }
}

@Suite("The words of runners") struct RunnerWordTests {
    @Test("name a registered runner in files, too") func registered() throws {
        var registry = Registry.standard
        try registry.registerRunner("cluster") { (workers) throws(ProcessingError) in
            try ThreadRunner(maxWorkers: workers ?? 7)
        }
        #expect(registry.runnerWords == ["auto", "cluster", "process", "sequential", "thread"])
        let pipeline = try TemporaryFolder().load(
            PipelineText.top("runner: cluster"), registry: registry)
        #expect(pipeline.options.runner.maxWorkers == 7)
    }

    @Test("are taken once", arguments: ["thread", "cluster"]) func taken(word: String) throws {
        var registry = Registry()
        try registry.registerRunner("cluster") { _ in .sequential }
        let error = #expect(throws: ProcessingError.self) { try registry.registerRunner(word) { _ in .sequential } }
        #expect(error?.code == .exists)
    }

    @Test(
        "name a runner",
        arguments: [("auto", 3, 3), ("sequential", 1, 1), ("sequential", nil, 1), ("thread", 8, 8)]
            as [(String, Int?, Int)])
    func words(word: String, workers: Int?, expected: Int) throws {
        let runner = try Registry().runner(word, workers: workers)
        #expect(runner.name == word)
        #expect(runner.maxWorkers == expected)
    }

    @Test(
        "are refused with what is known",
        arguments: [
            ("threads", nil, "unknown runner 'threads'; did you mean 'thread'?"),
            ("temporal", nil, "unknown runner 'temporal'; known: auto, process, sequential, thread"),
            ("thread", 0, "max_workers must be between 1 and 1024, found 0"),
            ("auto", 1_025, "max_workers must be between 1 and 1024, found 1025"),
            ("sequential", 2, "max_workers must be 1 with the sequential runner, found 2"),
        ] as [(String, Int?, String)])
    func refused(word: String, workers: Int?, message: String) throws {
        let error = #expect(throws: ProcessingError.self) { try Registry().runner(word, workers: workers) }
        #expect(error?.code == .configuration)
        #expect(error?.message == message)
    }
}
