import Assay

extension BatchConformance {
    static let resuming = [
        BatchConformance("a resumed run cuts the same list again and runs only what did not succeed") { stage in
            var options = RunOptions()
            options.batching = Batching(policy: try BatchPolicy(maxRetries: 0), size: 2)
            let failing = try stage.odd { id, call in ["n2", "n5"].contains(id) && call == 1 }
            let first = try await stage.engine.run(failing, over: Stage.items(6), options: options)
            try expect(first.batches?.batchMetrics.map(\.status), [.succeeded, .partial, .partial])
            stage.calls.reset()
            let stream = stage.engine.batches(
                resuming: first.runID, with: try stage.odd(), batching: options.batching ?? Batching())
            let batches = try await stream.list()
            try expect(stage.calls.inOrder.sorted(), ["n2", "n5"])
            try expect(batches.map(\.batchIndex), [0, 1, 2])
            try expect(batches.map(\.batchID), ["batch_000004", "batch_000005", "batch_000006"])
            try expect(batches.map(\.status), [.succeeded, .succeeded, .succeeded])
            try expect(batches.flatMap(\.outcomes).map(\.carried), [true, true, false, true, true, false])
            try expect(batches.map(\.metrics.attempts.count), [0, 1, 1])
            let report = try await stream.report()
            try expect(report.counts.succeeded, 6)
            try expect(report.executionID, first.executionID)
        },
        BatchConformance("what was carried counts once, also where nothing is kept after a failure") { stage in
            var options = RunOptions()
            options.batching = Batching(size: 3)
            let items = Stage.items(3)
            let first = try await stage.engine.run(
                stage.odd(retryable: false) { id, _ in id != "n0" }, over: items, options: options)
            try expect(first.counts.succeeded, 1)
            options.failurePolicy = .atomic
            let mended = try await stage.engine.resume(
                first.runID, with: stage.odd { id, call in id == "n1" && call == 2 }, options: options)
            try expect(mended.status, .succeeded)
            try expect(mended.summary(as: [Int].self), [0, 1, 2])
            let failing = try await stage.engine.run(
                stage.odd(retryable: false) { id, _ in id != "n0" }, over: items, options: RunOptions())
            let lost = try await stage.engine.resume(
                failing.runID, with: stage.odd(retryable: false) { id, _ in id == "n1" }, options: options)
            try expect(lost.status, .failed)
            try expect(lost.counts.succeeded, 0)
            try expect(lost.outcomes.map(\.status), [.cancelled, .failed, .cancelled])
        },
        BatchConformance("a call that was left goes on with the same execution and the whole list") { stage in
            var options = RunOptions()
            options.executionID = Identifier("exec")
            let first = stage.engine.batches(
                try stage.odd(), over: Stage.items(6), batching: Batching(size: 2), options: options)
            for try await _ in first { break }
            try expect(await first.report().status, .cancelled)
            let second = stage.engine.batches(
                try stage.odd(), over: Stage.items(6), batching: Batching(size: 2), options: options)
            try expect(await second.all().map(\.status), [.succeeded, .succeeded, .succeeded])
            try expect(stage.calls.inOrder, ["n0", "n1", "n2", "n3", "n4", "n5"])
        },
        BatchConformance("a run that ended while batches were in progress is resumed from its record") { stage in
            var options = RunOptions()
            options.batching = Batching(size: 2)
            let handle = Handed()
            options.onBatch = { batch in if batch.batchIndex == 0 { await handle.get().cancel(drain: true) } }
            let first = try await stage.engine.run(stage.odd(), over: Stage.items(6), options: options) {
                handle.put($0)
            }
            try expect(first.status, .cancelled)
            try expect(first.outcomes.map(\.reason), [nil, nil] + Array(repeating: .runCancelled, count: 4))
            options.onBatch = nil
            let second = try await stage.engine.resume(first.runID, with: stage.odd(), options: options)
            try expect(second.status, .succeeded)
            try expect(stage.calls.inOrder, ["n0", "n1", "n2", "n3", "n4", "n5"])
        },
        BatchConformance("what is thrown by whoever takes a batch cancels the run and is thrown on") { stage in
            var options = RunOptions()
            options.executionID = Identifier("exec")
            options.batching = Batching(size: 2)
            options.onBatch = { _ in throw StepFailure(message: "full") }
            do {
                _ = try await stage.engine.run(stage.odd(), over: Stage.items(6), options: options)
                throw Finding("nothing was thrown")
            } catch let error as StepFailure {
                try expect(error.message, "full")
            }
            let runs = try await stage.engine.store.runs(matching: RunFilter(executionID: options.executionID))
            try expect(runs.map(\.status), [.cancelled])
            try expect(stage.calls.inOrder.count, 2)
        },
    ]
}
