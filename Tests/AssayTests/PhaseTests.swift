import Assay
import AssayTesting
import Testing

@Suite("Phases") struct PhaseTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var failing: String?
        var counts: [Int]
        var status: Status
        var outcomes: [Status]
    }

    static let functions = ["transform", "validate", "extract", "aggregate"]
    static let cases = [
        Case(
            testDescription: "validate rejects the second of three", failing: "validate", counts: [2, 2, 0, 0],
            status: .failed, outcomes: [.skipped, .failed, .skipped]),
        Case(
            testDescription: "transform fails on the second of three", failing: "transform", counts: [2, 1, 0, 0],
            status: .failed, outcomes: [.skipped, .failed, .skipped]),
        Case(
            testDescription: "extract fails on the second of three", failing: "extract", counts: [3, 3, 3, 0],
            status: .partial, outcomes: [.succeeded, .failed, .succeeded]),
        Case(
            testDescription: "no failure", failing: nil, counts: [3, 3, 3, 1], status: .succeeded,
            outcomes: [.succeeded, .succeeded, .succeeded]),
        Case(
            testDescription: "aggregate fails", failing: "aggregate", counts: [3, 3, 3, 1], status: .failed,
            outcomes: [.succeeded, .succeeded, .succeeded]),
    ]
    static let items = (1...3).map { Item("doc_\($0)", $0) }

    @Test("stop the run or the item where they fail", arguments: cases, Runners.all)
    func gates(_ test: Case, runner: any Runner) async throws {
        let processor = StepProcessor(failingAt: test.failing, for: ["doc_2", ""])
        let report = try await Engine.testing().run(processor, items: Self.items, options: .on(runner))
        #expect(processor.calls[Self.functions] == test.counts)
        #expect(report.status == test.status)
        #expect(report.success == (test.status == .succeeded))
        #expect(report.outcomes.map(\.status) == test.outcomes)
    }

    @Test("a stopped preprocessing says what was not reached and why") func reasons() async throws {
        let report = try await Engine.testing().run(
            StepProcessor(failingAt: "validate", for: ["doc_2"]), items: Self.items)
        #expect(report.outcomes.map(\.reason) == [.preprocessingStopped, nil, .notReached])
        #expect(report.outcomes.map(\.attempts) == [0, 0, 0])
        #expect(report.error?.inputID == "doc_2")
        #expect(report.error?.code == .validation)
        #expect(report.error?.step == "validation")
    }

    /// Demands a text of five letters and makes one of numbers.
    struct FiveLetters: Processor {
        let name = "five_letters"
        var transforms = true
        func transform(_ input: JSONValue, in context: Context) -> JSONValue {
            transforms ? .string("processed_\(input.json)") : input
        }
        func validate(_ input: JSONValue, in context: Context) throws {
            guard let text = input.string, text.count >= 5 else { throw Refusal() }
        }
        func extract(_ input: JSONValue, in context: Context) -> JSONValue { input }
    }

    @Test("validation looks at the transformed value, which is what extract gets") func transformed() async throws {
        let report = try await Engine.testing().run(FiveLetters(), over: [123])
        #expect(try report.outputs(as: String.self) == ["processed_123"])
        #expect(try await Engine.testing().run(FiveLetters(transforms: false), over: [123]).error?.code == .validation)
    }

    @Test("a failed gate hands back what was about to enter it", arguments: [("transform", "7"), ("validate", "[7]")])
    func gateData(place: String, data: String) async throws {
        struct Wrapping: Processor {
            let name = "wrapping"
            var place: String
            func transform(_ input: JSONValue, in context: Context) throws -> JSONValue {
                if place == "transform", input == 7 { throw Refusal() }
                return [input]
            }
            func validate(_ input: JSONValue, in context: Context) throws {
                if place == "validate", input == [7] { throw Refusal() }
            }
            func extract(_ input: JSONValue, in context: Context) -> JSONValue { input }
        }
        let report = try await Engine.testing().run(Wrapping(place: place), over: [1, 7])
        #expect(report.error?.resumePoint?.data?.json == data)
        #expect(report.error?.resumePoint?.inputDigest == Digest(of: 7))
        #expect(report.error?.resumePoint?.runID == report.runID.text)
    }

    @Test("data that is not the processor's input fails its transformation") func undecodable() async throws {
        let report = try await Engine.testing().run(
            ClosureProcessor<Int, Int>("int") { n, _ in n }, items: [Item("a", 1), Item("b", "two")])
        #expect(report.error?.code == .transformation)
        #expect(report.error?.inputID == "b")
    }

    /// Brings texts into one spelling, which Swift's `==` does not tell from another.
    struct Spelling: Processor {
        let name = "spelling"
        func transform(_ input: String, in context: Context) -> String { "caf\u{E9}" }
        func extract(_ input: String, in context: Context) -> Int { input.utf8.count }
    }

    @Test("extract gets the transformed value even if it only looks like the raw one") func lookalike() async throws {
        let report = try await Engine.testing().run(Spelling(), over: ["cafe\u{301}"])
        #expect(try report.outputs(as: Int.self) == [5])
    }

    @Test("a run over no items succeeds and aggregates an empty list", arguments: Runners.all)
    func empty(runner: any Runner) async throws {
        let processor = StepProcessor()
        let report = try await Engine.testing().run(processor, items: [], options: .on(runner))
        #expect(report.status == .succeeded)
        #expect(processor.calls[Self.functions] == [0, 0, 0, 1])
        #expect(try report.summary(as: [Int].self) == [])
        #expect(report.counts == Counts())
    }

    @Test("aggregate is the list of outputs unless the processor says otherwise", arguments: Runners.all)
    func list(runner: any Runner) async throws {
        let report = try await Engine.testing().run(Array(1...600), options: .on(runner)) { (n: Int, _) in n * 2 }
        #expect(try report.summary(as: [Int].self) == (1...600).map { $0 * 2 })
    }

    /// Puts every input under one key, and its own; the first ends after the second.
    struct Merging: Processor {
        typealias Summary = [String: Int]
        let name = "merging"
        let door = Door()
        func extract(_ input: Int, in context: Context) async -> [String: Int] {
            if input == 1 { await door.pass() } else if input == 2 { door.open() }
            return ["last": input, "n\(input)": input]
        }
    }

    @Test("dictionaries are merged, the later input winning whichever finished first") func merge() async throws {
        let report = try await Engine.testing().run(
            Merging(), over: [1, 2], options: .on(try ThreadRunner(maxWorkers: 2)))
        #expect(try report.summary(as: [String: Int].self) == ["n1": 1, "n2": 2, "last": 2])
    }

    @Test("aggregate_partial aggregates what succeeded, if anything did", arguments: [("extract", 2), (nil, 3)])
    func partial(failing: String?, count: Int) async throws {
        let processor = StepProcessor(failingAt: failing, for: ["doc_2"])
        let report = try await Engine.testing().run(
            processor, items: Self.items, options: .with { $0.aggregatePartial = true })
        #expect(processor.calls["aggregate"] == 1)
        #expect(try report.summary(as: [JSONValue].self)?.count == count)
    }

    @Test("aggregate_partial does not aggregate when nothing succeeded") func nothingToAggregate() async throws {
        let processor = StepProcessor(failingAt: "extract")
        let report = try await Engine.testing().run(
            processor, items: Self.items, options: .with { $0.aggregatePartial = true })
        #expect(processor.calls["aggregate"] == 0)
        #expect(report.summaryIsMissing)
    }

    @Test("outputs are kept when the aggregation fails") func aggregationFails() async throws {
        let report = try await Engine.testing().run(StepProcessor(failingAt: "aggregate"), items: Self.items)
        #expect(report.error?.code == .aggregation)
        #expect(report.error?.step == "aggregation")
        #expect(report.error?.phase == .postprocessing)
        #expect(report.error?.inputID == nil)
        #expect(report.summaryIsMissing)
        #expect(report.outcomes.allSatisfy { $0.output != nil })
    }

    @Test("items that arrive over time are run when the last one is there") func streaming() async throws {
        let (stream, continuation) = AsyncStream.makeStream(of: Item.self)
        for number in 1...3 { continuation.yield(Item("n\(number)", number)) }
        continuation.finish()
        let report = try await Engine.testing().run(
            try RegisteredProcessor(ClosureProcessor<Int, Int>("n") { n, _ in n }), streaming: stream)
        #expect(try report.outputs(as: Int.self) == [1, 2, 3])
    }
}

extension Report {
    var summaryIsMissing: Bool { run.summary == nil }
}
