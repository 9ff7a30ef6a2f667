import Assay
import AssayPipelines

/// A target to run: a pipeline file, or one processor by its type.
struct RunTarget {
    /// The work to run.
    var work: Runnable
    /// The scope of the work.
    var scope = Scope()
    /// The items to use when none are named.
    var items: [Item] = []
    /// The options of the run.
    var options = RunOptions()
    /// The price source.
    var prices: (any PriceSource)?
    /// The queue for its executions; `nil` if its file does not give one.
    var queue: PipelineQueue?
    /// The settings for recorded events.
    var monitoring = Monitoring()
    /// The alert rules for its events.
    var alerts: [AlertRule] = []
    /// The taps on the pipes of a graph.
    var taps: [TapSetting] = []
    /// The request from which a later resume recreates the target.
    var request: JSONObject
    /// The handling of pauses at breakpoints of a graph.
    let pauses: PauseDesk?
    /// The setup from which worker processes create the processor.
    private let workerSetup: WorkerSetup
    /// The runners that flags may name.
    private let registry: Registry
    /// The output for warnings.
    let warnings: Warnings

    /// Creates a target from a pipeline file.
    init(pipeline path: String, parameters: [String], _ console: Console, in shell: Shell) throws {
        let warnings = Warnings(console)
        let pipeline: Pipeline
        let overrides: [ParameterOverride]
        do {
            overrides = try parameters.map { try ParameterOverride($0) }
            pipeline = try Pipeline.load(
                shell.place(of: path), registry: shell.registry, environment: shell.environment, overrides: overrides,
                warn: warnings.tell)
        } catch {
            throw CommandFailure.pipeline(error, path)
        }
        self.init(
            pipeline, overrides,
            request: [
                "pipeline": .string(path), "definition": pipeline.definition,
                "parameters": .array(parameters.map { .string($0) }), "folder": .string(shell.folder),
            ], shell.registry, warnings)
    }

    /// Creates a target of one processor by its type.
    init(processor type: String, parameters: [String], _ console: Console, in shell: Shell) throws {
        var object = JSONObject()
        for parameter in try parameters.map({ try ParameterOverride($0) }) {
            guard parameter.processorID == type else {
                throw CommandFailure.usage("--param names processor '\(parameter.processorID)'; this is '\(type)'")
            }
            object[parameter.key] = parameter.value
        }
        do {
            work = .processor(
                try shell.registry.make(
                    type, name: type, parameters: .object(object), folder: shell.folder,
                    environment: shell.environment))
        } catch let error as ProcessingError where error.code == .configuration {
            throw CommandFailure.usage(error.message)
        }
        request = [
            "processor_type": .string(type), "parameters": .array(parameters.map { .string($0) }),
            "folder": .string(shell.folder),
        ]
        pauses = nil
        registry = shell.registry
        workerSetup = .type(type, parameters: .object(object), folder: shell.folder)
        warnings = Warnings(console)
    }

    /// Creates a target from the request of a run on record.
    ///
    /// - Throws: ``CommandFailure`` for a run that was not started from the command line, or that was started in
    ///   another folder, to which its relative paths refer.
    init(request: JSONValue, named name: String, _ console: Console, in shell: Shell) throws {
        if let folder = request["folder"]?.string, folder != shell.folder {
            throw CommandFailure.usage(
                "\(name) was started in '\(folder)', from where its inputs are named; go there first: cd \(folder)"
            )
        }
        let parameters = request["parameters"]?.array?.compactMap(\.string) ?? []
        if let type = request["processor_type"]?.string {
            try self.init(processor: type, parameters: parameters, console, in: shell)
        } else if let definition = request["definition"] {
            let path = request["pipeline"]?.string ?? "pipeline"
            let warnings = Warnings(console)
            let overrides = try parameters.map { try ParameterOverride($0) }
            let pipeline = try Pipeline.load(
                definition: definition, path: shell.place(of: path), registry: shell.registry,
                environment: shell.environment, overrides: overrides, warn: warnings.tell)
            self.init(pipeline, overrides, request: request.object ?? [:], shell.registry, warnings)
        } else {
            throw CommandFailure(
                .failed, "\(name) was not started from the command line; name its pipeline with --pipeline FILE")
        }
    }

    private init(
        _ pipeline: Pipeline, _ overrides: [ParameterOverride], request: JSONObject, _ registry: Registry,
        _ warnings: Warnings
    ) {
        self.registry = registry
        workerSetup = pipeline.workerSetup(overrides: overrides)
        switch pipeline.content {
        case .processor(let processor, _):
            work = .processor(processor)
            pauses = nil
        case .graph(let graph, var options):
            let desk = PauseDesk()
            options.onPause = { desk.paused($0, before: $1) }
            work = .graph(graph, options)
            pauses = desk
        }
        scope = pipeline.scope
        items = pipeline.items
        options = pipeline.options
        options.pipeline = pipeline.identity
        prices = pipeline.prices
        queue = pipeline.queue
        monitoring = pipeline.monitoring
        alerts = pipeline.alerts
        taps = pipeline.taps
        self.request = request
        self.warnings = warnings
    }
}

extension RunTarget {
    /// Applies the flags, environment variables and `assay.yaml` that say how to run.
    ///
    /// - Parameter earlier: the flags of the run that is resumed, used where the settings are silent.
    mutating func apply(_ settings: Settings, earlier: JSONValue? = nil) throws {
        try work.refuseFlagsOfProcessors(settings)
        let runner =
            try settings.value(.runner, "auto, sequential, thread or process", runnerWord)
            ?? earlier?["runner"]?.string
        let workers =
            try settings.value(.workers, "a whole number between 1 and 1024") { text in
                Int(text).flatMap { (1...1_024).contains($0) ? $0 : nil }
            } ?? earlier?["workers"]?.string.flatMap { Int($0) }
        if runner != nil || workers != nil {
            let named = options.runner.name
            let word = runner ?? (named == "sequential" && workers != 1 ? "thread" : named)
            // The file's number of workers also holds for another kind of runner.
            let most = named == "sequential" || word == "sequential" ? nil : options.runner.maxWorkers
            do { options.runner = try registry.runner(word, workers: workers ?? most) } catch {
                throw CommandFailure.usage(error.message)
            }
            options.handToWorkers(workerSetup)
            work.setRunner(options.runner)
        }
        let policy = try settings.value(.onFailure, "a failure policy") { try FailurePolicy($0) }
        options.failurePolicy =
            try policy ?? earlier?["on_failure"]?.string.map { try FailurePolicy($0) } ?? options.failurePolicy
        if policy != nil {
            options.setAt["on_failure"] = settings[.onFailure]?.origin.place
        } else if earlier?["on_failure"] != nil {
            options.setAt["on_failure"] = "as the run was started"
        }
        let retries =
            try settings.value(.retries, "a whole number between 0 and 1000") { text in
                Int(text).flatMap { (0...1_000).contains($0) ? $0 : nil }
            } ?? earlier?["retries"]?.string.flatMap { Int($0) }
        if let retries { try setRetries(retries) }
        let timeout = try settings.value(.timeout, "a duration with its unit, for example 30s") { Duration(text: $0) }
        options.itemTimeout =
            timeout ?? earlier?["timeout"]?.string.flatMap { Duration(text: $0) } ?? options.itemTimeout
        try setBatches(settings, earlier)
        let budget = try settings.value(.budget, "an amount such as 25.00") { try Money(sum: $0) }
        if let limit = try budget ?? earlier?["budget"]?.string.map({ try Money(sum: $0) }) {
            options.budgets.append(try Budget(limit, name: Budget.ofFlag, scope: .execution))
            options.setAt["budget.\(Budget.ofFlag)"] =
                budget == nil ? "as the run was started" : settings[.budget]?.origin.place
        }
        var flags = earlier?.object ?? [:]
        for (key, text) in settings.given { flags[key.rawValue] = .string(text) }
        request["flags"] = .object(flags)
    }

    /// Runs in batches if a size or a slot is given.
    private mutating func setBatches(_ settings: Settings, _ earlier: JSONValue?) throws {
        let given = try settings.value(.batchSize, "'auto' or a whole number above 0") { BatchSize($0) }
        let slot = settings.text(.slot) ?? earlier?["slot"]?.string
        guard let size = given ?? earlier?["batch_size"]?.string.flatMap({ BatchSize($0) }) else {
            guard let slot else { return }
            guard options.batching != nil else {
                throw CommandFailure.usage("--slot names a slot of batches; add --batch-size auto")
            }
            options.batching?.slot = slot
            return
        }
        var batching = options.batching ?? Batching()
        switch size {
        case .automatic: break
        case .items(let count): batching.size = count
        }
        batching.slot = slot ?? batching.slot
        options.batching = batching
    }

    private mutating func setRetries(_ retries: Int) throws {
        let old = options.retryPolicy
        options.retryPolicy = try RetryPolicy(
            maxRetries: retries, initialDelay: old.initialDelay, backoffMultiplier: old.backoffMultiplier,
            maxDelay: old.maxDelay, jitter: old.jitter, retryOn: old.retryOn)
    }

    /// Returns `word` if it names a runner of this program.
    private func runnerWord(_ word: String) throws -> String {
        let words = registry.runnerWords
        if word == "temporal", !words.contains(word) {
            throw ProcessingError(
                .configuration,
                "the runner '\(word)' is not part of this version; use auto, sequential, thread or process")
        }
        guard words.contains(word) else {
            throw ProcessingError(
                .configuration, "unknown runner '\(word)'" + Nearest.ending(for: word, among: words))
        }
        return word
    }
}

extension CommandFailure {
    /// Returns the failure for a refused pipeline file. A missing file is not an invalid one.
    static func pipeline(_ error: any Error, _ path: String) -> CommandFailure {
        let failure = CommandFailure(error)
        let isMissing = (error as? ProcessingError)?.findings.contains {
            $0.position == nil && $0.message == "no such file"
        }
        return isMissing == true ? CommandFailure(.notFound, "\(path): no such file") : failure
    }
}
