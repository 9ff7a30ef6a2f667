import Assay

extension BatchConformance {
    private struct Score: Codable, Sendable, Equatable {
        var total: Int
        var count: Int
    }

    static let sums = [
        BatchConformance("folds take outputs of what succeeded, in order") { stage in
            let scores = [80, 90, 0, 70]
            let processor = try RegisteredProcessor(
                ClosureProcessor<Int, Int>("score") { score, _ in
                    guard score > 0 else { throw ProcessingError(.processing, "no score") }
                    return score
                })
            let items = scores.enumerated().map { Item("s\($0)", $1) }
            let calls = Counter()
            let sum = try await stage.engine.batches(processor, over: items).fold(Int.self) {
                (sum: Score?, score) -> Score in
                calls.next()
                return Score(total: (sum?.total ?? 0) + score, count: (sum?.count ?? 0) + 1)
            }
            try expect(sum, Score(total: 240, count: 3))
            try expect(calls.count, 3)
            let list = try await stage.engine.batches(processor, over: items).fold(Int.self, from: [1]) { $0 + [$1] }
            try expect(list, [1, 80, 90, 70])
        },
        BatchConformance("a fold over nothing gives nothing, or its beginning") { stage in
            let none: Int? = try await stage.engine.batches(stage.odd(), over: [Item]()).fold(Int.self) {
                ($0 ?? 0) + $1
            }
            try expect(none, nil)
            let failing = try stage.odd(retryable: false) { _, _ in true }
            let failed: Int? = try await stage.engine.batches(failing, over: Stage.items(2)).fold(Int.self) {
                ($0 ?? 0) + $1
            }
            try expect(failed, nil)
            try expect(await stage.engine.batches(failing, over: Stage.items(2)).fold(Int.self, from: 7, +), 7)
        },
        BatchConformance("batches are added up") { stage in
            let processor = try stage.odd(retryable: false) { id, _ in
                let number = Int(id.dropFirst()) ?? 0
                return number == 15 || number >= 20
            }
            let stream = stage.engine.batches(processor, over: Stage.items(25), batching: Batching(size: 10))
            let batches = try await stream.list()
            let sums = BatchAggregate(batches)
            try expect(batches.map(\.status), [.succeeded, .partial, .failed])
            try expect(batches.map(\.isSuccessful), [true, false, false])
            try expect(batches.map(\.hasPartialSuccess), [false, true, false])
            try expect(sums.totalBatches, 3)
            try expect(sums.counts.total, 25)
            try expect(sums.counts.succeeded, 19)
            try expect(sums.counts.failed, 6)
            try expect(sums.successRate, 0.76)
            try expect(sums.results(as: Int.self), Array(0..<20).filter { $0 != 15 })
            try expect(sums.batchMetrics.map(\.batchIndex), [0, 1, 2])
            try expect(sums.errors.map { [$0.batchIndex, $0.itemIndex] }, [[1, 5]] + (0..<5).map { [2, $0] })
            let report = try await stream.report()
            try expect(report.batches?.counts, sums.counts)
            try expect(report.counts, sums.counts)
            try expect(report.status, .partial)
        },
        BatchConformance("the processor aggregates in the list form and not in the streaming form") { stage in
            let processor = try RegisteredProcessor(StepProcessor(calls: stage.calls))
            _ = try await stage.engine.batches(processor, over: Stage.items(4), batching: Batching(size: 2)).all()
            try expect(stage.calls["aggregate"], 0)
            let stream = stage.engine.batches(processor, over: Stage.items(4), batching: Batching(size: 2))
            _ = try await stream.list()
            try expect(stage.calls["aggregate"], 1)
            try expect(await stream.report().summary(as: [JSONValue].self)?.count, 4)
        },
        BatchConformance("batches tell of their beginning and end, unless they are not to") { stage in
            for (isOn, count) in [(true, 4), (false, 0)] {
                let policy = try BatchPolicy(enableInstrumentation: isOn)
                let stream = stage.engine.batches(
                    try stage.odd(), over: Stage.items(4), batching: Batching(policy: policy, size: 2))
                _ = try await stream.list()
                let events = try await stage.engine.store.events(of: stream.report().runID, after: 0, limit: 100)
                let told = events.filter { [.batchStart, .batchComplete].contains($0.kind) }
                try expect(told.count, count)
                try expect(told.last?.data["batch_index"], isOn ? 1 : nil)
                try expect(told.last?.data["successful_items"], isOn ? 2 : nil)
            }
        },
    ]
}
