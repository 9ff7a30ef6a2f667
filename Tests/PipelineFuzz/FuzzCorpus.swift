import Assay
import AssayPipelines
import Foundation

/// The files that changed ones are made of: the examples of this repository, and one that uses every key.
struct FuzzCorpus {
    private let files: [(bytes: [UInt8], format: String)]
    /// The words of all files, and scalars that no key wants.
    private let words: [[UInt8]]

    init() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let examples = [
            "programs/words.yaml", "programs/score.yaml", "programs/upper.yaml", "underwriting/decision.yaml",
            "underwriting/pipeline.yaml",
        ]
        var texts = try examples.map { try Data(contentsOf: root.appendingPathComponent("Examples/\($0)")) }
        texts += (Self.graphs + [Self.single]).map { Data($0.utf8) }
        var files: [(bytes: [UInt8], format: String)] = []
        var words: Set<String> = []
        for text in texts {
            let bytes = Array(text)
            let tree = try ConfigurationDocument(bytes, as: .yaml, file: "corpus").root.json
            files.append((bytes, "yaml"))
            files.append((tree.jsonBytes, "json"))
            for word in String(decoding: bytes, as: UTF8.self).split(whereSeparator: { !$0.isLetter && $0 != "_" }) {
                words.insert(String(word))
            }
        }
        self.files = files
        self.words = words.sorted().map { Array($0.utf8) } + Self.scalars.map { Array($0.utf8) }
    }

    /// A file that was changed here and there.
    func file(maximumBytes: Int, using chance: inout some RandomNumberGenerator) -> (bytes: [UInt8], format: String) {
        let (bytes, format) = files.randomElement(using: &chance)!
        let partners = files.filter { $0.format == format }
        var mutator = FileMutator(bytes: bytes, words: words, maximumBytes: maximumBytes)
        for _ in 0..<Int.random(in: 1...6, using: &chance) {
            mutator.change(with: partners.randomElement(using: &chance)!.bytes, using: &chance)
        }
        return (mutator.bytes, format)
    }

    private static let scalars = [
        "1e999999999", "-1e-999999999", "1e6144", "1e-6144", "-1", "0", "1.5", "-0.0", ".inf", ".nan", "0x1F", "1:30",
        "99999999999999999999999999999999999999", "9223372036854775808", "1e38", "0.1234567891",
        "170141183460469231731",
        "null", "~", "true", "no", "\"\"", "''", "[]", "{}", "[[]]", "{a: {}}", "*a", "&a", "!!int", "<<", "? ", "- ",
        "|", ">-", "%YAML 1.1", "---", "...", "# c", "${A}", "${API_KEY}", "$${", "${", "\\u0000", "\u{0}", "\u{7F}",
        "\u{85}", "\u{2028}", "\u{202E}", "\u{FEFF}", "\u{1F600}", "e\u{301}", "\t", "\r\n", "1000000d", "1ms", "-1s",
        "30 s", "a:output->b:input", "event.data.x == 1 and", "value.a[99999999999999999999] > 1",
        "not not value exists",
        "http://", "https://[::1", "https://a:b@c/", "/dev/zero", "../../etc/passwd.yaml", "p.yaml", "2025-01-01",
        "9999-99-99", "-0001-01-01T00:00:00Z", "tolerate", "2.5", "sum",
    ]

    /// A graph with a value for every key that graphs have, the sample of the format, and a chain of three.
    private static let graphs = [
        """
        graph_id: everything
        version: 1
        description: "all keys \\u00e9"
        account_id: acc_1
        underwriting_id: uw_1
        execution_id: exec_1
        run_as: graph
        runner: {type: thread, max_workers: 4}
        recovery: reprocess
        on_change: keep
        on_failure: {tolerate: 0.1}
        timeout: 1h
        max_in_flight: 100
        aggregate_partial: true
        strict_costs: true
        digest_ignores: [seen_at]
        budget: [{name: b, limit: 5.00, scope: execution, window: day, mode: warn, warn_at: 0.5}, {limit: 1}]
        breakers: {clear: {failure_threshold: 5, recovery_timeout: 60, success_threshold: 3}}
        batch: {size: 10, parallel: true}
        queue: {capacity: 5, capacity_refresh_time: 1.5, admission: {type: always}}
        error_strategy:
          type: composite
          strategy_order: parallel
          strategies:
            - {type: retry, max_retries: 3, initial_delay: 1.0, max_delay: 60, backoff_multiplier: 2.0, retry_on: all}
            - {type: circuit_breaker, failure_threshold: 2, recovery_timeout: 1m, success_threshold: 1}
            - {type: halt, cleanup_timeout: 30, final: true}
            - {type: skip, max_skips: 5}
        monitoring: {enabled: true, log_level: WARNING, max_events: 100}
        checkpoints: {enabled: false, storage_path: saved, max_checkpoints: 10}
        prices:
          currency: USD
          processors:
            a: {base_cost: 0.10, charge: per_execution}
            b: [{base_cost: 0.10}, {base_cost: 0.12, effective_from: 2025-01-01}]
          services:
            clear: {business_search: 5.00, person_search: {price: 0.75}}
        processors:
          - processor_id: a
            processor_type: simple
            parameters: {function: multiply, multiplier: 2.5}
            output_pipes: [output, other]
            concurrency: 2
            timeout: 30s
            heartbeat_timeout: 5s
            price: {base_cost: 0.25, charge: per_input}
            billing: on_attempt
            in_doubt: settle
            cache: {ttl: 7d, scope: global, refresh: false}
            recovery: resume
            version: 1.0.2
            complexity: very_complex
            max_crashes: 2
          - {processor_id: b, processor_type: text_transformer, parameters: {transformation: reverse}, price: 0.10}
          - {processor_id: c, processor_type: data_filter, parameters: {condition: numbers_only}, runner: sequential}
          - {processor_id: d, processor_type: command, parameters: {command: [sh, -c, "cat ${A}"], mode: once, steps: [x, y]}}
          - processor_id: e
            processor_type: http
            parameters:
              url: "https://example.com/v1?q=${API_KEY}"
              method: PUT
              headers: {Authorization: "Bearer ${API_KEY}"}
              query: {a: b, n: 1}
              maximum_cost: 0.50
              cache_ttl: 1h
          - processor_id: join
            processor_type: aggregator
            parameters: {operation: sum}
            input_pipes: [left, right]
            inputs: allow_missing
            merge: {left: append}
            error_strategy: {type: skip}
        connections:
          - {from_processor: a, from_output: output, to_processor: b, to_input: input, capacity: 10}
          - {from_processor: a, from_output: other, to_processor: c, to_input: input}
          - {from_processor: b, from_output: output, to_processor: d, to_input: input}
          - {from_processor: b, from_output: output, to_processor: e, to_input: input}
          - {from_processor: c, from_output: output, to_processor: join, to_input: left}
          - {from_processor: d, from_output: output, to_processor: join, to_input: left}
          - {from_processor: e, from_output: output, to_processor: join, to_input: right}
        alerts:
          - {name: failures, on: [processor_error], condition: event.data.retryable == false, action: log, cooldown: 60}
          - {name: hook, on: item_error, action: {webhook: "https://example.com/hook"}}
          - {name: program, action: {command: [sh, -c, "true"]}}
        breakpoints:
          - {processor_id: b, condition: "value.amount > 100 and not value.a[0].b exists", hit_count: 2, enabled: false}
        taps:
          - {pipe: "a:output->b:input", to: log}
          - {pipe: "a:other->c:input", to: taps.jsonl}
        items:
          - {input_id: one, account_id: acc_2, data: {n: 1, t: " text "}}
          - {data: [1, 2.50, null, true]}

        """,
        """
        graph_id: sample
        account_id: acc_1
        runner: {type: thread, max_workers: 4}
        budget: {limit: 5.00}
        monitoring: {log_level: WARNING}
        processors:
          - {processor_id: start, processor_type: simple, parameters: {function: passthrough}, price: 0.10}
          - {processor_id: clean, processor_type: simple, parameters: {function: passthrough}, price: {base_cost: 0.25, charge: per_execution}}
          - {processor_id: keep, processor_type: data_filter, parameters: {condition: all}, timeout: 30s, concurrency: 2}
          - processor_id: join
            processor_type: aggregator
            parameters: {operation: count}
            input_pipes: [left, right]
            inputs: allow_missing
            error_strategy: {type: composite, strategies: [{type: retry, max_retries: 3, initial_delay: 1.0}, {type: skip, max_skips: 5}]}
        connections:
          - {from_processor: start, from_output: output, to_processor: clean, to_input: input}
          - {from_processor: start, from_output: output, to_processor: keep, to_input: input, capacity: 10}
          - {from_processor: clean, from_output: output, to_processor: join, to_input: left}
          - {from_processor: keep, from_output: output, to_processor: join, to_input: right}
        alerts:
          - {name: failures, on: [processor_error], condition: event.data.retryable == false, action: log, cooldown: 60}
        taps:
          - {pipe: "start:output->clean:input", to: log}

        """,
        """
        processors:
        - {processor_id: transform_proc, processor_type: text_transformer, parameters: {transformation: uppercase}}
        connections: []

        """,
    ]

    /// One processor over all items.
    private static let single = """
        run_as: processor
        runner: thread
        on_failure: stop
        error_strategy: {type: retry, max_retries: 2, retry_on: [timeout, api]}
        processors:
        - processor_id: only
          processor_type: simple
          parameters:
            function: >-
              uppercase
          cache: true
        items: [{data: "${A}"}, {data: 'x'}]

        """
}
