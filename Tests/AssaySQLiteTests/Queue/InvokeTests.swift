import Assay
import AssayTesting
import Synchronization
import Testing

@Suite("Invoking", .timeLimit(.minutes(5))) struct InvokeTests {
    /// How an execution ends that many invoke at once.
    enum Ending: String, CaseIterable, Sendable {
        case success, failure, timeout, cancellation
    }

    @Test(
        "one execution a hundred times at once makes one run and one report", arguments: Shelf.allCases, Ending.allCases
    )
    func shared(shelf: Shelf, ending: Ending) async throws {
        let (gate, calls) = (Door(), Door())
        calls.open()
        let rig = try QueueRig(shelf) { _, _ in
            await gate.pass()
            switch ending {
            case .success: break
            case .failure: throw ProcessingError(.extraction, "no text")
            case .timeout, .cancellation: try await waitForCancellation()
            }
        }
        let queue = try await rig.queue()
        var submission = QueueRig.submission("x")
        submission.timeout = .milliseconds(50)
        if ending != .timeout { submission.timeout = nil }
        try await queue.submit(submission)
        let id = QueueRig.id("x")
        let reports = try await withThrowingTaskGroup(of: Report.self) { group in
            for _ in 0..<100 {
                group.addTask {
                    await calls.pass()
                    return try await queue.invoke(id)
                }
            }
            await calls.arrived(100)
            await gate.arrived(1)
            // All but the one whose call runs it.
            await queue.waited(by: 99)
            gate.open()
            if ending == .cancellation { #expect(try await queue.cancel(id)) }
            if ending == .timeout {
                await rig.time.waitForSleepers()
                rig.time.advance(by: .milliseconds(50))
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(rig.ran.all == ["x"])
        #expect(Set(reports.map(\.runID)).count == 1)
        #expect(reports.count == 100)
        let expected: Status =
            switch ending {
            case .success: .succeeded
            case .failure: .failed
            case .timeout, .cancellation: .cancelled
            }
        #expect(Set(reports.map(\.status)) == [expected])
        #expect(queue.status(of: id) == expected)
        let execution = try await queue.execution(id)
        #expect(execution.runs == 1)
        #expect(execution.duration != nil)
        if ending == .timeout {
            #expect(execution.error?.code == .timeout)
            #expect(execution.error?.message == "the run timed out after 0.05 s; resume it to go on")
            #expect(execution.retryable == true)
        }
        // Afterwards the stored report is given.
        #expect(try await queue.invoke(id).runID == reports[0].runID)
    }

    @Test("does not need capacity, admission or a started queue")
    func past() async throws {
        let admission = CountedAdmission(granting: 0)
        let queue = try await QueueRig().queue(admission: admission)
        try await queue.submit("x")
        #expect(try await queue.invoke(QueueRig.id("x")).status == .succeeded)
        #expect(admission.asked.all == [])
        #expect(await code { try await queue.invoke(QueueRig.id("y")) } == .notFound)
    }

    @Test("is cancelled with its task, and the execution with it", arguments: Shelf.allCases)
    func cancelledTask(shelf: Shelf) async throws {
        let gate = Door()
        let rig = try QueueRig(shelf) { _, _ in
            await gate.pass()
            try await waitForCancellation()
        }
        let queue = try await rig.queue()
        try await queue.submit("x")
        let task = Task { try await queue.invoke(QueueRig.id("x")) }
        await gate.arrived(1)
        gate.open()
        task.cancel()
        #expect(try await task.value.status == .cancelled)
        #expect(queue.names(.cancelled) == ["x"])
    }

    @Test("what was cancelled while it waited never runs, and costs nothing", arguments: Shelf.allCases)
    func cancelledBefore(shelf: Shelf) async throws {
        let rig = try QueueRig(shelf)
        let queue = try await rig.queue()
        try await queue.submit("x")
        #expect(try await queue.cancel(QueueRig.id("x")))
        #expect(try await !queue.cancel(QueueRig.id("x")))
        queue.start()
        #expect(try await queue.cycle() == 0)
        #expect(await code { try await queue.invoke(QueueRig.id("x")) } == .cancelled)
        #expect(rig.ran.all == [])
        #expect(try await rig.store.charges(matching: ChargeFilter()).isEmpty)
        #expect(try await queue.execution(QueueRig.id("x")).duration == .zero)
    }

    @Test("a failure is recorded and not thrown to the queue, and one before the time is over is a failure")
    func failure() async throws {
        let rig = try QueueRig { _, _ in throw ProcessingError(.api, "down") }
        let queue = try await rig.queue()
        var submission = QueueRig.submission("x")
        submission.timeout = .seconds(5)
        try await queue.submit(submission)
        queue.start()
        #expect(try await queue.cycle() == 1)
        let execution = try await queue.execution(QueueRig.id("x"))
        #expect(execution.status == .failed)
        #expect(execution.error?.code == .api)
        #expect(execution.retryable == true)
        #expect(execution.hasResponse)
    }

    @Test("an execution whose processor nobody here knows waits for a worker that does")
    func unknownProcessor() async throws {
        let rig = try QueueRig()
        let queue = try await ExecutionQueue(
            rig.engine, QueueConfiguration(capacity: 1, refreshTime: .seconds(1)), processors: [rig.processor()])
        var submission = Submission(QueueRig.id("strange"), over: ["x"])
        submission.executionID = QueueRig.id("x")
        try await queue.submit(submission)
        queue.start()
        #expect(try await queue.cycle() == 0)
        let execution = try await queue.execution(QueueRig.id("x"))
        #expect(execution.status == .pending)
        #expect(execution.error == nil)
        #expect(execution.hasResponse == false)
    }

    @Test("again after a failure runs what failed, in the same execution", arguments: Shelf.allCases)
    func retry(shelf: Shelf) async throws {
        let isBroken = Mutex(true)
        let rig = try QueueRig(shelf) { value, _ in
            if value == "b", isBroken.withLock({ $0 }) { throw ProcessingError(.api, "down") }
        }
        let queue = try await rig.queue()
        var submission = Submission(QueueRig.name, over: ["a", "b"])
        submission.executionID = QueueRig.id("x")
        try await queue.submit(submission)
        #expect(await code { try await queue.retry(QueueRig.id("x")) } == .illegalMove)
        queue.start()
        try await queue.cycle()
        #expect(queue.names(.partial) == ["x"])
        isBroken.withLock { $0 = false }
        #expect(try await queue.retry(QueueRig.id("x")).status == .pending)
        #expect(queue.counts.partial == 0)
        try await queue.cycle()
        #expect(rig.ran.all == ["a", "b", "b"])
        #expect(queue.names(.succeeded) == ["x"])
        let execution = try await queue.execution(QueueRig.id("x"))
        #expect(execution.runs == 2)
        let runs = try await rig.store.runs(matching: RunFilter(executionID: execution.id))
        #expect(runs.map(\.lineage.retryCount) == [1, 0])
        #expect(runs[0].lineage.previousRunID == runs[1].id)
        try await queue.resume(execution.id, recovery: .reprocess)
        try await queue.cycle()
        #expect(rig.ran.all == ["a", "b", "b", "a", "b"])
    }

    @Test(
        "again as soon as its run has ended in the store waits until the queue has taken note",
        arguments: Shelf.allCases)
    func retryAtTheEnd(shelf: Shelf) async throws {
        let gate = Door()
        let rig = try QueueRig(
            shelf,
            wrapping: Wrapping { base in
                FaultyStore(base) { write in
                    if case .replace(let execution) = write, execution.status == .failed { await gate.pass() }
                }
            }
        ) { _, context in
            try await context.emit("chunk")
            throw ProcessingError(.api, "down")
        }
        let queue = try await rig.queue()
        var submission = QueueRig.submission("x")
        submission.isStreaming = true
        let id = try await queue.submit(submission).id
        queue.start()
        async let started = queue.cycle()
        await gate.arrived(1)
        async let retried = queue.retry(id)
        await queue.waited(by: 1)
        gate.open()
        #expect(try await retried.status == .pending)
        #expect(try await queue.execution(id).status == queue.status(of: id))
        #expect(try await started >= 1)
        queue.start()
        try await queue.cycle()
        #expect(queue.names(.failed) == ["x"])
        #expect(try await queue.execution(id).runs == 2)
    }

    @Test("again takes a place in the queue while it is on its way", arguments: Shelf.allCases)
    func retryFull(shelf: Shelf) async throws {
        let gate = Door()
        let first = Once()
        let rig = try QueueRig(
            shelf,
            wrapping: Wrapping { base in
                FaultyStore(base) { write in
                    if case .replace(let execution) = write, execution.status == .pending, first.take() {
                        await gate.pass()
                    }
                }
            })
        let queue = try await rig.queue(QueueConfiguration(capacity: 2, refreshTime: .seconds(1), maxSize: 1))
        queue.start()
        for name in ["a", "b"] {
            try await queue.submit(name)
            try await queue.cycle()
        }
        async let retried = queue.retry(QueueRig.id("a"))
        await gate.arrived(1)
        #expect(await code { try await queue.retry(QueueRig.id("b")) } == .queueFull)
        #expect(await code { try await queue.submit("c") } == .queueFull)
        gate.open()
        #expect(try await retried.status == .pending)
        try await queue.cycle()
        try await queue.retry(QueueRig.id("b"))
        #expect(queue.names(.pending) == ["b"])
    }

    @Test("a skipped execution says why, and only one that waits can be skipped", arguments: Shelf.allCases)
    func skip(shelf: Shelf) async throws {
        let queue = try await QueueRig(shelf).queue()
        try await queue.submit("x")
        try await queue.skip(QueueRig.id("x"), reason: "duplicate")
        let execution = try await queue.execution(QueueRig.id("x"))
        #expect(execution.status == .skipped)
        #expect(execution.reason == "duplicate")
        #expect(await code { try await queue.skip(QueueRig.id("x"), reason: "again") } == .illegalMove)
    }
}
