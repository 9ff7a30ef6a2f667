import Assay
import AssaySQLite
import AssayTesting
import Synchronization
import Testing

@Suite("An execution that a breakpoint has paused") struct PausedExecutionTests {
    private let calls = Calls()
    private let folder = TemporaryFolder()
    private let id = QueueRig.id("one")

    /// Nodes `a`, `b` and `c` in a row, each of which adds `step`; `c` does `work` before that.
    private func graph(
        adding step: Int = 1, _ work: @escaping @Sendable () async throws -> Void = {}
    ) throws -> Graph {
        try Graph.linear(
            "row",
            ["a", "b", "c"].map { name in
                let processor = ClosureProcessor<Int, Int>(name) { [calls] value, _ in
                    calls.note(name)
                    if name == "c" { try await work() }
                    return value + step
                }
                return try Node(name, RegisteredProcessor(processor, version: "\(step)"))
            })
    }

    private func queue(
        _ store: any Store, adding step: Int = 1, _ work: @escaping @Sendable () async throws -> Void = {}
    ) async throws -> ExecutionQueue {
        let configuration = try QueueConfiguration(capacity: 10, refreshTime: .seconds(1))
        return try await ExecutionQueue(Engine(store: store), configuration) { _ in
            var options = GraphOptions()
            options.breakpoints = [try Breakpoint(QueueRig.id("b"), hitCount: 1)]
            options.runner = .sequential
            return (.graph(try self.graph(adding: step, work), options), RunOptions())
        }
    }

    private func store(_ shelf: Shelf) throws -> any Store {
        shelf == .memory ? MemoryStore() : try SQLiteStore.open(folder.database)
    }

    /// Submits the execution and works on it until it is paused before `b`.
    private func pause(in queue: ExecutionQueue) async throws {
        var submission = Submission(graph: QueueRig.id("row"), over: [Item("x", 1)])
        submission.executionID = id
        try await queue.submit(submission)
        queue.start()
        try await queue.cycle()
    }

    /// A fault that a test puts in after it has made the store.
    private final class Trap: Sendable {
        private let fault = Mutex<(@Sendable (FaultyStore.Write) async throws -> Void)?>(nil)
        private let failsNextRead = Mutex(false)

        func set(_ fault: @escaping @Sendable (FaultyStore.Write) async throws -> Void) {
            self.fault.withLock { $0 = fault }
        }
        func spring(_ write: FaultyStore.Write) async throws { try await fault.withLock { $0 }?(write) }
        func failNextRead() { failsNextRead.withLock { $0 = true } }
        func read() throws {
            let fails = failsNextRead.withLock { fails in
                defer { fails = false }
                return fails
            }
            if fails { throw ProcessingError(.store, "the disk is full") }
        }
        /// Lets the next read of an execution fail once its run stands in `status`.
        func failReading(after status: Status) {
            set { [self] write in
                guard case .update(let run) = write, run.status == status else { return }
                failNextRead()
            }
        }
    }

    private func trapped(_ base: any Store) -> (store: FaultyStore, trap: Trap) {
        let trap = Trap()
        let store = FaultyStore(
            base, aftermath: { try await trap.spring($0) }, reading: { _ in try trap.read() }, { _ in })
        return (store, trap)
    }

    // MARK: Cancelled

    @Test(
        "is cancelled by who asks for that while its run is being left, whenever that is filed",
        arguments: Shelf.allCases, [1, 2])
    func meeting(shelf: Shelf, place: Int) async throws {
        let (store, trap) = trapped(try store(shelf))
        let queue = try await queue(store)
        let id = id
        let filings = Log<Status>()
        trap.set { write in
            guard case .update(let run) = write, run.status == .paused else { return }
            filings.add(run.status)
            guard filings.all.count == place else { return }
            let isCancelled = try await queue.cancel(id)
            #expect(isCancelled)
        }
        try await pause(in: queue)
        #expect(filings.all.count >= place)
        #expect(queue.list(.cancelled) == [id])
        let execution = try await queue.execution(id)
        #expect(execution.status == .cancelled && !execution.isCancelling)
        let run = try #require(execution.lastRunID)
        #expect(try await store.run(run)?.status == .cancelled)
        trap.set { _ in }
        try await queue.resume(id)
        try await queue.cycle()
        #expect(queue.list(.paused) == [id])
    }

    @Test("ends with its run when the program died that was to cancel it", arguments: Shelf.allCases)
    func reopened(shelf: Shelf) async throws {
        let store = try store(shelf)
        do {
            let queue = try await queue(store)
            try await pause(in: queue)
            var execution = try await queue.execution(id)
            execution.isCancelling = true
            #expect(try await store.replace(execution, standingAt: .paused))
        }
        let queue = try await queue(store)
        #expect(queue.list(.cancelled) == [id])
        let execution = try await queue.execution(id)
        #expect(execution.status == .cancelled)
        let run = try #require(execution.lastRunID)
        #expect(try await store.run(run)?.status == .cancelled)
        try await queue.resume(id)
        queue.start()
        try await queue.cycle()
        #expect(try await queue.goOn(id, toEnd: true).status == .succeeded)
        #expect(queue.list(.succeeded) == [id])
    }

    @Test("that has ended stays so, whatever is filed of its runs", arguments: Status.allCases.filter(\.isTerminal))
    func stays(status: Status) {
        let moment = Timestamp(milliseconds: 0)
        let execution = Execution(id: id, scope: Scope(), status: status, createdAt: moment)
        for later in Status.allCases {
            let run = Run(
                id: QueueRig.id("run"), executionID: id, processorID: QueueRig.id("row"), definition: Digest(of: 1),
                scope: Scope(), lineage: Lineage(parentRunID: QueueRig.id("run")), runner: "sequential", request: [:],
                startedAt: moment, status: later)
            #expect(execution.following(run).status == status)
        }
    }

    // MARK: A store that fails

    @Test(
        "is let go of when the store fails once after it has gone on, and is then found where it stands",
        arguments: Shelf.allCases)
    func failingGoOn(shelf: Shelf) async throws {
        let (store, trap) = trapped(try store(shelf))
        let queue = try await queue(store)
        try await pause(in: queue)
        trap.failReading(after: .succeeded)
        #expect(await code { try await queue.goOn(id) } == .store)
        queue.stop()
        await queue.join()
        #expect(await code { try await queue.goOn(id) } == .illegalMove)
        #expect(queue.list(.succeeded) == [id])
    }

    @Test(
        "is let go of when the store fails once after its run was cancelled, and is then found where it stands",
        arguments: Shelf.allCases)
    func failingCancel(shelf: Shelf) async throws {
        let (store, trap) = trapped(try store(shelf))
        let queue = try await queue(store)
        try await pause(in: queue)
        trap.failReading(after: .cancelled)
        #expect(await code { try await queue.cancel(id) } == .store)
        queue.stop()
        await queue.join()
        #expect(try await queue.cancel(id) == false)
        #expect(queue.list(.cancelled) == [id])
    }

    // MARK: Given up

    @Test(
        "waits for its turn when a worker that went on with it is given up, and is cancelled with any other caller",
        arguments: Shelf.allCases, [true, false])
    func givenUp(shelf: Shelf, isWork: Bool) async throws {
        let gate = Door()
        let queue = try await queue(try store(shelf)) { await gate.pass() }
        try await pause(in: queue)
        let id = id
        let caller = Task { try? await queue.goOn(id, by: .goOn, toEnd: true, isWork: isWork) }
        await gate.arrived(1)
        caller.cancel()
        gate.open()
        _ = await caller.value
        #expect(queue.list(isWork ? .pending : .cancelled) == [id])
        guard isWork else { return }
        try await queue.cycle()
        #expect(queue.list(.paused) == [id] || queue.list(.succeeded) == [id])
        #expect(calls["a"] == 1)
    }

    @Test("is not gone on with by a caller that was cancelled before", arguments: Shelf.allCases)
    func cancelledCaller(shelf: Shelf) async throws {
        let queue = try await queue(try store(shelf))
        try await pause(in: queue)
        let (id, gate) = (id, Door())
        let caller = Task { () -> ProcessingError.Code? in
            await gate.pass()
            return await code { try await queue.goOn(id, by: .goOn, toEnd: true, isWork: true) }
        }
        caller.cancel()
        gate.open()
        #expect(await caller.value == .cancelled)
        #expect(queue.list(.paused) == [id])
        #expect(try await queue.goOn(id).status == .succeeded)
    }

    // MARK: Looked at before

    @Test("is known beforehand not to go on with a graph that has changed", arguments: Shelf.allCases)
    func changed(shelf: Shelf) async throws {
        let store = try store(shelf)
        let before = try await queue(store)
        try await pause(in: before)
        try await before.checkGoingOn(id)
        let queue = try await queue(store, adding: 2)
        #expect(await code { try await queue.checkGoingOn(id) } == .definitionChanged)
        #expect(await code { try await queue.goOn(id) } == .definitionChanged)
        #expect(queue.list(.paused) == [id])
    }

    @Test("has the taps of its graph take all values before it is left, and before it has ended")
    func taps() async throws {
        let seen = Log<JSONValue>()
        let configuration = try QueueConfiguration(capacity: 10, refreshTime: .seconds(1))
        let queue = try await ExecutionQueue(Engine(), configuration) { _ in
            var options = GraphOptions()
            options.breakpoints = [try Breakpoint(QueueRig.id("b"), hitCount: 1)]
            let graph = try self.graph()
            for pipe in ["a:output->b:input", "b:output->c:input"] {
                try graph.attach(
                    { value in
                        // Slow: who does not wait for it misses what it sees.
                        for _ in 0..<2_000 { await Task.yield() }
                        seen.add(value.value)
                    }, to: pipe)
            }
            return (.graph(graph, options), RunOptions())
        }
        try await pause(in: queue)
        #expect(seen.all == [2])
        #expect(try await queue.goOn(id).status == .succeeded)
        #expect(seen.all.contains(3))
    }
}
