/// How a graph is to be run; every part has a default.
public struct GraphOptions: Sendable {
    /// What holds for graphs as for single processors; its `runner`, `itemTimeout`, `heartbeatTimeout`, `retryPolicy`,
    /// `maxCrashes`, `itemCache` and `price` are those of single processors and not looked at: nodes have their own.
    ///
    /// With `batching` each batch goes through the graph as a run of its own would; error strategies, base prices and
    /// budgets count over all batches, and breakpoints cannot be used.
    public var run: RunOptions
    /// Where nodes without a runner of their own run, which limits all of them together; `nil`: on threads of this
    /// program, limited for each node by its concurrency.
    public var runner: (any Runner)?
    /// How many items may be in the graph at once.
    public var maxInFlight = 1_000
    /// What becomes of failures at nodes that have no strategy of their own.
    public var errorStrategy: any ErrorStrategy = CompositeStrategy.standard

    /// Where the run stops before a node; more can be set while it is in progress.
    public var breakpoints: [Breakpoint] = []

    /// Is told whenever the run has been paused, and before which start; it may let it go on, leave or cancel it at once.
    public var onPause: (@Sendable (RunHandle, NodeStart) -> Void)?

    /// Whether the bytes of the values that go through pipes are counted, which writes every value as JSON.
    public var measuresPipes = false

    /// Where named checkpoints are kept, and whether every node output becomes one.
    public var checkpoints = CheckpointSettings()

    /// All defaults, but for what holds for single processors as well.
    public init(_ run: RunOptions = RunOptions()) { self.run = run }

    /// The same with other options of the run.
    package func with(_ run: RunOptions) -> GraphOptions {
        var options = self
        options.run = run
        return options
    }

    func check() throws(ProcessingError) {
        guard maxInFlight >= 1 else {
            throw ProcessingError(.configuration, "max_in_flight must be at least 1, found \(maxInFlight)")
        }
        guard run.batching == nil || breakpoints.isEmpty else {
            throw ProcessingError(
                .configuration,
                "breakpoints pause a whole run, which batches are only parts of; leave out 'batch' (and --batch-size) "
                    + "to stop at node '\(breakpoints[0].processorID)'")
        }
        try run.validate()
    }
}

extension RunOptions {
    /// How the work of `node` is done in a run that is done as `run` says.
    init(of node: Node, in run: RunOptions) {
        self = run
        itemTimeout = node.timeout
        heartbeatTimeout = node.heartbeatTimeout
        maxCrashes = node.maxCrashes
        recovery = node.recovery == .reprocess ? .reprocess : run.recovery
        itemCache = node.cache
        price = node.price
        if let billing = node.billing { self.billing = billing }
        if let doubtPolicy = node.doubtPolicy { self.doubtPolicy = doubtPolicy }
    }
}
