extension RegisteredProcessor {
    /// Creates the processor of a worker for `nodes`: it runs the node that the context names.
    init(serving nodes: [Node]) {
        if nodes.count == 1 {
            self = nodes[0].processor
            return
        }
        let processors = Dictionary(uniqueKeysWithValues: nodes.map { ($0.id, $0.processor) })
        @Sendable func processor(in context: Context) throws -> RegisteredProcessor {
            guard let processor = processors[context.processorID] else {
                throw ProcessingError(.notFound, "no node '\(context.processorID)' is served here")
            }
            return processor
        }
        self.init(named: Identifier(unchecked: "graph")) { _, _ in
            .unchanged
        } extract: { input, context in
            try await processor(in: context).extract(input, context)
        }
        startsPrograms = nodes.contains { $0.processor.startsPrograms }
        secrets = nodes.reduce(.none) { $0.joined(with: $1.processor.secrets) }
    }

    /// Creates the processor of a graph's run: it checks items for the graph's sources, and its summary is the list of
    /// results.
    init(_ graph: Identifier, _ wiring: Wiring) {
        self.init(named: graph) { data, context in
            do {
                _ = try wiring.feed(data, of: context.inputID ?? "")
                return .unchanged
            } catch {
                return .refused(error, in: .prevalidation, value: nil)
            }
        } extract: { _, _ in
            throw ProcessingError(.configuration, "a graph is run by its nodes")
        }
        parameters = wiring.definition
        if wiring.sources.count == 1, let source = wiring.sources.first {
            fileOfInput = wiring.nodes[source].processor.fileOfInput
            mayOpenFiles = wiring.nodes[source].processor.mayOpenFiles
            mediaTypes = wiring.nodes[source].processor.mediaTypes
        }
        let processors = wiring.nodes.map(\.processor)
        nodes = wiring.nodes.map { ($0.id, $0.processor) }
        secrets = processors.reduce(.none) { $0.joined(with: $1.secrets) }
        nodeComplexities = processors.compactMap(\.complexity)
        finish = { run in for processor in processors { await processor.finish?(run) } }
    }
}
