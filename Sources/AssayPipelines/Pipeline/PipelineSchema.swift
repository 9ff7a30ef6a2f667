import Assay
import Foundation

/// The meaning of the keys of a pipeline file.
struct PipelineSchema {
    let document: ConfigurationDocument
    let path: String
    let registry: Registry
    let environment: [String: String]
    let overrides: [ParameterOverride]
    let warn: @Sendable (String) -> Void

    /// Keys that are meaningless without a graph.
    private static let graphKeys = ["breakpoints", "max_in_flight", "taps"]
    private static let graphNodeKeys = ["input_pipes", "inputs", "merge", "output_pipes"]

    /// Returns the pipeline or throws all findings.
    func read() throws(ProcessingError) -> Pipeline {
        let pipeline = pipeline()
        try document.findings.check()
        guard var pipeline else { throw ProcessingError(.configuration, "\(path): is not a pipeline") }
        pipeline.warnings = document.findings.warnings
        return pipeline
    }

    private func pipeline() -> Pipeline? {
        guard let map = document.value.map() else { return nil }
        var options = RunOptions()
        _ = map["version"]?.integer(in: Bounds(rule: "1") { $0 == 1 })
        let graphID = map["graph_id"]?.identifier() ?? nameOfFile
        _ = map["description"]?.text()
        options.scope = scope(map)
        let isGraph = map["run_as"]?.word("run_as", of: ["graph", "processor"]) != "processor"
        let runner = map["runner"].flatMap { nodes(knowing: [:]).runner($0) }
        options.runner = runner ?? .sequential
        options.recovery = map["recovery"]?.word("recovery", as: RecoveryMode.self) ?? .resume
        options.onChange = map["on_change"]?.word("on_change", as: ChangePolicy.self) ?? .refuse
        options.failurePolicy = map["on_failure"].flatMap(failurePolicy) ?? .collect
        options.timeout = map["timeout"]?.duration() ?? options.timeout
        for key in ["on_failure", "timeout"] { options.setAt[key] = map[key]?.place }
        options.aggregatePartial = map["aggregate_partial"]?.bool() ?? false
        options.strictCosts = map["strict_costs"]?.bool() ?? false
        options.budgets = map["budget"].map(SpendingSchema().budgets) ?? []
        options.services = map["services"].map(SpendingSchema().services) ?? [:]
        let nodeSchema = nodes(knowing: options.services)
        options.breakers = map["breakers"].map(SpendingSchema().breakers) ?? [:]
        if let budget = map["budget"] { options.setAt.add(budgets: budget) }
        if case .map(let services)? = map["breakers"]?.node.value {
            for service in services {
                options.setAt["breakers.\(service.key)"] = document.findings.place(of: service.value.position)
            }
        }
        options.batching = map["batch"].flatMap(BatchSchema().batching)
        if case .map(let keys)? = map["batch"]?.node.value, let key = keys.first(where: { $0.key == "error_threshold" })
        {
            options.setAt["error_threshold"] = document.findings.place(of: key.value.position)
        }
        let ignores = map["digest_ignores"]?.list()?.compactMap { $0.text() } ?? []
        let prices = map["prices"].flatMap(prices)
        let watch = WatchSchema(folder: folder, environment: environment)
        let monitoring = map["monitoring"].map(watch.monitoring) ?? Monitoring()
        let alerts = map["alerts"].map(watch.alerts) ?? []
        let checkpoints = map["checkpoints"].map(watch.checkpoints) ?? CheckpointSettings()
        let items = map["items"]?.list()?.enumerated().compactMap { item($1, position: $0 + 1) } ?? []
        let queue = map["queue"].flatMap { QueueSchema(registry: registry).read($0) }
        let processors = map.required("processors")
        let connections = map["connections"]
        let strategy = map["error_strategy"]
        let content: Pipeline.Content?
        var taps: [TapSetting] = []
        if isGraph {
            let graph = graph(
                graphID, map, nodeSchema, processors, connections, strategy, runner, options, checkpoints)
            (content, taps) = (graph?.0, graph?.taps ?? [])
        } else {
            for key in Self.graphKeys { map[key]?.report("key '\(key)' cannot be used with run_as: processor") }
            if let connections, connections.list()?.isEmpty == false {
                connections.report("key 'connections' cannot be used with run_as: processor")
            }
            if checkpoints.isEnabled {
                map["checkpoints"]?.report(
                    "checkpoints are made of the nodes of a graph; with run_as: processor use steps")
            }
            var processor = processors.flatMap { self.processor($0, nodeSchema, strategy, &options) }
            processor?.digestIgnores = Set(ignores)
            content = processor.map { .processor($0, options) }
        }
        map.finish()
        guard let content else { return nil }
        if document.findings.isEmpty, let prices = map["prices"], case .map = prices.node.value {
            warnOfUnused(prices, content)
        }
        return Pipeline(
            path: path, content: content, scope: options.scope, items: items, prices: prices,
            queue: queue, monitoring: monitoring, alerts: alerts, checkpoints: checkpoints,
            taps: taps, definition: definition(content))
    }

    /// Returns the file's contents. A generated graph name is included, so that a later run finds what this one saves.
    private func definition(_ content: Pipeline.Content) -> JSONValue {
        guard case .graph(let graph, _) = content, case .object(var members) = document.root.json else {
            return document.root.json
        }
        members["graph_id"] = .string(graph.id.text)
        return .object(members)
    }

    private func graph(
        _ id: Identifier?, _ map: MapReader, _ nodeSchema: NodeSchema, _ processors: ValueReader?,
        _ connections: ValueReader?, _ strategy: ValueReader?, _ runner: (any Runner)?, _ run: RunOptions,
        _ checkpoints: CheckpointSettings
    ) -> (Pipeline.Content, taps: [TapSetting])? {
        var options = GraphOptions(run)
        options.checkpoints = checkpoints
        options.runner = runner
        options.maxInFlight = map["max_in_flight"]?.integer(in: .atLeast(1)) ?? options.maxInFlight
        let strategies = StrategySchema(registry: registry)
        options.errorStrategy = strategy.flatMap(strategies.strategy) ?? options.errorStrategy
        let schema = GraphSchema(nodes: nodeSchema, strategies: strategies)
        let drawn = processors.flatMap { schema.graph(id, processors: $0, connections: connections) }
        let (breakpoints, taps) = (map["breakpoints"], map["taps"])
        if run.batching != nil {
            breakpoints?.report("key 'breakpoints' cannot be used with 'batch': breakpoints pause a whole run")
        }
        guard let drawn else { return nil }
        let watch = WatchSchema(folder: folder, environment: environment)
        if drawn.hasAllNodes {
            options.breakpoints =
                breakpoints.map { watch.breakpoints($0, processors: drawn.graph.nodes.map(\.id)) } ?? []
        }
        let settings = drawn.hasAllPipes ? taps.map { watch.taps($0, pipes: drawn.graph.connections.map(\.name)) } : nil
        return (.graph(drawn.graph, options), settings ?? [])
    }

    /// The name of a graph without a name of its own, derived from the file's name so that it is the same on every
    /// read; `nil` if no character of the file's name is allowed.
    private var nameOfFile: Identifier? {
        let stem = URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent
        let letters = stem.unicodeScalars.map { scalar in
            Identifier(String(scalar)) != nil || scalar == "." ? Character(scalar) : "-"
        }
        return Identifier(String(letters.prefix(128).drop { $0 == "." }))
    }

    /// The folder of the file, to which its relative paths refer.
    private var folder: String { URL(fileURLWithPath: path).deletingLastPathComponent().path }

    // MARK: Top level

    private func scope(_ map: MapReader) -> Scope {
        Scope(
            accountID: map["account_id"]?.externalID(), underwritingID: map["underwriting_id"]?.externalID(),
            executionID: map["execution_id"]?.identifier())
    }

    private func failurePolicy(_ value: ValueReader) -> FailurePolicy? {
        if case .map = value.node.value {
            guard let map = value.map() else { return nil }
            // As many decimals as can be multiplied by any number of items.
            let share = map.required("tolerate")?.decimal(places: 18, in: .between(0, and: 1))
            map.finish()
            return share.map { .tolerate(share: $0.reduced) }
        }
        return value.word("failure policy", of: ["collect", "stop", "atomic"]).flatMap { try? FailurePolicy($0) }
    }

    private func prices(_ value: ValueReader) -> (any PriceSource)? {
        let policies = registry.chargePolicyNames
        guard case .text = value.node.value, let named = value.text() else {
            return PriceListSchema(policies: policies).read(value)
        }
        guard named.utf8.count <= Int(PATH_MAX) else {
            value.outside("a price list or the path of one, which has at most \(PATH_MAX) bytes")
            return nil
        }
        let file = named.hasPrefix("/") ? named : URL(fileURLWithPath: folder).appendingPathComponent(named).path
        do { return try PriceFile(path: file, policies: policies, warn: warn) } catch {
            document.findings.report(error.findings)
            return nil
        }
    }

    /// Warns of prices in the file that match nothing in it. Only processors that declare their costs have known
    /// services; any other processor, such as a program, may use every service.
    private func warnOfUnused(_ prices: ValueReader, _ content: Pipeline.Content) {
        let processors: [(name: String, processor: RegisteredProcessor)] =
            switch content {
            case .processor(let processor, _): [(processor.name.text, processor)]
            case .graph(let graph, _): graph.nodes.map { ($0.id.text, $0.processor) }
            }
        let names = processors.map(\.name)
        for (name, key, _) in prices.map()?["processors"]?.entries() ?? [] where !names.contains(name) {
            let ending = document.findings.suggestion(for: name, among: names)
            document.findings.warn(
                "no processor is called \(name.quoted), so its price is never used\(ending)", at: key)
        }
        var used: Set<String> = []
        for (_, processor) in processors {
            guard let costs = processor.costsOfAnyInput else { return }
            for cost in costs { used.insert(PriceSubject.service(cost.service, operation: cost.operation).sortKey) }
        }
        for (service, _, operations) in prices.map()?["services"]?.entries() ?? [] {
            for (operation, key, _) in operations.entries() ?? [] {
                let subject = PriceSubject.service(service, operation: operation).sortKey
                guard !used.contains(subject) else { continue }
                let ending = document.findings.suggestion(for: subject, among: used.sorted())
                document.findings.warn("nothing uses \(subject.quoted), so its price is never used\(ending)", at: key)
            }
        }
    }

    private func item(_ value: ValueReader, position: Int) -> Item? {
        do { return try Item(json: value.node.json, position: position) } catch {
            value.report(error.message)
            return nil
        }
    }

    // MARK: The processor

    /// Returns the single processor of a file that runs without a graph, and applies the settings of its node to
    /// `options`.
    private func processor(
        _ list: ValueReader, _ nodeSchema: NodeSchema, _ shared: ValueReader?, _ options: inout RunOptions
    ) -> RegisteredProcessor? {
        guard let nodes = list.list() else { return nil }
        guard nodes.count == 1 else {
            list.report("run_as: processor needs exactly one processor, found \(nodes.count)")
            return nil
        }
        guard let map = nodes[0].map() else { return nil }
        let settings = nodeSchema.settings(map)
        nodeSchema.reportOverrides(unless: [settings.name])
        if let runner = settings.runner { options.runner = runner }
        options.itemTimeout = settings.timeout ?? options.itemTimeout
        options.heartbeatTimeout = settings.heartbeatTimeout
        options.maxCrashes = settings.maxCrashes ?? options.maxCrashes
        options.recovery = settings.recovery ?? options.recovery
        options.itemCache = settings.cache
        options.billing = settings.billing ?? .onSuccess
        options.doubtPolicy = settings.doubtPolicy ?? .hold
        // The strategy of the file is read and checked even if the processor has its own.
        let common = shared.map { ItemStrategy($0) }
        let strategy = map["error_strategy"].map { ItemStrategy($0) } ?? common
        options.retryPolicy = strategy?.retry ?? options.retryPolicy
        if let failure = strategy?.failure {
            options.failurePolicy = failure
            options.setAt["on_failure"] = (map["error_strategy"] ?? shared).map { "error_strategy, \($0.place)" }
        }
        options.price = settings.price
        for key in Self.graphNodeKeys { map[key]?.report("key '\(key)' cannot be used with run_as: processor") }
        map.finish()
        return settings.processor
    }

    private func nodes(knowing services: [String: ServiceTerms]) -> NodeSchema {
        NodeSchema(
            registry: registry, folder: folder, environment: environment, overrides: overrides,
            workerSetup: .pipeline(definition: document.root.json, path: path, overrides: overrides),
            services: services, findings: document.findings)
    }
}
