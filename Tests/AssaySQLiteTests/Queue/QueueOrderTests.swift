import Assay
import AssayTesting
import Testing

@Suite("A queue") struct QueueOrderTests {
    @Test("starts the lowest priority first, also when it is started after the submissions", arguments: Shelf.allCases)
    func priorities(shelf: Shelf) async throws {
        let rig = try QueueRig(shelf)
        let queue = try await rig.queue(QueueConfiguration(capacity: 10, refreshTime: .seconds(1), concurrencyLimit: 1))
        for (name, priority) in [("ten", 10.0), ("one", 1), ("five", 5)] { try await queue.submit(name, priority) }
        #expect(try await queue.cycle() == 0)
        queue.start()
        queue.start()
        #expect(try await queue.cycle() == 3)
        #expect(rig.ran.all == ["one", "five", "ten"])
        #expect(queue.names(.succeeded) == ["one", "five", "ten"])
    }

    @Test("keeps the order of submission within a priority, and puts small numbers before the default")
    func fifo() async throws {
        let rig = try QueueRig()
        let queue = try await rig.queue(QueueConfiguration(capacity: 10, refreshTime: .seconds(1), concurrencyLimit: 1))
        try await queue.submit("default")
        for name in ["a", "b", "c"] { try await queue.submit(name, 7) }
        try await queue.submit("least", -1e300)
        try await queue.submit("fraction", 6.999_999_999)
        #expect(try await queue.execution(QueueRig.id("default")).priority == 1_740_993_300)
        queue.start()
        try await queue.cycle()
        #expect(rig.ran.all == ["least", "fraction", "a", "b", "c", "default"])
    }

    @Test("refuses priorities that are no finite number", arguments: [Double.nan, .infinity, -.infinity])
    func infinite(priority: Double) async throws {
        let queue = try await QueueRig().queue()
        #expect(await code { try await queue.submit("x", priority) } == .configuration)
        try await queue.submit("y")
        #expect(await code { try await queue.setPriority(priority, of: QueueRig.id("y")) } == .configuration)
        #expect(queue.counts.total == 1)
    }

    @Test("starts as many as its capacity in each cycle: 5, 5 and 2 of 12", arguments: Shelf.allCases)
    func capacity(shelf: Shelf) async throws {
        let rig = try QueueRig(shelf)
        let queue = try await rig.queue(QueueConfiguration(capacity: 5, refreshTime: .seconds(1)))
        try await queue.submit((0..<12).map { QueueRig.submission("e\($0)") })
        queue.start()
        var started: [Int] = []
        for _ in 0..<4 { started.append(try await queue.cycle()) }
        #expect(started == [5, 5, 2, 0])
        #expect(queue.counts.succeeded == 12)
    }

    @Test("never runs more than its limit: 2 of 5 at once, all in one cycle of capacity 10", arguments: Shelf.allCases)
    func concurrency(shelf: Shelf) async throws {
        let gate = Door()
        let rig = try QueueRig(shelf) { _, _ in await gate.pass() }
        let queue = try await rig.queue(QueueConfiguration(capacity: 10, refreshTime: .seconds(1), concurrencyLimit: 2))
        for number in 0..<5 { try await queue.submit("e\(number)") }
        queue.start()
        async let started = queue.cycle()
        await gate.arrived(2)
        #expect(queue.counts.running == 2)
        #expect(queue.counts.pending == 3)
        gate.open()
        #expect(try await started == 5)
        #expect(rig.most == 2)
        #expect(queue.counts.succeeded == 5)
    }

    @Test("takes nothing before its moment, and does not mind a clock that jumps")
    func notBefore() async throws {
        let time = ManualTime()
        let rig = try QueueRig(time: time)
        let queue = try await rig.queue()
        var later = QueueRig.submission("later", 1)
        later.notBefore = time.now().advanced(by: .seconds(60))
        try await queue.submit(later)
        try await queue.submit("now", 2)
        queue.start()
        #expect(try await queue.cycle() == 1)
        time.jump(by: .seconds(-315_360_000))
        #expect(try await queue.cycle() == 0)
        time.jump(by: .seconds(630_720_000))
        #expect(try await queue.cycle() == 0)
        time.advance(by: .seconds(60))
        #expect(try await queue.cycle() == 1)
        #expect(rig.ran.all == ["now", "later"])
        #expect(try await queue.execution(QueueRig.id("now")).duration ?? .seconds(-1) >= .zero)
    }

    @Test("keeps order, priorities and numbers over a restart", arguments: [Shelf.sqlite])
    func restart(shelf: Shelf) async throws {
        let rig = try QueueRig(shelf)
        let first = try await rig.queue(QueueConfiguration(capacity: 1, refreshTime: .seconds(1)))
        for (name, priority) in [("c", 5.0), ("a", 0.3), ("b", 5), ("z", -2.5)] {
            try await first.submit(name, priority)
        }
        first.start()
        try await first.cycle()
        let second = try await rig.queue(
            QueueConfiguration(capacity: 10, refreshTime: .seconds(1), concurrencyLimit: 1))
        #expect(try await second.waiting() == ["a 0.3", "c 5.0", "b 5.0"])
        #expect(second.names(.succeeded) == ["z"])
        second.start()
        try await second.cycle()
        #expect(rig.ran.all == ["z", "a", "c", "b"])
    }

    @Test("goes by a priority that was changed, among equals by submission", arguments: Shelf.allCases)
    func setPriority(shelf: Shelf) async throws {
        let rig = try QueueRig(shelf)
        let queue = try await rig.queue(QueueConfiguration(capacity: 10, refreshTime: .seconds(1), concurrencyLimit: 1))
        for (name, priority) in [("a", 1.0), ("b", 2), ("c", 3)] { try await queue.submit(name, priority) }
        try await queue.setPriority(2, of: QueueRig.id("a"))
        try await queue.setPriority(0, of: QueueRig.id("c"))
        queue.start()
        try await queue.cycle()
        #expect(rig.ran.all == ["c", "a", "b"])
        #expect(await code { try await queue.setPriority(1, of: QueueRig.id("a")) } == .illegalMove)
        #expect(await code { try await queue.setPriority(1, of: QueueRig.id("nobody")) } == .notFound)
    }

    @Test("has the counts, lists and texts of its documentation")
    func texts() async throws {
        let rig = try QueueRig()
        let queue = try await rig.queue(QueueConfiguration(capacity: 3, refreshTime: .seconds(1), name: "invoices"))
        for number in 0..<4 { try await queue.submit("e\(number)", Double(number)) }
        queue.start()
        try await queue.cycle()
        #expect(
            queue.text == """
                Engine State (invoices):
                  pending: 1 executions
                  running: 0 executions
                  paused: 0 executions
                  succeeded: 3 executions
                  partial: 0 executions
                  failed: 0 executions
                  cancelled: 0 executions
                  skipped: 0 executions
                  aborted: 0 executions
                """)
        #expect(
            "\(queue)"
                == "Engine(total=4, pending=1, running=0, paused=0, succeeded=3, partial=0, failed=0, cancelled=0, "
                + "skipped=0, aborted=0)")
        #expect(try queue.list("pending").map(\.text) == ["e3"])
        #expect(queue.contains(QueueRig.id("e0")))
        #expect(!queue.contains(QueueRig.id("e9")))
        let error = #expect(throws: ProcessingError.self) { try queue.list("suceeded") }
        #expect(error?.code == .configuration)
        #expect(error?.message == "unknown status 'suceeded'; did you mean 'succeeded'?")
    }
}

@Suite("A configuration of a queue") struct QueueConfigurationTests {
    static let refused: [(String, @Sendable () throws -> QueueConfiguration)] = [
        ("queue_capacity must be between 1 and 10000, found 0", { try .init(capacity: 0, refreshTime: .seconds(1)) }),
        (
            "queue_capacity must be between 1 and 10000, found 10001",
            { try .init(capacity: 10_001, refreshTime: .seconds(1)) }
        ),
        (
            "capacity_refresh_time must be between 0.01 and 3600, found 0.009 s",
            { try .init(capacity: 1, refreshTime: .milliseconds(9)) }
        ),
        (
            "capacity_refresh_time must be between 0.01 and 3600, found 3600.001 s",
            { try .init(capacity: 1, refreshTime: .milliseconds(3_600_001)) }
        ),
        (
            "concurrency_limit must be at least 1, found 0",
            { try .init(capacity: 1, refreshTime: .seconds(1), concurrencyLimit: 0) }
        ),
        (
            "max_queue_size must be at least 1, found 0",
            { try .init(capacity: 1, refreshTime: .seconds(1), maxSize: 0) }
        ),
        (
            "max_denials must be at least 1, found 0",
            { try .init(capacity: 1, refreshTime: .seconds(1), maxDenials: 0) }
        ),
        (
            "denial_delay must be at least 0, found -1 s",
            { try .init(capacity: 1, refreshTime: .seconds(1), denialDelay: .seconds(-1)) }
        ),
        (
            "max_denial_tracking must be at least 1, found 0",
            { try .init(capacity: 1, refreshTime: .seconds(1), maxDenialTracking: 0) }
        ),
        (
            "max_recoveries must be at least 0, found -1",
            { try .init(capacity: 1, refreshTime: .seconds(1), maxRecoveries: -1) }
        ),
    ]

    @Test("is refused out of its limits", arguments: refused)
    func limits(row: (message: String, make: @Sendable () throws -> QueueConfiguration)) {
        let error = #expect(throws: ProcessingError.self) { try row.make() }
        #expect(error?.code == .configuration)
        #expect(error?.message == row.message)
    }

    @Test("has the documented defaults, and is the same after JSON")
    func defaults() throws {
        let configuration = try QueueConfiguration(capacity: 10_000, refreshTime: .milliseconds(10))
        #expect(configuration.concurrencyLimit == 100)
        #expect(configuration.maxSize == 1_000)
        #expect(configuration.maxDenials == 3)
        #expect(configuration.denialDelay == .zero)
        #expect(configuration.maxDenialTracking == 10_000)
        #expect(configuration.onDenial == .endCycle)
        #expect(configuration.onRestart == .requeue)
        #expect(configuration.maxRecoveries == 20)
        #expect(configuration.name == "engine")
        #expect(try QueueConfiguration(json: configuration.jsonValue) == configuration)
    }
}
