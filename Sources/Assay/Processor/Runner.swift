/// Where items are worked on, and how many at once.
///
/// A runner starts workers and nothing else: order, early stop, retries, time-outs, charges and checkpoints are the
/// engine's, so every runner gives the same outcomes and the same bill.
public protocol Runner: Sendable {
    /// The name in reports and pipeline files.
    var name: String { get }
    /// How many items may be in flight.
    var maxWorkers: Int { get }

    /// Whether its workers cost so much that all batches in flight share ``maxWorkers`` of them; otherwise each batch
    /// has as many.
    var sharesWorkers: Bool { get }

    /// Looks at whether `processor` can be worked on here, before its run exists.
    ///
    /// - Throws: ``ProcessingError`` with code `configuration` when it cannot.
    func check(_ processor: RegisteredProcessor) throws

    /// Starts one worker; the engine starts no more of them than there are items.
    ///
    /// - Throws: ``ProcessingError`` with code `runner_unavailable` when there is nothing to work on.
    func startWorker(for processor: RegisteredProcessor) async throws -> any Worker
}

/// A place where one item at a time is worked on.
public protocol Worker: Sendable {
    /// Where the engine's loop over this worker's items runs; `nil`: on the shared pool.
    var executor: (any TaskExecutor)? { get }

    /// Carries out the processor's `extract`.
    func extract(_ input: Payload, in context: Context) async throws -> Payload

    /// Ends work whose answer nobody waits for any more, and returns when nothing of it can go on.
    ///
    /// A thread cannot be ended: there this does nothing, and what the work still says is dropped.
    func stop() async

    /// Lets the worker go once its current work has returned; called once, as the last thing of its loop.
    func retire()
}

extension Runner {
    /// Workers of its own for each batch.
    public var sharesWorkers: Bool { false }

    /// Any processor.
    public func check(_ processor: RegisteredProcessor) throws {}
}

extension Worker {
    /// Nothing that could be ended.
    public func stop() async {}
}
