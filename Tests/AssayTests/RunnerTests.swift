import Assay
import AssayTesting
import Testing

@Suite("Every runner") struct RunnerTests {
    @Test("keeps the contract", arguments: RunnerRule.all, Runners.all)
    func contract(rule: RunnerRule, runner: any Runner) async throws { try await rule.check(runner) }

    @Test("gives the same outcomes and bill when every step fails once and an input changes") func same() async throws {
        let comparison = RunnerComparison(
            try RegisteredProcessor(StepProcessor()), over: (1...6).map { Item("doc_\($0)", $0) },
            changing: Item("doc_3", 33), prices: .of(base: ["steps": Price("0.10", policy: "per_input")]))
        try await comparison.check(under: Runners.all)
    }

    @Test("the comparison tells a runner that makes a difference") func different() async throws {
        let processor = ClosureProcessor<Int, Int>("racing") { [calls = Calls()] n, _ in calls.note("call") }
        let comparison = RunnerComparison(
            try RegisteredProcessor(processor), over: [Item("a", 1), Item("b", 1)], changing: Item("a", 2))
        await #expect(throws: Finding.self) { try await comparison.check(under: [.sequential, .sequential]) }
    }

    @Test("1 to 1024 workers, nothing else", arguments: [-1, 0, 1_025]) func workers(count: Int) {
        let error = #expect(throws: ProcessingError.self) { try ThreadRunner(maxWorkers: count) }
        #expect(error?.code == .configuration)
        #expect(error?.message == "max_workers must be between 1 and 1024, found \(count)")
    }
}
