import Assay
import AssaySQLite
import AssayTesting
import Foundation
import Synchronization
import Testing

@Suite("A queue after a crash") struct QueueRestartTests {
    /// A store as a program leaves it that dies while its third execution runs: an item has ended, a step is saved.
    private func died(
        in folder: TemporaryFolder, _ configuration: QueueConfiguration, cancelling: Bool = false
    ) async throws {
        let copy = folder.path + "/crash"
        let gate = Door()
        let store = try SQLiteStore.open(folder.path + "/life/assay.db")
        let engine = Engine(store: store, prices: try prices())
        let queue = try await ExecutionQueue(
            engine, configuration,
            processors: [
                processor { value in
                    if value == "e3 b" { await gate.pass() }
                }
            ])
        for number in 1...5 {
            var submission = Submission(QueueRig.name, over: ["e\(number) a", "e\(number) b"])
            submission.executionID = QueueRig.id("e\(number)")
            submission.priority = Double(6 - number)
            try await queue.submit(submission)
        }
        queue.start()
        async let started = queue.cycle()
        await gate.arrived(1)
        if cancelling { _ = try await queue.cancel(QueueRig.id("e3")) }
        // What is on the disk now is what a kill would leave.
        try await store.backup(to: copy)
        gate.open()
        _ = try await started
        store.close()
        let state = folder.state
        try FileManager.default.createDirectory(
            atPath: state, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        try FileManager.default.moveItem(atPath: copy, toPath: folder.database)
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: folder.database)
    }

    private func prices() throws -> PriceList {
        var prices = PriceList()
        prices.add(Price(try Money(Number("0.10")!), policy: "per_execution"), for: .processor("note"))
        return prices
    }

    private func processor(
        version: String = "1", _ work: @escaping @Sendable (String) async throws -> Void
    ) throws -> RegisteredProcessor {
        try RegisteredProcessor(
            ClosureProcessor<String, String>("note") { value, context in
                _ = try await context.step("read") { value }
                try await work(value)
                return value
            }, version: version)
    }

    private func configuration(
        _ onRestart: QueueConfiguration.Restart = .requeue, maxRecoveries: Int = 20
    ) throws -> QueueConfiguration {
        // One at a time in the order of their priorities: e5 (1), e4 (2), e3 (3) …
        try QueueConfiguration(
            capacity: 10, refreshTime: .seconds(1), concurrencyLimit: 1, onRestart: onRestart,
            maxRecoveries: maxRecoveries)
    }

    @Test("has 2 succeeded and 3 pending, the interrupted one next, and charges nothing twice")
    func requeue() async throws {
        let folder = TemporaryFolder()
        try await died(in: folder, configuration())
        let store = try SQLiteStore.open(folder.database)
        defer { store.close() }
        let ran = Log<String>()
        let queue = try await ExecutionQueue(
            Engine(store: store, prices: prices()), configuration(), processors: [processor { ran.add($0) }])
        #expect(queue.counts.succeeded == 2)
        #expect(queue.counts.pending == 3)
        #expect(try await queue.waiting() == ["e3 3.0", "e2 4.0", "e1 5.0"])
        queue.start()
        #expect(try await queue.cycle() == 3)
        // The input that was done is carried.
        #expect(ran.all == ["e3 b", "e2 a", "e2 b", "e1 a", "e1 b"])
        let execution = try await queue.execution(QueueRig.id("e3"))
        #expect(execution.status == .succeeded)
        #expect(execution.recoveries == 1)
        #expect(execution.runs == 2)
        let runs = try await store.runs(matching: RunFilter(executionID: execution.id))
        #expect(runs.map(\.status) == [.succeeded, .failed])
        #expect(runs[1].error?.code == .interrupted)
        #expect(runs[0].lineage.previousRunID == runs[1].id)
        let base = try await store.charges(matching: ChargeFilter()).filter { $0.kind == .base }
        #expect(base.count == 5)
        #expect(try await store.check() == [])
    }

    @Test("fails what was interrupted when it is told so, retryable")
    func fail() async throws {
        let folder = TemporaryFolder()
        try await died(in: folder, configuration())
        let store = try SQLiteStore.open(folder.database)
        defer { store.close() }
        let queue = try await ExecutionQueue(
            Engine(store: store), configuration(.fail), processors: [processor { _ in }])
        let execution = try await queue.execution(QueueRig.id("e3"))
        #expect(execution.status == .failed)
        #expect(execution.error?.code == .interrupted)
        #expect(execution.retryable == true)
        #expect(execution.duration != nil)
        #expect(queue.counts.pending == 2)
    }

    @Test("gives an execution up that was interrupted more often than it may")
    func exhausted() async throws {
        let folder = TemporaryFolder()
        try await died(in: folder, configuration())
        let store = try SQLiteStore.open(folder.database)
        defer { store.close() }
        let queue = try await ExecutionQueue(
            Engine(store: store), configuration(maxRecoveries: 0), processors: [processor { _ in }])
        let execution = try await queue.execution(QueueRig.id("e3"))
        #expect(execution.status == .failed)
        #expect(execution.error?.code == .recoveryExhausted)
        #expect(execution.retryable == false)
    }

    @Test("does not run an execution on whose cancellation somebody was told")
    func cancelled() async throws {
        let folder = TemporaryFolder()
        try await died(in: folder, configuration(), cancelling: true)
        let store = try SQLiteStore.open(folder.database)
        defer { store.close() }
        let queue = try await ExecutionQueue(Engine(store: store), configuration(), processors: [processor { _ in }])
        #expect(queue.status(of: QueueRig.id("e3")) == .cancelled)
    }

    @Test("leaves an execution paused that was", arguments: Shelf.allCases)
    func paused(shelf: Shelf) async throws {
        let rig = try QueueRig(shelf)
        let first = try await rig.queue()
        var execution = try await first.submit("held", 1)
        try await first.submit("other", 2)
        execution.status = .paused
        #expect(try await rig.store.replace(execution, standingAt: .pending))
        let second = try await rig.queue()
        #expect(second.counts.paused == 1)
        #expect(second.names(.paused) == ["held"])
        second.start()
        #expect(try await second.cycle() == 1)
        #expect(rig.ran.all == ["other"])
        #expect(await code { try await second.invoke(execution.id) } == .illegalMove)
        #expect(try await second.execution(execution.id).status == .paused)
        #expect(try await second.cancel(execution.id))
        #expect(second.counts.cancelled == 1)
    }

    @Test("fails an execution whose processor was edited, until someone says what that means")
    func definitionChanged() async throws {
        let folder = TemporaryFolder()
        try await died(in: folder, configuration())
        let store = try SQLiteStore.open(folder.database)
        defer { store.close() }
        let ran = Log<String>()
        let queue = try await ExecutionQueue(
            Engine(store: store), configuration(), processors: [processor(version: "2") { ran.add($0) }])
        queue.start()
        try await queue.cycle()
        let id = QueueRig.id("e3")
        #expect(try await queue.execution(id).error?.code == .definitionChanged)
        #expect(ran.all == ["e2 a", "e2 b", "e1 a", "e1 b"])
        try await queue.resume(id, onChange: .keep)
        try await queue.cycle()
        #expect(queue.status(of: id) == .succeeded)
        #expect(ran.all.suffix(1) == ["e3 b"])
    }
}

@Suite("A snapshot") struct SnapshotTests {
    private func filled(_ shelf: Shelf) async throws -> (QueueRig, ExecutionQueue) {
        let rig = try QueueRig(shelf) { value, _ in if value == "bad" { throw ProcessingError(.api, "down") } }
        let queue = try await rig.queue(admission: CountedAdmission(granting: 2))
        for (name, priority) in [("good", 1.0), ("bad", 2), ("denied", 3), ("late", 4)] {
            try await queue.submit(name, priority)
        }
        try await queue.setMetadata(["owner": "ops"])
        queue.start()
        try await queue.cycle()
        try await queue.skip(QueueRig.id("late"), reason: "too late")
        try await queue.submit("new", 0.5)
        return (rig, queue)
    }

    @Test("restored and taken again is the same", arguments: Shelf.allCases)
    func roundTrip(shelf: Shelf) async throws {
        let (_, queue) = try await filled(shelf)
        let snapshot = try await queue.snapshot()
        #expect(
            snapshot.object?.keys.sorted() == [
                "configuration", "created_at", "executions", "id", "metadata", "name", "progressions", "queue",
            ])
        #expect(snapshot["queue"] == ["new", "denied"])
        #expect(snapshot["progressions"]?["succeeded"] == ["good"])
        let priorities = snapshot["executions"]?.array?.map { $0["priority"]?.json ?? "" }
        #expect(priorities == ["1", "2", "4", "4", "0.5"])
        let text = try JSONValue(json: snapshot.json)
        let rig = try QueueRig(shelf)
        let copy = try await rig.queue()
        try await copy.restore(text)
        #expect(try await copy.snapshot().json == snapshot.json)
        #expect(try await copy.execution(QueueRig.id("denied")).denials.count == 1)
        let error = try await copy.execution(QueueRig.id("bad")).error
        #expect(error?.code == .api)
        #expect(error?.message == "down")
        copy.start()
        try await copy.cycle()
        #expect(rig.ran.all.sorted() == ["denied", "new"])
    }

    @Test("shows one moment of a queue at work, and what ran then waits again", arguments: Shelf.allCases)
    func atWork(shelf: Shelf) async throws {
        let gate = Door()
        let rig = try QueueRig(shelf) { _, _ in await gate.pass() }
        let queue = try await rig.queue()
        try await queue.submit("x", 1)
        queue.start()
        async let started = queue.cycle()
        await gate.arrived(1)
        let snapshot = try await queue.snapshot()
        gate.open()
        #expect(try await started == 1)
        #expect(snapshot["progressions"]?["running"] == ["x"])
        let other = try QueueRig(shelf)
        let copy = try await other.queue()
        try await copy.restore(snapshot)
        copy.start()
        #expect(try await copy.cycle() == 1)
        let execution = try await copy.execution(QueueRig.id("x"))
        #expect(execution.status == .succeeded)
        #expect(execution.recoveries == 1)
    }

    /// What is put in place of a part of a snapshot, the code it is refused with, and who is named.
    static let broken: [(key: String, text: String, code: ProcessingError.Code, name: String)] = [
        ("pending", #"["new", "denied", "ghost"]"#, .notFound, "ghost"),
        ("pending", #"["new"]"#, .configuration, "denied"),
        ("queue", #"["new", "denied", "ghost"]"#, .notFound, "ghost"),
        ("queue", #"["new"]"#, .configuration, "denied"),
        ("queue", #"["new", "denied", "new"]"#, .configuration, "new"),
    ]

    @Test("with a name that is nobody's, in no list or in two is refused", arguments: broken)
    func refused(row: (key: String, text: String, code: ProcessingError.Code, name: String)) async throws {
        let (_, queue) = try await filled(.memory)
        guard case .object(var snapshot) = try await queue.snapshot() else { return }
        if row.key == "pending", var lists = snapshot["progressions"]?.object {
            lists["pending"] = try JSONValue(json: row.text)
            snapshot["progressions"] = .object(lists)
        } else {
            snapshot[row.key] = try JSONValue(json: row.text)
        }
        let copy = try await QueueRig().queue()
        let error = await #expect(throws: ProcessingError.self) { try await copy.restore(.object(snapshot)) }
        #expect(error?.code == row.code)
        #expect(error?.message.contains("'\(row.name)'") == true)
        #expect(copy.counts.total == 0)
    }

    @Test("that is none or lacks a part is refused", arguments: ["{}", "[]", #"{"executions": [{}]}"#])
    func malformed(text: String) async throws {
        let queue = try await QueueRig().queue()
        #expect(await code { try await queue.restore(JSONValue(json: text)) } == .configuration)
        #expect(queue.counts.total == 0)
    }

    @Test("has no reports of the runs that are in it, and says so", arguments: Shelf.allCases)
    func reports(shelf: Shelf) async throws {
        let (_, queue) = try await filled(shelf)
        let copy = try await QueueRig(shelf).queue()
        try await copy.restore(queue.snapshot())
        let id = QueueRig.id("good")
        let run = try #require(try await copy.execution(id).lastRunID)
        let error = await #expect(throws: ProcessingError.self) { try await copy.invoke(id) }
        #expect(error?.code == .notFound)
        #expect(
            error?.message
                == "execution 'good' ended as succeeded in run '\(run)', which is not on record in this store; "
                + "its report is in the snapshot the execution came from")
        #expect(await code { try await copy.invoke(QueueRig.id("bad")) } == .api)
    }

    @Test("lets wait at once what ran in it, or at the next cycle if the store failed", arguments: [false, true])
    func orphans(isFailing: Bool) async throws {
        let gate = Door()
        let rig = try QueueRig { _, _ in await gate.pass() }
        let queue = try await rig.queue()
        try await queue.submit("x")
        queue.start()
        async let started = queue.cycle()
        await gate.arrived(1)
        let snapshot = try await queue.snapshot()
        gate.open()
        #expect(try await started == 1)
        let first = Once()
        let other = try QueueRig(
            wrapping: Wrapping { base in
                FaultyStore(base) { write in
                    guard isFailing, case .replace = write, first.take() else { return }
                    throw ProcessingError(.store, "the disk is full")
                }
            })
        let copy = try await other.queue()
        #expect(await code { try await copy.restore(snapshot) } == (isFailing ? .store : nil))
        #expect(copy.names(isFailing ? .running : .pending) == ["x"])
        copy.start()
        #expect(try await copy.cycle() == 1)
        #expect(copy.names(.succeeded) == ["x"])
    }

    @Test("is not restored over what is there, and twice in a list is refused")
    func twice() async throws {
        let (_, queue) = try await filled(.memory)
        guard case .object(var snapshot) = try await queue.snapshot() else { return }
        #expect(await code { try await queue.restore(.object(snapshot)) } == .exists)
        var lists = snapshot["progressions"]?.object ?? [:]
        lists["failed"] = ["bad", "good"]
        snapshot["progressions"] = .object(lists)
        let value = JSONValue.object(snapshot)
        let copy = try await QueueRig().queue()
        #expect(await code { try await copy.restore(value) } == .configuration)
    }
}
