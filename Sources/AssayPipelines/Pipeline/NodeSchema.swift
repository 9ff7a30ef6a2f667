import Assay

/// A reader of one element of `processors`: a processor and how to run it.
struct NodeSchema {
    let registry: Registry
    /// The folder of the file, to which relative paths refer.
    let folder: String
    let environment: [String: String]
    let overrides: [ParameterOverride]
    /// The setup from which worker processes create the processors of the file.
    let workerSetup: WorkerSetup
    /// The terms of services in the file.
    let services: [String: ServiceTerms]
    let findings: Findings

    /// The settings of a processor in the file, alone or in a graph.
    struct Settings {
        var name: String?
        var processor: RegisteredProcessor?
        var runner: (any Runner)?
        var concurrency: Int?
        var timeout: Duration?
        var heartbeatTimeout: Duration?
        var maxCrashes: Int?
        var recovery: RecoveryMode?
        var cache: CachePolicy?
        var billing: CallOptions.Billing?
        var doubtPolicy: DoubtPolicy?
        var price: Price?
    }

    /// Returns the settings in `map`. The caller reads the keys that only graphs have and then finishes the map.
    func settings(_ map: MapReader) -> Settings {
        var settings = Settings()
        settings.name = map.required("processor_id")?.identifier()?.text
        let type = map.required("processor_type")
        settings.concurrency = map["concurrency"]?.integer(in: .between(1, and: 1_024))
        settings.runner = map["runner"].flatMap { runner($0, concurrency: settings.concurrency) }
        settings.timeout = map["timeout"]?.duration()
        settings.heartbeatTimeout = map["heartbeat_timeout"]?.duration()
        settings.maxCrashes = map["max_crashes"]?.integer(in: .atLeast(1))
        settings.recovery = map["recovery"]?.word("recovery", as: RecoveryMode.self)
        settings.cache = map["cache"].flatMap(cache)
        settings.billing = map["billing"]?.word("billing", as: CallOptions.Billing.self)
        settings.doubtPolicy = map["in_doubt"]?.word("in_doubt", as: DoubtPolicy.self)
        let schema = PriceListSchema(policies: registry.chargePolicyNames)
        settings.price = map["price"].flatMap { schema.price($0, amount: "base_cost", dated: false) }
        let version = map["version"].flatMap(version)
        let complexity = map["complexity"].flatMap(BatchSchema.complexity)
        let dependencies = map["depends_on"].map(dependencies) ?? []
        let word = type?.node.json.string
        settings.processor = parameters(map, of: settings.name, type: word).flatMap {
            value, parameters -> RegisteredProcessor? in
            guard let type else { return nil }
            let surroundings = Surroundings(
                folder: folder, environment: environment, parameters: parameters, services: services)
            return registry.make(type: type, name: settings.name, from: value, surroundings)
        }
        if let version { settings.processor?.version = version }
        settings.processor?.complexity = complexity
        if !dependencies.isEmpty {
            let files = settings.processor?.files?.adding(dependencies) ?? DefinitionFiles(dependencies)
            settings.processor?.files = files
        }
        return settings
    }

    /// Returns the runner that `value` names, as a word or with its number of workers.
    ///
    /// - Parameter concurrency: the number of items at once if the runner does not specify it.
    func runner(_ value: ValueReader, concurrency: Int? = nil) -> (any Runner)? {
        guard case .map = value.node.value else {
            return runner(word: value, workers: value.node.value == .text("sequential") ? nil : concurrency)
        }
        guard let map = value.map() else { return nil }
        let type = map.required("type")
        let workers = map["max_workers"]?.integer(in: .between(1, and: 1_024))
        map.finish()
        return type.flatMap { runner(word: $0, workers: workers ?? concurrency) }
    }

    private func runner(word value: ValueReader, workers: Int?) -> (any Runner)? {
        guard let word = value.word("runner", of: registry.runnerWords) else { return nil }
        do { return try registry.runner(word, workers: workers).handing(workerSetup.jsonValue) } catch {
            value.report(error.message)
            return nil
        }
    }

    /// Returns the parameters of the processor, with overrides from outside the file applied.
    private func parameters(_ map: MapReader, of name: String?, type: String?) -> (ValueReader, Parameters)? {
        let given =
            map["parameters"]
            ?? ValueReader(
                ConfigurationNode(.map([]), at: map.value.node.position), name: "parameters",
                path: map.value.path + ".parameters", findings: findings)
        guard case .map(var entries) = given.node.value else {
            given.expected("a map")
            return nil
        }
        for override in overrides where override.processorID == name {
            entries.removeAll { $0.key == override.key }
            let value = ConfigurationNode(json: override.value, at: given.node.position)
            entries.append(.init(key: override.key, keyPosition: given.node.position, value: value))
        }
        let node = ConfigurationNode(.map(entries), at: given.node.position)
        return ValueReader(node, name: given.name, path: given.path, findings: findings)
            .resolving(environment) { Credentials.holds(type, $0) }
    }

    /// Reports overrides of processors that are not among `names`. A `nil` among them may be the intended one.
    func reportOverrides(unless names: [String?]) {
        guard !names.contains(nil) else { return }
        for override in overrides where !names.contains(override.processorID) {
            findings.report(
                "--param names processor \(override.processorID.quoted), which this file does not have", at: nil)
        }
    }

    /// Returns the files that `value` names and that its patterns match, relative to the file's folder.
    private func dependencies(_ value: ValueReader) -> [DefinitionFiles.Entry] {
        guard let elements = value.list() else { return [] }
        return elements.flatMap { element -> [DefinitionFiles.Entry] in
            guard let text = element.text() else { return [] }
            let found = DefinitionFiles.files(matching: text, from: folder)
            if found.isEmpty {
                element.report("depends_on \(text.quoted) names no file; give files or patterns of files")
            }
            return found
        }
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
    /// Creates a node from a value that is not in the file, at the given position.
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
