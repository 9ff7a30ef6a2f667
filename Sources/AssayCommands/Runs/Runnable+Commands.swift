import Assay

// What commands do with a processor or a graph.

extension Runnable {
    /// Whether it is a graph.
    var isGraph: Bool { if case .graph = self { true } else { false } }

    /// Has all nodes of a graph that name none run in `runner`; a processor's is among its options.
    mutating func setRunner(_ runner: any Runner) {
        guard case .graph(let graph, var options) = self else { return }
        options.runner = runner
        self = .graph(graph, options)
    }

    /// Refuses flags that say how a single processor works, which nodes of a graph say for themselves.
    func refuseFlagsOfProcessors(_ settings: Settings) throws {
        guard case .graph = self else { return }
        let keys: [Settings.Key] = [.retries, .timeout]
        for key in keys {
            guard let setting = settings[key], case .flag(let name) = setting.origin else { continue }
            throw CommandFailure.usage(
                "\(name) is for a single processor; the nodes of a graph have theirs in its file")
        }
    }

    /// Runs it over `items`.
    func run<Items: AsyncSequence>(
        _ engine: Engine, over items: Items, _ options: RunOptions,
        watching: @escaping @Sendable (RunHandle) -> Void
    ) async throws -> Report where Items.Element == Item {
        switch self {
        case .processor(let processor):
            return try await engine.run(processor, streaming: items, options: options, watching: watching)
        case .graph(let graph, let settings):
            return try await engine.run(
                graph, streaming: items, options: settings.with(options), watching: watching)
        }
    }

    /// What a run of it over `items` would do.
    ///
    /// - Parameters:
    ///   - sample: the run from which costs are estimated; `nil`: the last one that says something about them.
    ///   - each: takes what would be done with each item.
    func plan<Items: AsyncSequence>(
        _ engine: Engine, over items: Items, _ options: RunOptions, by sample: Run.ID? = nil,
        each: (Plan.Entry) async throws -> Void
    ) async throws -> Plan where Items.Element == Item {
        switch self {
        case .processor(let processor):
            try await engine.plan(processor, streaming: items, options: options, by: sample, each: each)
        case .graph(let graph, let settings):
            try await engine.plan(graph, streaming: items, options: settings.with(options), by: sample, each: each)
        }
    }

    /// What going on with a run of it would do.
    func plan(
        resuming id: Run.ID, _ engine: Engine, _ options: RunOptions, failedOnly: Bool,
        each: (Plan.Entry) async throws -> Void
    ) async throws -> Plan {
        switch self {
        case .processor(let processor):
            try await engine.plan(resuming: id, with: processor, options: options, failedOnly: failedOnly, each: each)
        case .graph(let graph, let settings):
            try await engine.plan(
                resuming: id, with: graph, options: settings.with(options), failedOnly: failedOnly, each: each)
        }
    }

    /// Goes on with a run of it, from a checkpoint of a graph's node if one is named.
    func resume(
        _ id: Run.ID, _ engine: Engine, _ options: RunOptions, from checkpoint: String?, failedOnly: Bool,
        watching: @escaping @Sendable (RunHandle) -> Void
    ) async throws -> Report {
        switch self {
        case .processor(let processor):
            guard checkpoint == nil else {
                throw CommandFailure.usage(
                    "--from names a checkpoint of a graph's node; run '\(id)' is of one processor, whose steps are saved"
                )
            }
            return try await engine.resume(
                id, with: processor, options: options, failedOnly: failedOnly, watching: watching)
        case .graph(let graph, let settings):
            return try await engine.resume(
                id, with: graph, from: checkpoint, options: settings.with(options), failedOnly: failedOnly,
                watching: watching)
        }
    }

    /// Goes on with a run of a graph that was left in a pause.
    func goOn(
        _ id: Run.ID, _ engine: Engine, _ options: RunOptions, by move: Pause.Move, toEnd: Bool,
        watching: @escaping @Sendable (RunHandle) -> Void
    ) async throws -> Report {
        guard case .graph(let graph, let settings) = self else {
            throw ProcessingError(.illegalMove, "only runs of graphs are paused")
        }
        return try await engine.goOn(
            id, with: graph, by: move, toEnd: toEnd, options: settings.with(options), watching: watching)
    }
}
