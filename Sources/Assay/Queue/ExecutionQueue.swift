import Synchronization

/// Durable executions that wait for their turn, and what lets them in: priority, capacity and permission.
///
/// ```swift
/// let queue = try await ExecutionQueue(
///     engine, QueueConfiguration(capacity: 10, refreshTime: .seconds(1)), processors: [statements])
/// try await queue.submit(Submission("statements", over: files))
/// queue.start()
/// try await queue.cycle()
/// ```
///
/// The lowest priority goes first, equal ones in the order of submission. Every change is in the engine's store before
/// it has an effect. A store has one queue at a time; all functions may be called concurrently.
public final class ExecutionQueue: Sendable {
    /// Makes what an execution needs to run: the processor or the graph, and how it is run.
    ///
    /// A graph is to be made anew each time, since it has one run at a time. One that a breakpoint pauses leaves the
    /// queue's hands until ``goOn(_:by:toEnd:)``.
    public typealias Resolver = @Sendable (Execution) async throws -> (Runnable, RunOptions)

    /// Says what an execution waits for that this program cannot work on; `nil` for one that it can.
    public typealias Elsewhere = @Sendable (Execution) -> String?

    /// How it works.
    public let configuration: QueueConfiguration
    /// The only processor or graph it takes; `nil` for any.
    public let processorID: Identifier?

    let engine: Engine
    let admission: any AdmissionPolicy
    let resolve: Resolver
    let elsewhere: Elsewhere
    let meters: QueueMeters
    /// What the queue keeps of itself.
    let identity: Mutex<Identity>
    private let state = Mutex(QueueState())

    /// Who a queue is.
    struct Identity: Sendable {
        var id: Identifier
        var createdAt: Timestamp
        var metadata: JSONObject
    }

    var store: any Store { engine.store }
    var world: World { engine.world }

    /// The queue of an engine's store; what a program that died left running goes on or fails, as configured.
    ///
    /// - Parameters:
    ///   - admission: who may run now.
    ///   - processorID: the only processor or graph it takes.
    ///   - elsewhere: what an execution waits for that this program cannot work on; such executions are never taken, and
    ///     ``join()`` does not wait for them. Asked when an execution comes into the queue.
    ///   - resolve: makes the processor or the graph of an execution and how it is run.
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

    /// As ``init(_:_:admission:only:elsewhere:resolve:)``, for processors that are known by their names; executions of
    /// others wait for a program that has them.
    ///
    /// - Parameter options: how each of them is run.
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

    /// Changes the state, and wakes the waiters whose condition holds now.
    @discardableResult
    func change<Value>(_ body: (inout sending QueueState) throws -> sending Value) rethrows -> sending Value {
        let (value, woken) = try state.withLock { state in
            let value = try body(&state)
            return (value, state.takeWoken())
        }
        for continuation in woken { continuation.resume() }
        return value
    }

    /// Returns once `holds`, or when the calling task is cancelled.
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

    /// As ``wait(until:)``, for what has to be done although the calling task is cancelled.
    func waitUncancelled(until holds: @escaping @Sendable (QueueState) -> Bool) async {
        await withCheckedContinuation { continuation in
            let waits = state.withLock { state in state.wait(continuation, state.makeWaiter(), until: holds) }
            if waits { tellObservers() } else { continuation.resume() }
        }
    }

    private func tellObservers() { for observer in state.withLock({ $0.takeObservers() }) { observer.resume() } }

    /// Returns once `count` tasks wait for the queue to change, so that they are sure to see the next change.
    package func waited(by count: Int) async {
        await withCheckedContinuation { continuation in
            let waits = state.withLock { $0.observe(continuation, waiting: count) }
            if !waits { continuation.resume() }
        }
    }

    // MARK: Looking

    /// How many executions stand where; takes constant time.
    public var counts: StatusCounts { state.withLock { $0.index.counts } }

    /// Whether an execution is in the queue, wherever it stands.
    public func contains(_ id: Execution.ID) -> Bool { state.withLock { $0.index.contains(id) } }

    /// Where an execution stands; `nil` when it is not in the queue.
    public func status(of id: Execution.ID) -> Status? { state.withLock { $0.index.status(of: id) } }

    /// How many executions wait that are taken before `id`; `nil` when it does not wait.
    ///
    /// - Complexity: O(n) in the number of executions.
    public func waitingBefore(_ id: Execution.ID) -> Int? { state.withLock { $0.index.waitingBefore(id) } }

    /// The executions in `status` in the order in which they came into it.
    public func list(_ status: Status) -> [Execution.ID] { state.withLock { $0.index.list(status) } }

    /// As ``list(_:)``, for a status named by its word.
    ///
    /// - Throws: ``ProcessingError`` with code `configuration` naming the nearest word.
    public func list(_ word: String) throws(ProcessingError) -> [Execution.ID] { list(try Status(word: word)) }

    /// The counts as a block of lines.
    public var text: String { counts.text(of: configuration.name) }

    /// Everything about an execution.
    ///
    /// - Throws: ``ProcessingError`` with code `not_found` when it is not in the queue.
    public func execution(_ id: Execution.ID) async throws -> Execution {
        guard let execution = try await store.execution(id), execution.number != nil else {
            throw ProcessingError.executionUnknown(id)
        }
        return execution
    }

    /// What an execution emits, from the last 1000 chunks on; ends with the execution.
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
                    // One that has ended since it was read is read again, for how it ended.
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

    /// Lets the queue work; repeating it changes nothing.
    public func start() { change { $0.isStarted = true } }

    /// Starts no further execution; what runs goes on. Returns at once; repeating it changes nothing.
    public func stop() { change { $0.isStarted = false } }

    /// As ``stop()``, and lets what runs finish what is in flight: no wait is sat out, and an execution that is not done
    /// by then waits at its place for the next worker of the queue. Returns at once; repeating it changes nothing.
    public func drain() {
        stop()
        for live in state.withLock({ Array($0.live.values) }) { live.giveUp() }
    }

    /// As ``stop()``, remembered in the store until ``unpause()``.
    public func pause() async throws {
        try await remember(paused: true)
        change { $0.isPaused = true }
    }

    /// Lets a paused queue work again, if it is started.
    public func unpause() async throws {
        try await remember(paused: false)
        change { $0.isPaused = false }
    }

    /// Whether it is paused.
    public var isPaused: Bool { state.withLock { $0.isPaused } }

    /// Returns when nothing that can be taken here waits or runs, or when the queue is stopped and nothing runs.
    @discardableResult public func join() async -> StatusCounts {
        await wait { state in
            state.live.isEmpty && (!state.isWorking || state.index.waiting == 0)
        }
        return counts
    }

    /// Whether an execution runs here, or is about to, is cancelled, or its end is being noted.
    package func holds(_ id: Execution.ID) -> Bool { state.withLock { $0.live[id] != nil } }

    /// Calls `body` whenever an execution is no longer held, whatever became of it, until the calling task is cancelled.
    package func onRelease(_ body: () -> Void) async {
        while !Task.isCancelled {
            let seen = state.withLock { $0.releases }
            // Also once at first, for what was let go of before.
            body()
            await wait { $0.releases != seen }
        }
    }

    /// As ``join()``, but while the queue is paused, what waits is waited for.
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
