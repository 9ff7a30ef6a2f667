import AssayTesting
import Foundation
import Testing

@testable import Assay

@Suite("Checkpoints of a graph") struct GraphCheckpointTests {
    private let calls = Notes<String>()

    /// Nodes that add their name to a text, in a row.
    private func row(_ names: [String] = ["a", "b", "c"]) throws -> Graph {
        try Graph.linear(
            "row",
            names.map { name in
                try Node(name) { [calls] (text: String) in
                    calls.add(name)
                    return text + name
                }
            })
    }

    private func keeping(_ runner: (any Runner)? = nil) -> GraphOptions {
        .with {
            $0.runner = runner
            $0.checkpoints.isEnabled = true
        }
    }

    private func checkpoint(_ name: String, _ engine: Engine) async throws -> NamedCheckpoint.Summary {
        try #require(await engine.checkpoints().list().first { $0.name == name })
    }

    // MARK: Automatic ones

    @Test("are made of every node output, under every runner", arguments: GraphRunTests.runners)
    func made(runner: (any Runner)?) async throws {
        let engine = Engine.testing()
        let report = try await engine.run(
            row(), over: [Item("x/1", "-"), Item("y", "+")], options: keeping(runner))
        #expect(report.status == .succeeded)
        let kept = try await engine.checkpoints().list()
        #expect(
            Set(kept.map { "\($0.name) \($0.preview)" }) == [
                "a/x/1 \"-a\"", "b/x/1 \"-ab\"", "c/x/1 \"-abc\"", "a/y \"+a\"", "b/y \"+ab\"", "c/y \"+abc\"",
            ])
        let metadata: JSONObject = [
            "input_id": "x/1", "run_id": .string(report.runID.text), "execution_id": .string(report.executionID.text),
            "graph_id": "row",
        ]
        #expect(try await checkpoint("b/x/1", engine).metadata == metadata)
        let events = try await engine.store.events(of: report.runID, after: 0, limit: 100)
            .filter { $0.kind == .checkpointCreate }
        #expect(events.count == 6)
        #expect(Set(events.map { $0.data["checkpoint_id"]?.string }) == Set(kept.map(\.id.text)))
        #expect(events.allSatisfy { $0.graphID?.text == "row" && $0.inputID != nil && $0.processorID != nil })
    }

    @Test("are made of what worker processes give", .timeLimit(.minutes(5))) func processes() async throws {
        let engine = Engine.testing()
        let there = try Node("there", StepProcessor()).with { $0.runner = try? Helper.runner(1) }
        let report = try await engine.run(
            Graph.linear("g", [there, .passing("after")]), over: [3], options: keeping())
        #expect(report.status == .succeeded)
        #expect(
            try await checkpoint("there/item_1", engine).preview == checkpoint("after/item_1", engine).preview)
    }

    @Test("are not made unless asked for") func off() async throws {
        let engine = Engine.testing()
        _ = try await engine.run(row(), over: ["-"])
        #expect(try await engine.checkpoints().list().isEmpty)
    }

    @Test("are made of cached outputs too, and not again of outputs that were saved")
    func reused() async throws {
        let engine = Engine.testing()
        let broken = Counter()
        let graph = try Graph("g")
        try graph.add(
            try Node("a") { (value: Int, context: Context) in
                try await context.charge("s", "o", cost: "5")
                return value + 1
            }.with { $0.cache = CachePolicy() })
        try graph.add(
            try Node("b") { (value: Int) in
                if broken.next() == 2 { throw Refusal() }
                return value
            })
        try graph.wire("a -> b")
        let options = GraphOptions.with {
            $0.errorStrategy = .skip
            $0.checkpoints.isEnabled = true
        }
        _ = try await engine.run(graph, over: [Item("one", 1)], options: options)
        let second = try await engine.run(graph, over: [Item("two", 1)], options: options)
        #expect(try await engine.checkpoints().list().map(\.name).sorted() == ["a/one", "a/two", "b/one"])
        _ = try await engine.resume(second.runID, with: graph, options: options)
        #expect(try await engine.checkpoints().list().map(\.name).sorted() == ["a/one", "a/two", "b/one", "b/two"])
    }

    @Test("give way to new ones, the oldest tenth first")
    func limit() async throws {
        let engine = Engine.testing()
        var options = keeping(.sequential)
        options.checkpoints.maxCheckpoints = 20
        _ = try await engine.run(row(["a"]), over: (1...21).map { "\($0)" }, options: options)
        #expect(
            try await engine.checkpoints(options.checkpoints).list().map(\.name)
                == (3...21).reversed().map { "a/item_\($0)" })
        options.checkpoints.maxCheckpoints = 0
        let error = await #expect(throws: ProcessingError.self) {
            try await engine.run(row(), over: ["-"], options: options)
        }
        #expect(error?.code == .configuration)
    }

    @Test("that cannot be written are a warning and stop nothing")
    func unwritten() async throws {
        let events = EventStream()
        let store = FaultyStore { write in
            if case .keep(let checkpoint) = write, checkpoint.summary.processorID.text == "b" {
                throw ProcessingError(.store, "the disk is full")
            }
        }
        let engine = Engine.testing(store, events: events)
        let report = try await engine.run(row(), over: ["-"], options: keeping())
        #expect(report.status == .succeeded)
        let warnings = events.latest().filter { $0.kind == .warning }
        #expect(
            warnings.map { $0.data["message"] } == [
                "the output of 'b' was not kept as a checkpoint: the disk is full"
            ])
        #expect(warnings.first?.inputID == "item_1" && warnings.first?.runID == report.runID)
        #expect(try await engine.checkpoints().list().map(\.name) == ["c/item_1", "a/item_1"])
    }

    @Test("lie in a folder if one is named, from where a run goes on, too") func folder() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("assay-\(UUID())").path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let engine = Engine.testing()
        var options = keeping()
        options.checkpoints.folder = folder
        let report = try await engine.run(row(), over: ["-"], options: options)
        #expect(try await engine.checkpoints().list().isEmpty)
        let kept = try await engine.checkpoints(options.checkpoints).list()
        #expect(kept.map(\.name) == ["c/item_1", "b/item_1", "a/item_1"])
        let again = try await engine.resume(report.runID, with: row(), from: kept[1].id.text, options: options)
        #expect(again.status == .succeeded)
        #expect(calls.all == ["a", "b", "c", "c"])
    }

    // MARK: Going on from one

    @Test(
        "to go on from one runs the nodes behind it again, those before it not, and no other item",
        arguments: GraphRunTests.runners)
    func goOn(runner: (any Runner)?) async throws {
        let events = EventStream()
        let engine = Engine.testing(events: events)
        let options = keeping(runner)
        let first = try await engine.run(row(), over: [Item("x/1", "-"), Item("y", "+")], options: options)
        let id = try await checkpoint("b/x/1", engine).id
        let second = try await engine.resume(first.runID, with: row(), from: id.text, options: options)
        #expect(second.status == .succeeded)
        #expect(calls.all.dropFirst(6) == ["c"])
        #expect(second.outcomes.map(\.carried) == [false, true])
        #expect(try second.outcomes[0].json == ["c:output": "-abc"])
        #expect(second.outcomes[0].passage?.nodes.map(\.attempts) == [0, 0, 1])
        let bases = try await engine.store.items(of: second.runID, from: 0, limit: 2).map(\.basis)
        #expect(bases == [.reopened, .finished])
        let told = events.latest().filter { $0.kind == .checkpointRestore }
        #expect(told.map(\.runID) == [second.runID])
        #expect(told.map(\.inputID) == ["x/1"] && told.map(\.processorID?.text) == ["b"])
        #expect(told.map { $0.data["checkpoint_id"] } == [.string(id.text)])
    }

    @Test("to go on from one of a node in the middle leaves other branches alone")
    func branches() async throws {
        let engine = Engine.testing()
        let graph = try Graph.diamond(
            "d", splitter: counting("s"), left: counting("l"), right: counting("r"), joiner: counting("j"))
        let first = try await engine.run(graph, over: [1], options: keeping())
        let id = try await checkpoint("l/item_1", engine).id
        let second = try await engine.resume(first.runID, with: graph, from: id.text)
        #expect(second.status == .succeeded)
        #expect(calls.all.dropFirst(4) == ["j"])
        #expect(try second.outcomes[0].json == ["j:output": ["left": 1, "right": 1]])
    }

    @Test("a state made by hand is the node's output in its run and in those that go on with that")
    func byHand() async throws {
        let engine = Engine.testing()
        let broken = Counter()
        let graph = try Graph.linear(
            "g",
            [
                counting("a"), counting("b"),
                Node("c") { (value: JSONValue) in
                    if value == "mended" && broken.next() == 1 { throw Refusal() }
                    return value
                },
            ])
        let first = try await engine.run(graph, over: [Item("i", "wrong"), Item("k", "other")], options: keeping())
        let id = try await engine.checkpoints().create(
            "mended", of: graph.nodes[1].id, data: "mended", metadata: ["input_id": "i"])
        let options = GraphOptions.with { $0.errorStrategy = .skip }
        let second = try await engine.resume(
            first.runID, with: graph, from: id.text, options: options, failedOnly: true)
        #expect(second.outcomes.map(\.status) == [.failed, .succeeded])
        let third = try await engine.resume(second.runID, with: graph)
        #expect(try third.outcomes[0].json == ["c:output": "mended"])
        #expect(calls.all.count == 4)
    }

    @Test("steps of nodes behind it are done again, those before it are not")
    func steps() async throws {
        let engine = Engine.testing()
        let graph = try Graph.linear(
            "g",
            try ["a", "b", "c"].map { name in
                try Node(name) { [calls] (value: Int, context: Context) in
                    try await context.step("make") {
                        calls.add(name)
                        return value + 1
                    }
                }
            })
        let first = try await engine.run(graph, over: [1], options: keeping())
        let id = try await checkpoint("a/item_1", engine).id
        #expect(try await engine.resume(first.runID, with: graph, from: id.text).status == .succeeded)
        #expect(calls.all == ["a", "b", "c", "b", "c"])
    }

    private func counting(_ name: String) throws -> Node {
        try Node(name) { [calls] (value: JSONValue) in
            calls.add(name)
            return value
        }
    }

    @Test("a checkpoint that does not fit is refused before a run exists")
    func misfits() async throws {
        let engine = Engine.testing()
        let first = try await engine.run(row(), over: ["-"])
        let checkpoints = try engine.checkpoints()
        let (a, other) = (try Identifier("a", as: "id"), try Identifier("other", as: "id"))
        func refusal(
            from id: String, _ change: (inout GraphOptions) -> Void = { _ in }
        ) async -> String? {
            do {
                _ = try await engine.resume(first.runID, with: row(), from: id, options: .with(change))
                return nil
            } catch let error as ProcessingError {
                return "\(error.code.rawValue): \(error.message)"
            } catch {
                return "another kind of error: \(error)"
            }
        }
        #expect(await refusal(from: "X") == "not_found: checkpoint 'X' not found")
        let nameless = try await checkpoints.create("n", of: a, data: 1)
        #expect(
            await refusal(from: nameless.text)
                == "configuration: checkpoint '\(nameless)' cannot be gone on from: its metadata has no 'input_id' that names its input"
        )
        let strange = try await checkpoints.create("n", of: other, data: 1, metadata: ["input_id": "item_1"])
        #expect(
            await refusal(from: strange.text)
                == "configuration: checkpoint '\(strange)' cannot be gone on from: it is of processor 'other', which graph 'row' does not have"
        )
        let lost = try await checkpoints.create("n", of: a, data: 1, metadata: ["input_id": "item_9"])
        #expect(
            await refusal(from: lost.text)
                == "not_found: checkpoint '\(lost)' is of input 'item_9', which run '\(first.runID)' does not have")
        let fine = try await checkpoints.create("n", of: a, data: 1, metadata: ["input_id": "item_1"])
        #expect(
            await refusal(from: fine.text) { $0.run.recovery = .reprocess }
                == "configuration: checkpoint '\(fine)' cannot be gone on from: with recovery: reprocess nothing that was saved is used"
        )
        #expect(try await engine.store.runs(matching: RunFilter()).count == 1)
        #expect(await refusal(from: fine.text) == nil)
    }
}
