import Assay
import AssayTesting
import Testing

@Suite("Failure policies") struct FailurePolicyTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var policy: String
        var outcomes: [Status]
        var status: Status
        var testDescription: String { policy }
    }

    static let cases = [
        Case(policy: "collect", outcomes: [.succeeded, .failed, .succeeded, .failed, .succeeded], status: .partial),
        Case(policy: "stop", outcomes: [.succeeded, .failed, .cancelled, .cancelled, .cancelled], status: .failed),
        Case(
            policy: "tolerate:0.4", outcomes: [.succeeded, .failed, .succeeded, .failed, .succeeded], status: .partial),
        Case(
            policy: "tolerate:0.2", outcomes: [.succeeded, .failed, .succeeded, .failed, .cancelled], status: .failed),
        Case(policy: "atomic", outcomes: [.cancelled, .failed, .cancelled, .cancelled, .cancelled], status: .failed),
    ]

    @Test("decide about five items of which the second and fourth fail", arguments: cases)
    func five(_ test: Case) async throws {
        let report = try await Engine.testing().run(
            StepProcessor(failingAt: "extract", for: ["b", "d"]), items: ["a", "b", "c", "d", "e"].map { Item($0, 1) },
            options: .with { $0.failurePolicy = try FailurePolicy(test.policy) })
        #expect(report.outcomes.map(\.status) == test.outcomes)
        #expect(report.status == test.status)
        #expect(report.error?.inputID == (test.policy == "tolerate:0.2" ? "d" : "b"))
        let reason: Outcome.Reason = test.policy == "atomic" ? .atomic : .failurePolicy
        for outcome in report.outcomes {
            #expect(outcome.reason == (outcome.status == .cancelled ? reason : nil))
            #expect((outcome.output != nil) == (outcome.status == .succeeded))
        }
        #expect(report.counts.succeeded == test.outcomes.count { $0 == .succeeded })
        #expect(report.counts.cancelled == test.outcomes.count { $0 == .cancelled })
    }

    @Test("atomic keeps the charges") func atomicCharges() async throws {
        let report = try await Engine.testing().run(
            [1, 2], options: .with { $0.failurePolicy = .atomic }
        ) { (n: Int, context: Context) -> Int in
            try await context.charge("ocr", "page", cost: "2.50")
            guard n == 1 else { throw Refusal() }
            return n
        }
        #expect(report.bill.totalCost == "5.00")
        #expect(report.outcomes.map(\.cost) == ["2.50", "2.50"])
    }

    @Test("items in flight run to their end") func inFlight() async throws {
        let (first, second) = (Door(), Door())
        let report = try await Engine.testing().run(
            [1, 2, 3],
            options: .with {
                $0.failurePolicy = .stop
                $0.runner = try ThreadRunner(maxWorkers: 2)
                $0.onCommitted = { outcomes in if outcomes.contains(where: { $0.status == .failed }) { second.open() } }
            }
        ) { (n: Int, _: Context) -> Int in
            guard n == 1 else {
                first.open()
                await second.pass()
                return n
            }
            await first.pass()
            throw Refusal()
        }
        #expect(report.outcomes.map(\.status) == [.failed, .succeeded, .cancelled])
    }

    @Test("are exact at the share", arguments: [(0, 3, true), (1, 3, true), (2, 3, false)])
    func share(failed: Int, total: Int, goesOn: Bool) throws {
        let share = try #require(Number("0.333333333333333334"))
        #expect(FailurePolicy.tolerate(share: share).continues(afterFailures: failed, of: total) == goesOn)
    }

    @Test(
        "are named in files", arguments: ["", "skip", "tolerate", "tolerate:", "tolerate:1.1", "tolerate:-0.1", "Stop"])
    func unknown(text: String) {
        #expect(throws: ProcessingError.self) { try FailurePolicy(text) }
    }

    @Test(
        "are written as they are read",
        arguments: ["collect", "stop", "atomic", "tolerate:0.25", "tolerate:1", "tolerate:0"])
    func text(text: String) throws { #expect(try FailurePolicy(text).description == text) }
}

@Suite("Retry policies") struct RetryPolicyTests {
    struct Refused: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var make: @Sendable () throws -> RetryPolicy
    }

    static let refused = [
        Refused(testDescription: "negative retries") { try RetryPolicy(maxRetries: -1) },
        Refused(testDescription: "too many retries") { try RetryPolicy(maxRetries: 1_001) },
        Refused(testDescription: "negative delay") { try RetryPolicy(maxRetries: 1, initialDelay: -1) },
        Refused(testDescription: "no finite delay") { try RetryPolicy(maxRetries: 1, initialDelay: .infinity) },
        Refused(testDescription: "delay that is no number") { try RetryPolicy(maxRetries: 1, maxDelay: .nan) },
        Refused(testDescription: "multiplier below 1") { try RetryPolicy(maxRetries: 1, backoffMultiplier: 0.5) },
        Refused(testDescription: "jitter above 1") { try RetryPolicy(maxRetries: 1, jitter: 1.5) },
    ]

    @Test("refuse what makes no sense", arguments: refused) func refuse(_ test: Refused) {
        let error = #expect(throws: ProcessingError.self) { try test.make() }
        #expect(error?.code == .configuration)
    }

    @Test("wait longer each time, up to a limit", arguments: [(3, 60.0, [1, 2, 4]), (5, 5.0, [1, 2, 4, 5, 5])])
    func delays(retries: Int, most: Double, seconds: [Int]) async throws {
        let time = ManualTime(runsFree: true)
        let report = try await Engine.testing(time: time).run(
            [1], options: .with { $0.retryPolicy = try RetryPolicy(maxRetries: retries, maxDelay: most) }
        ) { (_: Int, _: Context) -> Int in throw Refusal() }
        #expect(time.waits.filter { $0 <= .seconds(600) } == seconds.map { .seconds($0) })
        #expect(report.outcomes[0].attempts == retries + 1)
        #expect(report.outcomes[0].duration == .seconds(seconds.reduce(0, +)))
        #expect(report.error?.attempt == retries + 1)
    }

    @Test("scatter delays by their jitter", arguments: [(0.0, 5.0), (0.5, 10.0), (0.75, 12.5)])
    func jitter(chance: Double, seconds: Double) throws {
        let policy = try RetryPolicy(maxRetries: 1, initialDelay: 10, jitter: 0.5)
        #expect(policy.delay(after: ProcessingError(.api, ""), attempt: 1, chance: chance) == .seconds(seconds))
    }

    @Test("stand any finite setting") func huge() throws {
        let policy = try RetryPolicy(
            maxRetries: 1_000, initialDelay: 1e300, backoffMultiplier: 1e300, maxDelay: .greatestFiniteMagnitude)
        for attempt in [1, 2, 1_000] {
            let delay = try #require(policy.delay(after: ProcessingError(.api, ""), attempt: attempt, chance: 0.5))
            #expect(delay > .seconds(86_400))
        }
    }

    @Test("wait as long as the callee asks, within their limit", arguments: [(0, 1), (7, 7), (900, 60)])
    func retryAfter(asked: Int, waited: Int) throws {
        let error = ProcessingError(.api, "busy", retryAfter: .seconds(asked))
        #expect(try RetryPolicy(maxRetries: 1).delay(after: error, attempt: 1, chance: 0) == .seconds(waited))
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var retryOn: RetryPolicy.Failures
        var error: ProcessingError
        var attempts: Int
    }

    static let cases = [
        Case(testDescription: "retryable code", retryOn: .retryable, error: ProcessingError(.api, ""), attempts: 2),
        Case(testDescription: "other code", retryOn: .retryable, error: ProcessingError(.validation, ""), attempts: 1),
        Case(
            testDescription: "the thrower says yes", retryOn: .retryable,
            error: ProcessingError(.validation, "", retryable: true), attempts: 2),
        Case(
            testDescription: "the thrower says no", retryOn: .retryable,
            error: ProcessingError(.api, "", retryable: false), attempts: 1),
        Case(testDescription: "all", retryOn: .all, error: ProcessingError(.validation, ""), attempts: 2),
        Case(testDescription: "named code", retryOn: .codes([.cost]), error: ProcessingError(.cost, ""), attempts: 2),
        Case(
            testDescription: "code not named", retryOn: .codes([.cost]), error: ProcessingError(.api, ""), attempts: 1),
    ]

    @Test("retry what they are for", arguments: cases) func retryOn(_ test: Case) async throws {
        let report = try await Engine.testing().run(
            [1], options: .with { $0.retryPolicy = try RetryPolicy(maxRetries: 1, retryOn: test.retryOn) }
        ) { (_: Int, _: Context) -> Int in throw test.error }
        #expect(report.outcomes[0].attempts == test.attempts)
    }

    @Test("are not asked when nothing fails") func noFailure() async throws {
        let report = try await Engine.testing().run(
            [1], options: .with { $0.retryPolicy = try RetryPolicy(maxRetries: 3) }
        ) { (n: Int, _: Context) in n }
        #expect(report.outcomes[0].attempts == 1)
    }

    @Test("an attempt that succeeds ends the matter", arguments: Runners.all)
    func recovers(runner: any Runner) async throws {
        let processor = StepProcessor { place, _, attempt in
            if place == "processing", attempt < 3 { throw Refusal() }
        }
        let report = try await Engine.testing().run(
            processor, items: [Item("a", 1), Item("b", 2)],
            options: .with {
                $0.runner = runner
                $0.retryPolicy = try RetryPolicy(maxRetries: 5)
            })
        #expect(report.success)
        #expect(report.outcomes.map(\.attempts) == [3, 3])
        #expect(processor.calls[processor.steps] == [2, 6, 2])
        #expect(report.run.metrics?.retriedItems == 2)
    }

    @Test("under reprocess each attempt does every step again") func reprocess() async throws {
        let processor = StepProcessor { place, _, attempt in
            if place == "processing", attempt < 3 { throw Refusal() }
        }
        let report = try await Engine.testing().run(
            processor, items: [Item("a", 1)],
            options: .with {
                $0.recovery = .reprocess
                $0.retryPolicy = try RetryPolicy(maxRetries: 5)
            })
        #expect(report.success)
        #expect(processor.calls[processor.steps] == [3, 3, 1])
    }
}
