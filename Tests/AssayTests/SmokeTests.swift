import Assay
import AssayTesting
import Testing

@Suite("Smoke") struct SmokeTests {
    @Test("runs", arguments: [1, 4, 64]) func smoke(workers: Int) async throws {
        let engine = Engine()
        var options = RunOptions()
        if workers > 1 { options.runner = try ThreadRunner(maxWorkers: workers) }
        let report = try await engine.run(
            ClosureProcessor<Int, Int>("double") { n, _ in n * 2 }, over: 0..<10_000, options: options)
        #expect(report.success)
        #expect(try report.outputs(as: Int.self) == (0..<10_000).map { $0 * 2 })
        #expect(try report.summary(as: [Int].self)?.count == 10_000)
    }
    @Test("retries and times out") func timeouts() async throws {
        let engine = Engine()
        var options = RunOptions()
        options.itemTimeout = .milliseconds(50)
        let report = try await engine.run(
            ClosureProcessor<Int, Int>("slow") { n, _ in if n == 1 { try await Task.sleep(for: .seconds(100)) }; return n },
            over: 0..<3, options: options)
        #expect(report.status == .partial)
        #expect(report.outcomes[1].error?.code == .timeout)
        print(try report.jsonValue().json)
    }
}
