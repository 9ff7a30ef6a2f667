import Assay
import AssayTesting
import Testing

@Suite("Reports") struct ReportTests {
    /// A run of three items: one is done at once, one at its second attempt, one never.
    static func report(_ runner: any Runner = .sequential) async throws -> Report {
        let time = ManualTime(runsFree: true)
        let engine = Engine.testing(
            prices: .of(base: ["bank_statement": Price("0.10")], units: ["clear/search": "5.00"]), time: time)
        let processor = ClosureProcessor<JSONValue, JSONValue>("bank_statement") { input, context in
            let path = try await context.step("fetch") {
                time.advance(by: .milliseconds(40))
                return input
            }
            if path["path"] == "jan.pdf" { throw ProcessingError(.extraction, "no text") }
            if path["path"] == "mar.pdf", context.attempt == 1 { throw ProcessingError(.api, "busy") }
            return try await context.call("clear", "search") { _ in ["deposits": 3] }
        }
        let items = ["jan", "feb", "mar"].map {
            Item($0, ["path": "\($0).pdf"], accountID: "acc_123", underwritingID: "uw_456")
        }
        return try await engine.run(
            processor, items: items,
            options: .with {
                $0.runner = runner
                $0.scope = Scope(accountID: ExternalID("acc_123"), underwritingID: ExternalID("uw_456"))
                $0.retryPolicy = try RetryPolicy(maxRetries: 1, retryOn: .codes([.api]))
                $0.metadata = ["batch": 7]
            })
    }

    static let golden = #"""
        {"schema": "assay/report/1", "run_id": "id-1", "execution_id": "id-2", "processor_id": "bank_statement",
         "account_id": "acc_123", "underwriting_id": "uw_456",
         "runner": "sequential", "status": "partial", "success": false, "summary": null,
         "counts": {"total": 3, "succeeded": 2, "failed": 1, "skipped": 0, "cancelled": 0},
         "outcomes": [
           {"input_id": "jan", "index": 0, "status": "failed", "output": null,
            "error": {"input_id": "jan", "success": false, "step": "extraction", "exception": "ExtractionError",
              "message": "no text", "code": "extraction", "phase": "extraction", "attempt": 1, "retryable": true,
              "payload": {"step": "extraction", "exception": "ExtractionError", "message": "no text",
                "data": {"path": "jan.pdf"}, "run_id": "id-1",
                "input_digest": "DIGEST", "saved": [{"step": "fetch", "value": {"path": "jan.pdf"}}]}},
            "reason": null, "cost": 0.00, "avoided_cost": 0.00, "duration_ms": 40, "attempts": 1, "cached": false,
            "carried": false, "input_changed": false, "on_change": null, "steps": [{"step": "fetch", "restored": false, "duration_ms": 40}]},
           {"input_id": "feb", "index": 1, "status": "succeeded", "output": {"deposits": 3}, "error": null, "reason": null,
            "cost": 5.00, "avoided_cost": 0.00, "duration_ms": 40, "attempts": 1, "cached": false, "carried": false,
            "input_changed": false, "on_change": null, "steps": [{"step": "fetch", "restored": false, "duration_ms": 40}]},
           {"input_id": "mar", "index": 2, "status": "succeeded", "output": {"deposits": 3}, "error": null, "reason": null,
            "cost": 5.00, "avoided_cost": 0.00, "duration_ms": 1040, "attempts": 2, "cached": false, "carried": false,
            "input_changed": false, "on_change": null, "steps": [{"step": "fetch", "restored": false, "duration_ms": 40}]}],
         "payloads": [{"step": "extraction", "exception": "ExtractionError", "message": "no text",
            "data": {"path": "jan.pdf"}, "run_id": "id-1", "input_digest": "DIGEST",
            "saved": [{"step": "fetch", "value": {"path": "jan.pdf"}}]}, null, null],
         "context": {"parent_run_id": "id-1", "previous_run_id": null, "retry_count": 0, "last_error_step": null,
            "execution_metadata": {"batch": 7}},
         "cost_breakdown": {"run_id": "id-1", "execution_id": "id-2", "currency": "USD", "base_cost": 0.10,
            "usage_cost": 10.00, "total_cost": 10.10, "avoided_cost": 0.00, "in_doubt_cost": 0.00, "complete": true,
            "incomplete_reason": null, "tracked_costs": [
              {"cost_id": "id-1-1", "service": "clear", "operation": "search", "cost": 5.00,
               "timestamp": "2025-03-03T09:15:00.080Z", "input_id": "feb", "metadata": {"cache_hit": false}},
              {"cost_id": "id-1-2", "service": "clear", "operation": "search", "cost": 5.00,
               "timestamp": "2025-03-03T09:15:01.120Z", "input_id": "mar", "metadata": {"cache_hit": false}}],
            "in_doubt": [], "by_service": {"clear": {"search":
              {"count": 2, "cache_hits": 0, "total_cost": 10.00, "avoided_cost": 0.00}}}},
         "metrics": {"success_rate": 0.667, "retry_rate": 0.333, "throughput_items_per_second": 2.679,
            "runner": "sequential", "cache_hits": 0, "cache_misses": 0, "cache_hit_rate": 0.0, "avoided_cost": 0.00,
            "steps": [{"step": "fetch", "calls": 3, "restored": 1, "failures": 0, "total_ms": 120, "mean_ms": 40.0,
              "max_ms": 40}]},
         "started_at": "2025-03-03T09:15:00Z", "finished_at": "2025-03-03T09:15:01.120Z", "duration_ms": 1120,
         "error": {"input_id": "jan", "success": false, "step": "extraction", "exception": "ExtractionError",
              "message": "no text", "code": "extraction", "phase": "extraction", "attempt": 1, "retryable": true,
              "payload": {"step": "extraction", "exception": "ExtractionError", "message": "no text",
                "data": {"path": "jan.pdf"}, "run_id": "id-1",
                "input_digest": "DIGEST", "saved": [{"step": "fetch", "value": {"path": "jan.pdf"}}]}}}
        """#

    @Test("are written as documented, to the last digit") func json() async throws {
        let digest = Digest(of: ["path": "jan.pdf"]).text
        let expected = try JSONValue(json: Self.golden.replacing("DIGEST", with: digest))
        let found = try await Self.report().jsonValue()
        try Finding.unlessEqual(found, expected, "report")
        #expect(found.json == expected.json)
    }

    @Test("read back from the store as they were returned", arguments: Runners.all) func stored(runner: any Runner)
        async throws
    {
        let engine = Engine.testing()
        let report = try await engine.run([1, 2], options: .on(runner)) { (n: Int, _: Context) -> Int in
            guard n == 1 else { throw Refusal() }
            return n
        }
        #expect(try await engine.report(of: report.runID).jsonValue() == report.jsonValue())
        #expect(try await engine.report(of: report.runID, outcomes: false).outcomes.isEmpty)
    }

    @Test("of a success have no error and no payloads, and the summary") func success() async throws {
        let report = try await Engine.testing().run([1]) { (n: Int, _: Context) in n }
        let json = try report.jsonValue()
        #expect(json["payloads"] == JSONValue.null)
        #expect(json["error"] == JSONValue.null)
        #expect(json["summary"] == [1])
        #expect(json["success"] == true)
    }

    @Test("can leave the outcomes in the store") func withoutOutcomes() async throws {
        let engine = Engine.testing()
        let report = try await engine.run([1, 2], options: .with { $0.returnsOutcomes = false }) {
            (n: Int, _: Context) in n
        }
        #expect(report.outcomes.isEmpty)
        #expect(report.counts.succeeded == 2)
        #expect(try await engine.store.outcomes(of: report.runID, from: 0, limit: 10).count == 2)
    }

    @Test("of nothing have rates of zero") func noItems() async throws {
        let metrics = try await Engine.testing().run([Int]()) { (n: Int, _: Context) in n }.jsonValue()["metrics"]
        for key in ["success_rate", "retry_rate", "throughput_items_per_second", "cache_hit_rate"] {
            #expect(metrics?[key]?.number?.description == "0.0")
        }
        #expect(metrics?["steps"] == [])
    }

    @Test("count calls, restored values and failures of each step") func stepMetrics() async throws {
        let report = try await Engine.testing().run(
            StepProcessor { place, item, attempt in
                if place == "processing", item == "b", attempt < 3 { throw Refusal() }
            }, items: [Item("a", 1), Item("b", 2)], options: .with { $0.retryPolicy = try RetryPolicy(maxRetries: 2) })
        let steps = try #require(report.run.metrics).steps
        #expect(steps.map(\.name) == ["validation", "processing", "extraction"])
        #expect(steps.map(\.calls) == [2, 4, 2])
        #expect(steps.map(\.restored) == [2, 0, 0])
        #expect(steps.map(\.failures) == [0, 2, 0])
    }

    @Test("a run whose store fails throws, and can be resumed", arguments: ["commit", "update"])
    func storeFails(write: String) async throws {
        let failures = Counter()
        let store = FaultyStore { current in
            switch (current, write) {
            case (.commit, "commit"), (.update, "update"):
                if failures.next() == 1 { throw ProcessingError(.store, "the disk is full") }
            default: break
            }
        }
        let engine = Engine.testing(store)
        let processor = StepProcessor()
        #expect(await code { try await engine.run(processor, items: [Item("a", 1), Item("b", 2)]) } == .store)
        let run = try #require(try await store.runs(matching: RunFilter()).first)
        #expect(run.status == .failed)
        let resumed = try await engine.resume(run.id, with: RegisteredProcessor(processor))
        #expect(resumed.success)
    }

    @Test("a run whose inputs are not all on record cannot be resumed") func notListed() async throws {
        let store = FaultyStore { write in
            if case .append = write { throw ProcessingError(.store, "the disk is full") }
        }
        let engine = Engine.testing(store)
        let processor = StepProcessor()
        #expect(await code { try await engine.run(processor, items: [Item("a", 1)]) } == .store)
        let run = try #require(try await store.runs(matching: RunFilter()).first)
        #expect(!run.isListed)
        #expect(await code { try await engine.resume(run.id, with: RegisteredProcessor(processor)) } == .configuration)
    }
}
