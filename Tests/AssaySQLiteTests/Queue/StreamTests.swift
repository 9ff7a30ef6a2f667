import Assay
import AssayTesting
import Synchronization
import Testing

@Suite("A streaming execution", .timeLimit(.minutes(5))) struct StreamTests {
    private func submit(to queue: ExecutionQueue, timeout: Duration? = nil) async throws -> Execution.ID {
        var submission = QueueRig.submission("x")
        submission.isStreaming = true
        submission.timeout = timeout
        return try await queue.submit(submission).id
    }

    private func collect(_ chunks: ChunkSequence) async throws -> [String] {
        var found: [String] = []
        for try await chunk in chunks {
            #expect(chunk.inputID == "item_1")
            found.append("\(chunk.number) \(try chunk.value.value(as: String.self))")
        }
        return found
    }

    @Test("delivers its chunks in order to everyone who listens", arguments: Shelf.allCases)
    func chunks(shelf: Shelf) async throws {
        let rig = try QueueRig(shelf) { _, context in
            for number in 0..<3 { try await context.emit("chunk_\(number)") }
        }
        let queue = try await rig.queue()
        let id = try await submit(to: queue)
        let streams = [try await queue.chunks(of: id), try await queue.chunks(of: id)]
        queue.start()
        try await queue.cycle()
        for stream in streams {
            #expect(try await collect(stream) == ["0 chunk_0", "1 chunk_1", "2 chunk_2"])
        }
        #expect(try await queue.execution(id).chunks == 3)
        #expect(queue.counts.succeeded == 1)
        #expect(queue.counts.pending == 0)
    }

    @Test("keeps the last 1000 chunks for who comes late, then goes on")
    func late() async throws {
        let gate = Door()
        let rig = try QueueRig { _, context in
            for number in 0..<1_005 { try await context.emit("\(number)") }
            await gate.pass()
            try await context.emit("end")
        }
        let queue = try await rig.queue()
        let id = try await submit(to: queue)
        queue.start()
        async let started = queue.cycle()
        await gate.arrived(1)
        let stream = try await queue.chunks(of: id)
        var iterator = stream.makeAsyncIterator()
        let first = try await iterator.next()
        gate.open()
        #expect(first?.number == 5)
        var last = first
        var count = 1
        while let chunk = try await iterator.next() { (last, count) = (chunk, count + 1) }
        #expect(try last?.value.value(as: String.self) == "end")
        #expect(last?.number == 1_005)
        #expect(count == 1_001)
        #expect(try await started == 1)
    }

    @Test("waits while a listener is 1000 chunks behind, and forgets one that leaves")
    func backPressure() async throws {
        let emitted = Door()
        emitted.open()
        let rig = try QueueRig { _, context in
            for number in 0..<3_000 {
                try await context.emit("\(number)")
                await emitted.pass()
            }
        }
        let queue = try await rig.queue()
        let id = try await submit(to: queue)
        let stream = try await queue.chunks(of: id)
        var slow: ChunkSequence.AsyncIterator? = stream.makeAsyncIterator()
        queue.start()
        async let started = queue.cycle()
        await emitted.arrived(1_000)
        await stream.heldUp()
        #expect(emitted.count == 1_000)
        // Who takes one lets one more be emitted.
        for expected in 0..<3 {
            #expect(try await slow?.next()?.number == expected)
            await emitted.arrived(1_001 + expected)
            await stream.heldUp()
            #expect(emitted.count == 1_001 + expected)
        }
        slow = nil
        #expect(try await started == 1)
        #expect(try await queue.execution(id).chunks == 3_000)
    }

    @Test("ends its stream with its error when its time is over")
    func timeout() async throws {
        let rig = try QueueRig { _, context in
            try await context.emit("one")
            try await waitForCancellation()
        }
        let queue = try await rig.queue()
        let id = try await submit(to: queue, timeout: .milliseconds(50))
        var iterator = try await queue.chunks(of: id).makeAsyncIterator()
        queue.start()
        async let started = queue.cycle()
        #expect(try await iterator.next()?.number == 0)
        await rig.time.waitForSleepers()
        rig.time.advance(by: .milliseconds(50))
        let error = await #expect(throws: ProcessingError.self) { _ = try await iterator.next() }
        #expect(error?.code == .timeout)
        #expect(try await started == 1)
        #expect(queue.counts.cancelled == 1)
    }

    @Test("that failed before a restart ends the stream of who comes late with its error", arguments: [Shelf.sqlite])
    func lateAfterFailure(shelf: Shelf) async throws {
        let rig = try QueueRig(shelf) { _, _ in throw ProcessingError(.extraction, "no text") }
        let first = try await rig.queue()
        let id = try await submit(to: first)
        first.start()
        try await first.cycle()
        let second = try await rig.queue()
        var iterator = try await second.chunks(of: id).makeAsyncIterator()
        let error = await #expect(throws: ProcessingError.self) { _ = try await iterator.next() }
        #expect(error?.code == .extraction)
    }

    @Test("ends its stream also when the store does not take its end down")
    func unfiled() async throws {
        let rig = try QueueRig(
            wrapping: Wrapping { base in
                FaultyStore(base) { write in
                    if case .replace = write { throw ProcessingError(.store, "the disk is full") }
                }
            }
        ) { _, context in try await context.emit("one") }
        let queue = try await rig.queue()
        let id = try await submit(to: queue)
        var iterator = try await queue.chunks(of: id).makeAsyncIterator()
        queue.start()
        try await queue.cycle()
        #expect(try await iterator.next()?.number == 0)
        let error = await #expect(throws: ProcessingError.self) { _ = try await iterator.next() }
        #expect(error?.code == .store)
    }

    @Test("counts the chunks of its last run, also when that has none", arguments: Shelf.allCases)
    func countsAgain(shelf: Shelf) async throws {
        let first = Once()
        let rig = try QueueRig(shelf) { _, context in
            if first.take() { try await context.emit("one") }
        }
        let queue = try await rig.queue()
        let id = try await submit(to: queue)
        queue.start()
        try await queue.cycle()
        #expect(try await queue.execution(id).chunks == 1)
        try await queue.resume(id, recovery: .reprocess)
        try await queue.cycle()
        #expect(try await queue.execution(id).chunks == 0)
    }

    @Test("ends its stream with its error when it fails")
    func failing() async throws {
        let rig = try QueueRig { _, context in
            try await context.emit("one")
            throw ProcessingError(.extraction, "no text")
        }
        let queue = try await rig.queue()
        let id = try await submit(to: queue)
        let stream = try await queue.chunks(of: id)
        queue.start()
        try await queue.cycle()
        var iterator = stream.makeAsyncIterator()
        #expect(try await iterator.next()?.number == 0)
        let error = await #expect(throws: ProcessingError.self) { _ = try await iterator.next() }
        #expect(error?.code == .extraction)
        #expect(queue.counts.failed == 1)
    }

    @Test("is the only kind that can be listened to")
    func plain() async throws {
        let queue = try await QueueRig().queue()
        try await queue.submit("x")
        #expect(await code { try await queue.chunks(of: QueueRig.id("x")) } == .configuration)
        #expect(await code { try await queue.chunks(of: QueueRig.id("y")) } == .notFound)
    }
}
