/// What a run is of: one processor, or a graph of them.
public enum Runnable: Sendable {
    case processor(RegisteredProcessor)
    /// A graph has one run at a time, so each run is given a graph of its own.
    case graph(Graph, GraphOptions)

    /// The name of the processor, or of the graph.
    public var name: Identifier {
        switch self {
        case .processor(let processor): processor.name
        case .graph(let graph, _): graph.id
        }
    }

    /// The files that it is made of.
    package var definitionFiles: [DefinitionFiles.Entry] {
        let processor =
            switch self {
            case .processor(let processor): processor
            case .graph(let graph, _): RegisteredProcessor(graph.id, graph.wiring)
            }
        return processor.filesOfDefinition.flatMap(\.entries)
    }
}

extension Engine {
    /// Runs what is submitted over `items`; as its functions of the single kinds.
    func perform(
        _ runnable: Runnable, _ options: RunOptions, _ watching: @escaping @Sendable (RunHandle) -> Void,
        failedOnly: Bool, items: @escaping ItemSource
    ) async throws -> Report {
        switch runnable {
        case .processor(let processor):
            try await perform(processor, options, watching, failedOnly: failedOnly, items: items)
        case .graph(let graph, let settings):
            try await perform(graph, settings.with(options), watching, failedOnly: failedOnly, items: items)
        }
    }

    /// Goes on with a run that has ended.
    func resume(
        _ id: Run.ID, with runnable: Runnable, _ options: RunOptions,
        _ watching: @escaping @Sendable (RunHandle) -> Void, failedOnly: Bool
    ) async throws -> Report {
        switch runnable {
        case .processor(let processor):
            try await resume(id, with: processor, options: options, failedOnly: failedOnly, watching: watching)
        case .graph(let graph, let settings):
            try await resume(
                id, with: graph, options: settings.with(options), failedOnly: failedOnly, watching: watching)
        }
    }
}
