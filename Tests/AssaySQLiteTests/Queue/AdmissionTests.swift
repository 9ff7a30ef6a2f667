import Assay
import AssayTesting
import Testing

@Suite("Admission", .timeLimit(.minutes(5))) struct AdmissionTests {
    private static let names = [("A", 0.0), ("B", 0.1), ("C", 0.2), ("D", 0.3)]

    private static let table: [(asked: [String], queue: [String], questions: Int, aborted: [String])] = [
        (["A", "B", "C"], ["D 0.3", "C 1.2"], 3, []),
        (["D"], ["C 1.2", "D 1.3"], 4, []),
        (["C"], ["D 1.3", "C 3.2"], 5, []),
        (["D"], ["C 3.2", "D 3.3"], 6, []),
        (["C"], ["D 3.3"], 7, ["C"]),
        (["D"], [], 8, ["C", "D"]),
    ]

    @Test("that grants two questions gives the documented cycles when a denial ends one", arguments: Shelf.allCases)
    func endCycle(shelf: Shelf) async throws {
        let admission = CountedAdmission(granting: 2)
        let queue = try await QueueRig(shelf).queue(admission: admission)
        try await queue.submit(Self.names.map { QueueRig.submission($0, $1) })
        queue.start()
        for (number, row) in Self.table.enumerated() {
            let before = admission.asked.all.count
            #expect(try await queue.cycle() == (number == 0 ? 2 : 0))
            #expect(Array(admission.asked.all.dropFirst(before)) == row.asked)
            #expect(try await queue.waiting() == row.queue)
            #expect(admission.asked.all.count == row.questions)
            #expect(queue.names(.aborted) == row.aborted)
            guard number == 0 else { continue }
            #expect(queue.counts.total == 4)
            #expect(queue.counts.succeeded == 2)
            #expect(queue.counts.pending == 2)
        }
        let aborted = try await queue.execution(QueueRig.id("C"))
        #expect(aborted.error?.code == .denied)
        let reasons = Array(repeating: "no more than 2", count: 3).joined(separator: "; ")
        #expect(
            aborted.error?.message
                == "max_denials: 3 of queue 'engine' was used up: denied 3 times: \(reasons)")
        #expect(aborted.retryable == false)
        #expect(aborted.duration == .zero)
    }

    @Test("that grants two questions gives the documented cycles when the next is asked", arguments: Shelf.allCases)
    func next(shelf: Shelf) async throws {
        let admission = CountedAdmission(granting: 2)
        let configuration = try QueueConfiguration(capacity: 10, refreshTime: .seconds(1), onDenial: .next)
        let queue = try await QueueRig(shelf).queue(configuration, admission: admission)
        try await queue.submit(Self.names.map { QueueRig.submission($0, $1) })
        queue.start()
        try await queue.cycle()
        #expect(admission.asked.all == ["A", "B", "C", "D"])
        #expect(try await queue.waiting() == ["C 1.2", "D 1.3"])
        try await queue.cycle()
        #expect(try await queue.waiting() == ["C 3.2", "D 3.3"])
        try await queue.cycle()
        #expect(queue.names(.aborted) == ["C", "D"])
        #expect(admission.asked.all.count == 8)
    }

    @Test("adds the number of the denial to the priority: 100, 101, 103", arguments: Shelf.allCases)
    func priority(shelf: Shelf) async throws {
        let queue = try await QueueRig(shelf).queue(admission: CountedAdmission(granting: 0))
        try await queue.submit("x", 100)
        queue.start()
        var priorities = [100.0]
        for _ in 0..<2 {
            try await queue.cycle()
            priorities.append(try await queue.execution(QueueRig.id("x")).priority)
        }
        #expect(priorities == [100, 101, 103])
    }

    @Test("is not refused a place in a full queue after a denial")
    func fullQueue() async throws {
        let configuration = try QueueConfiguration(capacity: 1, refreshTime: .seconds(1), maxSize: 2)
        let queue = try await QueueRig().queue(configuration, admission: CountedAdmission(granting: 0))
        try await queue.submit("a", 1)
        try await queue.submit("b", 2)
        queue.start()
        try await queue.cycle()
        #expect(try await queue.waiting() == ["a 2.0", "b 2.0"])
        #expect(await code { try await queue.submit("c") } == .queueFull)
    }

    @Test("keeps denials over a restart and a stop, and forgets them with a grant", arguments: [Shelf.sqlite])
    func durable(shelf: Shelf) async throws {
        let rig = try QueueRig(shelf)
        let first = try await rig.queue(admission: CountedAdmission(granting: 0))
        try await first.submit("x", 0.3)
        first.start()
        try await first.cycle()
        first.stop()
        first.start()
        let second = try await rig.queue(admission: CountedAdmission(granting: 0))
        second.start()
        try await second.cycle()
        #expect(try await second.waiting() == ["x 3.3"])
        #expect(try await second.execution(QueueRig.id("x")).denials.count == 2)
        let third = try await rig.queue()
        third.start()
        #expect(try await third.cycle() == 1)
        #expect(try await third.execution(QueueRig.id("x")).denials == [])
    }

    @Test("that grants clears the denials although no run comes of it", arguments: Shelf.allCases)
    func noRun(shelf: Shelf) async throws {
        struct DenyingOnce: AdmissionPolicy {
            let first = Once()
            func admit(_ execution: Execution.ID, request: JSONObject, scope: Scope) async throws -> Admission {
                first.take() ? .deny("not yet") : .admit
            }
        }
        let queue = try await QueueRig(shelf).queue(admission: DenyingOnce())
        var submission = Submission(QueueRig.id("strange"), over: ["x"])
        submission.executionID = QueueRig.id("x")
        try await queue.submit(submission)
        queue.start()
        try await queue.cycle()
        #expect(try await queue.execution(QueueRig.id("x")).denials == ["not yet"])
        #expect(try await queue.cycle() == 1)
        let execution = try await queue.execution(QueueRig.id("x"))
        #expect(execution.status == .failed)
        #expect(execution.denials == [])
    }

    @Test("starts nothing once the queue is stopped or paused, whatever it answers then", arguments: [false, true])
    func stopped(isPaused: Bool) async throws {
        let gate = Door()
        let rig = try QueueRig()
        let queue = try await rig.queue(admission: GatedAdmission(gate: gate))
        try await queue.submit("x")
        queue.start()
        async let started = queue.cycle()
        await gate.arrived(1)
        if isPaused { try await queue.pause() } else { queue.stop() }
        #expect(await queue.join().pending == 1)
        gate.open()
        #expect(try await started == 0)
        #expect(rig.ran.all == [])
        queue.start()
        try await queue.unpause()
        #expect(try await queue.cycle() == 1)
    }

    @Test("does not let in more than may run, whoever was invoked meanwhile")
    func limit() async throws {
        let (asking, running) = (Door(), Door())
        let rig = try QueueRig { value, _ in if value == "b" { await running.pass() } }
        let configuration = try QueueConfiguration(capacity: 10, refreshTime: .seconds(1), concurrencyLimit: 1)
        let queue = try await rig.queue(configuration, admission: GatedAdmission(gate: asking))
        try await queue.submit("a", 1)
        try await queue.submit("b", 2)
        queue.start()
        async let started = queue.cycle()
        await asking.arrived(1)
        async let invoked = queue.invoke(QueueRig.id("b"))
        await running.arrived(1)
        asking.open()
        // The cycle, for a place.
        await queue.waited(by: 1)
        #expect(rig.ran.all == ["b"])
        running.open()
        #expect(try await invoked.status == .succeeded)
        #expect(try await started == 1)
        #expect(rig.most == 1)
    }

    @Test("is not asked about an execution that was invoked while it denied it")
    func invoked() async throws {
        let (asking, resolving) = (Door(), Door())
        let rig = try QueueRig()
        let processor = try rig.processor()
        let queue = try await ExecutionQueue(
            rig.engine, QueueConfiguration(capacity: 1, refreshTime: .seconds(1)),
            admission: GatedAdmission(gate: asking, answer: .deny("no"))
        ) { _ in
            await resolving.pass()
            return (.processor(processor), RunOptions())
        }
        try await queue.submit("x")
        queue.start()
        async let first = queue.cycle()
        await asking.arrived(1)
        async let invoked = queue.invoke(QueueRig.id("x"))
        await resolving.arrived(1)
        asking.open()
        #expect(try await first == 0)
        #expect(try await queue.cycle() == 0)
        #expect(asking.count == 1)
        resolving.open()
        #expect(try await invoked.status == .succeeded)
    }

    @Test("that throws denies, with its message as the reason")
    func throwing() async throws {
        struct Broken: AdmissionPolicy {
            func admit(_ execution: Execution.ID, request: JSONObject, scope: Scope) async throws -> Admission {
                throw ProcessingError(.api, "the licence server is down")
            }
        }
        let queue = try await QueueRig().queue(admission: Broken())
        try await queue.submit("x", 1)
        queue.start()
        #expect(try await queue.cycle() == 0)
        #expect(try await queue.execution(QueueRig.id("x")).denials == ["the licence server is down"])
    }

    @Test("is not asked again before the delay of a denial has passed")
    func delay() async throws {
        let admission = CountedAdmission(granting: 0)
        let rig = try QueueRig()
        let configuration = try QueueConfiguration(
            capacity: 1, refreshTime: .seconds(1), denialDelay: .milliseconds(2_500))
        let queue = try await rig.queue(configuration, admission: admission)
        try await queue.submit("x", 1)
        queue.start()
        try await queue.cycle()
        rig.time.advance(by: .milliseconds(2_499))
        try await queue.cycle()
        #expect(admission.asked.all.count == 1)
        rig.time.advance(by: .milliseconds(1))
        try await queue.cycle()
        #expect(admission.asked.all.count == 2)
    }

    @Test("forgets the oldest denials beyond what is tracked, with a warning")
    func tracking() async throws {
        let rig = try QueueRig()
        let configuration = try QueueConfiguration(
            capacity: 10, refreshTime: .seconds(1), maxDenialTracking: 1, onDenial: .next)
        let queue = try await rig.queue(configuration, admission: CountedAdmission(granting: 0))
        try await queue.submit("a", 1)
        try await queue.submit("b", 2)
        queue.start()
        try await queue.cycle()
        #expect(try await queue.execution(QueueRig.id("a")).denials == [])
        #expect(try await queue.execution(QueueRig.id("b")).denials.count == 1)
        let warnings = rig.engine.events.latest().filter { $0.kind == .warning }.compactMap {
            $0.data["message"]?.string
        }
        #expect(warnings == ["queue 'engine' remembers denials of 1 executions; those of 'a' are forgotten"])
    }

    @Test("by rate lets a count in within any stretch of time, by the values of a key")
    func rate() async throws {
        let time = ManualTime()
        let rate = try RateAdmission(count: 2, per: .seconds(10), key: "bureau", time: time)
        func ask(_ bureau: JSONValue) async throws -> Admission {
            try await rate.admit(QueueRig.id("x"), request: ["bureau": bureau], scope: Scope())
        }
        #expect(try await ask("clear") == .admit)
        time.advance(by: .seconds(4))
        #expect(try await ask("clear") == .admit)
        #expect(
            try await ask("clear")
                == .wait(
                    until: time.now().advanced(by: .seconds(6)),
                    why: "the rate: 2 per 10 s are used up for bureau clear"))
        #expect(try await ask("other") == .admit)
        time.advance(by: .seconds(6))
        #expect(try await ask("clear") == .admit)
        #expect(try await ask("clear") != .admit)
        #expect(throws: ProcessingError.self) { try RateAdmission(count: 0, per: .seconds(1)) }
        #expect(throws: ProcessingError.self) { try RateAdmission(count: 1, per: .zero) }
    }

    @Test("by rate only waits: all executions run in time, none is denied", arguments: Shelf.allCases)
    func rateWaits(shelf: Shelf) async throws {
        let rig = try QueueRig(shelf)
        let queue = try await rig.queue(admission: try RateAdmission(count: 2, per: .seconds(2)))
        for number in 0..<9 { try await queue.submit("e\(number)", 1) }
        queue.start()
        var started: [Int] = []
        for _ in 0..<5 {
            started.append(try await queue.cycle())
            #expect(try await queue.cycle() == 0)
            rig.time.advance(by: .seconds(2))
        }
        #expect(started == [2, 2, 2, 2, 1])
        #expect(rig.ran.all.sorted() == (0..<9).map { "e\($0)" })
        #expect(queue.counts.succeeded == 9)
        #expect(try await queue.execution(QueueRig.id("e8")).priority == 1)
    }

    @Test("by rate says what executions wait for, and takes it back when they run", arguments: Shelf.allCases)
    func rateReason(shelf: Shelf) async throws {
        let rig = try QueueRig(shelf)
        let queue = try await rig.queue(admission: try RateAdmission(count: 1, per: .seconds(2)))
        for name in ["a", "b"] { try await queue.submit(name, 1) }
        queue.start()
        try await queue.cycle()
        let waiting = try await queue.execution(QueueRig.id("b"))
        #expect(waiting.waitsFor == "the rate: 1 per 2 s are used up")
        #expect(waiting.denials == [])
        rig.time.advance(by: .seconds(2))
        try await queue.cycle()
        let ended = try await queue.execution(QueueRig.id("b"))
        #expect(ended.status == .succeeded)
        #expect(ended.waitsFor == nil)
    }

    @Test("by rate holds over programs and a clock that is set back", arguments: Shelf.allCases, [0, -3_600])
    func rateRestart(shelf: Shelf, seconds: Int) async throws {
        let rig = try QueueRig(shelf)
        let first = try await rig.queue(admission: try RateAdmission(count: 2, per: .seconds(6)))
        for name in ["a", "b", "c"] { try await first.submit(name, 1) }
        first.start()
        #expect(try await first.cycle() == 2)
        rig.time.advance(by: .seconds(2))
        rig.time.jump(by: .seconds(seconds))
        let second = try await rig.queue(admission: try RateAdmission(count: 2, per: .seconds(6)))
        second.start()
        #expect(try await second.cycle() == 0)
        rig.time.advance(by: .milliseconds(3_999))
        #expect(try await second.cycle() == 0)
        // A clock that was set back says nothing of the time that has passed, so the whole stretch is waited.
        rig.time.advance(by: seconds == 0 ? .milliseconds(1) : .milliseconds(2_001))
        #expect(try await second.cycle() == 1)
        #expect(rig.ran.all.sorted() == ["a", "b", "c"])
    }

    @Test("does not deny because the store failed, which ends the cycle", arguments: Shelf.allCases)
    func failingStore(shelf: Shelf) async throws {
        let rig = try QueueRig(
            shelf,
            wrapping: Wrapping { store in
                FaultyStore(store) { write in if case .admit = write { throw ProcessingError(.store, "disk full") } }
            })
        let queue = try await rig.queue(admission: try RateAdmission(count: 2, per: .seconds(6)))
        try await queue.submit("a", 1)
        queue.start()
        #expect(await code { try await queue.cycle() } == .store)
        #expect(try await queue.execution(QueueRig.id("a")).denials == [])
        #expect(queue.counts.pending == 1)
    }
}
