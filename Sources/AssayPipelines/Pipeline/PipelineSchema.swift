import Assay
import Foundation

/// What the keys of a pipeline file mean.
struct PipelineSchema {
    let document: ConfigurationDocument
    let path: String
    let registry: Registry
    let environment: [String: String]
    let overrides: [ParameterOverride]

    /// Keys that belong to graphs, batches and queues, which files with `run_as: processor` cannot use.
    private static let keysOfGraphs = [
        "alerts", "batch", "breakers", "breakpoints", "budget", "checkpoints", "connections", "max_in_flight",
        "queue", "taps",
    ]

    /// The pipeline, or every finding.
    func read() throws(ProcessingError) -> Pipeline {
        let pipeline = pipeline()
        try document.findings.check()
        guard let pipeline else { throw ProcessingError(.configuration, "\(path): is not a pipeline") }
        return pipeline
    }

    private func pipeline() -> Pipeline? {
        guard let map = document.value.map() else { return nil }
        var options = RunOptions()
        if let version = map["version"], version.integer() != 1 { version.outside("1") }
        _ = map["graph_id"]?.identifier()
        _ = map["description"]?.text()
        options.scope = scope(map)
        runAs(map)
        options.runner = map["runner"].flatMap(runner) ?? .sequential
        options.recovery = map["recovery"]?.word("recovery", as: RunOptions.Recovery.self) ?? .resume
        options.onChange = map["on_change"]?.word("on_change", as: RunOptions.DefinitionChange.self) ?? .refuse
        options.failurePolicy = map["on_failure"].flatMap(failurePolicy) ?? .collect
        options.timeout = map["timeout"]?.duration() ?? options.timeout
        options.aggregatePartial = map["aggregate_partial"]?.bool() ?? false
        options.strictCosts = map["strict_costs"]?.bool() ?? false
        map["error_strategy"].map { strategy($0, &options) }
        let ignores = map["digest_ignores"]?.list()?.compactMap { $0.text() } ?? []
        let prices = map["prices"].flatMap(prices)
        let items = map["items"]?.list()?.enumerated().compactMap { item($1, position: $0 + 1) } ?? []
        var processor = map.required("processors").flatMap { node($0, &options) }
        for key in Self.keysOfGraphs {
            map[key]?.report("key '\(key)' cannot be used with run_as: processor")
        }
        map.finish()
        processor?.digestIgnores = Set(ignores)
        guard let processor else { return nil }
        return Pipeline(
            path: path, processor: processor, scope: options.scope, items: items, options: options, prices: prices,
            definition: document.root.json)
    }

    // MARK: Top level

    private func scope(_ map: MapReader) -> Scope {
        Scope(
            accountID: map["account_id"]?.externalID(), underwritingID: map["underwriting_id"]?.externalID(),
            executionID: map["execution_id"]?.identifier())
    }

    private func runAs(_ map: MapReader) {
        guard let value = map["run_as"] else {
            map.value.report("the file needs 'run_as: processor'; graphs cannot be run yet")
            return
        }
        if value.word("run_as", of: ["graph", "processor"]) == "graph" {
            value.report("run_as: graph cannot be run yet; use run_as: processor with one processor")
        }
    }

    private func runner(_ value: ValueReader) -> (any Runner)? {
        guard case .map = value.node.value else { return runner(word: value, workers: nil) }
        guard let map = value.map() else { return nil }
        let type = map.required("type")
        let workers = map["max_workers"]?.integer(in: .between(1, and: 1_024))
        map.finish()
        return type.flatMap { runner(word: $0, workers: workers) }
    }

    private func runner(word value: ValueReader, workers: Int?) -> (any Runner)? {
        guard let word = value.word("runner", of: RunnerChoice.words) else { return nil }
        do { return try RunnerChoice.runner(word, workers: workers) } catch {
            value.report(error.message)
            return nil
        }
    }

    private func failurePolicy(_ value: ValueReader) -> FailurePolicy? {
        if case .map = value.node.value {
            guard let map = value.map() else { return nil }
            let share = map.required("tolerate")?.number(in: .between(0, and: 1))
            map.finish()
            return share.map { .tolerate(share: $0) }
        }
        return value.word("failure policy", of: ["collect", "stop", "atomic"]).flatMap { try? FailurePolicy($0) }
    }

    private func prices(_ value: ValueReader) -> (any PriceSource)? {
        let policies = StandardChargePolicy.allCases.map(\.rawValue)
        guard case .text = value.node.value, let named = value.text() else {
            return PriceListSchema(policies: policies).read(value)
        }
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent()
        let file = named.hasPrefix("/") ? named : folder.appendingPathComponent(named).path
        do { return try PriceFile(path: file, policies: policies) } catch {
            document.findings.report(error.findings)
            return nil
        }
    }

    private func item(_ value: ValueReader, position: Int) -> Item? {
        do { return try Item(json: value.node.json, position: position) } catch {
            value.report(error.message)
            return nil
        }
    }

    // MARK: Error strategies

    /// What a strategy means for the items of one processor: retry is a further attempt, skip leaves an item failed
    /// and goes on, halt stops the run.
    private func strategy(_ value: ValueReader, _ options: inout RunOptions) {
        guard let map = value.map() else { return }
        let word = map.required("type")?.word("error strategy", of: ["composite", "halt", "retry", "skip"])
        switch word {
        case "retry": retry(map, &options)
        case "skip": options.failurePolicy = .collect
        case "halt": options.failurePolicy = .stop
        case "composite": for part in map.required("strategies")?.list() ?? [] { strategy(part, &options) }
        default: break
        }
        map.finish()
    }

    private func retry(_ map: MapReader, _ options: inout RunOptions) {
        let seconds: (String) -> Double? = { key in
            map[key]?.duration(in: .notNegative, plainSeconds: true).map { $0 / .seconds(1) }
        }
        let multiplier = map["backoff_multiplier"]?.number(in: .between(1, and: 1_000)).flatMap {
            Double($0.description)
        }
        let retryOn = map["retry_on"].map(failures) ?? .retryable
        let retries = map["max_retries"]?.integer(in: .between(0, and: 1_000)) ?? 3
        do {
            options.retryPolicy = try RetryPolicy(
                maxRetries: retries, initialDelay: seconds("initial_delay") ?? 1, backoffMultiplier: multiplier ?? 2,
                maxDelay: seconds("max_delay") ?? 60, retryOn: retryOn)
        } catch {
            map.value.report(error.message)
        }
    }

    private func failures(_ value: ValueReader) -> RetryPolicy.Failures {
        if case .list = value.node.value {
            let codes = value.list()?.compactMap { $0.word("error code", as: ProcessingError.Code.self) } ?? []
            return .codes(Set(codes))
        }
        return value.word("retry_on", of: ["all", "retryable"]) == "all" ? .all : .retryable
    }

    // MARK: The processor

    private func node(_ list: ValueReader, _ options: inout RunOptions) -> RegisteredProcessor? {
        guard let nodes = list.list() else { return nil }
        guard nodes.count == 1, let map = nodes[0].map() else {
            list.report("run_as: processor needs exactly one processor, found \(nodes.count)")
            return nil
        }
        let name = map.required("processor_id")?.identifier()?.text
        let type = map.required("processor_type")
        if let runner = map["runner"].flatMap(runner) { options.runner = runner }
        options.itemTimeout = map["timeout"]?.duration() ?? options.itemTimeout
        options.heartbeatTimeout = map["heartbeat_timeout"]?.duration()
        options.recovery =
            map["recovery"]?.word("recovery", as: RunOptions.Recovery.self) ?? options.recovery
        options.itemCache = map["cache"].flatMap(cache)
        map["error_strategy"].map { strategy($0, &options) }
        let schema = PriceListSchema(policies: StandardChargePolicy.allCases.map(\.rawValue))
        options.price = map["price"].flatMap { schema.price($0, amount: "base_cost", dated: false) }
        let version = map["version"].flatMap(version)
        var processor = parameters(map, of: name).flatMap { value, parameters -> RegisteredProcessor? in
            guard let type, let name else { return nil }
            var made = registry.make(type: type, name: name, parameters: value, json: parameters.values.revealed)
            made?.parameters = parameters.written
            return made
        }
        map.finish()
        if let version { processor?.version = version }
        return processor
    }

    /// The parameters of the processor, those given outside of the file put in.
    private func parameters(_ map: MapReader, of name: String?) -> (ValueReader, Parameters)? {
        let given =
            map["parameters"]
            ?? ValueReader(
                ConfigurationNode(.map([]), at: map.value.node.position), name: "parameters",
                path: "processors[0].parameters", findings: document.findings)
        guard case .map(var entries) = given.node.value else {
            given.expected("a map")
            return nil
        }
        for override in overrides {
            guard override.processorID == name else {
                document.findings.report(
                    "--param names processor '\(override.processorID)', which this file does not have", at: nil)
                continue
            }
            entries.removeAll { $0.key == override.key }
            let value = ConfigurationNode(json: override.value, at: given.node.position)
            entries.append(.init(key: override.key, keyPosition: given.node.position, value: value))
        }
        let node = ConfigurationNode(.map(entries), at: given.node.position)
        return ValueReader(node, name: given.name, path: given.path, findings: document.findings)
            .resolving(environment)
    }

    private func cache(_ value: ValueReader) -> CachePolicy? {
        if case .bool(let on) = value.node.value { return on ? CachePolicy() : nil }
        guard let map = value.map() else { return nil }
        let policy = CachePolicy(
            scope: map["scope"]?.word("cache scope", as: CacheScope.self) ?? .account, ttl: map["ttl"]?.duration(),
            refresh: map["refresh"]?.bool() ?? false)
        map.finish()
        return policy
    }

    private func version(_ value: ValueReader) -> String? {
        if case .number(let number) = value.node.value { return number.description }
        return value.text()
    }
}

extension ConfigurationNode {
    /// A value that is no file's, at the place it is put.
    fileprivate init(json: JSONValue, at position: SourcePosition) {
        let value: Value =
            switch json {
            case .null: .null
            case .bool(let value): .bool(value)
            case .number(let value): .number(value)
            case .string(let value): .text(value)
            case .array(let elements): .list(elements.map { ConfigurationNode(json: $0, at: position) })
            case .object(let object):
                .map(
                    object.members.map {
                        Entry(
                            key: $0.key, keyPosition: position, value: ConfigurationNode(json: $0.value, at: position))
                    })
            }
        self.init(value, at: position)
    }
}
