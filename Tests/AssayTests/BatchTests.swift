import Assay
import AssayTesting
import Testing

@Suite("Batches") struct BatchTests {
    @Test("in memory follow the rules", arguments: BatchConformance.all)
    func memory(rule: BatchConformance) async throws { try await rule(MemoryStore()) }

    struct Size: Sendable, CustomTestStringConvertible {
        var policy: BatchPolicy
        var explicit: Int?
        var slot: String?
        var complexity: Complexity?
        var size: Int?
        var testDescription: String {
            "max \(policy.maxBatchSize), \(explicit.map(String.init) ?? slot ?? complexity?.rawValue ?? "nothing")"
        }
    }

    static let sizes: [Size] = {
        do {
            let defaults = try BatchPolicy()
            let narrow = try BatchPolicy(maxBatchSize: 15, minBatchSize: 8)
            let small = try BatchPolicy(defaultBatchSize: 3, maxBatchSize: 3)
            return [
                Size(policy: defaults, slot: "D3-Q2", size: 5), Size(policy: defaults, slot: "D2-Q3", size: 10),
                Size(policy: defaults, slot: "D1-Q1", size: 20), Size(policy: defaults, slot: "X9", size: 20),
                Size(policy: defaults, size: 10), Size(policy: defaults, complexity: .simple, size: 50),
                Size(policy: narrow, complexity: .moderate, size: 15),
                Size(policy: narrow, complexity: .veryComplex, size: 8),
                Size(policy: try BatchPolicy(minBatchSize: 7), complexity: .veryComplex, size: 7),
                Size(policy: small, complexity: .moderate, size: 3),
                Size(policy: try BatchPolicy(maxBatchSize: 10), explicit: 50, size: 10),
                Size(policy: try BatchPolicy(maxBatchSize: 10), explicit: 0, size: nil),
                Size(policy: try BatchPolicy(minBatchSize: 7), explicit: 2, size: 2),
                Size(policy: try BatchPolicy(maxBatchSize: 50), slot: "D1-Q1", size: 20),
                Size(policy: try BatchPolicy(complexity: .complex), size: 10),
                Size(policy: try BatchPolicy(complexity: .complex), complexity: .simple, size: 50),
                Size(policy: try BatchPolicy(slots: ["A": .simple]), slot: "D3-Q2", size: 20),
                Size(policy: try BatchPolicy(slots: ["A": .simple], sizes: [.simple: 30]), slot: "A", size: 30),
            ]
        } catch { preconditionFailure("\(error)") }
    }()

    @Test(
        "have the size that comes first of those asked for, of the slot, the complexity, the default", arguments: sizes)
    func size(_ test: Size) throws {
        guard let size = test.size else {
            #expect(throws: ProcessingError.self) { try test.policy.size(explicit: test.explicit) }
            return
        }
        #expect(
            try test.policy.size(explicit: test.explicit, slot: test.slot, complexity: test.complexity) == size)
    }

    @Test("of 100 items are five of 20, or twenty of 5", arguments: [("D1-Q1", 50, 5, 20), ("D3-Q2", 100, 20, 5)])
    func hundred(slot: String, largest: Int, count: Int, size: Int) async throws {
        let processor = try RegisteredProcessor(ClosureProcessor<Int, Int>("echo") { number, _ in number })
        let batching = Batching(policy: try BatchPolicy(maxBatchSize: largest), slot: slot)
        let batches = try await Engine.testing().batches(
            processor, over: (0..<100).map { Item("n\($0)", $0) }, batching: batching
        ).list()
        #expect(batches.map(\.outcomes.count) == Array(repeating: size, count: count))
    }

    @Test(
        "have a verdict by the share of failures",
        arguments: [
            ("0.5", 5, "partial", "failed"), ("0.5", 6, "failed", "failed"), ("0.6", 5, "partial", "partial"),
            ("0.6", 6, "partial", "failed"), ("0.6", 7, "failed", "failed"), ("0.3", 3, "partial", "failed"),
            ("0.3", 4, "failed", "failed"), ("0.0", 0, "succeeded", "succeeded"), ("0.0", 1, "failed", "failed"),
            ("1.0", 9, "partial", "partial"), ("1.0", 10, "failed", "failed"),
        ])
    func verdict(threshold: String, failed: Int, exceeds: String, reaches: String) throws {
        for (rule, verdict) in [(BatchPolicy.ThresholdRule.exceeds, exceeds), (.reaches, reaches)] {
            let policy = try BatchPolicy(errorThreshold: #require(Number(threshold)), thresholdRule: rule)
            var counts = Counts(total: 10)
            (counts.failed, counts.succeeded) = (failed, 10 - failed)
            #expect(policy.verdict(on: counts).rawValue == verdict, "\(rule)")
            #expect(policy.verdict(on: counts, isCancelled: true) == .cancelled)
        }
    }

    @Test("compare their share exactly") func exactShare() throws {
        var counts = Counts(total: 3)
        (counts.failed, counts.succeeded) = (1, 2)
        let third = try #require(Number("0.333333333333333333"))
        #expect(try BatchPolicy(errorThreshold: third).verdict(on: counts) == .failed)
        let more = try #require(Number("0.333333333333333334"))
        #expect(try BatchPolicy(errorThreshold: more).verdict(on: counts) == .partial)
    }

    @Test("have a policy that cannot be built wrong")
    func invalid() throws {
        func message(_ build: () throws -> BatchPolicy) -> String? {
            do {
                _ = try build()
                return nil
            } catch let error as ProcessingError {
                return error.code == .configuration ? error.message : "\(error.code)"
            } catch { return "\(error)" }
        }
        #expect(
            message { try BatchPolicy(defaultBatchSize: 3, minBatchSize: 5) }
                == "invalid batch sizes: min 5, default 3, max 100 (1 ≤ min ≤ default ≤ max)")
        #expect(message { try BatchPolicy(defaultBatchSize: 101) } != nil)
        #expect(message { try BatchPolicy(minBatchSize: 0) } != nil)
        #expect(
            message { try BatchPolicy(errorThreshold: #require(Number("1.5"))) }
                == "error_threshold must be between 0 and 1, found 1.5")
        for seconds in [-1, Double.nan, .infinity] {
            #expect(message { try BatchPolicy(backoffBase: seconds) } != nil)
            #expect(message { try BatchPolicy(backoffMax: seconds) } != nil)
        }
        for retries in [-1, 1_001] { #expect(message { try BatchPolicy(maxRetries: retries) } != nil) }
        #expect(message { try BatchPolicy(maxConcurrentBatches: 0) } != nil)
        #expect(message { try BatchPolicy(sizes: [.simple: 0]) } != nil)
        #expect(message { try BatchPolicy(maxRetries: 1_000, backoffBase: 0, backoffMax: 0) } == nil)
    }

    @Test("wait for as long as the policy says", arguments: [(1, 1), (2, 2), (3, 4), (7, 60), (900, 60)])
    func delay(retry: Int, seconds: Int) throws {
        #expect(try BatchPolicy().delay(beforeRetry: retry) == .seconds(seconds))
    }

    @Test("leave nothing of themselves in a store that forgets them") func forgetting() async throws {
        let store = MemoryStore(forgetsBatches: true)
        let processor = try RegisteredProcessor(ClosureProcessor<Int, Int>("echo") { number, _ in number })
        let stream = Engine.testing(store).batches(
            processor, over: (0..<100).map { Item("n\($0)", $0) }, batching: Batching(size: 7, isParallel: true))
        let sum = try await stream.fold(Int.self, from: 0, +)
        #expect(sum == 4_950)
        let report = try await stream.report()
        #expect(report.counts.succeeded == 100)
        #expect(try await store.items(of: report.runID, from: 0, limit: 1_000).isEmpty)
        #expect(try await store.outcomes(of: report.runID, from: 0, limit: 1_000).isEmpty)
    }

    @Test("write themselves as JSON") func json() async throws {
        let processor = try RegisteredProcessor(
            ClosureProcessor<Int, Int>("odd") { number, _ in
                guard number > 0 else { throw ProcessingError(.processing, "zero", retryable: false) }
                return number
            })
        let stream = Engine.testing().batches(processor, over: [Item("a", 1), Item("b", 0)])
        let batch = try #require(try await stream.list().first)
        let json = try batch.jsonValue()
        #expect(json["batch_id"] == "batch_000001")
        #expect(json["status"] == "partial")
        #expect(
            json["errors"] == [
                [
                    "batch_id": "batch_000001", "batch_index": 0, "item_index": 1, "input_id": "b",
                    "error_type": "ProcessingError", "error_message": "zero", "code": "processing", "retryable": false,
                ]
            ])
        #expect(
            json["metrics"]?.object?.keys == [
                "attempts", "batch_id", "batch_index", "batch_size", "cancelled_items", "end_time", "error_messages",
                "execution_time_ms", "failed_items", "limit", "retries_used", "skipped_items", "start_time", "status",
                "successful_items",
            ])
        let sums = try BatchAggregate([batch]).jsonValue()
        #expect(sums["success_rate"] == .number(try #require(Number("0.5"))))
        #expect(sums["results"] == [1])
        #expect(sums["total_batches"] == 1)
    }
}
