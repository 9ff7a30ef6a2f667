// Calls that run graphs.

extension Engine {
    /// Runs a graph over `inputs` and returns once every input has an outcome.
    ///
    /// An input's output is the map of its results by `processor_id:port`. The summary is the list of these maps, if
    /// every input succeeded. A graph has one run at a time.
    ///
    /// - Throws: ``ProcessingError`` for misuse before the run exists (`graph` for one that is not valid,
    ///   `already_running`, `configuration`, `definition_changed`) and when the store fails.
    public func run(
        _ graph: Graph, over inputs: some Sequence<some Codable & Sendable>, options: GraphOptions = GraphOptions()
    ) async throws -> Report {
        let scope = options.run.scope
        return try await run(
            graph, over: inputs.enumerated().lazy.map { Item(position: $0, input: $1, scope: scope) },
            options: options)
    }

    /// Runs a graph over named items.
    ///
    /// - Parameter watching: receives the run once it exists, to follow or stop it.
    /// - Throws: as ``run(_:over:options:)``.
    public func run(
        _ graph: Graph, over items: some Sequence<Item>, options: GraphOptions = GraphOptions(),
        watching: (@Sendable (RunHandle) -> Void)? = nil
    ) async throws -> Report {
        var iterator = items.makeIterator()
        return try await perform(graph, options, watching) { limit in
            var page: [Item] = []
            while page.count < limit, let item = iterator.next() { page.append(item) }
            return page
        }
    }

    /// Runs a graph over items that arrive over time. The first one enters the graph when the last one is on record.
    ///
    /// - Throws: as ``run(_:over:options:)``, and what the sequence throws, which fails the run.
    public func run<Items: AsyncSequence>(
        _ graph: Graph, streaming items: Items, options: GraphOptions = GraphOptions(),
        watching: (@Sendable (RunHandle) -> Void)? = nil
    ) async throws -> Report where Items.Element == Item {
        var iterator = items.makeAsyncIterator()
        return try await perform(graph, options, watching) { limit in
            var page: [Item] = []
            while page.count < limit, let item = try await iterator.next() { page.append(item) }
            return page
        }
    }

    /// Runs what an ended run of `graph` did not finish. For unchanged items, only the nodes run that failed or were
    /// never reached.
    ///
    /// - Parameters:
    ///   - checkpoint: a named checkpoint of a node's output on an input. It becomes that node's saved output, and the
    ///     input runs again from there whatever its outcome was, including nodes behind it whose outputs were saved.
    ///   - failedOnly: whether only failed items run and all others keep their outcomes.
    /// - Throws: as ``run(_:over:options:)``, and ``ProcessingError`` with code `not_found` for an unknown run or
    ///   checkpoint, `store` for a damaged checkpoint, `configuration` for one of another graph.
    public func resume(
        _ id: Run.ID, with graph: Graph, from checkpoint: String? = nil, options: GraphOptions = GraphOptions(),
        failedOnly: Bool = false, watching: (@Sendable (RunHandle) -> Void)? = nil
    ) async throws -> Report {
        var options = options
        let items: ItemSource
        (options.run, items) = try await continuation(of: id, options.run, by: graph.id)
        let from = checkpoint.map { (checkpoint: $0, run: id) }
        return try await perform(graph, options, watching, failedOnly: failedOnly, from: from, items: items)
    }

    /// Runs a graph as ``run(_:over:options:)`` does, over items that come page by page.
    func perform(
        _ graph: Graph, _ options: GraphOptions, _ watching: (@Sendable (RunHandle) -> Void)?,
        failedOnly: Bool = false, from: (checkpoint: String, run: Run.ID)? = nil, items: @escaping ItemSource
    ) async throws -> Report {
        try await conduct(graph, options) { wiring, plan, run in
            var work = GraphWork(
                graph: graph, wiring: wiring, options: options, plan: plan, checkpoints: try automatic(options))
            if let from {
                work.restored = try await restoredOutput(from.checkpoint, for: from.run, of: graph, wiring, options)
            }
            return try await perform(
                RegisteredProcessor(graph.id, wiring), run, watching, failedOnly: failedOnly, graph: work, items: items)
        }
    }

    /// Takes `graph` for one run, which `body` makes.
    func conduct(
        _ graph: Graph, _ options: GraphOptions,
        _ body: (_ wiring: Wiring, _ plan: LanePlan, _ run: RunOptions) async throws -> Report
    ) async throws -> Report {
        try options.check()
        let wiring = try graph.begin()
        var status: Status?
        defer { graph.end(status) }
        let taps = events.countTaps { graph.tapCounts.values.reduce(0, +) }
        defer { events.forgetTaps(taps) }
        let plan = try LanePlan(wiring.nodes, runner: options.runner)
        defer { plan.dismiss() }
        var run = options.run
        run.runner = plan.runner
        let report = try await body(wiring, plan, run)
        status = report.status
        return report
    }
}
