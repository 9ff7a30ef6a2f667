import Assay
import AssayPipelines
import Testing

@Suite("What is wrong with a pipeline file") struct PipelineFindingTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// A line of a file and what is found wrong with it, from column 1 of the line.
    struct Row: Sendable, CustomTestStringConvertible {
        let line: String
        let findings: [(column: Int, message: String)]
        var testDescription: String { line }

        init(_ line: String, _ column: Int, _ message: String) { (self.line, findings) = (line, [(column, message)]) }
        init(_ line: String, _ findings: (Int, String)...) { (self.line, self.findings) = (line, findings) }
    }

    static let topRows: [Row] = [
        Row("version: 2", 10, "version must be 1, found 2"),
        Row("version: one", 10, "version must be a whole number, found text 'one'"),
        Row("version: 1.5", 10, "version must be a whole number, found 1.5"),
        Row("graph_id: a:b", 11, "graph_id 'a:b' may only contain letters, digits, '.', '_' and '-'"),
        Row("graph_id: 12", 11, "graph_id must be text, found number 12"),
        Row("description: [a]", 14, "description must be text, found a list"),
        Row("account_id: 12", 13, "account_id must be text, found number 12"),
        Row(
            #"account_id: "a\tb""#, 13,
            #"account_id must be 1 byte to 1 KiB of text without control characters, found a\u{9}b"#),
        Row("underwriting_id: {}", 18, "underwriting_id must be text, found a map"),
        Row("execution_id: .e", 15, "execution_id '.e' must not begin with '.'"),
        Row("budget: 5", 9, "budget must be a map, found number 5"),
        Row("budget: {name: b}", 9, "budget needs 'limit'"),
        Row("budget: {limit: -1}", 17, "limit must be between 0 and 9,000,000,000, found -1"),
        Row("budget: {limit: 1, scope: acount}", 27, "unknown budget scope 'acount'; did you mean 'account'?"),
        Row("budget: {limit: 1, warn_at: 1.5}", 29, "warn_at must be between 0 and 1, found 1.5"),
        Row("breakers: {clear: {failure_threshold: 0}}", 39, "failure_threshold must be at least 1, found 0"),
        Row("runner: thraed", 9, "unknown runner 'thraed'; did you mean 'thread'?"),
        Row("runner: temporal", 9, "unknown runner 'temporal'; known: auto, process, sequential, thread"),
        Row("runner: 4", 9, "runner must be text, found number 4"),
        Row("runner: {max_workers: 2}", 9, "runner needs 'type'"),
        Row("runner: {type: thread, max_workers: 0}", 37, "max_workers must be between 1 and 1024, found 0"),
        Row("runner: {type: thread, max_workers: 1025}", 37, "max_workers must be between 1 and 1024, found 1025"),
        Row("runner: {type: thread, max_workers: two}", 37, "max_workers must be a whole number, found text 'two'"),
        Row(
            "runner: {type: sequential, max_workers: 2}", 16,
            "max_workers must be 1 with the sequential runner, found 2"),
        Row(
            "runner: {type: thread, max_wokers: 2}", 24,
            "unknown key 'max_wokers' in runner; did you mean 'max_workers'?"),
        Row("recovery: reproces", 11, "unknown recovery 'reproces'; did you mean 'reprocess'?"),
        Row("recovery: true", 11, "recovery must be text, found boolean true"),
        Row("on_change: go", 12, "unknown on_change 'go'; known: refuse, keep, restart"),
        Row("on_failure: colect", 13, "unknown failure policy 'colect'; did you mean 'collect'?"),
        Row("on_failure: tolerate:0.1", 13, "unknown failure policy 'tolerate:0.1'; known: collect, stop, atomic"),
        Row("on_failure: [stop]", 13, "on_failure must be text, found a list"),
        Row("on_failure: {tolerate: 1.5}", 24, "tolerate must be between 0 and 1, found 1.5"),
        Row("on_failure: {tolerate: -0.1}", 24, "tolerate must be between 0 and 1, found -0.1"),
        Row("on_failure: {tolerate: 10%}", 24, "tolerate must be a number of at most 18 decimals, found text '10%'"),
        Row(
            "on_failure: {tolerate: 0.1234567890123456789}", 24,
            "tolerate must be a number of at most 18 decimals, found 0.1234567890123456789"),
        Row(
            "on_failure: {tolerat: 0.1}", (13, "on_failure needs 'tolerate'"),
            (14, "unknown key 'tolerat' in on_failure; did you mean 'tolerate'?")),
        Row("timeout: 30", 10, "timeout needs a unit, for example 30s"),
        Row("timeout: -1s", 10, "timeout must be greater than 0, found -1s"),
        Row("timeout: 0ms", 10, "timeout must be greater than 0, found 0ms"),
        Row("timeout: 3 days", 10, "timeout must be a duration, for example 30s, found text '3 days'"),
        Row("timeout: 36501d", 10, "timeout must be at most 36500d, found 36501d"),
        Row("aggregate_partial: yes", 20, "aggregate_partial must be true or false, found text 'yes'"),
        Row("strict_costs: 1", 15, "strict_costs must be true or false, found number 1"),
        Row("digest_ignores: a", 17, "digest_ignores must be a list, found text 'a'"),
        Row("digest_ignores: [a, 2]", 21, "digest_ignores[1] must be text, found number 2"),
        Row("items: all", 8, "items must be a list, found text 'all'"),
        Row("items: [{data: 1}, 2]", 20, "item 2 must be a map with a key 'data' or 'file', found a number"),
        Row("items: [{input_id: a}]", 9, "item 1 has neither 'data' nor 'file'"),
        Row("items: [{input_id: 7, data: 1}]", 9, "input_id of item 1 must be text, found a number"),
        Row(
            "items: [{id: a, data: 1}]", 9,
            "item 1 has the unknown key 'id'; known: account_id, data, execution_id, file, input_id, payload, slot, underwriting_id"
        ),
        Row(
            #"items: [{"d\ta": 1, data: 1}]"#, 9,
            #"item 1 has the unknown key 'd\u{9}a'; known: account_id, data, execution_id, file, input_id, payload, slot, underwriting_id"#
        ),
        Row("error_strategy: retry", 17, "error_strategy must be a map, found text 'retry'"),
        Row("error_strategy: {}", 17, "error_strategy needs 'type'"),
        Row("error_strategy: {type: retyr}", 24, "unknown error strategy 'retyr'; did you mean 'retry'?"),
        Row(
            "error_strategy: {type: circuit_breaker, failure_threshold: 5}", 24,
            "unknown error strategy 'circuit_breaker'; known: composite, halt, retry, skip"),
        Row(
            "error_strategy: {type: retry, max_retries: three}", 44,
            "max_retries must be a whole number, found text 'three'"),
        Row("error_strategy: {type: retry, max_retries: -1}", 44, "max_retries must be between 0 and 1000, found -1"),
        Row("error_strategy: {type: retry, initial_delay: -0.5}", 46, "initial_delay must be at least 0, found -0.5"),
        Row(
            "error_strategy: {type: retry, max_delay: 1y}", 42,
            "max_delay must be a duration, for example 30s, found text '1y'"),
        Row(
            "error_strategy: {type: retry, backoff_multiplier: 0.5}", 51,
            "backoff_multiplier must be between 1 and 1000, found 0.5"),
        Row("error_strategy: {type: retry, retry_on: al}", 41, "unknown retry_on 'al'; did you mean 'all'?"),
        Row("error_strategy: {type: retry, retry_on: [apy]}", 42, "unknown error code 'apy'; did you mean 'api'?"),
        Row("error_strategy: {type: retry, retry_on: [5]}", 42, "retry_on[0] must be text, found number 5"),
        Row(
            "error_strategy: {type: retry, max_retris: 3}", 31,
            "unknown key 'max_retris' in error_strategy; did you mean 'max_retries'?"),
        Row(
            "error_strategy: {type: skip, max_skips: 5}", 41,
            "key 'max_skips' cannot be used with run_as: processor"),
        Row(
            "error_strategy: {type: halt, cleanup_timeout: 5}", 47,
            "key 'cleanup_timeout' cannot be used with run_as: processor"),
        Row("error_strategy: {type: halt, final: 1}", 37, "final must be true or false, found number 1"),
        Row("error_strategy: {type: composite}", 17, "error_strategy needs 'strategies'"),
        Row("error_strategy: {type: composite, strategies: []}", 47, "strategies needs at least one error strategy"),
        Row(
            "error_strategy: {type: composite, strategies: skip}", 47, "strategies must be a list, found text 'skip'"),
        Row(
            "error_strategy: {type: composite, strategies: [{type: skp}, {typ: halt}]}",
            (55, "unknown error strategy 'skp'; did you mean 'skip'?"),
            (61, "error_strategy.strategies[1] needs 'type'")),
        Row(
            "error_strategy: {type: composite, strategies: [{type: retry}, {type: retry, max_retries: 9}]}", 63,
            "only one retry can be used with run_as: processor"),
        Row(
            "error_strategy: {type: composite, strategies: [{type: skip}], strategy_order: both}", 79,
            "unknown strategy order 'both'; known: sequential, parallel"),
        Row("runer: thread", 1, "unknown key 'runer'; did you mean 'runner'?"),
        Row("acount_id: a", 1, "unknown key 'acount_id'; did you mean 'account_id'?"),
        Row(
            "colour: red", 1,
            "unknown key 'colour'; known: version, graph_id, description, account_id, underwriting_id, execution_id, "
                + "run_as, runner, recovery, on_change, …"),
    ]

    static let nodeRows: [Row] = [
        Row("timeout: 30", 14, "timeout needs a unit, for example 30s"),
        Row("timeout: 0s", 14, "timeout must be greater than 0, found 0s"),
        Row("heartbeat_timeout: -5s", 24, "heartbeat_timeout must be greater than 0, found -5s"),
        Row("runner: squential", 13, "unknown runner 'squential'; did you mean 'sequential'?"),
        Row("runner: {type: thread, max_workers: 0}", 41, "max_workers must be between 1 and 1024, found 0"),
        Row("runner: {}", 13, "processors[0].runner needs 'type'"),
        Row("recovery: again", 15, "unknown recovery 'again'; known: resume, reprocess"),
        Row("version: true", 14, "version must be text, found boolean true"),
        Row("cache: yes", 12, "cache must be true, false or a map, found text 'yes'"),
        Row("cache: {ttl: 60}", 18, "ttl needs a unit, for example 30s"),
        Row("cache: {scope: acount}", 20, "unknown cache scope 'acount'; did you mean 'account'?"),
        Row("cache: {refresh: no}", 22, "refresh must be true or false, found text 'no'"),
        Row("cache: {tll: 1h}", 13, "unknown key 'tll' in processors[0].cache; did you mean 'ttl'?"),
        Row("price: free", 12, "price must be a number of at most 9 decimals, found text 'free'"),
        Row("price: 0.1234567891", 12, "price must be a number of at most 9 decimals, found 0.1234567891"),
        Row("price: -1", 12, "price must be between 0 and 1,000,000, found -1"),
        Row("price: 1000000.01", 12, "price must be between 0 and 1,000,000, found 1000000.01"),
        Row(
            "price: {base_cost: 0.1234567891}", 24,
            "base_cost must be a number of at most 9 decimals, found 0.1234567891"),
        Row("price: {charge: per_run}", 12, "processors[0].price needs 'base_cost'"),
        Row(
            "price: {base_cost: 1, charge: per_item}", 35,
            "unknown charge policy 'per_item'; known: per_execution, per_run, per_input"),
        Row(
            "price: {base_cost: 1, effective_from: 2025-01-01}", 27,
            "unknown key 'effective_from' in processors[0].price; known: base_cost, charge"),
        Row("error_strategy: {type: skipp}", 28, "unknown error strategy 'skipp'; did you mean 'skip'?"),
        Row("paramters: {}", 5, "unknown key 'paramters' in processors[0]; did you mean 'parameters'?"),
        Row("input_pipes: [input]", 18, "key 'input_pipes' cannot be used with run_as: processor"),
        Row("output_pipes: [output]", 19, "key 'output_pipes' cannot be used with run_as: processor"),
        Row("inputs: allow_missing", 13, "key 'inputs' cannot be used with run_as: processor"),
        Row("merge: {input: append}", 12, "key 'merge' cannot be used with run_as: processor"),
        Row("concurrency: 0", 18, "concurrency must be between 1 and 1024, found 0"),
        Row("billing: on_atempt", 14, "unknown billing 'on_atempt'; did you mean 'on_attempt'?"),
        Row("in_doubt: keep", 15, "unknown in_doubt 'keep'; known: hold, settle, release"),
        Row("complexity: simpel", 17, "unknown complexity 'simpel'; did you mean 'simple'?"),
        Row("max_crashes: 0", 18, "max_crashes must be at least 1, found 0"),
    ]

    @Test("is said with its line and column", arguments: topRows)
    func topLevel(row: Row) throws {
        let findings = try folder.findings(of: PipelineText.top(row.line))
        #expect(findings == row.findings.map { "3:\($0.column): \($0.message)" })
    }

    @Test("in its processor is said with its line and column", arguments: nodeRows)
    func ofNode(row: Row) throws {
        let findings = try folder.findings(of: PipelineText.node(row.line))
        #expect(findings == row.findings.map { "6:\($0.column): \($0.message)" })
    }

    @Test(
        "includes keys that need a graph",
        arguments: [
            "connections: [{from_processor: a, from_output: output, to_processor: a, to_input: input}]",
            "max_in_flight: 10", "breakpoints: []", "taps: []",
        ])
    func graphKeys(line: String) throws {
        let key = line.prefix { $0 != ":" }
        #expect(
            try folder.findings(of: PipelineText.top(line))
                == ["3:\(key.count + 3): key '\(key)' cannot be used with run_as: processor"])
    }

    @Test(
        "includes the processor",
        arguments: [
            ("{processor_type: simple, parameters: {function: strip}}", "2:14: processors[0] needs 'processor_id'"),
            (
                "{processor_type: simple, parameters: {functoin: strip}, processor_id: 7}",
                "2:51: a processor of type simple needs parameter 'function'\n"
                    + "2:52: unknown parameter 'functoin' of a processor of type simple; did you mean 'function'?\n"
                    + "2:84: processor_id must be text, found number 7"
            ),
            ("{processor_id: a}", "2:14: processors[0] needs 'processor_type'"),
            (
                "{processor_id: a:b, processor_type: simple, parameters: {function: strip}}",
                "2:29: processor_id 'a:b' may only contain letters, digits, '.', '_' and '-'"
            ),
            (
                "{processor_id: a, processor_type: simpel}",
                "2:48: unknown processor type 'simpel'; did you mean 'simple'?"
            ),
            (
                "{processor_id: a, processor_type: magic}",
                "2:48: unknown processor type 'magic'; known: aggregator, command, data_filter, http, simple, text_transformer"
            ),
            ("{processor_id: a, processor_type: [simple]}", "2:48: processor_type must be text, found a list"),
            (
                "{processor_id: a, processor_type: simple}",
                "2:14: processor 'a' of type simple needs parameter 'function'"
            ),
            (
                "{processor_id: a, processor_type: simple, parameters: {}}",
                "2:68: processor 'a' of type simple needs parameter 'function'"
            ),
            (
                "{processor_id: a, processor_type: simple, parameters: [strip]}",
                "2:68: parameters must be a map, found a list"
            ),
            (
                "{processor_id: a, processor_type: simple, parameters: {function: uppercas}}",
                "2:79: unknown function 'uppercas'; did you mean 'uppercase'?"
            ),
            (
                "{processor_id: a, processor_type: simple, parameters: {function: 5}}",
                "2:79: function must be text, found number 5"
            ),
            (
                "{processor_id: a, processor_type: simple, parameters: {function: multiply, multiplier: two}}",
                "2:101: multiplier must be a number, found text 'two'"
            ),
            (
                "{processor_id: a, processor_type: simple, parameters: {function: multiply, multiplyer: 2}}",
                "2:89: unknown parameter 'multiplyer' of processor 'a' of type simple; did you mean 'multiplier'?"
            ),
            (
                "{processor_id: a, processor_type: text_transformer, parameters: {transformation: revers}}",
                "2:95: unknown transformation 'revers'; did you mean 'reverse'?"
            ),
            ("simple", "2:14: processors[0] must be a map, found text 'simple'"),
            ("", "2:13: run_as: processor needs exactly one processor, found 0"),
            (
                "{processor_id: a, processor_type: simple}, {processor_id: b, processor_type: simple}",
                "2:13: run_as: processor needs exactly one processor, found 2"
            ),
        ])
    func processor(node: String, expected: String) throws {
        let findings = try folder.findings(of: "run_as: processor\nprocessors: [\(node)]")
        #expect(findings.joined(separator: "\n") == expected)
    }

    @Test(
        "includes a list of processors that is none",
        arguments: [
            ("", "1:1: the file needs 'processors'"), ("processors:", "2:1: the file needs 'processors'"),
            ("processors: simple", "2:13: processors must be a list, found text 'simple'"),
            ("processors: {processor_id: a}", "2:13: processors must be a list, found a map"),
        ])
    func processors(line: String, expected: String) throws {
        #expect(try folder.findings(of: "run_as: processor\n\(line)") == [expected])
    }

    @Test("includes an unknown way to run")
    func runAs() throws {
        let text = PipelineText.top("").replacing("run_as: processor", with: "run_as: procesor")
        #expect(try folder.findings(of: text) == ["1:9: unknown run_as 'procesor'; did you mean 'processor'?"])
    }

    @Test(
        "includes files that hold no map",
        arguments: [
            ("", "1:1: the file must be a map, found null"), ("- a", "1:1: the file must be a map, found a list"),
        ])
    func noMap(text: String, expected: String) throws {
        #expect(try folder.findings(of: text) == [expected])
    }

    @Test("includes there being no such file, or none of a known kind")
    func noFile() throws {
        let error = #expect(throws: ProcessingError.self) {
            try Pipeline.load(folder.path + "/none.yaml", registry: .standard, environment: [:])
        }
        #expect(error?.code == .configuration)
        #expect(error?.message == folder.path + "/none.yaml: no such file")
        #expect(
            try folder.findings(of: "", as: "p.toml")
                == ["p.toml: unsupported file type '.toml'; use .yaml, .yml or .json"])
    }

    @Test("is all said at once, in the order of the file")
    func all() throws {
        let text = """
            version: 3
            timeout: 30
            run_as: processor
            on_failure: colect
            error_strategy: {type: retry, max_retries: three, retry_on: [apy]}
            processors:
              - processor_id: a:b
                processor_type: simpel
                paramters: {function: strip}
                parameters: {token: "${TOKEN} ${OTHER}"}
                timeout: -1s
                price: {base_cost: 0.1234567891, charge: per_rnu}
            prices:
              currency: usd
              processors: {a: [{base_cost: 1}, {base_cost: 2}]}
            budget: {limit: -5}
            timeout: 1h
            runner: {type: thread, max_workers: 0}
            """
        let findings = try folder.findings(of: text)
        #expect(
            findings == [
                "1:10: version must be 1, found 3",
                "2:10: timeout needs a unit, for example 30s",
                "4:13: unknown failure policy 'colect'; did you mean 'collect'?",
                "5:44: max_retries must be a whole number, found text 'three'",
                "5:62: unknown error code 'apy'; did you mean 'api'?",
                "7:19: processor_id 'a:b' may only contain letters, digits, '.', '_' and '-'",
                "8:21: unknown processor type 'simpel'; did you mean 'simple'?",
                "9:5: unknown key 'paramters' in processors[0]; did you mean 'parameters'?",
                "10:25: environment variable 'TOKEN' is not set",
                "10:25: environment variable 'OTHER' is not set",
                "11:14: timeout must be greater than 0, found -1s",
                "12:24: base_cost must be a number of at most 9 decimals, found 0.1234567891",
                "12:46: unknown charge policy 'per_rnu'; did you mean 'per_run'?",
                "14:13: currency must be three capital letters such as USD, found usd",
                "15:36: two prices of 'a' have the same effective_from",
                "16:17: limit must be between 0 and 9,000,000,000, found -5",
                "17:1: key 'timeout' is given twice (first at line 2)",
                "18:37: max_workers must be between 1 and 1024, found 0",
            ])
    }

    @Test("is said of JSON files too")
    func json() throws {
        let text = """
            {"run_as": "processor",
             "timeout": 5,
             "processors": [{"processor_id": "a", "processor_type": "simple", "parameters": {"function": "upercase"}}],
             "colour": 1}
            """
        #expect(
            try folder.findings(of: text, as: "p.json").prefix(2) == [
                "2:13: timeout needs a unit, for example 30s",
                "3:94: unknown function 'upercase'; did you mean 'uppercase'?",
            ])
    }

    @Test("is at most 50 lines, then how many there are besides")
    func many() throws {
        let keys = (1...60).map { "key_\($0): 1" }.joined(separator: "\n")
        let findings = try folder.findings(of: PipelineText.top(keys))
        #expect(findings.count == 51)
        #expect(findings.last == "and 10 more")
    }
}
