@testable import Assay
import AssayTesting
import Testing

@Suite("A run that stops before a node") struct GraphPauseTests {
    private let called = Notes<String>()

    private func diamond() throws -> Graph {
        func node(_ name: String) throws -> Node {
            try Node(name) { (value: JSONValue) in
                called.add(name)
                return value
            }
        }
        return try Graph.diamond("d", splitter: node("a"), left: node("b"), right: node("c"), joiner: node("d"))
    }

    /// A run of `graph`, and what becomes of it as it is paused: each pause takes the next of `moves`.
    private func run(
        _ graph: Graph, over values: [JSONValue], _ breakpoints: [Breakpoint],
        moves: @escaping @Sendable (RunHandle, NodeStart, Int) throws -> Void
    ) async throws -> (Report, pauses: [NodeStart]) {
        let events = EventStream()
        let engine = Engine.testing(events: events)
        let (handles, pauses) = (Notes<RunHandle>(), Notes<NodeStart>())
        let subscription = events.subscribe([.runPaused]) { _ in
            guard let handle = handles.all.first, let start = handle.pausedBefore else { return }
            pauses.add(start)
            try moves(handle, start, pauses.all.count)
        }
        let options = GraphOptions.with {
            $0.breakpoints = breakpoints
            $0.runner = .sequential
        }
        let items = values.enumerated().map { Item("i\($0)", $1) }
        let report = try await engine.run(graph, over: items, options: options) { handles.add($0) }
        await subscription.finish()
        return (report, pauses.all)
    }

    private func id(_ text: String) throws -> Identifier { try Identifier(text, as: "node") }

    @Test("pauses before b, steps over it, pauses before the next start, and goes on")
    func step() async throws {
        let (report, pauses) = try await run(diamond(), over: [1], [Breakpoint(id("b"))]) { handle, _, number in
            if number == 1 { try handle.step() } else { try handle.goOn() }
        }
        #expect(report.status == .succeeded)
        #expect(pauses.map(\.processorID.text) == ["b", "c"])
        #expect(pauses[0].inputID == "i0" && pauses[0].value == 1)
        #expect(called.all == ["a", "b", "c", "d"])
    }

    @Test("stops for the first two of five items with a hit count of 2")
    func hitCount() async throws {
        let (report, pauses) = try await run(
            diamond(), over: [1, 2, 3, 4, 5], [Breakpoint(id("b"), hitCount: 2)]
        ) { handle, _, _ in try handle.goOn() }
        #expect(report.status == .succeeded)
        #expect(pauses.count == 2)
    }

    @Test("stops where the condition holds, and counts")
    func condition() async throws {
        let totals = Notes<Int>()
        let (report, pauses) = try await run(
            Graph.linear("g", [.passing("in"), .passing("pay")]),
            over: [50, 150, 99, 200].map { ["amount": $0] },
            [Breakpoint(id("pay"), condition: Condition("value.amount > 100", for: .breakpoint))]
        ) { handle, _, _ in
            totals.add(handle.breakpoints[0].totalHits)
            try handle.goOn()
        }
        #expect(report.status == .succeeded)
        #expect(pauses.map(\.inputID) == ["i1", "i3"])
        #expect(totals.all == [1, 2])
    }

    @Test("ends when it is cancelled while it stands still, and goes on from there when it is resumed")
    func cancel() async throws {
        let graph = try diamond()
        let (report, pauses) = try await run(graph, over: [1], [Breakpoint(id("d"))]) { handle, _, _ in handle.cancel()
        }
        #expect(pauses.count == 1)
        #expect(report.status == .cancelled)
        #expect(report.outcomes[0].nodes["d"] == "cancelled: run_cancelled")
        #expect(report.outcomes[0].nodes["b"] == "succeeded")
    }

    @Test("cannot be told to go on when it does not stand still")
    func illegal() async throws {
        let codes = Notes<ProcessingError.Code?>()
        let handles = Notes<RunHandle>()
        let graph = try Graph.linear(
            "g",
            [
                Node("a") { (value: Int) in
                    codes.add(await code { try handles.all[0].goOn() })
                    codes.add(await code { try handles.all[0].step() })
                    return value
                }
            ])
        _ = try await Engine.testing().run(graph, over: [Item("i", 1)]) { handles.add($0) }
        #expect(codes.all == [.illegalMove, .illegalMove])
    }
}
