import Assay
import AssayTesting
import Testing

@Suite("Recovery") struct RecoveryTests {
    static let steps = ["validation", "processing", "extraction"]

    struct Case: Sendable, CustomTestStringConvertible {
        var failing: String?
        var first: [Int]
        var resumed: [Int]
        var testDescription: String { failing.map { "fails at \($0)" } ?? "all well" }
    }

    static let cases = [
        Case(failing: nil, first: [1, 1, 1], resumed: [0, 0, 0]),
        Case(failing: "validation", first: [1, 0, 0], resumed: [1, 1, 1]),
        Case(failing: "processing", first: [1, 1, 0], resumed: [0, 1, 1]),
        Case(failing: "extraction", first: [1, 1, 1], resumed: [0, 0, 1]),
    ]

    /// A processor that fails at a step for the items named, as long as it is told to.
    final class Fragile: Sendable {
        let calls = Calls()
        let failing: String?
        let items: Set<String>?
        init(failingAt failing: String?, for items: Set<String>? = nil) {
            (self.failing, self.items) = (failing, items)
        }
        var broken: StepProcessor { StepProcessor(failingAt: failing, for: items, calls: calls) }
        var mended: StepProcessor { StepProcessor(calls: calls) }
    }

    @Test("calls per step, by resume", arguments: cases, Runners.all)
    func resume(_ test: Case, runner: any Runner) async throws {
        let engine = Engine.testing()
        let fragile = Fragile(failingAt: test.failing)
        let first = try await engine.run(fragile.broken, items: [Item("a", 1)], options: .on(runner))
        #expect(fragile.calls[Self.steps] == test.first)
        fragile.calls.reset()
        let again = try await engine.resume(fragile.mended, after: first, options: .on(runner))
        #expect(fragile.calls[Self.steps] == test.resumed)
        #expect(again.success)
        #expect(again.outcomes[0].carried == (test.failing == nil))
        #expect(again.executionID == first.executionID)
    }

    @Test("calls per step, by reprocess", arguments: cases, Runners.all)
    func reprocess(_ test: Case, runner: any Runner) async throws {
        let engine = Engine.testing()
        let fragile = Fragile(failingAt: test.failing)
        let first = try await engine.run(fragile.broken, items: [Item("a", 1)], options: .on(runner))
        fragile.calls.reset()
        let again = try await engine.resume(
            fragile.mended, after: first,
            options: .with {
                $0.runner = runner
                $0.recovery = .reprocess
            })
        #expect(fragile.calls[Self.steps] == [1, 1, 1])
        #expect(again.success)
    }

    @Test("calls per step, by the payload alone in another engine and store", arguments: cases.dropFirst())
    func payload(_ test: Case) async throws {
        let fragile = Fragile(failingAt: test.failing)
        let first = try await Engine.testing().run(fragile.broken, items: [Item("a", 1)])
        fragile.calls.reset()
        let payload = try first.outcomes[0].jsonValue()["error"]?["payload"]
        let again = try await Engine.testing().run(fragile.mended, items: [Item("a", 1, payload: payload)])
        #expect(fragile.calls[Self.steps] == test.resumed)
        #expect(again.success)
        let whole = try await Engine.testing().run(fragile.mended, items: [Item("a", 1)])
        #expect(try again.outputs(as: JSONValue.self) == whole.outputs(as: JSONValue.self))
    }

    @Test("of three items of which the first fails, the retry does one step", arguments: Runners.all)
    func three(runner: any Runner) async throws {
        let engine = Engine.testing()
        let fragile = Fragile(failingAt: "extraction", for: ["doc_1"])
        let items = (1...3).map { Item("doc_\($0)", $0) }
        let first = try await engine.run(fragile.broken, items: items, options: .on(runner))
        #expect(first.status == .partial)
        fragile.calls.reset()
        let retry = try await engine.again(fragile.mended, after: first, items: items, options: .on(runner))
        #expect(fragile.calls[Self.steps + ["aggregate", "transform", "validate"]] == [0, 0, 1, 1, 1, 1])
        #expect(retry.status == .succeeded)
        #expect(retry.outcomes.map(\.carried) == [false, true, true])
        #expect(retry.outcomes.map(\.attempts) == [1, 0, 0])
        #expect(retry.outcomes.map(\.cost) == [.zero, .zero, .zero])
        #expect(try retry.summary(as: [JSONValue].self)?.count == 3)
    }

    @Test("an intermediate value is handed back, and other data starts over") func intermediate() async throws {
        let calls = Calls()
        let processor = { (mended: Bool) in
            ClosureProcessor<JSONValue, JSONValue>("pages") { input, context in
                let pages: JSONValue = try await context.step("validation") {
                    calls.note("validation")
                    return ["pages": 5]
                }
                let text: JSONValue = try await context.step("processing") {
                    calls.note("processing")
                    guard mended else { throw Refusal() }
                    return [pages]
                }
                return try await context.step("extraction") {
                    calls.note("extraction")
                    return text
                }
            }
        }
        let engine = Engine.testing()
        let failed = try await engine.run(processor(false), items: [Item("a", "scan")])
        let point = try #require(failed.resumePoints?[0])
        #expect(point.step == "processing")
        #expect(point.data == ["pages": 5])

        calls.reset()
        let other = try await engine.again(processor(true), after: failed, items: [Item("a", "other scan")])
        #expect(calls[Self.steps] == [1, 1, 1])
        #expect(other.outcomes[0].inputChanged)
        #expect(!other.outcomes[0].carried)
    }

    // MARK: By what the last run left

    struct Left: Sendable, CustomTestStringConvertible {
        var testDescription: String
        /// Fails in the first run.
        var failing: String?
        var changed: Bool
        var recovery: RecoveryMode
        var carried: Bool
        var calls: [Int]
    }

    static let left = [
        Left(
            testDescription: "succeeded, resume", failing: nil, changed: false, recovery: .resume, carried: true,
            calls: [0, 0, 0]),
        Left(
            testDescription: "succeeded, reprocess", failing: nil, changed: false, recovery: .reprocess, carried: false,
            calls: [1, 1, 1]),
        Left(
            testDescription: "failed, resume", failing: "processing", changed: false, recovery: .resume, carried: false,
            calls: [0, 1, 1]),
        Left(
            testDescription: "failed, reprocess", failing: "processing", changed: false, recovery: .reprocess,
            carried: false, calls: [1, 1, 1]),
        Left(
            testDescription: "succeeded, changed, resume", failing: nil, changed: true, recovery: .resume,
            carried: false,
            calls: [1, 1, 1]),
        Left(
            testDescription: "failed, changed, resume", failing: "processing", changed: true, recovery: .resume,
            carried: false, calls: [1, 1, 1]),
        Left(
            testDescription: "failed, changed, reprocess", failing: "processing", changed: true, recovery: .reprocess,
            carried: false, calls: [1, 1, 1]),
    ]

    @Test("treats an item by what the last run left of it", arguments: left) func byLastRun(_ test: Left) async throws {
        let engine = Engine.testing()
        let fragile = Fragile(failingAt: test.failing)
        let first = try await engine.run(fragile.broken, items: [Item("a", 1)])
        fragile.calls.reset()
        let again = try await engine.again(
            fragile.mended, after: first, items: [Item("a", test.changed ? 2 : 1)],
            options: .with { $0.recovery = test.recovery })
        #expect(fragile.calls[Self.steps] == test.calls)
        #expect(again.outcomes[0].carried == test.carried)
        #expect(again.outcomes[0].inputChanged == test.changed)
        #expect(again.success)
    }

    @Test("a new item of the list runs in full, and only the items handed back are aggregated") func otherList()
        async throws
    {
        let engine = Engine.testing()
        let processor = StepProcessor()
        let first = try await engine.run(processor, items: [Item("a", 1), Item("b", 2)])
        let again = try await engine.again(processor, after: first, items: [Item("c", 3), Item("b", 2)])
        #expect(again.outcomes.map(\.carried) == [false, true])
        #expect(again.outcomes.map(\.inputID) == ["c", "b"])
        #expect(try again.summary(as: [JSONValue].self) == again.outputs(as: JSONValue.self))
    }

    @Test("what a resume leaves is where the next one goes on") func chain() async throws {
        let engine = Engine.testing()
        let calls = Calls()
        var report = try await engine.run(StepProcessor(failingAt: "validation", calls: calls), items: [Item("a", 1)])
        for step in ["processing", "extraction", "nothing"] {
            report = try await engine.resume(StepProcessor(failingAt: step, calls: calls), after: report)
        }
        #expect(report.success)
        #expect(calls[Self.steps] == [2, 2, 2])
        #expect(report.run.lineage.retryCount == 3)
    }

    @Test("after a reprocess that failed, only its own steps are used") func reprocessedSteps() async throws {
        let engine = Engine.testing()
        let calls = Calls()
        let first = try await engine.run(StepProcessor(failingAt: "extraction", calls: calls), items: [Item("a", 1)])
        let second = try await engine.resume(
            StepProcessor(failingAt: "processing", calls: calls), after: first,
            options: .with { $0.recovery = .reprocess })
        calls.reset()
        let third = try await engine.resume(StepProcessor(calls: calls), after: second)
        #expect(third.success)
        #expect(calls[Self.steps] == [0, 1, 1])
    }

    @Test("retry runs failed items only, the others keep their outcome") func failedOnly() async throws {
        let engine = Engine.testing()
        let calls = Calls()
        let items = ["a", "b", "c"].map { Item($0, 1) }
        let stopped = try await engine.run(
            StepProcessor(failingAt: "extract", for: ["b"], calls: calls), items: items,
            options: .with { $0.failurePolicy = .stop })
        #expect(stopped.outcomes.map(\.status) == [.succeeded, .failed, .cancelled])
        let retried = try await engine.resume(StepProcessor(calls: calls), after: stopped, failedOnly: true)
        #expect(retried.outcomes.map(\.status) == [.succeeded, .succeeded, .cancelled])
        #expect(retried.outcomes.map(\.reason) == [nil, nil, .failurePolicy])
        let resumed = try await engine.resume(StepProcessor(calls: calls), after: retried)
        #expect(resumed.success)
    }

    @Test("keys that do not count may change") func digestIgnores() async throws {
        let engine = Engine.testing()
        let processor = try RegisteredProcessor(StepProcessor(), digestIgnores: ["fetched_at"])
        let first = try await engine.run(processor, over: [Item("a", ["n": 1, "fetched_at": 1] as JSONValue)])
        let again = try await engine.run(
            processor, over: [Item("a", ["n": 1, "fetched_at": 2] as JSONValue)],
            options: .with { $0.executionID = first.executionID })
        #expect(again.outcomes.map(\.carried) == [true])
    }

    @Test("a later run finds items in another order and among thousands", arguments: [false, true])
    func order(reversed: Bool) async throws {
        let engine = Engine.testing()
        let processor = ClosureProcessor<Int, Int>("n") { n, _ in n }
        let items = (1...2_100).map { Item("n\($0)", $0) }
        let first = try await engine.run(processor, items: items)
        let again = try await engine.again(processor, after: first, items: reversed ? items.reversed() : items)
        #expect(again.outcomes.allSatisfy { $0.carried })
        #expect(try again.outputs(as: Int.self) == (reversed ? Array((1...2_100).reversed()) : Array(1...2_100)))
    }

    // MARK: Refusals

    @Test("resuming an unknown run is refused") func unknownRun() async throws {
        let id = try #require(Identifier("run_9"))
        #expect(
            await code { try await Engine.testing().resume(id, with: RegisteredProcessor(StepProcessor())) }
                == .notFound)
    }

    @Test(
        "a changed processor is refused unless the caller says keep or restart",
        arguments: [
            (ChangePolicy.refuse, nil), (.keep, [0, 0, 1]), (.restart, [1, 1, 1]),
        ])
    func definition(onChange: ChangePolicy, calls: [Int]?) async throws {
        let engine = Engine.testing()
        let fragile = Fragile(failingAt: "extraction")
        let first = try await engine.run(RegisteredProcessor(fragile.broken), over: [Item("a", 1)])
        fragile.calls.reset()
        let edited = try RegisteredProcessor(fragile.mended, version: "2")
        guard let calls else {
            #expect(await code { try await engine.resume(first.runID, with: edited) } == .definitionChanged)
            #expect(try await engine.store.runs(matching: RunFilter()).count == 1)
            return
        }
        let again = try await engine.resume(first.runID, with: edited, options: .with { $0.onChange = onChange })
        #expect(again.success)
        #expect(fragile.calls[Self.steps] == calls)
    }

    @Test("other parameters are another definition, reprocess does not ask") func parameters() async throws {
        let engine = Engine.testing()
        let first = try await engine.run(
            RegisteredProcessor(StepProcessor(failingAt: "extraction"), parameters: ["limit": 1]), over: [Item("a", 1)])
        let edited = try RegisteredProcessor(StepProcessor(), parameters: ["limit": 2])
        #expect(await code { try await engine.resume(first.runID, with: edited) } == .definitionChanged)
        #expect(
            try await engine.resume(first.runID, with: edited, options: .with { $0.recovery = .reprocess }).success)
    }

    @Test("after a restart that failed, steps of the old definition stay forgotten") func restartedSteps() async throws
    {
        let engine = Engine.testing()
        let calls = Calls()
        let first = try await engine.run(StepProcessor(failingAt: "extraction", calls: calls), items: [Item("a", 1)])
        let second = try await engine.resume(
            first.runID, with: RegisteredProcessor(StepProcessor(failingAt: "processing", calls: calls), version: "2"),
            options: .with { $0.onChange = .restart })
        calls.reset()
        let third = try await engine.resume(
            second.runID, with: RegisteredProcessor(StepProcessor(calls: calls), version: "2"))
        #expect(third.success)
        #expect(calls[Self.steps] == [0, 1, 1])
    }

    @Test("an execution has one run at a time") func alreadyRunning() async throws {
        let engine = Engine.testing()
        let (inside, door) = (Door(), Door())
        let execution = try #require(Identifier("exec_1"))
        let options = RunOptions.with { $0.executionID = execution }
        async let first = engine.run([1], options: options) { (n: Int, _: Context) in
            inside.open()
            await door.pass()
            return n
        }
        await inside.pass()
        #expect(
            await code { try await engine.run([1], options: options) { (n: Int, _: Context) in n } } == .alreadyRunning)
        door.open()
        #expect(try await first.success)
        #expect(try await engine.run([1], options: options) { (n: Int, _: Context) in n }.success)
    }

    // MARK: Resume points by hand

    struct Point: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var payload: JSONValue
        var calls: [Int]
        var output: JSONValue
    }

    static func made(_ step: String, of value: JSONValue) -> JSONValue { ["made_by": .string(step), "of": value] }
    static let whole = made("extraction", of: made("processing", of: made("validation", of: 1)))

    static let points = [
        Point(
            testDescription: "steps before the named one return the payload's data",
            payload: ["step": "extraction", "data": "kept"], calls: [0, 0, 1], output: made("extraction", of: "kept")),
        Point(
            testDescription: "saved steps return their own values",
            payload: ["step": "processing", "data": 1, "saved": [["step": "validation", "value": "mine"]]],
            calls: [0, 1, 1], output: made("extraction", of: made("processing", of: "mine"))),
        Point(
            testDescription: "from the named step on everything runs",
            payload: ["step": "processing", "data": 1, "saved": [["step": "extraction", "value": "old"]]],
            calls: [0, 1, 1], output: made("extraction", of: made("processing", of: 1))),
        Point(
            testDescription: "a payload without a step is ignored",
            payload: ["data": "kept", "saved": [["step": "validation", "value": "mine"]]], calls: [1, 1, 1],
            output: whole),
        Point(testDescription: "an empty payload is ignored", payload: [:], calls: [1, 1, 1], output: whole),
        Point(
            testDescription: "other data than the payload's runs in full",
            payload: ["step": "extraction", "data": "kept", "input_digest": .string(Digest(of: 7).text)],
            calls: [1, 1, 1], output: whole),
    ]

    @Test("a payload by hand", arguments: points) func byHand(_ test: Point) async throws {
        let processor = StepProcessor()
        let report = try await Engine.testing().run(processor, items: [Item("a", 1, payload: test.payload)])
        #expect(processor.calls[Self.steps] == test.calls)
        #expect(try report.outputs(as: JSONValue.self) == [test.output])
        #expect(report.outcomes[0].inputChanged == (test.payload["input_digest"]?.string != nil))
    }

    @Test("data that does not decode as a step's value lets the step run") func undecodable() async throws {
        let report = try await Engine.testing().run(
            ClosureProcessor<Int, Int>("n") { n, context in
                let count = try await context.step("count") { n }
                return try await context.step("sum") { count + 1 }
            }, items: [Item("a", 1, payload: ["step": "sum", "data": "text"])])
        #expect(try report.outputs(as: Int.self) == [2])
    }

    @Test("a step that is never asked for fails the item and names those that were") func unknownStep() async throws {
        let report = try await Engine.testing().run(
            StepProcessor(), items: [Item("doc_1", 1, payload: ["step": "proces", "data": 1])])
        #expect(report.error?.code == .unknownStep)
        #expect(
            report.error?.message
                == "resume point of 'doc_1' names step 'proces'; this processor asks for validation, processing, extraction"
        )
    }

    @Test(
        "a point that names the stage of a failure outside of every step has the item start over, whoever made it",
        arguments: [["kept"], nil] as [JSONValue?], Runners.all)
    func stage(data: JSONValue?, runner: any Runner) async throws {
        let processor = StepProcessor(steps: ["read", "look"])
        var payload: JSONObject = ["step": "extraction"]
        payload["data"] = data
        let options = try RunOptions.with {
            $0.runner = runner
            // The attempt that is not counted uses none of the retries up.
            $0.retryPolicy = try RetryPolicy(maxRetries: 0)
        }
        let report = try await Engine.testing().run(
            processor, items: [Item("a", 1, payload: .object(payload))], options: options)
        #expect(try report.outputs(as: JSONValue.self) == [Self.made("look", of: Self.made("read", of: 1))])
        #expect(processor.calls[["read", "look"]] == [1, 1])
        #expect(report.outcomes[0].attempts == (data == nil ? 1 : 2))
    }

    @Test("started over, an item keeps the steps that its execution has saved")
    func stageSaved() async throws {
        let engine = Engine.testing()
        let calls = Calls()
        let failed = try await engine.run(
            StepProcessor(steps: ["read", "look"], calls: calls) { place, _, _ in
                if place == "look" { throw Refusal() }
            }, items: [Item("a", 1)])
        let payload: JSONValue = ["step": "extraction", "data": "kept"]
        calls.reset()
        let again = try await engine.again(
            StepProcessor(steps: ["read", "look"], calls: calls), after: failed, items: [Item("a", 1, payload: payload)]
        )
        #expect(try again.outputs(as: JSONValue.self) == [Self.made("look", of: Self.made("read", of: 1))])
        #expect(calls[["read", "look"]] == [0, 1])
    }

    @Test("a further attempt keeps what the one before did from the resume point on") func retriedPoint() async throws {
        let processor = StepProcessor { place, _, attempt in
            if place == "extraction", attempt == 1 { throw Refusal() }
        }
        let report = try await Engine.testing().run(
            processor, items: [Item("a", 1, payload: ["step": "processing", "data": "kept"])],
            options: .with { $0.retryPolicy = try RetryPolicy(maxRetries: 1) })
        #expect(report.success)
        #expect(processor.calls[Self.steps] == [0, 1, 2])
    }

    @Test("a point inside another step lets the outer one run") func nestedPoint() async throws {
        let calls = Calls()
        let processor = { (mended: Bool) in
            ClosureProcessor<Int, Int>("nested") { n, context in
                let first = try await context.step("first") {
                    calls.note("first")
                    return n + 1
                }
                return try await context.step("outer") {
                    calls.note("outer")
                    return try await context.step("inner") {
                        guard mended else { throw Refusal() }
                        return first * 10
                    }
                }
            }
        }
        let failed = try await Engine.testing().run(processor(false), items: [Item("a", 1)])
        #expect(failed.error?.step == "outer/inner")
        calls.reset()
        for payload in [failed.resumePoints?[0]?.jsonValue, ["step": "outer/inner", "data": 2]] {
            let resumed = try await Engine.testing().run(processor(true), items: [Item("a", 1, payload: payload)])
            #expect(try resumed.outputs(as: Int.self) == [20])
        }
        #expect(calls[["first", "outer"]] == [0, 2])
    }
}

@Suite("Lineage") struct LineageTests {
    let engine = Engine.testing()
    let items = [Item("a", 1)]

    @Test("a first run is its own parent, a retry keeps the parent and counts") func chain() async throws {
        let first = try await engine.run(StepProcessor(failingAt: "extraction"), items: items)
        #expect(first.run.lineage == Lineage(parentRunID: first.runID))
        var last = first
        for count in 1...3 {
            let retry = try await engine.again(StepProcessor(failingAt: "extraction"), after: last, items: items)
            #expect(
                retry.run.lineage
                    == Lineage(
                        parentRunID: first.runID, previousRunID: last.runID, retryCount: count,
                        lastErrorStep: "extraction"))
            #expect(retry.executionID == first.executionID)
            last = retry
        }
    }

    @Test("what the caller says replaces what was computed, and metadata is merged") func given() async throws {
        let parent = try #require(Identifier("run_0"))
        let first = try await engine.run(
            StepProcessor(failingAt: "extraction"), items: items,
            options: .with { $0.metadata = ["a": 1, "b": 2] })
        let retry = try await engine.again(
            StepProcessor(), after: first, items: items,
            options: .with {
                $0.parentRunID = parent
                $0.retryCount = 7
                $0.lastErrorStep = "elsewhere"
                $0.metadata = ["b": 3]
            })
        #expect(
            retry.run.lineage
                == Lineage(
                    parentRunID: parent, previousRunID: first.runID, retryCount: 7, lastErrorStep: "elsewhere",
                    metadata: ["a": 1, "b": 3]))
    }

    @Test("an unknown previous run is recorded, with a hint") func unknown() async throws {
        let unknown = try #require(Identifier("run_8"))
        let report = try await engine.run(StepProcessor(), items: items, options: .with { $0.previousRunID = unknown })
        #expect(report.run.lineage.previousRunID == unknown)
        let hints = engine.events.latest().filter { $0.kind == .hint }.compactMap { $0.data["message"]?.string }
        #expect(hints.contains { $0.contains("run_8") })
    }

    @Test("the execution is the caller's, else that of the scope, of the previous run, or a new one") func execution()
        async throws
    {
        let (mine, scoped) = (try #require(Identifier("mine")), try #require(Identifier("scoped")))
        let item = [Item("a", 1, executionID: "scoped")]
        func run(_ change: (inout RunOptions) -> Void) async throws -> Execution.ID {
            try await engine.run(StepProcessor(), items: item, options: .with(change)).executionID
        }
        let first = try await engine.run(StepProcessor(), items: item)
        #expect(
            try await run {
                $0.executionID = mine
                $0.scope.executionID = scoped
                $0.previousRunID = first.runID
            } == mine)
        #expect(
            try await run {
                $0.scope.executionID = scoped
                $0.previousRunID = first.runID
            } == scoped)
        #expect(try await run { $0.previousRunID = first.runID } == first.executionID)
        #expect(try await run { _ in } != first.executionID)
    }
}
