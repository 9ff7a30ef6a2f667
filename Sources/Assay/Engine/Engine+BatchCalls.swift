// Calls in batches: as a stream, as a list, by slot.

extension Engine {
    /// Runs `processor` over `inputs` in batches.
    ///
    /// Inputs are named `item_1`, `item_2`, … Nothing happens before the first batch is requested.
    public func batches<P: Processor>(
        _ processor: P, over inputs: some Sequence<P.Input> & Sendable, batching: Batching = Batching(),
        options: RunOptions = RunOptions()
    ) throws -> BatchStream {
        let items = NamedInputs(inputs: inputs, scope: options.scope)
        return batches(try RegisteredProcessor(processor), over: items, batching: batching, options: options)
    }

    /// Runs `processor` over named items in batches. A sequence that can be read only once is read once, as far as
    /// needed.
    ///
    /// The call is one run of one execution: the base price is charged once, and the report covers all batches. Errors
    /// that only show when the run is about to begin are thrown by the stream.
    public func batches(
        _ processor: RegisteredProcessor, over items: some Sequence<Item> & Sendable, batching: Batching = Batching(),
        options: RunOptions = RunOptions()
    ) -> BatchStream {
        stream(batching, options) { engine, options in
            var iterator = items.makeIterator()
            return try await engine.perform(processor, options) { limit in
                var page: [Item] = []
                while page.count < limit, let item = iterator.next() { page.append(item) }
                return page
            }
        }
    }

    /// Runs `processor` over items that arrive over time, as ``batches(_:over:batching:options:)`` does.
    public func batches<Items: AsyncSequence & Sendable>(
        _ processor: RegisteredProcessor, streaming items: Items, batching: Batching = Batching(),
        options: RunOptions = RunOptions()
    ) -> BatchStream where Items.Element == Item {
        stream(batching, options) { engine, options in
            var iterator = items.makeAsyncIterator()
            return try await engine.perform(processor, options) { limit in
                var page: [Item] = []
                while page.count < limit, let item = try await iterator.next() { page.append(item) }
                return page
            }
        }
    }

    /// Continues a run that has ended, in batches. The same list is cut in the same way, and a batch whose items are
    /// all finished is handed over as it was.
    public func batches(
        resuming id: Run.ID, with processor: RegisteredProcessor, batching: Batching = Batching(),
        options: RunOptions = RunOptions(), failedOnly: Bool = false
    ) -> BatchStream {
        stream(batching, options) { engine, options in
            let (options, items) = try await engine.continuation(of: id, options, by: processor.name)
            return try await engine.perform(processor, options, failedOnly: failedOnly, items: items)
        }
    }

    // MARK: Graphs

    /// Runs a graph over named items in batches, as ``batches(_:over:batching:options:)`` runs a processor.
    ///
    /// The graph is taken for this one run until the stream has ended.
    public func batches(
        _ graph: Graph, over items: some Sequence<Item> & Sendable, batching: Batching = Batching(),
        options: GraphOptions = GraphOptions()
    ) -> BatchStream {
        stream(batching, options.run) { engine, run in
            var iterator = items.makeIterator()
            return try await engine.perform(graph, options.with(run), nil) { limit in
                var page: [Item] = []
                while page.count < limit, let item = iterator.next() { page.append(item) }
                return page
            }
        }
    }

    /// Continues a run of a graph that has ended, in batches, as
    /// ``batches(resuming:with:batching:options:failedOnly:)`` does. For an input that failed, only the nodes run that
    /// failed or were never reached.
    public func batches(
        resuming id: Run.ID, with graph: Graph, batching: Batching = Batching(),
        options: GraphOptions = GraphOptions(), failedOnly: Bool = false
    ) -> BatchStream {
        stream(batching, options.run) { engine, run in
            let (run, items) = try await engine.continuation(of: id, run, by: graph.id)
            return try await engine.perform(graph, options.with(run), nil, failedOnly: failedOnly, items: items)
        }
    }

    private func stream(
        _ batching: Batching, _ options: RunOptions,
        _ begin: @escaping @Sendable (Engine, RunOptions) async throws -> Report
    ) -> BatchStream {
        let streams = batching.policy.enableStreaming
        let course = BatchCourse(isLazy: !batching.isParallel && streams) { [self] keepsAll, give in
            var options = options
            options.batching = batching
            options.listsFirst = keepsAll
            options.returnsOutcomes = keepsAll && options.returnsOutcomes
            let onBatch = options.onBatch
            options.onBatch = { batch in
                try await onBatch?(batch)
                await give(batch)
            }
            return try await begin(self, options)
        }
        return BatchStream(course: course)
    }

    /// Runs items in groups of one slot each. Groups run one at a time, in the order in which their slots first appear;
    /// each runs in parallel batches of its own size, with the processor registered for it.
    ///
    /// All groups belong to one execution.
    ///
    /// - Parameter processors: the processor for each slot.
    /// - Returns: the groups in their order; the concatenation of their batches is the result of the call.
    /// - Throws: ``ProcessingError`` before anything is run, with code `configuration` for an item without slot or a
    ///   slot without processor, `prevalidation` for a name that two items have; otherwise as
    ///   ``run(_:over:options:watching:)``.
    public func batchesBySlot(
        _ items: some Sequence<Item>, with processors: [String: RegisteredProcessor], policy: BatchPolicy = .standard,
        options: RunOptions = RunOptions()
    ) async throws -> [SlotGroup] {
        var groups: [(slot: String, items: [Item])] = []
        var places: [ExternalID: Int] = [:]
        for (position, item) in items.enumerated() {
            if let first = places.updateValue(position, forKey: ExternalID(unchecked: item.id)) {
                throw ProcessingError(
                    .prevalidation, "input_id '\(item.id)' is used by items \(first + 1) and \(position + 1)")
            }
            guard let slot = item.slot, processors[slot] != nil else {
                let known = processors.keys.sorted().joined(separator: ", ")
                throw ProcessingError(
                    .configuration,
                    "\(item.slot.map { "no processor is registered for slot '\($0)'" } ?? "no slot is named") of item "
                        + "'\(item.id)'; known: \(known)")
            }
            if let place = groups.firstIndex(where: { $0.slot == slot }) {
                groups[place].items.append(item)
            } else {
                groups.append((slot, [item]))
            }
        }
        var options = options
        options.executionID = options.executionID ?? options.scope.executionID ?? world.makeIdentifier()
        var results: [SlotGroup] = []
        for group in groups {
            try Task.checkCancellation()
            guard let processor = processors[group.slot] else { continue }
            let stream = batches(
                processor, over: group.items, batching: Batching(policy: policy, slot: group.slot, isParallel: true),
                options: options)
            let batches = try await stream.list()
            results.append(SlotGroup(slot: group.slot, batches: batches, report: try await stream.report()))
        }
        return results
    }
}

/// The batches of the items of one slot.
public struct SlotGroup: Sendable {
    /// The slot.
    public let slot: String
    /// Its batches, by index.
    public let batches: [BatchResult]
    /// The report of its run.
    public let report: Report
}

/// Inputs as items that are named by their places.
private struct NamedInputs<Inputs: Sequence & Sendable>: Sequence, Sendable where Inputs.Element: Codable & Sendable {
    let inputs: Inputs
    let scope: Scope

    func makeIterator() -> AnyIterator<Item> {
        var iterator = inputs.makeIterator()
        var position = 0
        return AnyIterator {
            guard let input = iterator.next() else { return nil }
            defer { position += 1 }
            return Item(position: position, input: input, scope: scope)
        }
    }
}
