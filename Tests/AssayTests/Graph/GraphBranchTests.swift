import Assay
import AssayTesting
import Synchronization
import Testing

@Suite("Joins behind branches") struct GraphBranchTests {
    /// A router with the outputs `low` and `high`, a branch behind each, and a join of both.
    private static func routed(_ inputs: Node.Inputs = .requireAll) throws -> Graph {
        let graph = try Graph("routed")
        let router = try Node("route", outputs: ["low", "high"]) { (value: Int) -> [String: Int] in
            value == 0 ? ["low": 0, "high": 0] : [value < 10 ? "low" : "high": value]
        }
        try graph.add(router)
        for name in ["clerk", "boss", "behind"] { try graph.add(.passing(name)) }
        try graph.add(Node.passing("record", inputs: ["clerk", "boss"]).with { $0.missingInputs = inputs })
        for wire in ["route:low -> clerk", "route:high -> boss", "clerk -> record:clerk", "boss -> record:boss"] {
            try graph.wire(wire)
        }
        try graph.wire("record -> behind")
        return graph
    }

    @Test("A join of two branches is warned of, and what stands behind it is not")
    func warned() throws {
        let graph = try Self.routed()
        #expect(graph.validate().isEmpty)
        #expect(
            graph.warnings().map(\.message) == [
                "node 'record' runs only on items for which 'route' gives all of 'low', 'high', behind which its inputs "
                    + "stand; where 'route' takes one way only, set inputs: allow_missing"
            ])
        #expect(graph.warnings().first?.fix == "set inputs: allow_missing")
        #expect(try Self.routed(.allowMissing).warnings().isEmpty)
    }

    @Test(
        "Joins that need one branch only are not warned of",
        arguments: [
            // Both inputs stand behind the same output.
            ["r:x -> a", "r:x -> b", "r:y -> c", "a -> j:left", "b -> j:right"],
            // The output is the same although other branches end elsewhere.
            ["r:x -> a", "a -> b", "a -> c", "b -> j:left", "c -> j:right"],
        ])
    func harmless(wires: [String]) throws {
        let graph = try Graph("g")
        try graph.add(.passing("r", outputs: ["x", "y"]))
        for name in ["a", "b", "c"] { try graph.add(.passing(name)) }
        try graph.add(.passing("j", inputs: ["left", "right"]))
        for wire in wires { try graph.wire(wire) }
        #expect(graph.warnings().isEmpty)
    }

    @Test("A run says which join ran on no input", arguments: Runners.all)
    func hint(runner: any Runner) async throws {
        func hints(of inputs: [Int], _ graph: Graph) async throws -> [String] {
            let engine = Engine.testing()
            let found = Mutex<[String]>([])
            let subscription = engine.events.subscribe([.hint]) { event in
                guard event.data["hint"] == "join_never_ran" else { return }
                found.withLock { $0.append(event.data["message"]?.string ?? "") }
            }
            var options = GraphOptions()
            options.runner = runner
            let items = inputs.map { Item("\($0)", $0) }
            let report = try await engine.run(graph, over: items, options: options)
            await subscription.finish()
            #expect(report.status == .succeeded)
            #expect(report.missedJoins(of: graph).map(\.items) == (found.withLock { $0 }.isEmpty ? [] : [inputs.count]))
            return found.withLock { $0 }
        }
        #expect(
            try await hints(of: [1, 20, 30], Self.routed()) == [
                "node 'record' ran on no input, since one of its own inputs never came (inputs: require_all); "
                    + "inputs: allow_missing lets it run with what there is"
            ])
        #expect(try await hints(of: [1, 0, 30], Self.routed()) == [], "it ran on one item")
        #expect(try await hints(of: [1, 20], Self.routed(.allowMissing)) == [])
    }
}
