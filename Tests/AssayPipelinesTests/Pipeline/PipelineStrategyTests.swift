import Assay
import AssayPipelines
import Testing

@Suite("Error strategies of a pipeline file") struct PipelineStrategyTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    static let retry = "{type: retry, max_retries: 2, initial_delay: 0}"

    @Test(
        "become retries and what failures mean",
        arguments: [
            ("{type: retry}", "3: 1.0 × 2.0 up to 60.0, retryable", "collect"),
            ("{type: retry, max_retries: 1000}", "1000: 1.0 × 2.0 up to 60.0, retryable", "collect"),
            ("{type: retry, max_retries: 0}", "none", "collect"),
            (
                "{type: retry, max_retries: 5, initial_delay: 0.5, max_delay: 250ms, backoff_multiplier: 1.5}",
                "5: 0.5 × 1.5 up to 0.25, retryable", "collect"
            ),
            ("{type: retry, initial_delay: 2m, max_delay: 1h}", "3: 120.0 × 2.0 up to 3600.0, retryable", "collect"),
            ("{type: retry, retry_on: all}", "3: 1.0 × 2.0 up to 60.0, all", "collect"),
            ("{type: retry, retry_on: retryable}", "3: 1.0 × 2.0 up to 60.0, retryable", "collect"),
            ("{type: retry, retry_on: [timeout, api]}", "3: 1.0 × 2.0 up to 60.0, api timeout", "collect"),
            ("{type: skip}", "none", "collect"),
            ("{type: halt}", "none", "stop"),
            ("{type: halt, final: true}", "none", "stop"),
            (
                "{type: composite, strategies: [\(retry), {type: skip}]}", "2: 0.0 × 2.0 up to 60.0, retryable",
                "collect"
            ),
            ("{type: composite, strategies: [\(retry), {type: halt}]}", "2: 0.0 × 2.0 up to 60.0, retryable", "stop"),
            ("{type: composite, strategies: [{type: halt}, \(retry)]}", "2: 0.0 × 2.0 up to 60.0, retryable", "stop"),
            (
                "{type: composite, strategy_order: parallel, strategies: [{type: skip}, {type: halt}]}", "none",
                "collect"
            ),
            // A skip answers for good, so what comes after it is never asked.
            ("{type: composite, strategies: [{type: skip}, \(retry)]}", "none", "collect"),
            ("{type: composite, strategies: [{type: halt}, {type: skip}]}", "none", "collect"),
            ("{type: composite, strategies: [{type: halt, final: true}, {type: skip}, \(retry)]}", "none", "stop"),
            (
                "{type: composite, strategies: [{type: composite, strategies: [\(retry)]}, {type: halt}]}",
                "2: 0.0 × 2.0 up to 60.0, retryable", "stop"
            ),
        ])
    func meaning(strategy: String, retries: String, failures: String) throws {
        for text in [
            PipelineText.top("error_strategy: \(strategy)"), PipelineText.node("error_strategy: \(strategy)"),
        ] {
            let told = try folder.load(text).options.told
            #expect(told["retries"] == retries)
            #expect(told["failures"] == failures)
        }
    }

    @Test(
        "leave to on_failure what they do not say",
        arguments: [
            ("{type: retry}", "tolerate:0.5"), ("{type: skip}", "collect"), ("{type: halt}", "stop"),
            ("{type: composite, strategies: [{type: retry}]}", "tolerate:0.5"),
        ])
    func onFailure(strategy: String, expected: String) throws {
        let text = PipelineText.top("on_failure: {tolerate: 0.5}\nerror_strategy: \(strategy)")
        #expect(try folder.load(text).options.told["failures"] == expected)
    }

    @Test("of the processor replace that of the file as a whole")
    func replaced() throws {
        let text =
            PipelineText.node("error_strategy: {type: skip}") + "\nerror_strategy: {type: retry}\non_failure: stop"
        let told = try folder.load(text).options.told
        #expect(told["retries"] == "none")
        #expect(told["failures"] == "collect")
    }

    @Test("are checked also when another takes their place")
    func checkedAnyway() throws {
        let text = PipelineText.node("error_strategy: {type: skip}") + "\nerror_strategy: {type: retyr}"
        #expect(
            try folder.findings(of: text) == ["7:24: unknown error strategy 'retyr'; did you mean 'retry'?"])
    }

    /// A type whose first `failures` attempts at each item fail with an error that another attempt may mend.
    static func flaky(failures: Int) throws -> Registry {
        var registry = Registry()
        try registry.register("flaky", parameters: []) { name, _ in
            try RegisteredProcessor(
                ClosureProcessor<JSONValue, JSONValue>(name) { input, context in
                    guard context.attempt > failures else { throw ProcessingError(.api, "busy") }
                    return input
                })
        }
        return registry
    }

    @Test(
        "are kept by a run",
        arguments: [
            (1, retry, ["succeeded 2", "succeeded 2"]),
            (2, retry, ["succeeded 3", "succeeded 3"]),
            (3, retry, ["failed 3", "failed 3"]),
            (3, "{type: composite, strategies: [\(retry), {type: halt}]}", ["failed 3", "cancelled 0"]),
            (1, "{type: halt}", ["failed 1", "cancelled 0"]),
            (1, "{type: skip}", ["failed 1", "failed 1"]),
            (1, "{type: retry, initial_delay: 0, retry_on: [timeout]}", ["failed 1", "failed 1"]),
        ])
    func run(failures: Int, strategy: String, expected: [String]) async throws {
        let text = PipelineText.type("flaky", parameters: "{}", more: "error_strategy: \(strategy)")
        let pipeline = try folder.load(text, registry: Self.flaky(failures: failures))
        let report = try await Engine().run(
            pipeline.single, over: [Item("1", 1), Item("2", 2)], options: pipeline.options)
        #expect(report.outcomes.map { "\($0.status.rawValue) \($0.attempts)" } == expected)
    }

    @Test(
        "of on_failure are kept by a run",
        arguments: [
            ("collect", ["failed", "succeeded", "failed", "succeeded"]),
            ("stop", ["failed", "cancelled", "cancelled", "cancelled"]),
            ("{tolerate: 0.25}", ["failed", "succeeded", "failed", "cancelled"]),
            // More digits than a product with the number of items has room for are refused when the file is read.
            ("{tolerate: 0.250000000000000000}", ["failed", "succeeded", "failed", "cancelled"]),
            ("{tolerate: 0.499999999999999999}", ["failed", "succeeded", "failed", "cancelled"]),
            ("{tolerate: 0.5}", ["failed", "succeeded", "failed", "succeeded"]),
        ])
    func tolerance(policy: String, expected: [String]) async throws {
        let text = PipelineText.type("simple", parameters: "{function: uppercase}", more: "on_failure: \(policy)")
        let pipeline = try folder.load(text)
        let items = [Item("1", 1), Item("2", "b"), Item("3", 3), Item("4", "d")]
        let report = try await Engine().run(pipeline.single, over: items, options: pipeline.options)
        #expect(report.outcomes.map(\.status.rawValue) == expected)
    }
}
