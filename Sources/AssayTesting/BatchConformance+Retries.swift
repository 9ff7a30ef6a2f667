import Assay

extension BatchConformance {
    static let retries = [
        BatchConformance("failed items of a failed batch run again after a wait") { stage in
            let batch = try await stage.worked(.failedItems)
            try expect(stage.calls[["a", "b", "c", "d"]], [1, 2, 2, 2])
            try expect(batch.outcomes.map(\.attempts), [1, 2, 2, 2])
        },
        BatchConformance("a whole failed batch runs again after a wait") { stage in
            let batch = try await stage.worked(.wholeBatch)
            try expect(stage.calls[["a", "b", "c", "d"]], [2, 2, 2, 2])
            try expect(batch.outcomes.map(\.attempts), [2, 2, 2, 2])
        },
        BatchConformance("waits double up to the longest") { stage in
            for (retries, longest, waits) in [(2, 60.0, [1, 2]), (3, 60, [1, 2, 4]), (4, 3, [1, 2, 3, 3])] {
                let before = stage.time.waits.count
                let policy = try BatchPolicy(maxRetries: retries, backoffMax: longest)
                let batches = try await stage.engine.batches(
                    stage.odd { _, _ in true }, over: Stage.items(2), batching: Batching(policy: policy)
                ).list()
                try expect(
                    stage.time.waits.dropFirst(before).filter { $0 < .seconds(600) }, waits.map { .seconds($0) })
                try expect(batches[0].metrics.retriesUsed, retries)
                try expect(batches[0].metrics.attempts.map(\.failedItems), Array(repeating: 2, count: retries + 1))
                try expect(batches[0].status, .failed)
            }
        },
        BatchConformance("the retry that decides is told") { stage in
            let batches = try await stage.engine.batches(
                stage.odd { _, call in call < 3 }, over: Stage.items(2),
                batching: Batching(policy: try BatchPolicy(maxRetries: 5))
            ).list()
            try expect(batches[0].metrics.retriesUsed, 2)
            try expect(batches[0].status, .succeeded)
            try expect(batches[0].metrics.duration, .seconds(3))
            try expect(batches[0].errors, [])
        },
        BatchConformance("what cannot succeed is not tried again, unless all failures are worth it") { stage in
            for (failures, retries) in [(BatchPolicy.Failures.retryable, 0), (.all, 2)] {
                let batches = try await stage.engine.batches(
                    stage.odd(retryable: false) { _, _ in true }, over: Stage.items(2),
                    batching: Batching(policy: try BatchPolicy(retryOn: failures))
                ).list()
                try expect(batches[0].metrics.retriesUsed, retries)
            }
        },
        BatchConformance("a partial batch is never tried again") { stage in
            let batches = try await stage.engine.batches(
                stage.odd { id, _ in id == "n1" }, over: Stage.items(4)
            ).list()
            try expect(batches.map(\.status), [.partial])
            try expect(batches[0].metrics.retriesUsed, 0)
            try expect(batches[0].failedItems.map(\.inputID), ["n1"])
        },
        BatchConformance("what was cancelled because of a failure runs again with it") { stage in
            var options = RunOptions()
            options.failurePolicy = .stop
            let policy = try BatchPolicy(errorThreshold: 0)
            let batches = try await stage.engine.batches(
                stage.odd { id, call in id == "n1" && call == 1 }, over: Stage.items(3),
                batching: Batching(policy: policy), options: options
            ).list()
            try expect(batches[0].status, .succeeded)
            try expect(stage.calls[["n0", "n1", "n2"]], [1, 2, 1])
        },
        BatchConformance("saved steps are honoured by a retry, and forgotten when everything is done again") { stage in
            for (recovery, count) in [(RecoveryMode.resume, 1), (.reprocess, 2)] {
                let calls = Calls()
                let processor = StepProcessor(calls: calls) { place, _, _ in
                    if place == "extraction", calls["extraction"] == 1 { throw StepFailure(message: "not yet") }
                }
                var options = RunOptions()
                options.recovery = recovery
                let batches = try await stage.engine.batches(
                    RegisteredProcessor(processor), over: Stage.items(1), options: options
                ).list()
                try expect(batches[0].errors.map(\.record.message), [])
                try expect(calls[["validation", "processing", "extraction"]], [count, count, 2])
                try expect(calls[["transform", "validate"]], [2, 2])
            }
        },
        BatchConformance("a wait is no longer than the run may take") { stage in
            var options = RunOptions()
            options.timeout = .seconds(5)
            options.batching = Batching(policy: try BatchPolicy(backoffBase: 60))
            let time = ManualTime()
            let engine = Engine(store: stage.engine.store, world: .testing(time: time))
            let subscription = engine.events.subscribe([.itemRetry]) { event in
                guard event.inputID == "n1" else { return }
                await time.waitForSleepers()
                time.advance(by: .seconds(5))
            }
            let report = try await engine.run(stage.odd { _, _ in true }, over: Stage.items(2), options: options)
            await subscription.finish()
            try expect(report.status, .cancelled)
            try expect(report.error?.code, .timeout)
            // They had attempts left.
            try expect(report.outcomes.map(\.status), [.cancelled, .cancelled])
            try expect(stage.calls.inOrder.count, 2)
        },
        BatchConformance("a run that is cancelled during a wait does not try again") { stage in
            let time = ManualTime()
            let engine = Engine(store: stage.engine.store, world: .testing(time: time))
            let processor = try stage.odd { _, _ in true }
            var options = RunOptions()
            options.batching = Batching()
            let handle = Handed()
            let subscription = engine.events.subscribe([.itemRetry]) { _ in await handle.get().cancel() }
            let report = try await engine.run(processor, over: Stage.items(2), options: options) { handle.put($0) }
            await subscription.finish()
            try expect(report.status, .cancelled)
            try expect(stage.calls.inOrder.count, 2)
            try expect(report.batches?.batchMetrics.map(\.status), [.cancelled])
        },
    ]
}

extension BatchConformance.Stage {
    /// Runs the worked example: four items, of which the last three fail at first and only the last one fails again.
    func worked(_ scope: BatchPolicy.Scope) async throws -> BatchResult {
        let processor = try odd { id, call in id == "d" || ["b", "c"].contains(id) && call == 1 }
        let items = ["a", "b", "c", "d"].map { Item($0, 1) }
        let batches = try await engine.batches(
            processor, over: items, batching: Batching(policy: try BatchPolicy(retry: scope), size: 4)
        ).list()
        let batch = batches[0]
        try expect(batch.status, .partial)
        try expect(batch.metrics.retriesUsed, 1)
        try expect(batch.metrics.attempts.map(\.failedItems), [3, 1])
        try expect(time.waits.filter { $0 < .seconds(600) }, [.seconds(1)])
        try expect(batch.outcomes.map(\.status), [.succeeded, .succeeded, .succeeded, .failed])
        try expect(batch.errors.map(\.itemIndex), [3])
        try expect(batch.metrics.errorMessages, ["d refused"])
        return batch
    }
}
