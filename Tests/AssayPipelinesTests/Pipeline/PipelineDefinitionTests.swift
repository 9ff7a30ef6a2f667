import Assay
import AssayPipelines
import Testing

@Suite("The definition of a pipeline") struct PipelineDefinitionTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    static let files: [(name: String, text: String)] = [
        ("p.yaml", PipelineText.top("")),
        (
            "p.yaml",
            PipelineText.node("price: {base_cost: 0.10, charge: per_input}\n    cache: {ttl: 90m}\n    version: 1.10")
                + """

                account_id: "é"
                execution_id: e
                runner: {type: thread, max_workers: 3}
                on_failure: {tolerate: 0.10}
                error_strategy: {type: retry, initial_delay: 0.50, retry_on: [api]}
                digest_ignores: [note]
                prices: {currency: EUR, processors: {a: [1.50, {base_cost: 2, effective_from: 2025-01-01}]}}
                items: [{data: {n: 1.00, big: 12345678901234567890123456789012345678}}, {input_id: "1", data: null}]
                """
        ),
        ("p.yaml", PipelineText.type("simple", parameters: "{function: '${WORD}', multiplier: 1e2}")),
        ("p.yaml", PipelineText.top("prices: ./prices.yaml\naccount_id:")),
        (
            "p.json",
            #"""
            {"run_as": "processor", "description": "\u0000 \"x\" \ud83d\ude00", "processors":
             [{"processor_id": "a.b", "processor_type": "text_transformer", "parameters": {"transformation": "none"}}]}
            """#
        ),
    ]

    @Test("gives the same pipeline when it is read again", arguments: files)
    func roundTrip(name: String, text: String) async throws {
        try folder.write("services: {s: {o: 0.25}}", to: "prices.yaml")
        let environment = ["WORD": "multiply"]
        let pipeline = try folder.load(text, as: name, environment: environment)
        // As a store keeps it.
        let stored = try JSONValue(json: pipeline.definition.json)
        let again = try Pipeline.load(
            definition: stored, path: pipeline.path, registry: .standard, environment: environment)

        #expect(again.definition == pipeline.definition)
        #expect(again.definition.json == pipeline.definition.json)
        #expect(again.path == pipeline.path)
        #expect(again.options.told == pipeline.options.told)
        #expect(again.options.runner.maxWorkers == pipeline.options.runner.maxWorkers)
        #expect(again.scope == pipeline.scope)
        #expect(again.processor?.name == pipeline.processor?.name)
        #expect(again.processor?.version == pipeline.processor?.version)
        #expect(again.processor?.parameters == pipeline.processor?.parameters)
        #expect(again.processor?.digestIgnores == pipeline.processor?.digestIgnores)
        #expect(again.prices?.current() == pipeline.prices?.current())
        #expect(again.items.map(\.id) == pipeline.items.map(\.id))
        #expect(try again.items.map { try $0.data.json().json } == pipeline.items.map { try $0.data.json().json })

        // What identifies the processor is the same, so that a run can be resumed with it.
        let engine = Engine()
        let first = try await engine.run(pipeline.single, over: [Item("1", 1)], options: RunOptions())
        let second = try await engine.resume(first.runID, with: again.single)
        #expect(second.run.definition == first.run.definition)
    }

    @Test("keeps the digits of numbers")
    func digits() throws {
        let definition = try folder.load(PipelineText.node("price: 1.500\n    version: 2.0")).definition
        let node = definition["processors"]?.array?.first
        #expect(node?["price"]?.json == "1.500")
        #expect(node?["version"]?.json == "2.0")
    }

    @Test("does not hold what was given outside of the file")
    func overrides() throws {
        let pipeline = try folder.load(PipelineText.top(""), overrides: ["a.function=strip"])
        #expect(pipeline.processor?.parameters == ["function": "strip"])
        #expect(try folder.load(PipelineText.top("")).definition == pipeline.definition)
        let again = try Pipeline.load(
            definition: pipeline.definition, path: pipeline.path, registry: .standard, environment: [:],
            overrides: [try ParameterOverride("a.function=strip")])
        #expect(again.processor?.parameters == pipeline.processor?.parameters)
    }

    @Test("is checked like a file")
    func mistakes() throws {
        let error = #expect(throws: ProcessingError.self) {
            try Pipeline.load(definition: ["run_as": "procesor"], path: "p.yaml", registry: .standard, environment: [:])
        }
        #expect(error?.code == .configuration)
        #expect(
            error?.message == """
                p.yaml:1:1: the file needs 'processors'
                p.yaml:1:11: unknown run_as 'procesor'; did you mean 'processor'?
                """)
    }
}

@Suite("A parameter from outside of the file") struct ParameterOverrideTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test(
        "is taken as JSON, else as text",
        arguments: [
            ("a.k=2", "a", "k", "2"), ("a.k=1.50", "a", "k", "1.50"), ("a.k=true", "a", "k", "true"),
            ("a.k=null", "a", "k", "null"), (#"a.k="2""#, "a", "k", #""2""#), ("a.k=[1,{}]", "a", "k", "[1,{}]"),
            ("a.k=upper case", "a", "k", #""upper case""#), ("a.k=", "a", "k", #""""#),
            ("a.k=x=y.z", "a", "k", #""x=y.z""#),
            ("a.k=007", "a", "k", #""007""#), ("my.node.k=v", "my.node", "k", #""v""#),
        ])
    func forms(text: String, processor: String, key: String, value: String) throws {
        let override = try ParameterOverride(text)
        #expect(override.processorID == processor)
        #expect(override.key == key)
        #expect(override.value.json == value)
    }

    @Test("is refused in another form", arguments: ["", "a", "a.k", "a=1", "=", ".k=1", "a.=1", "k=a.b"])
    func otherForms(text: String) {
        let error = #expect(throws: ProcessingError.self) { try ParameterOverride(text) }
        #expect(error?.code == .configuration)
        #expect(error?.message == "a parameter is given as name.key=value, found '\(text)'")
    }

    @Test("replaces that of the file, or adds to it; the last one counts")
    func replaces() throws {
        let text = PipelineText.type("simple", parameters: "{function: strip}")
        let pipeline = try folder.load(
            text, overrides: ["a.function=uppercase", "a.multiplier=0.5", "a.function=multiply"])
        #expect(pipeline.processor?.parameters.json == #"{"function":"multiply","multiplier":0.5}"#)
    }

    @Test("may be given to a processor that has none in the file, or whose name has dots")
    func without() throws {
        let text = "run_as: processor\nprocessors: [{processor_id: my.node, processor_type: simple}]"
        let pipeline = try folder.load(text, overrides: ["my.node.function=strip"])
        #expect(pipeline.processor?.parameters == ["function": "strip"])
    }

    @Test("is what runs")
    func run() async throws {
        let text = PipelineText.type("simple", parameters: "{function: multiply}")
        let pipeline = try folder.load(text, overrides: ["a.multiplier=10"])
        let report = try await Engine().run(pipeline.single, over: [Item("1", 7)], options: pipeline.options)
        #expect(try report.outputs(as: Int.self) == [70])
    }

    @Test(
        "is checked like those of the file",
        arguments: [
            ("b.function=strip", "--param names processor 'b', which this file does not have"),
            ("a.function=stripp", "3:15: unknown function 'stripp'; did you mean 'strip'?"),
            ("a.function=5", "3:15: function must be text, found number 5"),
            ("a.function=null", "3:15: processor 'a' of type simple needs parameter 'function'"),
            ("a.multiplier=two", "3:15: multiplier must be a number, found text 'two'"),
            ("a.multiplier=[1]", "3:15: multiplier must be a number, found a list"),
            (
                "a.functoin=strip",
                "3:15: unknown parameter 'functoin' of processor 'a' of type simple; did you mean 'function'?"
            ),
            ("a.function=${NONE}", "3:15: environment variable 'NONE' is not set"),
        ])
    func mistakes(text: String, finding: String) throws {
        let file = PipelineText.type("simple", parameters: "{function: strip}")
        #expect(try folder.findings(of: file, overrides: [text]) == [finding])
    }
}
