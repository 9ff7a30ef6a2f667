/// The options of a run of a graph. Every part has a default.
public struct GraphOptions: Sendable {
    /// Options that apply to graphs and single processors alike. Its `runner`, `itemTimeout`, `heartbeatTimeout`,
    /// `retryPolicy`, `maxCrashes`, `itemCache` and `price` are those of single processors and are ignored: nodes have
    /// their own.
    ///
    /// With `batching`, each batch goes through the graph as a run of its own would. Error strategies, base prices and
    /// budgets count over all batches, and breakpoints cannot be used.
    public var run: RunOptions
    /// The runner of nodes that have none of their own, which limits all of them together; `nil`: threads of this
    /// program, limited for each node by its concurrency.
    public var runner: (any Runner)?
    /// The number of items that may be in the graph at once.
    public var maxInFlight = 1_000
    /// The strategy for failures at nodes that have none of their own.
    public var errorStrategy: any ErrorStrategy = CompositeStrategy.standard

    /// The breakpoints at which the run stops before a node. More can be set while it is in progress.
    public var breakpoints: [Breakpoint] = []

    /// Called whenever the run has been paused, with the start that it is paused before. It may continue, leave or
    /// cancel the run at once.
    public var onPause: (@Sendable (RunHandle, NodeStart) -> Void)?

    /// Whether the bytes of the values that go through pipes are counted, which writes every value as JSON.
    public var measuresPipes = false

    /// The settings of named checkpoints.
    public var checkpoints = CheckpointSettings()

    /// Creates options with defaults for everything but `run`.
    public init(_ run: RunOptions = RunOptions()) { self.run = run }

    /// Returns the same options with other options of the run.
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
    /// Creates the options of the work of `node` in a run with the options `run`.
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
