@testable import Assay
import AssayTesting
import Testing

@Suite("A pipe") struct PipeTests {
    private let time = ManualTime()

    private func pipe(_ capacity: Int = 2) throws -> Pipe<Int> {
        try Pipe("a:output->b:input", capacity: capacity, time: time)
    }

    @Test("of capacity 2 lets the third put wait until one get")
    func back() async throws {
        let pipe = try pipe()
        try await pipe.put(1)
        try await pipe.put(2)
        #expect(pipe.statistics.state == .full)
        let third = Task { try await pipe.put(3) }
        await pipe.waitForCallers(putting: 1)
        #expect(pipe.statistics.size == 2)
        #expect(try await pipe.get() == 1)
        try await third.value
        #expect(try await [pipe.get(), pipe.get()] == [2, 3])
    }

    @Test("gives values in the order in which they were put, those of waiting callers included")
    func order() async throws {
        let pipe = try pipe(1)
        try pipe.tryPut(0)
        var puts: [Task<Void, any Error>] = []
        for value in 1...5 {
            puts.append(Task { try await pipe.put(value) })
            await pipe.waitForCallers(putting: value)
        }
        #expect(refusal { try pipe.tryPut(9) } == "pipe_full: pipe 'a:output->b:input' is full: it holds 1 values")
        var values: [Int?] = []
        for _ in 0...5 { values.append(try await pipe.get()) }
        #expect(values == [0, 1, 2, 3, 4, 5])
        for put in puts { try await put.value }
    }

    @Test("serves those who wait for a value in order of arrival")
    func getters() async throws {
        let pipe = try pipe()
        var gets: [Task<Int?, any Error>] = []
        for number in 1...3 {
            gets.append(Task { try await pipe.get() })
            await pipe.waitForCallers(getting: number)
        }
        for value in 1...3 { try pipe.tryPut(value) }
        var values: [Int?] = []
        for get in gets { values.append(try await get.value) }
        #expect(values == [1, 2, 3])
    }

    @Test("refuses what cannot be done at once, by its state")
    func refusals() async throws {
        let pipe = try pipe(1)
        #expect(refusal { try pipe.tryGet() } == "pipe_empty: pipe 'a:output->b:input' is empty")
        try pipe.tryPut(1)
        #expect(await code { try pipe.tryPut(2) } == .pipeFull)
        pipe.close()
        #expect(await code { try await pipe.put(3) } == .pipeClosed)
        #expect(await code { try pipe.tryPut(3) } == .pipeClosed)
        #expect(try pipe.tryGet() == 1)
        #expect(await code { try pipe.tryGet() } == .pipeClosed)
        #expect(try await pipe.get() == nil)
    }

    @Test("gives a get with a time limit up after it")
    func timeout() async throws {
        let pipe = try pipe()
        async let value = code { try await pipe.get(timeout: .seconds(5)) }
        await time.waitForSleepers()
        time.advance(by: .seconds(5))
        #expect(await value == .timeout)
        try pipe.tryPut(7)
        #expect(try await pipe.get(timeout: .seconds(5)) == 7)
    }

    @Test("ends those who wait when it is closed, and changes nothing when it is closed again")
    func close() async throws {
        let full = try pipe(1)
        try full.tryPut(1)
        async let put = code { try await full.put(2) }
        await full.waitForCallers(putting: 1)
        full.close()
        #expect(await put == .pipeClosed)
        full.fail(Refusal())
        full.close()
        #expect(full.statistics.state == .closed)
        #expect(try await [full.get(), full.get()] == [1, nil])

        let empty = try pipe()
        async let get = empty.get()
        await empty.waitForCallers(getting: 1)
        empty.close()
        #expect(try await get == nil)
    }

    @Test("gives the remaining values and then the error it was failed with")
    func fail() async throws {
        let pipe = try pipe()
        try pipe.tryPut(1)
        pipe.fail(Refusal())
        pipe.fail(ProcessingError(.api, "another"))
        #expect(pipe.statistics.state == .error)
        #expect(try await pipe.get() == 1)
        await #expect(throws: Refusal.self) { try await pipe.get() }
        #expect(throws: Refusal.self) { try pipe.tryGet() }
        #expect(await code { try await pipe.put(2) } == .pipeClosed)
    }

    @Test("forgets callers that are cancelled while they wait")
    func cancellation() async throws {
        let pipe = try pipe(1)
        let get = Task { try await pipe.get() }
        await pipe.waitForCallers(getting: 1)
        get.cancel()
        await #expect(throws: CancellationError.self) { try await get.value }
        try pipe.tryPut(1)
        let put = Task { try await pipe.put(2) }
        await pipe.waitForCallers(putting: 1)
        put.cancel()
        await #expect(throws: CancellationError.self) { try await put.value }
        #expect(try await pipe.get() == 1)
        #expect(pipe.statistics.size == 0)
        #expect(pipe.statistics.totalItems == 1)
    }

    @Test("refuses a capacity below 1")
    func capacity() throws {
        #expect(refusal { try self.pipe(0) } == "configuration: capacity must be at least 1, found 0")
        #expect([PipeCapacity.standard, PipeCapacity.buffered, PipeCapacity.streaming] == [1_000, 10_000, 10])
    }

    @Test("counts what goes through it")
    func statistics() async throws {
        let pipe = try Pipe<String>("a:output->b:input", capacity: 4, time: time)
        #expect(pipe.statistics.lastActivity == nil)
        for text in ["a", "bcd", "e"] { try pipe.tryPut(text) }
        time.advance(by: .seconds(2))
        _ = try await pipe.get()
        let expected: JSONValue = [
            "state": "open", "size": 2, "max_size": 4, "is_full": false, "peak_size": 3, "total_items": 3,
            "total_bytes": 11, "active_taps": 0, "last_activity": "2025-03-03T09:15:02Z",
            "uptime_seconds": .number(2), "items_per_second": .number(Number("1.5") ?? 0),
            "bytes_per_second": .number(Number("5.5") ?? 0), "current_utilization": .number(Number("0.5") ?? 0),
            "blocked_ms": 0,
        ]
        #expect(pipe.statistics.jsonValue == expected)
    }

    @Test("measures how long puts waited for room, also while they do")
    func blocked() async throws {
        let pipe = try pipe(1)
        try pipe.tryPut(1)
        let put = Task { try await pipe.put(2) }
        await pipe.waitForCallers(putting: 1)
        time.advance(by: .seconds(3))
        #expect(pipe.statistics.blocked == .seconds(3))
        #expect(try await pipe.get() == 1)
        try await put.value
        time.advance(by: .seconds(3))
        #expect(pipe.statistics.blocked == .seconds(3))
    }

    @Test("loses and doubles nothing when many put and take at once")
    func many() async throws {
        let pipe = try pipe(3)
        let taken = Notes<Int>()
        await withThrowingTaskGroup(of: Void.self) { group in
            for producer in 0..<8 {
                group.addTask { for value in 0..<100 { try await pipe.put(producer * 100 + value) } }
            }
            for _ in 0..<4 {
                group.addTask { for _ in 0..<200 { if let value = try await pipe.get() { taken.add(value) } } }
            }
        }
        #expect(taken.all.sorted() == Array(0..<800))
        #expect(pipe.statistics.peakSize <= 3)
        #expect(pipe.statistics.totalItems == 800)
    }
}
