import Assay
import AssayTesting
import Logging
import ServiceLifecycle
import Synchronization
import Testing

@Suite("A working queue", .timeLimit(.minutes(5))) struct QueueModeTests {
    @Test("works in cycles with the refresh time between them, and a slow execution holds nobody")
    func background() async throws {
        let gate = Door()
        // Waits of up to ten minutes end at once.
        let rig = try QueueRig(time: ManualTime(runsFree: true)) { value, _ in
            if value == "slow" { await gate.pass() }
        }
        let queue = try await rig.queue(QueueConfiguration(capacity: 1, refreshTime: .seconds(5)))
        for (name, priority) in [("slow", 1.0), ("b", 2), ("c", 3)] { try await queue.submit(name, priority) }
        queue.start()
        async let work: Void = queue.work()
        await gate.arrived(1)
        // A cycle has its one execution; the next comes after the refresh time, whatever that one does.
        for name in ["b", "c"] { await rig.ended(name) }
        #expect(rig.time.waits.contains(.seconds(5)))
        #expect(queue.names(.running) == ["slow"])
        gate.open()
        #expect(await queue.join().succeeded == 3)
        queue.stop()
        try await work
    }

    @Test("starts nothing more once it is stopped, and returns when what runs has ended")
    func stop() async throws {
        let gate = Door()
        let rig = try QueueRig { _, _ in await gate.pass() }
        let queue = try await rig.queue(
            QueueConfiguration(capacity: 10, refreshTime: .seconds(1), concurrencyLimit: 1))
        for name in ["a", "b"] { try await queue.submit(name) }
        queue.stop()
        queue.start()
        async let work: Void = queue.work()
        await gate.arrived(1)
        queue.stop()
        queue.stop()
        gate.open()
        try await work
        #expect(await queue.join().pending == 1)
        #expect(rig.ran.all == ["a"])
        queue.start()
        #expect(try await queue.cycle() == 1)
        #expect(queue.counts.succeeded == 2)
    }

    @Test("that is paused starts nothing, also after a restart, until it is unpaused", arguments: [Shelf.sqlite])
    func pause(shelf: Shelf) async throws {
        let rig = try QueueRig(shelf)
        let first = try await rig.queue()
        try await first.submit("x")
        first.start()
        try await first.pause()
        #expect(try await first.cycle() == 0)
        let second = try await rig.queue()
        second.start()
        #expect(second.isPaused)
        #expect(try await second.cycle() == 0)
        #expect(await second.join().pending == 1)
        try await second.unpause()
        #expect(try await second.cycle() == 1)
    }

    @Test("that never was started or has nothing to do is joined at once")
    func join() async throws {
        let queue = try await QueueRig().queue()
        #expect(await queue.join().total == 0)
        try await queue.submit("x")
        #expect(await queue.join().pending == 1)
        queue.start()
        try await queue.cycle()
        #expect(await queue.join().succeeded == 1)
    }

    @Test("whose work is given up lets what ran wait again", arguments: Shelf.allCases)
    func givenUp(shelf: Shelf) async throws {
        let gate = Door()
        let isFirst = Mutex(true)
        let rig = try QueueRig(shelf) { _, _ in
            guard
                isFirst.withLock({ first in
                    defer { first = false }
                    return first
                })
            else { return }
            await gate.pass()
            try await waitForCancellation()
        }
        let queue = try await rig.queue()
        try await queue.submit("x", 7)
        queue.start()
        let work = Task { try await queue.work() }
        await gate.arrived(1)
        gate.open()
        work.cancel()
        try await work.value
        #expect(try await queue.waiting() == ["x 7.0"])
        #expect(try await queue.cycle() == 1)
        #expect(queue.names(.succeeded) == ["x"])
        #expect(try await queue.execution(QueueRig.id("x")).runs == 2)
    }

    @Test(
        "that is given up has the work waiting again with the end of its run, as it was to go on",
        arguments: Shelf.allCases)
    func givenUpAtOnce(shelf: Shelf) async throws {
        let gate = Door()
        let runs = Log<String>()
        let (failing, first) = (Once(), Once())
        let stands = Log<Status?>()
        let rig = try QueueRig(
            shelf,
            wrapping: Wrapping { base in
                FaultyStore(
                    base,
                    aftermath: { write in
                        guard case .update(let run) = write, run.status == .cancelled else { return }
                        stands.add(try await base.execution(run.executionID)?.status)
                    }
                ) { _ in }
            }
        ) { value, _ in
            runs.add(value)
            guard value == "b" else { return }
            if failing.take() { throw ProcessingError(.api, "down") }
            guard first.take() else { return }
            await gate.pass()
            try await waitForCancellation()
        }
        let queue = try await rig.queue()
        var submission = Submission(QueueRig.name, over: ["a", "b"])
        submission.executionID = QueueRig.id("x")
        let id = try await queue.submit(submission).id
        queue.start()
        try await queue.cycle()
        try await queue.retry(id)
        let work = Task { try await queue.work() }
        await gate.arrived(1)
        gate.open()
        work.cancel()
        try await work.value
        #expect(stands.all == [.pending])
        #expect(queue.names(.pending) == ["x"])
        #expect(try await queue.execution(id).again.failedOnly)
        #expect(try await queue.cycle() == 1)
        #expect(queue.names(.succeeded) == ["x"])
        #expect(runs.all == ["a", "b", "b", "b"])
    }

    @Test("throws what the store throws when it looks at an execution, and has it on offer again")
    func unreadable() async throws {
        let isBroken = Mutex(false)
        let rig = try QueueRig(
            wrapping: Wrapping { base in
                FaultyStore(
                    base,
                    reading: { _ in
                        if isBroken.withLock({ $0 }) { throw ProcessingError(.store, "the disk is gone") }
                    }
                ) { _ in }
            })
        let queue = try await rig.queue()
        try await queue.submit("x")
        queue.start()
        isBroken.withLock { $0 = true }
        #expect(await code { try await queue.cycle() } == .store)
        isBroken.withLock { $0 = false }
        #expect(try await queue.cycle() == 1)
    }

    @Test("drops an execution that is gone from the store")
    func gone() async throws {
        let rig = try QueueRig()
        let queue = try await rig.queue()
        var execution = try await queue.submit("x", 1)
        try await queue.submit("y", 2)
        execution.status = .cancelled
        #expect(try await rig.store.replace(execution, standingAt: .pending))
        #expect(try await rig.store.remove([execution.id]) == 1)
        queue.start()
        #expect(try await queue.cycle() == 1)
        #expect(!queue.contains(execution.id))
        #expect(rig.ran.all == ["y"])
    }

    @Test("that is paused is not empty for who waits until it is")
    func pausedAndJoined() async throws {
        let rig = try QueueRig()
        let queue = try await rig.queue()
        try await queue.submit("x")
        queue.start()
        try await queue.pause()
        let joined = Task {
            await queue.joinThroughPauses()
            return queue.counts.succeeded
        }
        await queue.waited(by: 1)
        try await queue.unpause()
        try await queue.cycle()
        #expect(await joined.value == 1)
    }

    @Test("is a service that works until the program is shut down")
    func service() async throws {
        let rig = try QueueRig(time: ManualTime(runsFree: true))
        let queue = try await rig.queue()
        try await queue.submit("x")
        let group = ServiceGroup(services: [queue], logger: Logger(label: "test"))
        async let service: Void = group.run()
        await rig.ended("x")
        await group.triggerGracefulShutdown()
        try await service
        #expect(queue.names(.succeeded) == ["x"])
    }

    @Test("tells every move and denial, with its data")
    func events() async throws {
        let rig = try QueueRig()
        let queue = try await rig.queue(admission: CountedAdmission(granting: 1))
        try await queue.submit("a", 1)
        try await queue.submit("b", 2)
        queue.start()
        try await queue.cycle()
        let moves = rig.engine.events.latest().filter { $0.kind == .executionStatus }
        #expect(
            moves.map { "\($0.executionID!) \($0.data["from"]!.json) \($0.data["to"]!.json)" } == [
                "a null \"pending\"", "b null \"pending\"", "a \"pending\" \"running\"", "a \"running\" \"succeeded\"",
            ])
        let denial = try #require(rig.engine.events.latest().first { $0.kind == .admissionDenied })
        #expect(
            denial.data == [
                "reason": "no more than 1", "denials": 1, "priority": 3, "aborted": false, "queue": "engine",
            ])
    }

    @Test("prunes what has ended, keeps charges, and refuses what has not ended", arguments: Shelf.allCases)
    func prune(shelf: Shelf) async throws {
        var prices = PriceList()
        prices.add(Price(try Money(Number("0.10")!), policy: "per_execution"), for: .processor("note"))
        let rig = try QueueRig(shelf, prices: prices) { value, _ in
            if value == "bad" { throw ProcessingError(.api, "down") }
        }
        let queue = try await rig.queue()
        for name in ["old", "bad", "gone", "left"] { try await queue.submit(name) }
        try await queue.cancel(QueueRig.id("gone"))
        try await queue.skip(QueueRig.id("left"), reason: "no")
        queue.start()
        try await queue.cycle()
        rig.time.advance(by: .seconds(60))
        try await queue.submit("new")
        try await queue.cycle()
        #expect(await code { try await queue.prune([.pending]) } == .configuration)
        #expect(try await queue.prune(olderThan: .seconds(30)) == 2)
        #expect(queue.names(.succeeded) == ["new"])
        #expect(try await queue.prune() == 1)
        #expect(queue.counts.total == 2)
        #expect(try await queue.prune([.cancelled, .skipped]) == 2)
        #expect(queue.counts.total == 0)
        #expect(try await rig.store.runs(matching: RunFilter()).isEmpty)
        #expect(try await rig.store.charges(matching: ChargeFilter()).filter { $0.kind == .base }.count == 3)
        // The name is free again.
        try await queue.submit("old")
    }
}
