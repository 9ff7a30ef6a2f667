// What a run of a graph would do, found out without doing it.

extension Engine {
    /// Plans what ``run(_:over:options:watching:)`` would do with `items` in `graph`, at the prices of now.
    ///
    /// Nothing is recorded, charged or extracted. What a node is given is known for the sources, and behind nodes whose
    /// outputs are saved or cached; elsewhere the plan has the least and the most that any input costs there, as far as
    /// the processor tells, else the most of the graph's last run.
    ///
    /// - Parameters: as of a plan of a processor.
    /// - Throws: ``ProcessingError`` with code `graph`, `configuration` and `definition_changed` as the run would.
    public func plan(
        _ graph: Graph, over items: some Sequence<Item>, options: GraphOptions = GraphOptions(),
        by sample: Run.ID? = nil, each: (Plan.Entry) async throws -> Void = { _ in }
    ) async throws -> Plan {
        var iterator = items.makeIterator()
        return try await plan(graph, options, failedOnly: false, sample, each) { limit in
            var page: [Item] = []
            while page.count < limit, let item = iterator.next() { page.append(item) }
            return page
        }
    }

    /// As ``plan(_:over:options:by:each:)`` for items that arrive over time.
    public func plan<Items: AsyncSequence>(
        _ graph: Graph, streaming items: Items, options: GraphOptions = GraphOptions(),
        by sample: Run.ID? = nil, each: (Plan.Entry) async throws -> Void = { _ in }
    ) async throws -> Plan where Items.Element == Item {
        var iterator = items.makeAsyncIterator()
        return try await plan(graph, options, failedOnly: false, sample, each) { limit in
            var page: [Item] = []
            while page.count < limit, let item = try await iterator.next() { page.append(item) }
            return page
        }
    }

    /// Plans what ``resume(_:with:options:failedOnly:watching:)`` would do with `graph`.
    ///
    /// - Throws: as the resume would before its run exists.
    public func plan(
        resuming id: Run.ID, with graph: Graph, options: GraphOptions = GraphOptions(), failedOnly: Bool = false,
        each: (Plan.Entry) async throws -> Void = { _ in }
    ) async throws -> Plan {
        var options = options
        let items: ItemSource
        (options.run, items) = try await continuation(of: id, options.run, by: graph.id)
        return try await plan(graph, options, failedOnly: failedOnly, nil, each, items: items)
    }

    private func plan(
        _ graph: Graph, _ options: GraphOptions, failedOnly: Bool, _ sample: Run.ID?,
        _ each: (Plan.Entry) async throws -> Void, items rest: @escaping ItemSource
    ) async throws -> Plan {
        try options.check()
        let (wiring, levels) = try graph.valid()
        let lanes = try LanePlan(wiring.nodes, runner: options.runner)
        defer { lanes.dismiss() }
        var options = options
        options.run.runner = lanes.runner
        try options.run.validate()
        let processor = RegisteredProcessor(graph.id, wiring)
        let page = reading(rest, for: processor, options.run, records: false)
        var (run, history) = try await prepare(processor, options.run, failedOnly: failedOnly, isPlan: true)
        run.graphID = graph.id
        return try await plan(processor, options.run, run, each, items: page) {
            try await GraphPlanner(
                self, wiring, order: levels.flatMap(\.self), processor, options, run, history, sample)
        }
    }
}
