import Assay
import AssayTesting
import Testing

@Suite("A circuit breaker") struct CircuitBreakerTests {
    static func breaker(threshold: Int = 3, successes: Int = 3) throws -> CircuitBreaker {
        CircuitBreaker(
            try CircuitBreakerPolicy(
                failureThreshold: threshold, recoveryTimeout: .seconds(60), successThreshold: successes))
    }

    @Test(
        "opens when failures reach its threshold, from which successes take away",
        arguments: [("fff", 3), ("ffsff", 5), ("sfsff", nil), ("fsfsfs", nil)])
    func opens(ends: String, at place: Int?) throws {
        var breaker = try Self.breaker()
        var opened: Int?
        for (index, end) in ends.enumerated() {
            let isAdmitted1 = breaker.admits(at: .seconds(index))
            #expect(isAdmitted1)
            if end == "f" { breaker.fail(at: .seconds(index)) } else { breaker.succeed() }
            if breaker.state == .open { opened = opened ?? index + 1 }
        }
        #expect(opened == place)
    }

    @Test("refuses until its time is over, then lets one attempt through at a time") func recovers() throws {
        var breaker = try Self.breaker()
        for _ in 1...3 { breaker.fail(at: .seconds(2)) }
        let isAdmitted2 = breaker.admits(at: .seconds(30))
        #expect(!isAdmitted2)
        #expect(breaker.remaining(at: .seconds(30)) == .seconds(32))
        let isAdmitted3 = breaker.admits(at: .seconds(62))
        #expect(isAdmitted3)
        #expect(breaker.state == .halfOpen)
        let isAdmitted4 = breaker.admits(at: .seconds(62))
        #expect(!isAdmitted4)
        for _ in 1...2 {
            breaker.succeed()
            #expect(breaker.state == .halfOpen)
            let isAdmitted5 = breaker.admits(at: .seconds(63))
            #expect(isAdmitted5)
        }
        breaker.succeed()
        #expect(breaker.state == .closed)
        #expect(breaker.failures == 0)
    }

    @Test("opens anew when a trial fails") func failsAgain() throws {
        var breaker = try Self.breaker()
        for _ in 1...3 { breaker.fail(at: .zero) }
        let isAdmitted6 = breaker.admits(at: .seconds(60))
        #expect(isAdmitted6)
        breaker.fail(at: .seconds(61))
        let isAdmitted7 = breaker.admits(at: .seconds(120))
        #expect(!isAdmitted7)
        let isAdmitted8 = breaker.admits(at: .seconds(121))
        #expect(isAdmitted8)
    }

    @Test("lets the next trial through when one ended without telling anything") func withdrawn() throws {
        var breaker = try Self.breaker()
        for _ in 1...3 { breaker.fail(at: .zero) }
        let isAdmitted9 = breaker.admits(at: .seconds(60))
        #expect(isAdmitted9)
        breaker.withdraw()
        let isAdmitted10 = breaker.admits(at: .seconds(60))
        #expect(isAdmitted10)
    }

    @Test("is refused without sense", arguments: [(0, 60, 3), (5, 0, 3), (5, 60, 0)])
    func refused(failures: Int, seconds: Int, successes: Int) {
        #expect(throws: ProcessingError.self) {
            try CircuitBreakerPolicy(
                failureThreshold: failures, recoveryTimeout: .seconds(seconds), successThreshold: successes)
        }
    }

    @Test("of a service spares it while it fails, and is listed and reset") func ofService() async throws {
        let time = ManualTime(runsFree: true)
        let engine = Engine.testing(
            prices: PriceList.of(units: ["clear/search": "1.00"]), time: time)
        let calls = Counter()
        let processor = ClosureProcessor<Int, Int>("test") { input, context in
            try await context.call("clear", "search") { _ -> Int in
                calls.next()
                guard input > 0 else { throw ProcessingError(.api, "HTTP 500") }
                return input
            }
        }
        let policy = try CircuitBreakerPolicy(failureThreshold: 2, recoveryTimeout: .seconds(60), successThreshold: 1)
        let options = RunOptions.with { $0.breakers = ["clear": policy] }
        let failing = try await engine.run(
            processor, items: (0..<5).map { Item("n\($0)", 0) }, options: options)
        #expect(calls.count == 2)
        #expect(failing.outcomes.map(\.error?.code) == [.api, .api, .circuitOpen, .circuitOpen, .circuitOpen])
        #expect(failing.bill.totalCost == .zero)
        #expect(engine.breakers.all["clear"]?.state == .open)
        time.advance(by: .seconds(60))
        #expect(try await engine.run(processor, items: [Item("n", 1)], options: options).success)
        #expect(engine.breakers.all["clear"]?.state == .closed)
        #expect(engine.breakers.reset("clear"))
        #expect(!engine.breakers.reset("ocr"))
    }
}
