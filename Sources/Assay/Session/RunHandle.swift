/// A run in progress, as a caller watches or ends it.
public struct RunHandle: Sendable {
    let session: RunSession

    /// The run.
    public var runID: Run.ID { session.run.id }
    /// The execution.
    public var executionID: Execution.ID { session.run.executionID }
    /// The counts of how its items have ended so far. Items in progress are not counted.
    public var counts: Counts { session.tally.counts }
    /// The waits of items in progress, most frequent first.
    public var waits: [ItemWait] { session.tally.waits.waits }
    /// The sums over what has ended so far.
    public var metrics: RunMetrics {
        var metrics = session.tally.metrics
        if let graph = session.steering { metrics.nodes = graph.profile }
        return metrics
    }

    /// Stops the run, which can be resumed. Nothing further starts.
    ///
    /// - Parameter drain: whether items in progress may finish; otherwise they are given up and become cancelled.
    public func cancel(drain: Bool = false) { session.stop(.init(reason: .runCancelled, drains: drain)) }

    /// Stops the run once items in progress have finished. If it is work of a queue, its execution waits for another
    /// run.
    func giveUp() { session.giveUp() }

    // MARK: Breakpoints

    /// The start that a run of a graph is paused before: the node, the item and the inputs; `nil` when it is not
    /// paused.
    public var pausedBefore: NodeStart? { session.steering?.pausedBefore }

    /// The breakpoints of a run of a graph in the order in which they were set; none for other runs.
    public var breakpoints: [Breakpoint] { session.steering?.withBreakpoints { $0.all } ?? [] }

    /// Sets a breakpoint, which replaces the one at its node. Does nothing for a run that is not of a graph.
    public func set(_ breakpoint: Breakpoint) { session.steering?.withBreakpoints { $0.set(breakpoint) } }

    /// Removes the breakpoint at a node, which does not continue a paused run; returns `false` when there is none.
    @discardableResult public func removeBreakpoint(at node: Identifier) -> Bool {
        session.steering?.withBreakpoints { $0.remove(at: node) } ?? false
    }

    /// Enables or disables the breakpoint at a node; returns `false` when there is none.
    @discardableResult public func enableBreakpoint(_ isEnabled: Bool, at node: Identifier) -> Bool {
        session.steering?.withBreakpoints { $0.enable(isEnabled, at: node) } ?? false
    }

    /// Leaves a paused run of a graph as it is: items in progress finish, and the call that runs it returns a report
    /// with status `paused`. ``Engine/goOn(_:with:by:toEnd:options:watching:)`` continues it, in this or another
    /// program.
    ///
    /// - Throws: ``ProcessingError`` with code `illegal_move` when it is not paused.
    public func leave() throws { try conductor().leave() }

    /// Continues a paused run of a graph to the next hit.
    ///
    /// - Throws: ``ProcessingError`` with code `illegal_move` when it is not paused.
    public func goOn() throws { try conductor().goOn(byOne: false) }

    /// Runs the node before which a run of a graph is paused. The run is paused again before the next start.
    ///
    /// - Throws: ``ProcessingError`` with code `illegal_move` when it is not paused.
    public func step() throws { try conductor().goOn(byOne: true) }

    private func conductor() throws(ProcessingError) -> any GraphSteering {
        guard let graph = session.steering else {
            throw ProcessingError(.illegalMove, "the run is not paused, so there is nothing to go on with")
        }
        return graph
    }
}

extension RunHandle {
    /// The metrics of the nodes of a run of a graph so far, the one that took longest first; empty for other runs.
    ///
    /// Costs time and memory in proportion to nodes and pipes.
    public var profile: [NodeMetrics] { session.steering?.profile ?? session.tally.metrics.nodes }

    /// The statistics of the pipes of a run of a graph, by name; empty before it begins and after it has ended.
    ///
    /// The values are counted. Their bytes are counted only when ``GraphOptions/measuresPipes`` is set, or when
    /// something listened to `pipe_data_flow` as the run began.
    public var pipes: [String: PipeStatistics] { session.steering?.pipes ?? [:] }
}
