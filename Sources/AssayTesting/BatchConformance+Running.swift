import Assay

extension BatchConformance {
    static let running = [
        BatchConformance("the parallel stream gives batches in order of completion, the list sorted") { stage in
            let gate = Latch()
            let processor = try RegisteredProcessor(
                ClosureProcessor<Int, Int>("gated") { number, context in
                    // The first batch waits until the others have been handed over.
                    if number == 0, context.attempt == 1 { await gate.pass() }
                    return number
                })
            let parallel = Batching(policy: try BatchPolicy(maxConcurrentBatches: 3), size: 1, isParallel: true)
            var order: [Int] = []
            for try await batch in stage.engine.batches(processor, over: Stage.items(3), batching: parallel) {
                order.append(batch.batchIndex)
                if order.count == 2 { gate.open() }
            }
            try expect(order.last, 0)
            try expect(order.sorted(), [0, 1, 2])
            let list = try await stage.engine.batches(processor, over: Stage.items(3), batching: parallel).list()
            try expect(list.map(\.batchIndex), [0, 1, 2])
            try expect(list.map(\.batchID), list.map(\.batchID).sorted())
        },
        BatchConformance("no more batches are in memory than may be in progress") { stage in
            let batching = Batching(policy: try BatchPolicy(maxConcurrentBatches: 2), size: 1, isParallel: true)
            let batches = stage.engine.batches(try stage.odd(), over: Stage.items(9), batching: batching)
                .makeAsyncIterator()
            for taken in 1...9 {
                try expect(await batches.next() != nil, true)
                try expect(stage.calls.inOrder.count <= taken + 2, true, "started with \(taken) taken")
            }
            try expect(await batches.next() == nil, true)
        },
        BatchConformance("each batch has as many items in flight as the runner allows") { stage in
            let load = Load()
            let processor = try RegisteredProcessor(
                ClosureProcessor<Int, Int>("load") { number, _ in await load.through(number, until: 8) })
            let options = try RunOptions.threads(2)
            let batching = Batching(size: 4, isParallel: true)
            let batches = try await stage.engine.batches(
                processor, over: Stage.items(16), batching: batching, options: options
            ).list()
            try expect(batches.flatMap(\.outcomes).map(\.status), Array(repeating: .succeeded, count: 16))
            try expect(load.most, 8)
        },
        BatchConformance("without streaming all batches are handed over, sorted, after the last") { stage in
            let order = Calls()
            let policy = try BatchPolicy(maxConcurrentBatches: 3, enableStreaming: false)
            let calls = stage.calls
            var options = RunOptions()
            options.onBatch = { order.note("\($0.batchIndex) of \(calls.inOrder.count)") }
            options.batching = Batching(policy: policy, size: 2, isParallel: true)
            _ = try await stage.engine.run(stage.odd(), over: Stage.items(6), options: options)
            try expect(order.inOrder, ["0 of 6", "1 of 6", "2 of 6"])
        },
        BatchConformance("an item that fails a gate fails its batch and no other") { stage in
            let processor = try RegisteredProcessor(
                StepProcessor(failingAt: "validate", for: ["n3"], calls: stage.calls))
            let stream = stage.engine.batches(processor, over: Stage.items(6), batching: Batching(size: 2))
            let batches = try await stream.list()
            try expect(batches.map(\.status), [.succeeded, .failed, .succeeded])
            try expect(batches[1].outcomes.map(\.status), [.skipped, .failed])
            try expect(batches[1].outcomes.map(\.reason), [.preprocessingStopped, nil])
            try expect(batches[1].metrics.retriesUsed, 0)
            try expect(stage.calls["extract"], 4)
            try expect(await stream.report().status, .partial)
        },
        BatchConformance("names are unique over the whole call") { stage in
            for listed in [true, false] {
                let items = [Item("a", 1), Item("b", 2), Item("c", 3), Item("a", 4)]
                let stream = stage.engine.batches(try stage.odd(), over: items, batching: Batching(size: 2))
                let batches = listed ? try await stream.list() : try await stream.all()
                try expect(batches.map(\.status), [.succeeded, .failed])
                try expect(batches[1].errors.map(\.record.code), [.prevalidation])
                try expect(batches[1].errors.first?.record.message, "input_id 'a' is used by items 1 and 4")
            }
        },
        BatchConformance("names behind a name that was used twice are noted all the same") { stage in
            let items = ["x", "x", "b", "b", "c", "d"].map { Item($0, 1) }
            let batches = try await stage.engine.batches(
                stage.odd(), over: items, batching: Batching(size: 3)
            ).all()
            try expect(batches.map(\.status), [.failed, .failed])
            try expect(batches[1].errors.first?.record.message, "input_id 'b' is used by items 3 and 4")
        },
        BatchConformance("a caller that is cancelled begins nothing") { stage in
            let stream = stage.engine.batches(try stage.odd(), over: Stage.items(4), batching: Batching(size: 2))
            let isCancelled = await withTaskGroup(of: Bool.self) { group in
                group.cancelAll()
                group.addTask {
                    do {
                        _ = try await stream.list()
                        return false
                    } catch { return error is CancellationError }
                }
                return await group.next() ?? false
            }
            try expect(isCancelled, true)
            try expect(stage.calls.inOrder, [])
            try expect(await stage.engine.store.runs(matching: RunFilter()).count, 0)
        },
        BatchConformance("a batch is handed over while others still wait for their items") { stage in
            let (items, source) = AsyncStream.makeStream(of: Item.self)
            source.yield(Item("n0", 0))
            let parallel = Batching(policy: try BatchPolicy(maxConcurrentBatches: 3), size: 1, isParallel: true)
            var order: [Int] = []
            for try await batch in stage.engine.batches(try stage.odd(), streaming: items, batching: parallel) {
                order.append(batch.batchIndex)
                if order.count < 3 { source.yield(Item("n\(order.count)", order.count)) } else { source.finish() }
            }
            try expect(order, [0, 1, 2])
        },
        BatchConformance("who stops asking cancels the call") { stage in
            let stream = stage.engine.batches(try stage.odd(), over: Stage.items(10), batching: Batching(size: 2))
            for try await batch in stream where batch.batchIndex == 1 { break }
            let report = try await stream.report()
            try expect(report.status, .cancelled)
            try expect(report.counts.total, 4)
            try expect(stage.calls.inOrder.count, 4)
        },
        BatchConformance("a failure policy is one of the batch, not of the run") { stage in
            var options = RunOptions()
            options.failurePolicy = .stop
            let policy = try BatchPolicy(maxRetries: 0)
            let stream = stage.engine.batches(
                try stage.odd { id, _ in id == "n1" }, over: Stage.items(6),
                batching: Batching(policy: policy, size: 3),
                options: options)
            let batches = try await stream.list()
            try expect(batches[0].outcomes.map(\.status), [.succeeded, .failed, .cancelled])
            try expect(batches[1].outcomes.map(\.status), [.succeeded, .succeeded, .succeeded])
            try expect(await stream.report().status, .partial)
        },
        BatchConformance("without any kept output a batch has failed, and others keep theirs") { stage in
            var options = RunOptions()
            options.failurePolicy = .atomic
            let stream = stage.engine.batches(
                try stage.odd { id, _ in id == "n1" }, over: Stage.items(6),
                batching: Batching(policy: try BatchPolicy(maxRetries: 0), size: 3), options: options)
            let batches = try await stream.list()
            try expect(batches.map(\.status), [.failed, .succeeded])
            try expect(batches[0].outcomes.map(\.status), [.cancelled, .failed, .cancelled])
            try expect(
                await stage.engine.report(of: stream.report().runID).outcomes.map(\.status),
                batches.flatMap(\.outcomes).map(\.status))
        },
        BatchConformance("null outputs are outputs") { stage in
            let processor = try RegisteredProcessor(ClosureProcessor<Int, Int?>("null") { _, _ in nil })
            let batches = try await stage.engine.batches(processor, over: Stage.items(2)).list()
            try expect(batches.map(\.status), [.succeeded])
            try expect(batches[0].successfulResults(as: Int?.self).map(\.output), [nil, nil])
        },
        BatchConformance("groups go by slot in order of appearance, each with its processor and size") { stage in
            let items = Stage.items(9).enumerated().map { place, item in
                Item(item.id, place, slot: ["D3-Q2", "D1-Q1", "D3-Q2"][place % 3])
            }
            let calls = stage.calls
            var processors: [String: RegisteredProcessor] = [:]
            for slot in ["D3-Q2", "D1-Q1"] {
                processors[slot] = try RegisteredProcessor(
                    ClosureProcessor<Int, String>("of_\(slot)") { number, _ in
                        calls.note(slot)
                        return "\(slot) \(number)"
                    })
            }
            let groups = try await stage.engine.batchesBySlot(items, with: processors)
            try expect(groups.map(\.slot), ["D3-Q2", "D1-Q1"])
            try expect(groups.map { $0.batches.map(\.outcomes.count) }, [[5, 1], [3]])
            let results = try groups.flatMap(\.batches).flatMap { try $0.successfulResults(as: String.self) }
            try expect(results.map(\.inputID), ["n0", "n2", "n3", "n5", "n6", "n8", "n1", "n4", "n7"])
            try expect(results.last?.output, "D1-Q1 7")
            try expect(Set(groups.map(\.report.executionID)).count, 1)
            let twice = [Item("a", 1, slot: "D3-Q2"), Item("a", 1, slot: "D1-Q1")]
            try await expect(.prevalidation) {
                _ = try await stage.engine.batchesBySlot(twice, with: processors)
            }
            let unknown = [Item("a", 1, slot: "D3-Q2"), Item("b", 1, slot: "X9")]
            try await expect(.configuration) {
                _ = try await stage.engine.batchesBySlot(unknown, with: processors)
            }
            try expect(calls.inOrder.count, 9)
        },
    ]
}
