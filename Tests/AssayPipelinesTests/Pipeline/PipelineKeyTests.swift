import Assay
import AssayPipelines
import Foundation
import Testing

@Suite("The keys of a pipeline file") struct PipelineKeyTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private static let defaults = [
        "scope": "- - -", "runner": "sequential", "failures": "collect", "retries": "none",
        "item_timeout": "3600.0 seconds", "heartbeat": "none", "timeout": "86400.0 seconds", "recovery": "resume",
        "on_change": "refuse", "aggregate_partial": "false", "strict_costs": "false", "price": "none",
        "item_cache": "none", "budgets": "none", "breakers": "none", "billing": "on_success", "in_doubt": "hold",
    ]

    @Test("have the documented defaults")
    func defaults() throws {
        let pipeline = try folder.load(PipelineText.top(""))
        #expect(pipeline.options.told == Self.defaults)
        #expect(pipeline.processor?.name.text == "a")
        #expect(pipeline.processor?.version == "1")
        #expect(pipeline.processor?.parameters == ["function": "passthrough"])
        #expect(pipeline.processor?.digestIgnores == [])
        #expect(pipeline.items.isEmpty)
        #expect(pipeline.prices == nil)
        #expect(pipeline.path == folder.path + "/p.yaml")
        #expect(pipeline.options.runner.maxWorkers == 1)
    }

    /// A line of a file and the one part of the options that it changes.
    typealias Setting = (line: String, part: String, expected: String)

    static let topSettings: [Setting] = [
        ("account_id: acc 1", "scope", "acc 1 - -"),
        ("underwriting_id: uw/1", "scope", "- uw/1 -"),
        ("execution_id: exec_1", "scope", "- - exec_1"),
        ("runner: thread", "runner", "thread"),
        ("runner: auto", "runner", "auto"),
        ("runner: {type: thread, max_workers: 7}", "runner", "thread"),
        ("recovery: reprocess", "recovery", "reprocess"),
        ("on_change: keep", "on_change", "keep"),
        ("on_change: restart", "on_change", "restart"),
        ("on_failure: stop", "failures", "stop"),
        ("on_failure: atomic", "failures", "atomic"),
        ("on_failure: {tolerate: 0.10}", "failures", "tolerate:0.1"),
        ("on_failure: {tolerate: 0}", "failures", "tolerate:0"),
        ("on_failure: {tolerate: 1}", "failures", "tolerate:1"),
        ("timeout: 250ms", "timeout", "0.25 seconds"),
        ("timeout: 30s", "timeout", "30.0 seconds"),
        ("timeout: 1.5m", "timeout", "90.0 seconds"),
        ("timeout: 2h", "timeout", "7200.0 seconds"),
        ("timeout: 7d", "timeout", "604800.0 seconds"),
        ("aggregate_partial: true", "aggregate_partial", "true"),
        ("strict_costs: true", "strict_costs", "true"),
        ("budget: {limit: 5}", "budgets", "budget 5.00 run total enforce 0.8"),
        (
            "budget: [{limit: 0.1, name: b, scope: account, window: day, mode: warn, warn_at: 0.50}, {limit: 0}]",
            "budgets", "b 0.10 account day warn 0.5; budget 0.00 run total enforce 0.8"
        ),
        ("breakers: {clear: {}}", "breakers", "clear: 5, 60.0 seconds, 3"),
        (
            "breakers: {a: {failure_threshold: 1, recovery_timeout: 0.5, success_threshold: 2}, b: {}}", "breakers",
            "a: 1, 0.5 seconds, 2; b: 5, 60.0 seconds, 3"
        ),
    ]

    static let nodeSettings: [Setting] = [
        ("runner: thread", "runner", "thread"),
        ("timeout: 30s", "item_timeout", "30.0 seconds"),
        ("heartbeat_timeout: 5s", "heartbeat", "5.0 seconds"),
        ("recovery: reprocess", "recovery", "reprocess"),
        ("price: 0.10", "price", "0.10 per_run"),
        ("price: 0", "price", "0.00 per_run"),
        ("price: {base_cost: 0.25}", "price", "0.25 per_run"),
        ("price: {base_cost: 0.123456789, charge: per_execution}", "price", "0.123456789 per_execution"),
        ("price: {base_cost: 5, charge: per_input}", "price", "5.00 per_input"),
        ("cache: true", "item_cache", "account, for ever"),
        ("cache: {}", "item_cache", "account, for ever"),
        ("cache: {ttl: 1h, scope: global, refresh: true}", "item_cache", "global, 3600.0 seconds, refresh"),
        ("error_strategy: {type: halt}", "failures", "stop"),
        ("billing: on_attempt", "billing", "on_attempt"),
        ("in_doubt: settle", "in_doubt", "settle"),
    ]

    @Test("set what they name and nothing else", arguments: topSettings)
    func topLevel(setting: Setting) throws {
        let told = try folder.load(PipelineText.top(setting.line)).options.told
        #expect(told == Self.defaults.merging([setting.part: setting.expected]) { $1 })
    }

    @Test("of the processor set what they name and nothing else", arguments: nodeSettings)
    func ofNode(setting: Setting) throws {
        let told = try folder.load(PipelineText.node(setting.line)).options.told
        #expect(told == Self.defaults.merging([setting.part: setting.expected]) { $1 })
    }

    @Test(
        "change nothing when they give the default, or nothing at all",
        arguments: [
            "version: 1", "version: 1.0", "graph_id: any", "description: any text", "run_as:", "account_id: null",
            "runner: sequential", "runner: {type: sequential, max_workers: 1}", "recovery: resume", "on_change: refuse",
            "on_failure: collect", "timeout: 24h", "timeout: ~", "aggregate_partial: false", "strict_costs: false",
            "digest_ignores: []", "items: []", "connections: []", "connections:", "error_strategy:", "budget:",
        ])
    func givenDefaults(line: String) throws {
        let text = PipelineText.top(line == "run_as:" ? "" : line)
        #expect(try folder.load(text).options.told == Self.defaults)
    }

    @Test(
        "of the processor change nothing when they give the default",
        arguments: ["timeout: 1h", "version: 1", "cache: false", "cache:", "recovery: resume", "runner:", "price:"])
    func givenNodeDefaults(line: String) throws {
        let pipeline = try folder.load(PipelineText.node(line))
        #expect(pipeline.options.told == Self.defaults)
        #expect(pipeline.processor?.version == "1")
    }

    @Test("of the processor come before those of the file")
    func precedence() throws {
        let text = """
            run_as: processor
            runner: {type: thread, max_workers: 3}
            recovery: reprocess
            processors:
              - processor_id: a
                processor_type: simple
                parameters: {function: passthrough}
                runner: {type: thread, max_workers: 5}
                recovery: resume
            """
        let options = try folder.load(text).options
        #expect(options.runner.maxWorkers == 5)
        #expect(options.recovery == .resume)
    }

    @Test("may be written in JSON")
    func json() throws {
        let text = """
            {"run_as": "processor", "timeout": "10m", "on_failure": {"tolerate": 0.5},
             "processors": [{"processor_id": "a", "processor_type": "simple", "parameters": {"function": "strip"}}]}
            """
        let pipeline = try folder.load(text, as: "p.json")
        #expect(pipeline.options.timeout == .seconds(600))
        #expect(pipeline.options.failurePolicy == .tolerate(share: Number("0.5")!))
        #expect(pipeline.processor?.parameters == ["function": "strip"])
    }

    @Test(
        "say how many work at once",
        arguments: [
            ("thread", ProcessInfo.processInfo.activeProcessorCount), ("{type: thread, max_workers: 1024}", 1_024),
            ("{type: auto, max_workers: 3}", 3), ("{type: sequential, max_workers: 1}", 1),
        ])
    func workers(runner: String, expected: Int) throws {
        #expect(try folder.load(PipelineText.top("runner: \(runner)")).options.runner.maxWorkers == expected)
    }

    @Test("give the processor its version", arguments: [("2", "2"), ("1.10", "1.10"), ("v3", "v3"), ("'2'", "2")])
    func version(written: String, expected: String) throws {
        #expect(try folder.load(PipelineText.node("version: \(written)")).processor?.version == expected)
    }

    @Test("name the keys that do not count when inputs are compared")
    func digestIgnores() throws {
        let pipeline = try folder.load(PipelineText.top("digest_ignores: [fetched_at, fetched_at, note]"))
        #expect(pipeline.processor?.digestIgnores == ["fetched_at", "note"])
    }

    @Test("may hold the items")
    func items() throws {
        let text = PipelineText.top(
            """
            account_id: acc_1
            items:
              - {input_id: first, data: 1.50}
              - {data: {a: [true, null]}, account_id: acc_2, underwriting_id: uw, execution_id: e, payload: {step: s}}
            """)
        let pipeline = try folder.load(text)
        #expect(pipeline.items.map(\.id) == ["first", "item_2"])
        #expect(try pipeline.items.map { try $0.data.json().json } == ["1.50", #"{"a":[true,null]}"#])
        // For whom they are is filled in by who runs them, so that flags come before the file.
        #expect(pipeline.items.map(\.accountID) == [nil, "acc_2"])
        #expect(pipeline.items[1].underwritingID == "uw")
        #expect(pipeline.items[1].executionID == "e")
        #expect(pipeline.items[1].payload == ["step": "s"])
    }

    @Test("give the run its scope")
    func scope() throws {
        let pipeline = try folder.load(PipelineText.top("account_id: acc\nunderwriting_id: uw\nexecution_id: e"))
        #expect(pipeline.scope == pipeline.options.scope)
        #expect(pipeline.options.told["scope"] == "acc uw e")
    }
}
