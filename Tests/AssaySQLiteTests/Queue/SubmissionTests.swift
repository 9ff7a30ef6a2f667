import Assay
import AssaySQLite
import AssayTesting
import Testing

@Suite("A submission") struct SubmissionTests {
    @Test("is refused whole when the queue is full, and may be repeated", arguments: Shelf.allCases)
    func full(shelf: Shelf) async throws {
        let rig = try QueueRig(shelf)
        let queue = try await rig.queue(QueueConfiguration(capacity: 1, refreshTime: .seconds(1), maxSize: 3))
        try await queue.submit("a")
        let list = ["b", "c", "d"].map { QueueRig.submission($0) }
        let error = await #expect(throws: ProcessingError.self) { try await queue.submit(list) }
        #expect(error?.code == .queueFull)
        #expect(error?.retryable == true)
        #expect(error?.message == "queue is full: 1 of 3 waiting")
        #expect(queue.counts.total == 1)
        #expect(try await rig.store.executions(matching: ExecutionFilter()).map(\.id.text) == ["a"])
        try await queue.submit(["b", "c"].map { QueueRig.submission($0) })
        let last = await #expect(throws: ProcessingError.self) { try await queue.submit("d") }
        #expect(last?.message == "queue is full: 3 of 3 waiting")
    }

    @Test("of many that only some fit in fills the queue exactly", arguments: Shelf.allCases)
    func concurrent(shelf: Shelf) async throws {
        let queue = try await QueueRig(shelf).queue(
            QueueConfiguration(capacity: 1, refreshTime: .seconds(1), maxSize: 10))
        let refused = await withTaskGroup(of: Bool.self) { group in
            for number in 0..<40 {
                group.addTask { await code { try await queue.submit("e\(number)") } == .queueFull }
            }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(refused == 30)
        #expect(queue.counts.pending == 10)
    }

    @Test("of a list with a name that is taken stores none of it", arguments: Shelf.allCases)
    func atomic(shelf: Shelf) async throws {
        let rig = try QueueRig(shelf)
        let queue = try await rig.queue()
        try await queue.submit("b")
        let list = ["a", "b", "c"].map { QueueRig.submission($0) }
        #expect(await code { try await queue.submit(list) } == .exists)
        #expect(queue.counts.total == 1)
        #expect(try await rig.store.executions(matching: ExecutionFilter()).map(\.id.text) == ["b"])
        #expect(try await queue.submit("d").number == 2)
    }

    @Test("of lists with the same names in other orders lets one of them through", arguments: Shelf.allCases)
    func crossed(shelf: Shelf) async throws {
        let queue = try await QueueRig(shelf).queue()
        let lists = [["a", "b", "c"], ["c", "b", "a"]]
        let codes = await withTaskGroup(of: ProcessingError.Code?.self) { group in
            for list in lists {
                group.addTask { await code { try await queue.submit(list.map { QueueRig.submission($0) }) } }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(codes.count { $0 == nil } == 1)
        #expect(codes.contains(.exists))
        #expect(queue.counts.total == 3)
        let twice = ["d", "d"].map { QueueRig.submission($0) }
        #expect(await code { try await queue.submit(twice) } == .exists)
        #expect(queue.counts.total == 3)
    }

    @Test("of a name that a run without the queue has is refused", arguments: Shelf.allCases)
    func runName(shelf: Shelf) async throws {
        let rig = try QueueRig(shelf)
        let queue = try await rig.queue()
        var options = RunOptions()
        options.executionID = QueueRig.id("x")
        _ = try await rig.engine.run(rig.processor(), over: [Item("i", "x")], options: options)
        #expect(await code { try await queue.submit("x") } == .exists)
        #expect(queue.counts.total == 0)
    }

    @Test("50 times at once under one key makes one execution", arguments: Shelf.allCases)
    func idempotency(shelf: Shelf) async throws {
        // There is one place, which is enough for one execution.
        let queue = try await QueueRig(shelf).queue(
            QueueConfiguration(capacity: 1, refreshTime: .seconds(1), maxSize: 1))
        let ids = try await withThrowingTaskGroup(of: Execution.ID.self) { group in
            for _ in 0..<50 {
                group.addTask {
                    var submission = Submission(QueueRig.name, over: ["same"])
                    submission.idempotencyKey = "key"
                    return try await queue.submit(submission).id
                }
            }
            return try await group.reduce(into: Set<Execution.ID>()) { $0.insert($1) }
        }
        #expect(ids.count == 1)
        #expect(queue.counts.total == 1)
        var other = Submission(QueueRig.name, over: ["other"])
        other.idempotencyKey = "key"
        #expect(await code { try await queue.submit(other) } == .exists)
    }

    @Test("under a known key is answered although the queue is full, and after a restart", arguments: [Shelf.sqlite])
    func knownKey(shelf: Shelf) async throws {
        let rig = try QueueRig(shelf)
        let configuration = try QueueConfiguration(capacity: 1, refreshTime: .seconds(1), maxSize: 1)
        var submission = QueueRig.submission("x")
        submission.idempotencyKey = "key"
        let first = try await rig.queue(configuration).submit(submission)
        let again = try await rig.queue(configuration).submit(submission)
        #expect(again.id == first.id)
        #expect(again.number == first.number)
    }

    @Test("of a list of any length keeps every input in order", arguments: Shelf.allCases)
    func longList(shelf: Shelf) async throws {
        let rig = try QueueRig(shelf)
        let queue = try await rig.queue()
        let position = Log<Int>()
        let submission = Submission(QueueRig.name) { limit in
            let start = position.all.count * 1_000
            position.add(start)
            return start < 5_000 ? (start..<start + min(limit, 1_000)).map { Item("i\($0)", "v\($0)") } : []
        }
        let id = try await queue.submit(submission).id
        queue.start()
        try await queue.cycle()
        // A page that is not full is the last.
        #expect(try await queue.execution(id).status == .succeeded)
        #expect(rig.ran.all == (0..<5_000).map { "v\($0)" })
    }

    @Test("keeps request, metadata and scope, and refuses too much of them", arguments: Shelf.allCases)
    func fields(shelf: Shelf) async throws {
        let queue = try await QueueRig(shelf).queue()
        var submission = QueueRig.submission("x", -0.1)
        submission.request = ["bureau": "clear", "n": 7]
        submission.metadata = ["note": "ünïcode\u{1}"]
        submission.scope = Scope(accountID: ExternalID("acc 1"), underwritingID: ExternalID("uw"))
        submission.timeout = .milliseconds(1_500)
        try await queue.submit(submission)
        let found = try await queue.execution(QueueRig.id("x"))
        #expect(found.request == submission.request)
        #expect(found.metadata == submission.metadata)
        #expect(found.scope == submission.scope)
        #expect(found.timeout == .milliseconds(1_500))
        #expect(found.priority == -0.1)
        #expect(found.ownPriority == -0.1)
        #expect(Execution(json: found.jsonValue)?.jsonValue == found.jsonValue)
        var many = QueueRig.submission("y")
        for number in 0..<65 { many.metadata["k\(number)"] = 1 }
        #expect(await code { try await queue.submit(many) } == .configuration)
        var late = QueueRig.submission("z")
        for timeout in [Duration.zero, .seconds(-1), .microseconds(999)] {
            late.timeout = timeout
            #expect(await code { try await queue.submit(late) } == .configuration)
        }
        for seconds in [0, -1, .infinity, .nan] as [Double] {
            #expect(throws: ProcessingError.self) { try Duration(timeoutInSeconds: seconds) }
        }
    }

    @Test("for another processor is refused by a queue bound to one")
    func bound() async throws {
        let rig = try QueueRig()
        let processor = try rig.processor()
        let queue = try await ExecutionQueue(
            rig.engine, QueueConfiguration(capacity: 1, refreshTime: .seconds(1)), only: QueueRig.name
        ) { _ in (.processor(processor), RunOptions()) }
        try await queue.submit("x")
        let other = Submission(QueueRig.id("other"), over: ["y"])
        let error = await #expect(throws: ProcessingError.self) { try await queue.submit(other) }
        #expect(error?.code == .configuration)
        #expect(error?.message == "queue 'engine' takes 'note' only, not 'other'")
    }

    @Test("that is copied after denials has the priority it was submitted with", arguments: Shelf.allCases)
    func copyDenied(shelf: Shelf) async throws {
        let queue = try await QueueRig(shelf).queue(admission: CountedAdmission(granting: 0))
        let original = try await queue.submit("x", 0.2)
        queue.start()
        for _ in 0..<2 { try await queue.cycle() }
        #expect(try await queue.execution(original.id).priority == 3.2)
        #expect(try await queue.copy(original.id).priority == 0.2)
        let plain = try await queue.copy(queue.submit("y").id)
        #expect(plain.ownPriority == nil)
    }

    @Test("that is copied is a fresh one with the same work, and pays again", arguments: Shelf.allCases)
    func copy(shelf: Shelf) async throws {
        var prices = PriceList()
        prices.add(
            Price(try Money(Number("0.10")!), policy: "per_execution"), for: .processor("note"))
        let rig = try QueueRig(shelf, prices: prices)
        let queue = try await rig.queue()
        var submission = QueueRig.submission("x", 5)
        submission.metadata = ["ticket": 7]
        submission.request = ["a": 1]
        let original = try await queue.submit(submission)
        queue.start()
        try await queue.cycle()
        rig.time.advance(by: .seconds(3))
        let copy = try await queue.copy(original.id)
        #expect(copy.id != original.id)
        #expect(copy.status == .pending)
        #expect(copy.priority == 5)
        #expect(copy.request == ["a": 1])
        #expect(copy.createdAt == original.createdAt.advanced(by: .seconds(3)))
        #expect(copy.metadata == ["original": ["id": "x", "created_at": original.createdAt.jsonValue]])
        let full = try await queue.copy(original.id, keepingMetadata: true)
        #expect(full.metadata["ticket"] == 7)
        try await queue.cycle()
        #expect(rig.ran.all == ["x", "x", "x"])
        let charges = try await rig.store.charges(matching: ChargeFilter()).filter { $0.kind == .base }
        #expect(charges.map(\.cost.billionths) == [100_000_000, 100_000_000, 100_000_000])
        let plain = try await queue.copy(queue.submit("y").id)
        #expect(plain.priority == Double(rig.time.now().milliseconds) / 1_000)
    }
}
