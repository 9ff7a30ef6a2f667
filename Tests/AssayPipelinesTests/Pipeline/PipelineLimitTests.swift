import Assay
import AssayPipelines
import AssayTesting
import Foundation
import Testing

@Suite("Limits that name themselves") struct PipelineLimitTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// How a run of a file ends over texts, of which numbers fail.
    private func error(_ text: String, over inputs: [JSONValue], workers: Int? = nil) async throws -> String? {
        let pipeline = try folder.load(text)
        let items = inputs.enumerated().map { Item("i\($0 + 1)", payload: Payload(json: $1)) }
        let engine = Engine(world: .testing())
        switch pipeline.content {
        case .processor(let processor, var options):
            if let workers { options.runner = try ThreadRunner(maxWorkers: workers) }
            return try await engine.run(processor, over: items, options: options).error?.message
        case .graph(let graph, var options):
            options.runner = try workers.map { try ThreadRunner(maxWorkers: $0) } ?? SequentialRunner.sequential
            return try await engine.run(graph, over: items, options: options).error?.message
        }
    }

    private static let processor =
        "processors: [{processor_id: s, processor_type: simple, parameters: {function: uppercase}}]"
    private static let refused = "function 'uppercase' needs a text, found a number"

    @Test(
        "A run that its failure policy stops says key, value, place, count and what broke it",
        arguments: [
            ("on_failure: {tolerate: 0.2}", "tolerate: 0.2 (p.yaml:2): 2 of 5 inputs failed, at last i4: "),
            ("on_failure: stop", "on_failure: stop (p.yaml:2) allows no failure; i2 failed: "),
            ("on_failure: atomic", "on_failure: atomic (p.yaml:2) allows no failure; i2 failed: "),
            (
                "error_strategy: {type: halt}",
                "on_failure: stop (error_strategy, p.yaml:2) allows no failure; i2 failed: "
            ),
        ])
    func policies(line: String, start: String) async throws {
        let message = try await error(
            "run_as: processor\n\(line)\n\(Self.processor)\n", over: ["a", 1, "b", 2, 3])
        #expect(message?.hasPrefix(start) == true, "\(message ?? "nothing")")
    }

    @Test(
        "A graph that is halted says which limit was used up, by what, and what broke it",
        arguments: [
            (
                "error_strategy: {type: skip, max_skips: 2}",
                "max_skips: 2 of graph 'g' (p.yaml:2) was used up by i2 at node 's', i4 at node 's'; i5 failed at node 's': "
            ),
            (
                "error_strategy: {type: skip, max_skips: 0}",
                "max_skips: 0 of graph 'g' (p.yaml:2) allows none; i2 failed at node 's': "
            ),
            (
                "error_strategy: {type: halt}",
                "error_strategy: halt of graph 'g' (p.yaml:2) allows no failure; i2 failed at node 's': "
            ),
            (
                "error_strategy: {type: circuit_breaker, failure_threshold: 2}",
                "failure_threshold: 2 of the circuit breaker of node 's' (p.yaml:2) was used up "
                    + "(skipped before: i2 at node 's', i4 at node 's'); i5 failed at node 's': "
            ),
            (
                "error_strategy: {type: composite, strategies: [{type: retry, max_retries: 1, initial_delay: 0, retry_on: all}, {type: skip, max_skips: 1}]}",
                "max_retries: 1 of graph 'g' (p.yaml:2) was used up by 2 attempts at i4, and max_skips: 1 of graph 'g' "
                    + "(p.yaml:2) was used up by i2 at node 's'; i4 failed at node 's': "
            ),
        ])
    func strategies(line: String, start: String) async throws {
        let message = try await error("graph_id: g\n\(line)\n\(Self.processor)\n", over: ["a", 1, "b", 2, 3])
        #expect(message?.hasPrefix(start) == true, "\(message ?? "nothing")")
    }

    @Test("A node's own strategy is named with the node and its line")
    func ofNode() async throws {
        let text = """
            graph_id: g
            processors:
              - processor_id: s
                processor_type: simple
                parameters: {function: uppercase}
                error_strategy:
                  type: skip
                  max_skips: 1
            """
        let message = try await error(text, over: [1, "b", 2])
        #expect(
            message?.hasPrefix("max_skips: 1 of node 's' (p.yaml:8) was used up by i1; i3 failed at node 's': ") == true
        )
    }

    /// Whatever the order in which items fail, those that are named used the limit up, and the one that broke it did not.
    @Test("The failures that are named are those that counted, however many fail at once", arguments: [1, 4, 32])
    func concurrent(workers: Int) async throws {
        for _ in 0..<20 {
            let message = try #require(
                try await error(
                    "graph_id: g\nerror_strategy: {type: skip, max_skips: 3}\n"
                        + Self.processor.replacing("}}]", with: "}, concurrency: 32}]") + "\n",
                    over: Array(repeating: 1, count: 40), workers: workers))
            let match = try #require(message.firstMatch(of: /was used up by (.*); (i\d+) failed at node 's'/))
            let skipped = match.1.split(separator: ", ").map { String($0).replacing(" at node 's'", with: "") }
            #expect(Set(skipped).count == 3)
            #expect(!skipped.contains(String(match.2)))
        }
    }

    @Test("A run that is read again from its record names the file without a line")
    func record() async throws {
        let text = "run_as: processor\non_failure: stop\n\(Self.processor)\n"
        let pipeline = try folder.load(text)
        let again = try Pipeline.load(
            definition: pipeline.definition, path: "somewhere/p.yaml", registry: .standard, environment: [:])
        let report = try await Engine().run(
            again.single, over: [Item("i1", 1)], options: again.options)
        #expect(report.error?.message.hasPrefix("on_failure: stop (p.yaml) allows no failure; i1 failed: ") == true)
    }

    @Test("A budget that stops a run says where its limit is set")
    func budget() async throws {
        var registry = Registry.standard
        try registry.register("paying", parameters: []) { name, _ in
            try RegisteredProcessor(
                ClosureProcessor(name) { (input: Int, context: Context) -> Int in
                    try await context.charge("ocr", "page", cost: Money(1))
                    return input
                })
        }
        let pipeline = try folder.load(
            "run_as: processor\nbudget:\n  - {name: small, limit: 2.00}\n"
                + "processors: [{processor_id: s, processor_type: paying}]\n", registry: registry)
        let items = (1...4).map { Item("i\($0)", $0) }
        let report = try await Engine(world: .testing()).run(pipeline.single, over: items, options: pipeline.options)
        #expect(report.error?.code == .budgetExhausted)
        #expect(report.error?.message.hasPrefix("budget 'small'") == true)
        #expect(report.error?.message.hasSuffix("raise its limit and resume the run (the limit: p.yaml:3)") == true)
    }
}
