// Executions of graphs that a breakpoint has paused.

extension ExecutionQueue {
    /// Continues an execution that was left in a pause, past capacity and admission, and returns its report. The
    /// execution may be paused again. Taps of its graph are finished on return.
    ///
    /// - Parameters:
    ///   - move: whether it continues to the next hit or by one node.
    ///   - toEnd: whether its breakpoints are removed first.
    /// - Throws: ``ProcessingError``: `not_found`, `illegal_move` for one that is not paused, and what
    ///   ``Engine/goOn(_:with:by:toEnd:options:watching:)`` throws, in which case it is still paused; `cancelled` when
    ///   the calling task was cancelled before it continued.
    public func goOn(_ id: Execution.ID, by move: Pause.Move = .goOn, toEnd: Bool = false) async throws -> Report {
        try await goOn(id, by: move, toEnd: toEnd, isWork: false)
    }

    /// Continues an execution as ``goOn(_:by:toEnd:)`` does.
    ///
    /// - Parameter isWork: whether a worker on the queue calls it; the execution then waits again when the work is
    ///   given up.
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

    /// Checks whether a paused execution could be continued, as far as that can be known beforehand.
    ///
    /// - Throws: ``ProcessingError``: `not_found`, what making its graph throws, `illegal_move` for one of a processor
    ///   or that is not paused, `definition_changed` when the graph is not the one that was paused.
    package func checkGoingOn(_ id: Execution.ID) async throws {
        let (id, graph, _, options) = try await paused(execution(id))
        let run = try await engine.existingRun(id)
        guard run.status == .paused else {
            throw ProcessingError(.illegalMove, "run '\(id)' is \(run.status.rawValue), not paused")
        }
        let processor = RegisteredProcessor(graph.id, graph.wiring)
        try await processor.readFiles(in: store, world.time, rereads: options.rehash, records: true)
        let definition = processor.definition(in: store)
        guard definition.parts == run.definitionParts else {
            throw ProcessingError.definitionChanged(processor.name, definition, since: run)
        }
    }

    /// Returns the last run of a paused execution, its graph and the options to run it with.
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

    /// Cancels an execution that was left in a pause; returns `false` when it has been continued in the meantime.
    func cancelPaused(_ id: Execution.ID, _ run: Run.ID) async throws -> Bool {
        guard let live = await claim(id, standing: .paused) else { return false }
        _ = try await carry(id, live, from: .paused) { try await engine.cancelPaused(run) }.get()
        return true
    }

    /// Returns the run in whose pause an execution was left; `nil` for one that was restored from a snapshot without
    /// its runs.
    func pausedRun(of id: Execution.ID) async throws -> Run.ID? {
        guard let run = try await lastRun(of: execution(id)), run.status == .paused else { return nil }
        return run.id
    }
}

extension GraphOptions {
    /// The same options, except that a pause is left unless the run is continued at once: a paused run takes up no
    /// place.
    var leavingPauses: GraphOptions {
        var options = self
        let others = onPause
        options.onPause = { run, start in
            others?(run, start)
            // A run that continues already is not left.
            try? run.leave()
        }
        return options
    }
}
