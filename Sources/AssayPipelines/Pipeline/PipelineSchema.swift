import Assay
import Foundation

/// What the keys of a pipeline file mean.
struct PipelineSchema {
    let document: ConfigurationDocument
    let path: String
    let registry: Registry
    let environment: [String: String]
    let overrides: [ParameterOverride]
    let warn: @Sendable (String) -> Void

    /// Keys of the format that mean nothing without a graph, and keys that nothing acts upon yet.
    private typealias RefusedKeys = (ofGraphs: [String], ofLater: [String])

    private static let topKeys: RefusedKeys = (
        ["breakpoints", "max_in_flight", "taps"],
        ["batch", "queue"]
    )
    private static let nodeKeys: RefusedKeys = (
        ["input_pipes", "inputs", "merge", "output_pipes"],
        ["complexity", "concurrency"]
    )

    /// The pipeline, or every finding.
    func read() throws(ProcessingError) -> Pipeline {
        let pipeline = pipeline()
        try document.findings.check()
        guard var pipeline else { throw ProcessingError(.configuration, "\(path): is not a pipeline") }
        pipeline.options.handToWorkers(pipeline.workerSetup(overrides: overrides))
        return pipeline
    }

    private func pipeline() -> Pipeline? {
        guard let map = document.value.map() else { return nil }
        var options = RunOptions()
        _ = map["version"]?.integer(in: Bounds(rule: "1") { $0 == 1 })
        _ = map["graph_id"]?.identifier()
        _ = map["description"]?.text()
        options.scope = scope(map)
        let isGraph = !runsProcessor(map)
        options.runner = map["runner"].flatMap(runner) ?? .sequential
        options.recovery = map["recovery"]?.word("recovery", as: RunOptions.Recovery.self) ?? .resume
        options.onChange = map["on_change"]?.word("on_change", as: RunOptions.DefinitionChange.self) ?? .refuse
        options.failurePolicy = map["on_failure"].flatMap(failurePolicy) ?? .collect
        options.timeout = map["timeout"]?.duration() ?? options.timeout
        options.aggregatePartial = map["aggregate_partial"]?.bool() ?? false
        options.strictCosts = map["strict_costs"]?.bool() ?? false
        options.budgets = map["budget"].map(SpendingSchema().budgets) ?? []
        options.breakers = map["breakers"].map(SpendingSchema().breakers) ?? [:]
        let strategy = map["error_strategy"].map(strategy)
        let ignores = map["digest_ignores"]?.list()?.compactMap { $0.text() } ?? []
        let prices = map["prices"].flatMap(prices)
        let watch = WatchSchema(folder: folder, environment: environment)
        let monitoring = map["monitoring"].map(watch.monitoring) ?? Monitoring()
        let alerts = map["alerts"].map(watch.alerts) ?? []
        let checkpoints = map["checkpoints"].map(watch.checkpoints) ?? CheckpointSettings()
        let items = map["items"]?.list()?.enumerated().compactMap { item($1, position: $0 + 1) } ?? []
        var processor = map.required("processors").flatMap { node($0, isGraph: isGraph, strategy, &options) }
        if let connections = map["connections"], connections.list()?.isEmpty == false, !isGraph {
            connections.report("key 'connections' cannot be used with run_as: processor")
        }
        refuse(Self.topKeys, of: map, isGraph: isGraph)
        map.finish()
        processor?.digestIgnores = Set(ignores)
        guard let processor else { return nil }
        return Pipeline(
            path: path, processor: processor, scope: options.scope, items: items, options: options, prices: prices,
            monitoring: monitoring, alerts: alerts, checkpoints: checkpoints, definition: document.root.json)
    }

    /// The folder of the file, from where its relative paths are meant.
    private var folder: String { URL(fileURLWithPath: path).deletingLastPathComponent().path }

    // MARK: Top level

    private func scope(_ map: MapReader) -> Scope {
        Scope(
            accountID: map["account_id"]?.externalID(), underwritingID: map["underwriting_id"]?.externalID(),
            executionID: map["execution_id"]?.identifier())
    }

    /// Whether the file says that it runs one processor; a graph is reported, and is not measured by rules it never
    /// meant to keep.
    private func runsProcessor(_ map: MapReader) -> Bool {
        guard let value = map["run_as"] else {
            map.value.report("the file needs 'run_as: processor'; graphs cannot be run yet")
            return false
        }
        guard value.word("run_as", of: ["graph", "processor"]) == "graph" else { return true }
        value.report("run_as: graph cannot be run yet; use run_as: processor with one processor")
        return false
    }

    private func refuse(_ keys: RefusedKeys, of map: MapReader, isGraph: Bool = false) {
        for key in keys.ofGraphs {
            guard let value = map[key], !isGraph else { continue }
            value.report("key '\(key)' cannot be used with run_as: processor")
        }
        for key in keys.ofLater { map[key]?.report("key '\(key)' cannot be used yet") }
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
            // As many decimals as can be multiplied with any number of items.
            let share = map.required("tolerate")?.decimal(places: 18, in: .between(0, and: 1))
            map.finish()
            return share.map { .tolerate(share: $0.reduced) }
        }
        return value.word("failure policy", of: ["collect", "stop", "atomic"]).flatMap { try? FailurePolicy($0) }
    }

    private func prices(_ value: ValueReader) -> (any PriceSource)? {
        let policies = StandardChargePolicy.allCases.map(\.rawValue)
        guard case .text = value.node.value, let named = value.text() else {
            return PriceListSchema(policies: policies).read(value)
        }
        let file = named.hasPrefix("/") ? named : URL(fileURLWithPath: folder).appendingPathComponent(named).path
        do { return try PriceFile(path: file, policies: policies, warn: warn) } catch {
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

    /// What error strategies mean for the items of one processor.
    private struct Strategy {
        /// Retry: a further attempt.
        var retry: RetryPolicy?
        /// Skip leaves an item failed and goes on, halt stops the run; `nil`: `on_failure` decides.
        var failure: FailurePolicy?
        /// Whether nothing after it is asked.
        var isFinal = false
    }

    private func strategy(_ value: ValueReader) -> Strategy {
        var result = Strategy()
        add(value, to: &result)
        return result
    }

    /// Adds the strategy that `value` holds after those in `result`: the first retry or skip wins, else halt.
    private func add(_ value: ValueReader, to result: inout Strategy) {
        guard let map = value.map() else { return }
        let word = map.required("type")?.word("error strategy", of: ["composite", "halt", "retry", "skip"])
        let isReached = !result.isFinal
        switch word {
        case "retry":
            let policy = RetryPolicySchema().policy(map)
            guard isReached else { break }
            if result.retry != nil { value.report("only one retry can be used with run_as: processor") }
            result.retry = policy
        case "skip":
            map["max_skips"]?.report("key 'max_skips' cannot be used with run_as: processor")
            if isReached { (result.failure, result.isFinal) = (.collect, true) }
        case "halt":
            map["cleanup_timeout"]?.report("key 'cleanup_timeout' cannot be used with run_as: processor")
            let isFinal = map["final"]?.bool() ?? false
            if isReached { (result.failure, result.isFinal) = (.stop, isFinal) }
        case "composite":
            _ = map["strategy_order"]?.word("strategy order", of: ["sequential", "parallel"])
            let strategies = map.required("strategies")
            let parts = strategies?.list()
            if parts?.isEmpty == true { strategies?.report("strategies needs at least one error strategy") }
            for part in parts ?? [] { add(part, to: &result) }
        default: return
        }
        map.finish()
    }

    // MARK: The processor

    private func node(
        _ list: ValueReader, isGraph: Bool, _ strategy: Strategy?, _ options: inout RunOptions
    ) -> RegisteredProcessor? {
        guard let nodes = list.list() else { return nil }
        guard nodes.count == 1 else {
            if !isGraph { list.report("run_as: processor needs exactly one processor, found \(nodes.count)") }
            return nil
        }
        guard let map = nodes[0].map() else { return nil }
        let name = map.required("processor_id")?.identifier()?.text
        let type = map.required("processor_type")
        if let runner = map["runner"].flatMap(runner) { options.runner = runner }
        options.itemTimeout = map["timeout"]?.duration() ?? options.itemTimeout
        options.heartbeatTimeout = map["heartbeat_timeout"]?.duration()
        options.maxCrashes = map["max_crashes"]?.integer(in: .atLeast(1)) ?? options.maxCrashes
        options.recovery =
            map["recovery"]?.word("recovery", as: RunOptions.Recovery.self) ?? options.recovery
        options.itemCache = map["cache"].flatMap(cache)
        options.billing = map["billing"]?.word("billing", as: CallOptions.Billing.self) ?? .onSuccess
        options.doubtPolicy = map["in_doubt"]?.word("in_doubt", as: DoubtPolicy.self) ?? .hold
        let strategy = map["error_strategy"].map(self.strategy) ?? strategy
        options.retryPolicy = strategy?.retry ?? options.retryPolicy
        options.failurePolicy = strategy?.failure ?? options.failurePolicy
        let schema = PriceListSchema(policies: StandardChargePolicy.allCases.map(\.rawValue))
        options.price = map["price"].flatMap { schema.price($0, amount: "base_cost", dated: false) }
        let version = map["version"].flatMap(version)
        var processor = parameters(map, of: name).flatMap { value, parameters -> RegisteredProcessor? in
            guard let type else { return nil }
            let surroundings = Surroundings(folder: folder, environment: environment, parameters: parameters)
            return registry.make(type: type, name: name, from: value, surroundings)
        }
        refuse(Self.nodeKeys, of: map, isGraph: isGraph)
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
                // Without a name of its own the processor may be the one that is meant.
                guard name != nil else { continue }
                document.findings.report(
                    "--param names processor \(override.processorID.quoted), which this file does not have", at: nil)
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
        guard case .map = value.node.value, let map = value.map() else {
            value.expected("true, false or a map")
            return nil
        }
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
