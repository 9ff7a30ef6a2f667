import Assay
import AssayTesting
import Testing

@Suite("Steps") struct StepTests {
    let calls = Calls()

    @Test("a step that was saved is not done again", arguments: Runners.all)
    func saved(runner: any Runner) async throws {
        let engine = Engine.testing()
        let processor = ClosureProcessor<Int, Int>("test") { [calls] n, context in
            let value = try await context.step("double") {
                calls.note("double")
                return n * 2
            }
            guard context.lineage.retryCount > 0 else { throw Refusal() }
            return value
        }
        let failed = try await engine.run(processor, items: [Item("a", 21)], options: .on(runner))
        let resumed = try await engine.resume(processor, after: failed, options: .on(runner))
        #expect(try resumed.outputs(as: Int.self) == [42])
        #expect(calls["double"] == 1)
        #expect(resumed.outcomes[0].steps.map(\.restored) == [true])
        #expect(resumed.outcomes[0].attempts == 1)
    }

    @Test("a step is on record before it returns") func durable() async throws {
        let store = MemoryStore()
        let report = try await Engine.testing(store).run([1]) { (n: Int, context: Context) in
            _ = try await context.step("first") { n }
            let subject = CheckpointSubject(
                executionID: context.executionID, processorID: context.processorID, inputID: "item_1")
            return try await store.checkpoints(of: subject).saved.map(\.step)
        }
        #expect(try report.outputs(as: [String].self) == [["first"]])
    }

    @Test("a body that throws saves nothing and names the step") func failing() async throws {
        let report = try await Engine.testing().run([5]) { (n: Int, context: Context) -> Int in
            let value = try await context.step("first") { n + 1 }
            return try await context.step("second") { () -> Int in throw Refusal(description: "no \(value)") }
        }
        let point = try #require(report.outcomes[0].error?.resumePoint)
        #expect(report.outcomes[0].error?.step == "second")
        #expect(point.step == "second")
        #expect(point.data == 6)
        #expect(point.saved?.map(\.step) == ["first"])
        #expect(point.saved?.map(\.value) == [6])
        #expect(point.inputDigest == Digest(of: 5))
        #expect(point.runID == report.runID.text)
        #expect(report.outcomes[0].steps.map(\.name) == ["first", "second"])
    }

    @Test("a failure outside of any step names the stage and hands back the last value") func stage() async throws {
        let report = try await Engine.testing().run([5, 6]) { (n: Int, context: Context) -> Int in
            if n == 5 { throw Refusal() }
            _ = try await context.step("first") { "done" }
            throw Refusal()
        }
        #expect(report.outcomes.map { $0.error?.step } == ["extraction", "extraction"])
        #expect(report.outcomes.map { $0.error?.resumePoint?.data } == [5, "done"])
    }

    @Test("further uses of a name and steps inside steps have names of their own") func names() async throws {
        let engine = Engine.testing()
        let processor = ClosureProcessor<Int, [Int]>("test") { [calls] n, context in
            var values: [Int] = []
            for round in 1...3 {
                values.append(
                    try await context.step("page") {
                        calls.note("page")
                        return round
                    })
            }
            values.append(
                try await context.step("outer") {
                    let inner = try await context.step("inner") { 10 }
                    return try await context.step("inner") { inner + 10 }
                })
            guard context.lineage.retryCount > 0 else { throw Refusal() }
            return values
        }
        let failed = try await engine.run(processor, items: [Item("a", 1)])
        #expect(
            failed.outcomes[0].steps.map(\.name) == [
                "page", "page#2", "page#3", "outer/inner", "outer/inner#2", "outer",
            ])
        let resumed = try await engine.resume(processor, after: failed)
        #expect(try resumed.outputs(as: [Int].self) == [[1, 2, 3, 20]])
        #expect(calls["page"] == 3)
        #expect(resumed.outcomes[0].steps.map(\.name) == ["page", "page#2", "page#3", "outer"])
    }

    @Test("steps with different names may run concurrently") func concurrent() async throws {
        let report = try await Engine.testing().run([1]) { (_: Int, context: Context) in
            async let left = context.step("left") { 1 }
            async let right = context.step("right") { 2 }
            return try await left + right
        }
        #expect(try report.outputs(as: Int.self) == [3])
        #expect(Set(report.outcomes[0].steps.map(\.name)) == ["left", "right"])
    }

    @Test("a saved value that no longer decodes is made again, with a warning") func undecodable() async throws {
        let events = EventStream()
        let engine = Engine.testing(events: events)
        let old = ClosureProcessor<Int, Int>("test") { _, context in
            _ = try await context.step("count") { "many" }
            throw Refusal()
        }
        let new = ClosureProcessor<Int, Int>("test") { _, context in try await context.step("count") { 7 } }
        let failed = try await engine.run(old, items: [Item("a", 1)])
        let resumed = try await engine.resume(new, after: failed)
        #expect(try resumed.outputs(as: Int.self) == [7])
        #expect(resumed.outcomes[0].steps.map(\.restored) == [false])
        let warning = try #require(events.latest().last { $0.kind == .warning })
        #expect(warning.inputID == "a")
        #expect(warning.data["message"]?.string?.contains("saved value of step 'count'") == true)
    }

    @Test("a value that is not JSON fails its item") func notJSON() async throws {
        let report = try await Engine.testing().run([1]) { (_: Int, context: Context) in
            try await context.step("ratio") { Double.nan }
        }
        #expect(report.error?.code == .processing)
    }

    @Test("a step's name is an identifier", arguments: ["", "a b", "a/b", "a#2"]) func stepName(name: String)
        async throws
    {
        let report = try await Engine.testing().run([1]) { (_: Int, context: Context) in
            try await context.step(name) { 1 }
        }
        #expect(report.error?.code == .configuration)
    }

    /// Asks for something that is for `extract` alone.
    struct Eager: Processor {
        let name = "eager"
        let asks: @Sendable (Context) async throws -> Void
        let place: Phase
        func validate(_ input: Int, in context: Context) async throws {
            if place == .preprocessing { try await asks(context) }
        }
        func extract(_ input: Int, in context: Context) -> Int { input }
        func aggregate(_ outputs: Outputs<Int>, in context: Context) async throws -> [Int] {
            if place == .postprocessing { try await asks(context) }
            return []
        }
    }

    @Test(
        "step, emit and heartbeat are for extraction only", arguments: ["step", "emit", "heartbeat"],
        [Phase.preprocessing, .postprocessing])
    func extractionOnly(what: String, phase: Phase) async throws {
        let processor = Eager(
            asks: { context in
                switch what {
                case "step": _ = try await context.step("a") { 1 }
                case "emit": try await context.emit(1)
                default: try context.heartbeat()
                }
            }, place: phase)
        let report = try await Engine.testing().run(processor, over: [1])
        #expect(report.error?.code == .configuration)
        #expect(report.error?.message == "'\(what)' works in extraction only, not in \(phase.rawValue)")
    }

    @Test("emit hands each piece to whoever watches, in order") func emit() async throws {
        let pieces = Notes<String>()
        _ = try await Engine.testing().run(
            [3], options: .with { $0.onChunk = { item, chunk in pieces.add("\(item): \(try! chunk.json().json)") } }
        ) { (n: Int, context: Context) in
            for piece in 1...n { try await context.emit(piece) }
            return n
        }
        #expect(pieces.all == ["item_1: 1", "item_1: 2", "item_1: 3"])
    }

    @Test("a context names run, execution, scope, item and attempt, and is not shared by runs") func context()
        async throws
    {
        let account = try #require(ExternalID("acc_1"))
        let engine = Engine.testing()
        let processor = ClosureProcessor<Int, [String?]>("test") { _, context in
            [
                context.runID.text, context.executionID.text, context.processorID.text, context.scope.accountID?.text,
                context.scope.underwritingID?.text, context.inputID, "\(context.attempt)", context.phase.rawValue,
            ]
        }
        let items = [Item("a", 1, accountID: "acc_1", underwritingID: "uw_9")]
        let report = try await engine.run(processor, items: items, options: .with { $0.scope.accountID = account })
        #expect(
            try report.outputs(as: [String?].self)[0] == [
                report.runID.text, report.executionID.text, "test", "acc_1", "uw_9", "a", "1", "extraction",
            ])
        #expect(try await engine.run(processor, items: items).runID != report.runID)
    }
}
