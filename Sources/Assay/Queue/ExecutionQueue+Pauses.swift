// Executions of graphs that a breakpoint has paused.

extension ExecutionQueue {
    /// Goes on with an execution that was left in a pause, past capacity and admission, and gives its report; it may be
    /// paused again. Taps of its graph are finished on return.
    ///
    /// - Parameters:
    ///   - move: whether it goes on to the next hit, or by one node.
    ///   - toEnd: whether its breakpoints are removed first.
    /// - Throws: ``ProcessingError``: `not_found`, `illegal_move` for one that is not paused, and what
    ///   ``Engine/goOn(_:with:by:toEnd:options:watching:)`` throws; it is then still paused. `cancelled` when the calling
    ///   task was cancelled before it went on.
    public func goOn(_ id: Execution.ID, by move: Pause.Move = .goOn, toEnd: Bool = false) async throws -> Report {
        try await goOn(id, by: move, toEnd: toEnd, isWork: false)
    }

    /// As ``goOn(_:by:toEnd:)``.
    ///
    /// - Parameter isWork: whether the queue's worker does so; it then waits again when the work is given up.
    package func goOn(
        _ id: Execution.ID, by move: Pause.Move, toEnd: Bool, isWork: Bool
    ) async throws -> Report {
        guard contains(id) else { throw ProcessingError.executionUnknown(id) }
        guard !Task.isCancelled else {
            throw ProcessingError(.cancelled, "the task that was to go on with execution '\(id)' was cancelled")
        }
        guard let live = await claim(id, standing: .paused) else {
            throw ProcessingError(
                .illegalMove, "execution '\(id)' is \(status(of: id)?.rawValue ?? "gone"), so it cannot be gone on with"
            )
        }
        return try await carry(id, live, from: .paused) {
            try await goOn(id, live, by: move, toEnd: toEnd, isWork: isWork)
        }.get()
    }

    private func goOn(
        _ id: Execution.ID, _ live: QueueState.Live, by move: Pause.Move, toEnd: Bool, isWork: Bool
    ) async throws -> Report {
        let execution = try await execution(id)
        let (run, graph, settings, resolved) = try await paused(execution)
        guard !live.isCancelled, !Task.isCancelled else { throw CancellationError() }
        var options = streaming(execution, execution.options(from: resolved))
        options.waitsWhenGivenUp = isWork
        return try await finishingTaps(of: .graph(graph, settings)) {
            try await engine.goOn(
                run, with: graph, by: move, toEnd: toEnd, options: settings.leavingPauses.with(options)
            ) {
                self.follow($0, execution, from: .paused, live)
            }
        }
    }

    /// Finds out whether a paused execution could be gone on with, as far as that can be known beforehand.
    ///
    /// - Throws: ``ProcessingError``: `not_found`, what makes its graph, `illegal_move` for one of a processor or that is
    ///   not paused, `definition_changed` when the graph is not the one that was paused.
    package func checkGoingOn(_ id: Execution.ID) async throws {
        let (id, graph, _, options) = try await paused(execution(id))
        let run = try await engine.existingRun(id)
        guard run.status == .paused else {
            throw ProcessingError(.illegalMove, "run '\(id)' is \(run.status.rawValue), not paused")
        }
        let processor = RegisteredProcessor(graph.id, graph.wiring)
        try await processor.readFiles(in: store, world.time, options, records: true)
        let definition = processor.definition(in: store)
        guard definition.parts == run.definitionParts else {
            throw ProcessingError.definitionChanged(processor.name, definition, since: run)
        }
    }

    /// The last run of a paused execution, its graph and how that is run.
    private func paused(
        _ execution: Execution
    ) async throws -> (run: Run.ID, graph: Graph, settings: GraphOptions, resolved: RunOptions) {
        guard let run = execution.lastRunID,
            case (.graph(let graph, let settings), let resolved) = try await resolve(execution)
        else {
            throw ProcessingError(
                .illegalMove, "execution '\(execution.id)' is of a processor, so it cannot be gone on with")
        }
        return (run, graph, settings, resolved)
    }

    /// Cancels an execution that was left in a pause; `false` when it has been let go on meanwhile.
    func cancelPaused(_ id: Execution.ID, _ run: Run.ID) async throws -> Bool {
        guard let live = await claim(id, standing: .paused) else { return false }
        _ = try await carry(id, live, from: .paused) { try await engine.cancelPaused(run) }.get()
        return true
    }

    /// The run in whose pause an execution was left; `nil` for one that came out of a snapshot without its runs.
    func pausedRun(of id: Execution.ID) async throws -> Run.ID? {
        guard let run = try await lastRun(of: execution(id)), run.status == .paused else { return nil }
        return run.id
    }
}

extension GraphOptions {
    /// The same, with each pause left in which nobody lets the run go on at once: what is paused takes no place.
    var leavingPauses: GraphOptions {
        var options = self
        let others = onPause
        options.onPause = { run, start in
            others?(run, start)
            // One that goes on already is not left.
            try? run.leave()
        }
        return options
    }
}
