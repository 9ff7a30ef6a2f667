/// A graph at work, as its run and the handle of that run steer it.
protocol GraphSteering: Sendable {
    /// The metrics of the nodes so far, the one that took longest first.
    var profile: [NodeMetrics] { get }
    /// The statistics of the pipes, by name.
    var pipes: [String: PipeStatistics] { get }
    /// The start that the run is paused before; `nil` when it is not paused.
    var pausedBefore: NodeStart? { get }

    /// Reads or changes the breakpoints.
    func withBreakpoints<Value>(_ body: (inout Breakpoints) throws -> Value) rethrows -> Value
    /// Lets the run continue after a pause, to the next hit or by one node.
    func goOn(byOne: Bool) throws
    /// Leaves the run in its pause.
    func leave() throws
    /// Announces that the run is stopped.
    func tellStop()
}
