import Assay
import AssayPipelines
import Synchronization
import Testing

@Suite("Secrets of a pipeline") struct PipelineSecretTests {
    private let folder: TemporaryFolder
    private let registry: Registry

    private static let secret = "s3cr3t-0815"
    private static let environment = ["TOKEN": secret, "WORD": "uppercase"]

    private static let text = PipelineText.type(
        "locked", parameters: #"{token: "Bearer ${TOKEN}", nested: [{plain: "$${TOKEN}"}]}"#, more: "version: 1")

    init() throws {
        folder = try TemporaryFolder()
        var registry = Registry.standard
        try registry.register("locked", parameters: ["token", "nested"]) { name, parameters in
            guard parameters["nested"]?.array?.first?["plain"] == "${TOKEN}" else {
                throw ProcessingError(.configuration, "nested is \(parameters.json)")
            }
            // Its own parameters hold the secret, as those of a careless type would.
            return try RegisteredProcessor(
                ClosureProcessor<String, Bool>(name) { input, context in
                    guard input != "bad" else { throw ProcessingError(.extraction, "no") }
                    try await context.charge("locks", "open", cost: Money(1))
                    return parameters["token"] == .string("Bearer " + input)
                }, parameters: parameters)
        }
        try registry.register("leaky", parameters: ["a", "b"]) { _, parameters in
            throw ProcessingError(.configuration, "cannot use \(parameters["a"]?.string ?? ""): \(parameters.json)")
        }
        self.registry = registry
    }

    private func load(_ text: String = text) throws -> Pipeline {
        try folder.load(text, registry: registry, environment: Self.environment)
    }

    @Test("reach the processor, and nothing that a run writes down")
    func run() async throws {
        let pipeline = try load()
        let engine = Engine()
        let events = Mutex<[String]>([])
        let subscription = engine.events.subscribe { event in events.withLock { $0.append(event.jsonValue.json) } }
        var options = pipeline.options
        options.runner = try ThreadRunner(maxWorkers: 2)
        options.itemCache = CachePolicy()
        options.request = pipeline.definition
        let items = [Item("1", Self.secret), Item("2", "guess"), Item("3", "bad")]
        let report = try await engine.run(pipeline.single, over: items, options: options)
        #expect(report.outcomes.map { try? $0.get(as: Bool.self) } == [true, false, nil])

        var written = [try report.jsonValue().json, report.run.request.json, report.run.definition.text]
        await subscription.finish()
        written += events.withLock { $0 }
        written += try await engine.store.charges(matching: ChargeFilter(runID: report.runID)).map { "\($0)" }
        #expect(written.count > 8)
        #expect(written.filter { $0.contains(Self.secret) }.isEmpty)
    }

    @Test("are in no description of a pipeline")
    func descriptions() throws {
        let pipeline = try load()
        var dumped = ""
        dump(pipeline, to: &dumped)
        for text in ["\(pipeline)", String(reflecting: pipeline), dumped, pipeline.definition.json] {
            #expect(!text.contains(Self.secret))
        }
        #expect(
            pipeline.processor?.parameters
                == ["token": "Bearer ${TOKEN}", "nested": [["plain": "$${TOKEN}"]]])
        #expect(pipeline.definition["processors"]?.array?.first?["parameters"] == pipeline.processor?.parameters)
    }

    @Test("are part of what identifies a processor, by digests that each store keys in its own way")
    func digests() async throws {
        let options = try load().options
        var definitions: [String] = []
        let (first, second) = (Engine(), Engine())
        for (engine, secret) in [(first, "one"), (first, "one"), (first, "two"), (second, "one")] {
            let pipeline = try folder.load(Self.text, registry: registry, environment: ["TOKEN": secret])
            let report = try await engine.run(pipeline.single, over: [Item("1", secret)], options: options)
            #expect(try report.outputs(as: Bool.self) == [true])
            definitions.append(report.run.definition.text)
        }
        #expect(definitions[0] == definitions[1])
        #expect(Set(definitions).count == 3)
    }

    @Test("are asked for anew when a definition is read again")
    func definition() async throws {
        let definition = try load().definition
        let again = try Pipeline.load(
            definition: definition, path: "p.yaml", registry: registry, environment: ["TOKEN": "other"])
        let report = try await Engine().run(again.single, over: [Item("1", "other")], options: again.options)
        #expect(try report.outputs(as: Bool.self) == [true])
        let error = #expect(throws: ProcessingError.self) {
            try Pipeline.load(definition: definition, path: "p.yaml", registry: registry, environment: [:])
        }
        #expect(error?.message.hasSuffix(": environment variable 'TOKEN' is not set") == true)
    }

    @Test(
        "may be words of the built-in types, which findings show as they stand in the file",
        arguments: [
            ("{function: '${WORD}'}", nil),
            (
                "{function: '${TOKEN}'}",
                "3:26: unknown function '${TOKEN}'; known: passthrough, uppercase, lowercase, strip, multiply"
            ),
            (
                "{function: '$${WORD}'}",
                "3:26: unknown function '$${WORD}'; known: passthrough, uppercase, lowercase, strip, multiply"
            ),
            (
                "{function: strip, multiplier: '${TOKEN}'}",
                "3:45: multiplier must be a number, found text '${TOKEN}'"
            ),
            (
                "{function: strip, '${TOKEN}': 1}",
                "3:33: unknown parameter '${TOKEN}' of processor 'a' of type simple; known: function, multiplier"
            ),
            ("{function: '${NONE}'}", "3:26: environment variable 'NONE' is not set"),
            (
                "{function: '${TOKEN'}",
                "3:26: '${' needs a variable name and '}'; write '$${' for the text itself"
            ),
        ])
    func words(parameters: String, finding: String?) throws {
        let found = try folder.findings(
            of: PipelineText.type("simple", parameters: parameters), environment: Self.environment)
        #expect(found == [finding].compactMap { $0 })
    }

    @Test("are taken out of what a type says about its parameters")
    func hidden() throws {
        let found = try folder.findings(
            of: PipelineText.type("leaky", parameters: "{a: 'x${LONG}${SHORT}', b: '${EMPTY}'}"), registry: registry,
            environment: ["LONG": "hush-hush", "SHORT": "hush", "EMPTY": ""])
        #expect(found == [#"3:15: cannot use x******: {"a":"x******","b":""}"#])
    }

    @Test("are put into parameters only")
    func elsewhere() throws {
        let text = PipelineText.node("version: '${TOKEN}'") + "\naccount_id: '${TOKEN}'"
        let pipeline = try folder.load(text, environment: Self.environment)
        #expect(pipeline.processor?.version == "${TOKEN}")
        #expect(pipeline.scope.accountID?.text == "${TOKEN}")
    }

    @Test("may be named by parameters from outside of the file")
    func overridden() throws {
        let pipeline = try folder.load(
            PipelineText.type("simple", parameters: "{function: strip}"), environment: Self.environment,
            overrides: ["a.function=${WORD}"])
        #expect(pipeline.processor?.parameters == ["function": "${WORD}"])
    }
}
