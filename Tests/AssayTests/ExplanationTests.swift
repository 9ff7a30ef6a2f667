import Assay
import AssayTesting
import Testing

@Suite("An explanation") struct ExplanationTests {
    let engine = Engine.testing(prices: Paying.prices)

    func items(_ inputs: [Int]) -> [Item] { inputs.enumerated().map { Item("n\($0)", $1) } }

    /// What was decided about each input, as `subject: decision`.
    func told(_ report: Report, _ place: Int) async throws -> [String] {
        let explanation = try await engine.explanation(of: report.runID)
        let entry = try await engine.store.items(of: report.runID, from: place, limit: 1)[0]
        let outcome = try await engine.store.outcomes(of: report.runID, from: place, limit: 1).first
        return explanation.of(entry, outcome).map { decision in
            "\(decision.subject): \(decision.decision)" + (decision.reason.isEmpty ? "" : " (\(decision.reason))")
        }
    }

    @Test("of a run tells its place in the execution, its base charge and its end") func run() async throws {
        let first = try await engine.run(Paying(fails: { $0 == 3 }), items: items([1, 3]))
        let second = try await engine.resume(Paying(), after: first)
        let decisions = try await engine.explanation(of: first.runID).ofRun
        #expect(decisions.map(\.subject) == ["run", "runner", "base charge", "status"])
        #expect(decisions[2].decision == "0.10 USD")
        #expect(decisions[3] == Decision("status", "partial", because: "extraction: refused"))
        let later = try await engine.explanation(of: second.runID).ofRun
        #expect(later[0].decision == "resume of run '\(first.runID)', number 1 after '\(first.runID)'")
        #expect(later[0].reason == "that run was partial")
        #expect(later[2].decision == "none")
        #expect(later[2].reason.hasPrefix("run '\(first.runID)' was charged 0.10 under key "))
    }

    @Test("of an input tells why it ran, what it cost and what was spared") func input() async throws {
        let first = try await engine.run(Paying(fails: { $0 == 3 }), items: items([1, 3, 6]))
        #expect(
            try await told(first, 1) == [
                "input: run (no earlier run of the execution had it)", "step 'read': run (took 0 s)",
                "charge ocr/page: 1.50 USD (it was used)", "status: failed (extraction in extraction: refused)",
            ])
        #expect(
            try await told(first, 2)[4]
                == "call clear/search: cache hit, 0.00 USD (the same was paid for before since 2025-03-03T09:15:00Z; "
                + "5.00 avoided)")
        let second = try await engine.resume(Paying(), after: first)
        #expect(
            try await told(second, 0) == [
                "input: carried (an earlier run finished it)",
                "charges: none (nothing was done for it in this run)", "status: succeeded",
            ])
        #expect(
            try await told(second, 1) == [
                "input: resumed (an earlier run did not finish it)",
                "step 'read': not run (its value was saved before)", "step 'search': run (took 0 s)",
                "call clear/search: 5.00 USD (the cache had no answer)", "status: succeeded",
            ])
    }

    @Test("of an input tells of changed data, retries and doubt") func trouble() async throws {
        let attempts = Counter()
        let processor = ClosureProcessor<Int, Int>("test") { input, context in
            if attempts.next() == 1 { throw ProcessingError(.api, "HTTP 503") }
            return try await context.call("clear", "search", key: 1) { _ in
                throw ProcessingError(.api, "lost", retryable: false, outcomeUnknown: true)
            }
        }
        let options = try RunOptions.with { $0.retryPolicy = try RetryPolicy(maxRetries: 1, initialDelay: 2) }
        let first = try await engine.run(processor, items: items([1]), options: options)
        #expect(
            try await told(first, 0) == [
                "input: run, 2 attempts (no earlier run of the execution had it)",
                "attempt 1: failed, the next after 2 s (api: HTTP 503)",
                "call clear/search: in doubt, up to 5.00 USD (nobody knows whether it was carried out; "
                    + "see 'assay costs in-doubt')", "status: failed (api in extraction: lost)",
            ])
        let second = try await engine.again(processor, after: first, items: items([2]))
        #expect(try await told(second, 0)[0] == "input: run (its data is another than in the earlier run)")
    }
}
