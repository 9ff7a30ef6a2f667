/// A place where items are worked on, and a limit for how many at once.
///
/// A runner only starts workers. Order, early stop, retries, time-outs, charges and saved steps belong to the engine,
/// so every runner gives the same outcomes and the same bill.
public protocol Runner: Sendable {
    /// The name in reports and pipeline files.
    var name: String { get }
    /// The maximum number of items in flight.
    var maxWorkers: Int { get }

    /// Whether workers are so expensive that all batches in flight share ``maxWorkers`` of them; otherwise each batch
    /// has that many.
    var sharesWorkers: Bool { get }

    /// Whether a worker serves only the processor that it was started for; otherwise the nodes of a graph share
    /// workers.
    var servesOneProcessor: Bool { get }

    /// The number of items to look at before the run begins, to be counted by ``resolved(forAtLeast:of:)``.
    var itemsToResolve: Int { get }

    /// Returns the runner of a run of at least `count` items.
    ///
    /// - Throws: ``ProcessingError`` with code `configuration` when it cannot be made.
    func resolved(forAtLeast count: Int, of processor: RegisteredProcessor) throws -> any Runner

    /// Returns the runner where the number of items decides nothing, as at the nodes of a graph.
    ///
    /// - Throws: as ``resolved(forAtLeast:of:)``.
    func settled() throws -> any Runner

    /// Returns the same runner with workers that make their processor from `setup`, where they make it themselves.
    func handing(_ setup: JSONValue) -> Self

    /// Checks that `processor` can run here, before its run exists.
    ///
    /// - Throws: ``ProcessingError`` with code `configuration` when it cannot.
    func check(_ processor: RegisteredProcessor) throws

    /// Starts one worker. The engine starts no more workers than there are items.
    ///
    /// - Throws: ``ProcessingError`` with code `runner_unavailable` when there is nowhere to run.
    func startWorker(for processor: RegisteredProcessor) async throws -> any Worker
}

/// A place that works on one item at a time.
public protocol Worker: Sendable {
    /// The executor of the engine's loop over this worker's items; `nil` means the shared pool.
    var executor: (any TaskExecutor)? { get }

    /// Runs the processor's `extract`.
    func extract(_ input: Payload, in context: Context) async throws -> Payload

    /// Ends work whose answer is no longer needed, and returns when none of it can continue.
    ///
    /// A thread cannot be ended: there this does nothing, and later results of the work are dropped.
    func stop() async

    /// Releases the worker once its current work has returned. Called once, at the end of its loop.
    func retire()
}

extension Runner {
    /// `false` by default: each batch has its own workers.
    public var sharesWorkers: Bool { false }

    /// `false` by default: a worker serves any processor.
    public var servesOneProcessor: Bool { false }

    /// 0 by default: it is known from the beginning where items run.
    public var itemsToResolve: Int { 0 }

    /// Itself by default.
    public func resolved(forAtLeast count: Int, of processor: RegisteredProcessor) throws -> any Runner { self }

    /// Itself by default.
    public func settled() throws -> any Runner { self }

    /// Itself by default: its workers are given their processor.
    public func handing(_ setup: JSONValue) -> Self { self }

    /// Accepts any processor.
    public func check(_ processor: RegisteredProcessor) throws {}
}

extension Worker {
    /// Does nothing by default.
    public func stop() async {}
}
