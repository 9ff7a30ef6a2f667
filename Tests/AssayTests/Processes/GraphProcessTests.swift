import AssayTesting
import Testing

@testable import Assay

@Suite("A graph with worker processes", .timeLimit(.minutes(15))) struct GraphProcessTests {
    @Test("works like one without, in results and bill, node by node")
    func same() async throws {
        var results: [JSONValue] = []
        for runner in [nil, try Helper.runner(2)] as [(any Runner)?] {
            let there = try Node("there", StepProcessor()).with { $0.runner = runner }
            let graph = try Graph.linear("g", [.passing("before"), there, .passing("after")])
            let report = try await Engine.testing().run(graph, over: [1, 2, 3])
            #expect(report.status == .succeeded)
            #expect(report.outcomes.map(\.steps.count) == [3, 3, 3])
            #expect(report.outcomes[0].steps.first?.name == "there/validation")
            results.append(.array(try report.outcomes.map { try $0.json ?? .null } + [report.bill.totalCost.jsonValue]))
        }
        #expect(results[0] == results[1])
    }

    @Test("a worker that dies of an item fails the node there as poison, and the others go on")
    func poison() async throws {
        let graph = try Graph("g")
        try graph.add(
            try Node("there", Misbehaves()).with {
                $0.runner = try? Helper.runner(2)
                $0.maxCrashes = 1
            })
        let report = try await Engine.testing().run(graph, over: ["kill", "fine"])
        #expect(report.outcomes.map(\.status) == [.failed, .succeeded])
        #expect(report.outcomes[0].passage?["there"]?.reason == .poison)
        #expect(report.outcomes[0].error?.code == .workerCrashed)
    }

    /// The name under which the helper has a processor that does what its input says.
    private struct Misbehaves: Processor {
        let name = "misbehaving"
        func extract(_ input: String, in context: Context) -> String { input }
    }
}
