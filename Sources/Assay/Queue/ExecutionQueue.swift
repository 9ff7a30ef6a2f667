import Synchronization

/// A queue of durable executions that wait for their turn and run as priority, capacity and admission allow.
///
/// ```swift
/// let queue = try await ExecutionQueue(
///     engine, QueueConfiguration(capacity: 10, refreshTime: .seconds(1)), processors: [statements])
/// try await queue.submit(Submission("statements", over: files))
/// queue.start()
/// try await queue.cycle()
/// ```
///
/// The lowest priority goes first; equal priorities go in the order of submission. Every change is in the engine's
/// store before it has an effect. A store has one queue at a time. All functions may be called concurrently.
public final class ExecutionQueue: Sendable {
    /// Makes what an execution needs to run: the processor or the graph, and its options.
    ///
    /// It must make a new graph each time, since a graph has one run at a time. An execution that a breakpoint pauses
    /// leaves the queue's control until ``goOn(_:by:toEnd:)``.
    public typealias Resolver = @Sendable (Execution) async throws -> (Runnable, RunOptions)

    /// Returns what an execution waits for that this program cannot work on; `nil` for one that it can.
    public typealias Elsewhere = @Sendable (Execution) -> String?

    /// The configuration of the queue.
    public let configuration: QueueConfiguration
    /// The only processor or graph it accepts; `nil` for any.
    public let processorID: Identifier?

    let engine: Engine
    let admission: any AdmissionPolicy
    let resolve: Resolver
    let elsewhere: Elsewhere
    let meters: QueueMeters
    /// The queue's own record.
    let identity: Mutex<Identity>
    private let state = Mutex(QueueState())

    /// The identity of a queue.
    struct Identity: Sendable {
        var id: Identifier
        var createdAt: Timestamp
        var metadata: JSONObject
    }

    var store: any Store { engine.store }
    var world: World { engine.world }

    /// Opens the queue of an engine's store. Executions that a dead program left running wait again or fail, as
    /// configured.
    ///
    /// - Parameters:
    ///   - admission: decides who may run now.
    ///   - processorID: the only processor or graph it accepts.
    ///   - elsewhere: returns what an execution waits for that this program cannot work on. Such executions are never
    ///     taken, and ``join()`` does not wait for them. Called when an execution enters the queue.
    ///   - resolve: makes the processor or the graph of an execution, and its options.
    /// - Throws: ``ProcessingError`` when the store fails.
    public init(
        _ engine: Engine, _ configuration: QueueConfiguration, admission: any AdmissionPolicy = .always,
        only processorID: Identifier? = nil, elsewhere: @escaping Elsewhere = { _ in nil },
        resolve: @escaping Resolver
    ) async throws {
        self.engine = engine
        self.configuration = configuration
        self.admission = admission
        self.processorID = processorID
        self.resolve = resolve
        self.elsewhere = elsewhere
        meters = QueueMeters(queue: configuration.name)
        identity = Mutex(Identity(id: engine.world.makeIdentifier(), createdAt: engine.world.time.now(), metadata: [:]))
        try await load()
    }

    /// Opens the queue as ``init(_:_:admission:only:elsewhere:resolve:)`` does, for processors that are known by name.
    /// Executions of others wait for a program that has them.
    ///
    /// - Parameter options: the options for each of them.
    public convenience init(
        _ engine: Engine, _ configuration: QueueConfiguration, admission: any AdmissionPolicy = .always,
        processors: [RegisteredProcessor], options: RunOptions = RunOptions()
    ) async throws {
        let known = Dictionary(processors.map { ($0.name, $0) }) { $1 }
        let elsewhere: Elsewhere = { execution in
            guard let name = execution.processorID, execution.graphID != nil || known[name] == nil else { return nil }
            return "a worker of \(execution.graphID == nil ? "processor" : "graph") '\(name)'"
        }
        try await self.init(engine, configuration, admission: admission, elsewhere: elsewhere) { execution in
            guard let name = execution.processorID, let processor = known[name] else {
                throw ProcessingError(
                    .configuration,
                    "this program has no processor '\(execution.processorID?.text ?? "")'; register it with the queue")
            }
            return (.processor(processor), options)
        }
    }

    // MARK: State

    /// Changes the state, and resumes the waiters whose conditions now hold.
    @discardableResult
    func change<Value>(_ body: (inout sending QueueState) throws -> sending Value) rethrows -> sending Value {
        let (value, woken) = try state.withLock { state in
            let value = try body(&state)
            return (value, state.takeWoken())
        }
        for continuation in woken { continuation.resume() }
        return value
    }

    /// Waits until `holds`, or until the calling task is cancelled.
    func wait(until holds: @escaping @Sendable (QueueState) -> Bool) async {
        let id = state.withLock { $0.makeWaiter() }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let waits = state.withLock { state in
                    !Task.isCancelled && state.wait(continuation, id, until: holds)
                }
                if waits { tellObservers() } else { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.dropWaiter(id) }?.resume()
        }
    }

    /// Waits as ``wait(until:)`` does, for work that must be done even if the calling task is cancelled.
    func waitUncancelled(until holds: @escaping @Sendable (QueueState) -> Bool) async {
        await withCheckedContinuation { continuation in
            let waits = state.withLock { state in state.wait(continuation, state.makeWaiter(), until: holds) }
            if waits { tellObservers() } else { continuation.resume() }
        }
    }

    private func tellObservers() { for observer in state.withLock({ $0.takeObservers() }) { observer.resume() } }

    /// Waits until `count` tasks wait for the queue to change, so that the caller knows that they will see its next
    /// change.
    package func waited(by count: Int) async {
        await withCheckedContinuation { continuation in
            let waits = state.withLock { $0.observe(continuation, waiting: count) }
            if !waits { continuation.resume() }
        }
    }

    // MARK: Queries

    /// The number of executions in each status; takes constant time.
    public var counts: StatusCounts { state.withLock { $0.index.counts } }

    /// Returns whether an execution is in the queue, whatever its status.
    public func contains(_ id: Execution.ID) -> Bool { state.withLock { $0.index.contains(id) } }

    /// Returns the status of an execution; `nil` when it is not in the queue.
    public func status(of id: Execution.ID) -> Status? { state.withLock { $0.index.status(of: id) } }

    /// Returns how many waiting executions are taken before `id`; `nil` when it does not wait.
    ///
    /// - Complexity: O(n) in the number of those that wait.
    public func waitingBefore(_ id: Execution.ID) -> Int? { state.withLock { $0.index.waitingBefore(id) } }

    /// Returns the executions in `status` in the order in which they entered it.
    public func list(_ status: Status) -> [Execution.ID] { state.withLock { $0.index.list(status) } }

    /// Returns the executions in a status named by its word, as ``list(_:)`` does.
    ///
    /// - Throws: ``ProcessingError`` with code `configuration` naming the nearest word.
    public func list(_ word: String) throws(ProcessingError) -> [Execution.ID] { list(try Status(word: word)) }

    /// The counts as a block of lines.
    public var text: String { counts.text(of: configuration.name) }

    /// Returns everything about an execution.
    ///
    /// - Throws: ``ProcessingError`` with code `not_found` when it is not in the queue.
    public func execution(_ id: Execution.ID) async throws -> Execution {
        guard let execution = try await store.execution(id), execution.number != nil else {
            throw ProcessingError.executionUnknown(id)
        }
        return execution
    }

    /// Returns the output of an execution, from the last 1000 chunks on. The sequence ends with the execution.
    ///
    /// - Throws: ``ProcessingError``: `not_found`, or `configuration` for one that was not submitted as streaming.
    public func chunks(of id: Execution.ID) async throws -> ChunkSequence {
        while true {
            let execution = try await execution(id)
            guard execution.isStreaming else {
                throw ProcessingError(.configuration, "execution '\(id)' was not submitted as streaming")
            }
            let hub = change { state -> ChunkHub? in
                if let hub = state.hubs[id] { return hub }
                let hub = ChunkHub()
                if state.index.status(of: id)?.isTerminal == true {
                    // If it has ended since it was read, it is read again, to know how it ended.
                    guard execution.status.isTerminal else { return nil }
                    hub.end(execution.streamEnd)
                } else {
                    state.hubs[id] = hub
                }
                return hub
            }
            if let hub { return ChunkSequence(hub: hub) }
        }
    }

    // MARK: Modes

    /// Starts the queue. Repeating it changes nothing.
    public func start() { change { $0.isStarted = true } }

    /// Starts no further execution; running executions continue. Returns at once. Repeating it changes nothing.
    public func stop() { change { $0.isStarted = false } }

    /// Stops the queue as ``stop()`` does, and gives up running executions once their items in progress have finished.
    /// Waits are cut short. An execution that is not done by then waits at its place for the next worker on the queue.
    /// Returns at once. Repeating it changes nothing.
    public func drain() {
        stop()
        for live in state.withLock({ Array($0.live.values) }) { live.giveUp() }
    }

    /// Pauses the queue as ``stop()`` would stop it. The pause is remembered in the store until ``unpause()``.
    public func pause() async throws {
        try await remember(paused: true)
        change { $0.isPaused = true }
    }

    /// Lets a paused queue work again, if it is started.
    public func unpause() async throws {
        try await remember(paused: false)
        change { $0.isPaused = false }
    }

    /// Whether the queue is paused.
    public var isPaused: Bool { state.withLock { $0.isPaused } }

    /// Waits until nothing that can be taken here waits or runs, or until the queue is stopped or paused and nothing
    /// runs.
    @discardableResult public func join() async -> StatusCounts {
        await wait { state in
            state.live.isEmpty && (!state.isWorking || state.index.waiting == 0)
        }
        return counts
    }

    /// Returns whether an execution runs here, is about to run, is being cancelled, or is having its end recorded.
    package func holds(_ id: Execution.ID) -> Bool { state.withLock { $0.live[id] != nil } }

    /// Calls `body` whenever an execution is released, whatever its end, until the calling task is cancelled.
    package func onRelease(_ body: () -> Void) async {
        while !Task.isCancelled {
            let seen = state.withLock { $0.releases }
            // Also once at first, for earlier releases.
            body()
            await wait { $0.releases != seen }
        }
    }

    /// Waits as ``join()`` does, but while the queue is paused, it also waits for waiting executions.
    package func joinThroughPauses() async {
        await wait { $0.live.isEmpty && (!$0.isStarted || $0.index.waiting == 0) }
    }
}

extension ExecutionQueue: CustomStringConvertible {
    /// The counts in one line.
    public var description: String { counts.description }
}

extension ProcessingError {
    static func executionUnknown(_ id: Execution.ID) -> ProcessingError {
        ProcessingError(.notFound, "execution '\(id)' is not in the queue")
    }
}
