import Assay
import AssayTesting
import Testing

@Suite("An execution of another program's pipeline") struct ForeignExecutionTests {
    /// A queue of a program that does not know executions whose names begin with `x`.
    private func queue(_ rig: QueueRig) async throws -> ExecutionQueue {
        let processor = try rig.processor()
        return try await ExecutionQueue(
            rig.engine, QueueConfiguration(capacity: 10, refreshTime: .seconds(1)),
            elsewhere: { $0.id.text.hasPrefix("x") ? "a worker of x.yaml" : nil }
        ) { _ in withExtendedLifetime(rig) { (.processor(processor), RunOptions()) } }
    }

    @Test("waits, says for what, and keeps nobody else waiting", arguments: Shelf.allCases)
    func waits(shelf: Shelf) async throws {
        let rig = try QueueRig(shelf)
        let queue = try await queue(rig)
        for name in ["x1", "a", "x2", "b"] { try await queue.submit(name, 1) }
        queue.start()
        #expect(try await queue.cycle() == 2)
        #expect(rig.ran.all.sorted() == ["a", "b"])
        #expect(await queue.join().pending == 2)
        let waiting = try await queue.execution(QueueRig.id("x1"))
        #expect(waiting.status == .pending)
        #expect(waiting.waitsFor == "a worker of x.yaml")
        #expect(await code { try await queue.invoke(QueueRig.id("x1")) } == .configuration)
        #expect(queue.status(of: QueueRig.id("x1")) == .pending)
    }

    @Test("is taken by the program that knows it, in its turn", arguments: Shelf.allCases)
    func taken(shelf: Shelf) async throws {
        let rig = try QueueRig(shelf)
        let first = try await queue(rig)
        for (name, priority) in [("x2", 2.0), ("a", 3), ("x1", 1)] { try await first.submit(name, priority) }
        first.start()
        try await first.cycle()
        let second = try await rig.queue()
        second.start()
        #expect(try await second.cycle() == 2)
        #expect(rig.ran.all.sorted() == ["a", "x1", "x2"])
        #expect(try await second.execution(QueueRig.id("x1")).waitsFor == nil)
    }

    @Test("can be cancelled, skipped, given a priority and resumed, and still waits for its program")
    func changed() async throws {
        let rig = try QueueRig()
        let queue = try await queue(rig)
        for name in ["x1", "x2", "x3"] { try await queue.submit(name, 1) }
        queue.start()
        #expect(try await queue.cancel(QueueRig.id("x1")))
        try await queue.skip(QueueRig.id("x2"), reason: "no")
        try await queue.setPriority(-1, of: QueueRig.id("x3"))
        try await queue.resume(QueueRig.id("x1"))
        #expect(try await queue.cycle() == 0)
        #expect(await queue.join().pending == 2)
        #expect(try await queue.waiting() == ["x3 -1.0", "x1 1.0"])
        #expect(try await queue.execution(QueueRig.id("x1")).waitsFor == "a worker of x.yaml")
    }

    @Test("of a processor that a queue of processors does not have waits for a program that has it")
    func unknownProcessor() async throws {
        let rig = try QueueRig()
        let queue = try await ExecutionQueue(
            rig.engine, QueueConfiguration(capacity: 10, refreshTime: .seconds(1)), processors: [try rig.processor()])
        var strange = Submission(QueueRig.id("strange"), over: ["x"])
        strange.executionID = QueueRig.id("s")
        try await queue.submit(strange)
        try await queue.submit("a")
        queue.start()
        #expect(try await queue.cycle() == 1)
        #expect(try await queue.execution(QueueRig.id("s")).waitsFor == "a worker of processor 'strange'")
    }
}

@Suite("A run under the name of a submitted execution") struct SubmittedNameTests {
    private func submitted(_ rig: QueueRig) async throws -> ExecutionQueue {
        let queue = try await rig.queue()
        try await queue.submit("march")
        return queue
    }

    private var options: RunOptions {
        var options = RunOptions()
        options.executionID = QueueRig.id("march")
        return options
    }

    @Test("is refused with other inputs or another processor, and what was submitted runs", arguments: Shelf.allCases)
    func refused(shelf: Shelf) async throws {
        let rig = try QueueRig(shelf)
        let queue = try await submitted(rig)
        let processor = try rig.processor()
        let lists: [[Item]] = [
            [], [Item("item_1", "other")], [Item("other", "march")], [Item("item_1", "march"), Item("item_2", "more")],
        ]
        for list in lists {
            #expect(await code { try await rig.engine.run(processor, over: list, options: options) } == .exists)
        }
        let another = try RegisteredProcessor(ClosureProcessor<String, String>("another") { value, _ in value })
        let same = [Item("item_1", "march")]
        #expect(await code { try await rig.engine.run(another, over: same, options: options) } == .exists)
        var redefined = options
        redefined.pipeline = Digest(of: "another pipeline")
        var submission = QueueRig.submission("april")
        submission.pipeline = Digest(of: "a pipeline")
        try await queue.submit(submission)
        redefined.executionID = QueueRig.id("april")
        let april = [Item("item_1", "april")]
        #expect(await code { try await rig.engine.run(processor, over: april, options: redefined) } == .exists)
        #expect(rig.ran.all == [])
        #expect(try await rig.store.runs(matching: RunFilter()).isEmpty)
        queue.start()
        #expect(try await queue.cycle() == 2)
        #expect(rig.ran.all.sorted() == ["april", "march"])
    }

    @Test("works on what was submitted when it is the same, and is resumed as such", arguments: Shelf.allCases)
    func same(shelf: Shelf) async throws {
        let rig = try QueueRig(shelf)
        let queue = try await submitted(rig)
        let processor = try rig.processor()
        let report = try await rig.engine.run(processor, over: [Item("item_1", "march")], options: options)
        #expect(report.status == .succeeded)
        #expect(try await queue.execution(QueueRig.id("march")).status == .succeeded)
        var again = RunOptions()
        again.recovery = .reprocess
        #expect(try await rig.engine.resume(report.runID, with: processor, options: again).status == .succeeded)
        #expect(rig.ran.all == ["march", "march"])
    }
}
