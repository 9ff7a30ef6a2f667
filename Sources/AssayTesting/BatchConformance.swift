public import Assay
import Synchronization

/// One rule of runs in batches, to be checked on an engine with a fresh store.
public struct BatchConformance: Sendable, CustomStringConvertible {
    /// The rule, as a sentence.
    public let description: String
    private let check: @Sendable (Stage) async throws -> Void

    init(_ description: String, _ check: @escaping @Sendable (Stage) async throws -> Void) {
        self.description = description
        self.check = check
    }

    /// Checks the rule over `store`, which must be empty.
    ///
    /// - Throws: ``Finding`` when it does not hold.
    public func callAsFunction(_ store: any Store) async throws { try await check(Stage(store)) }

    /// All rules.
    public static let all = cutting + running + retries + sums + resuming + costs

    /// An engine with what is watched of it.
    struct Stage: Sendable {
        let engine: Engine
        let time = ManualTime(runsFree: true)
        let calls = Calls()

        init(_ store: any Store) {
            var prices = PriceList()
            prices.add(Price(Money(billionths: 100_000_000)), for: .processor("odd"))
            prices.add(Price(Money(billionths: 1_000_000_000)), for: .service("ocr", operation: "page"))
            engine = Engine(store: store, prices: prices, world: .testing(time: time))
        }

        /// A processor of numbers that notes each call of `extract` under the item's name and fails for `failing`.
        func odd(
            retryable: Bool = true,
            failing: @escaping @Sendable (_ inputID: String, _ call: Int) -> Bool = { _, _ in false }
        ) throws -> RegisteredProcessor {
            let calls = calls
            return try RegisteredProcessor(
                ClosureProcessor<Int, Int>("odd") { number, context in
                    let call = calls.note(context.inputID ?? "")
                    guard !failing(context.inputID ?? "", call) else {
                        throw ProcessingError(.processing, "\(context.inputID ?? "") refused", retryable: retryable)
                    }
                    return number
                })
        }

        /// Items with the numbers 0, 1, … and the names `n0`, `n1`, …
        static func items(_ count: Int) -> [Item] { (0..<count).map { Item("n\($0)", $0) } }
    }
}

// MARK: Cutting

extension BatchConformance {
    fileprivate static let cutting = [
        BatchConformance("batches are consecutive slices, and only the last may be short") { stage in
            for (count, size, sizes) in [(25, 10, [10, 10, 5]), (20, 10, [10, 10]), (5, 10, [5]), (3, 1, [1, 1, 1])] {
                let batches = try await stage.engine.batches(
                    stage.odd(), over: Stage.items(count), batching: Batching(size: size)
                ).list()
                try expect(batches.map(\.outcomes.count), sizes)
                try expect(batches.map(\.batchIndex), Array(0..<sizes.count))
                try expect(batches.flatMap(\.outcomes).map(\.inputID), Stage.items(count).map(\.id))
                try expect(batches.flatMap(\.outcomes).map(\.index), Array(0..<count))
                try expect(batches.map(\.status), sizes.map { _ in .succeeded })
            }
        },
        BatchConformance("names go on over the calls of an engine, indices begin anew") { stage in
            let first = try await stage.engine.batches(stage.odd(), over: Stage.items(3), batching: Batching(size: 2))
                .list()
            let second = try await stage.engine.batches(
                stage.odd(), over: Stage.items(3), batching: Batching(size: 1, isParallel: true)
            ).list()
            try expect(first.map(\.batchID), ["batch_000001", "batch_000002"])
            try expect(second.map(\.batchID), ["batch_000003", "batch_000004", "batch_000005"])
            try expect(second.map(\.batchIndex), [0, 1, 2])
        },
        BatchConformance("the slot decides the size, and a batch ends where the slot changes") { stage in
            let items = Stage.items(12).enumerated().map { place, item in
                Item(item.id, place, slot: place < 7 ? "D3-Q2" : "D2-Q3")
            }
            let batches = try await stage.engine.batches(stage.odd(), over: items).list()
            try expect(batches.map(\.outcomes.count), [5, 2, 5])
            let mixed = [Item("a", 1), Item("b", 1), Item("c", 1, slot: "D3-Q2"), Item("d", 1)]
            let cut = try await stage.engine.batches(stage.odd(), over: mixed).list()
            try expect(cut.map(\.outcomes.count), [2, 1, 1])
        },
        BatchConformance("a size above the largest becomes that, with a warning") { stage in
            let batching = Batching(policy: try BatchPolicy(maxBatchSize: 10), size: 50)
            let stream = stage.engine.batches(try stage.odd(), over: Stage.items(11), batching: batching)
            try expect(await stream.list().map(\.outcomes.count), [10, 1])
            let run = try await stream.report().runID
            let events = try await stage.engine.store.events(of: run, after: 0, limit: 100)
            try expect(
                events.first { $0.kind == .warning }?.data["message"]?.string?.hasPrefix("batches of 50 items"), true)
        },
        BatchConformance("no items are no batches, a warning, and a success") { stage in
            let stream = stage.engine.batches(try stage.odd(), over: [Item]())
            try expect(await stream.list().count, 0)
            let report = try await stream.report()
            try expect(report.status, .succeeded)
            try expect(report.summary(as: [Int].self), [])
            let events = try await stage.engine.store.events(of: report.runID, after: 0, limit: 100)
            try expect(events.map(\.kind), [.runStart, .warning, .runComplete])
        },
        BatchConformance("a batch is cut and begun when it is asked for, and no item is read before") { stage in
            let read = Counter()
            let items = (0..<10).lazy.map { number in
                read.next()
                return Item("n\(number)", number)
            }
            let batches = stage.engine.batches(
                try stage.odd(), over: UncheckedSequence(items), batching: Batching(size: 3)
            ).makeAsyncIterator()
            try expect(read.count, 0)
            for (asked, size) in [3, 6, 9, 10].enumerated() {
                try expect(await batches.next()?.batchIndex, asked)
                try expect(read.count, size, "items read after batch \(asked)")
                try expect(stage.calls.inOrder.count, size)
            }
            try expect(await batches.next()?.batchIndex, nil)
        },
    ]
}

// MARK: Running

extension BatchConformance {
    fileprivate static let running = [
        BatchConformance("the parallel stream gives batches in order of completion, the list sorted") { stage in
            let gate = Gate()
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

// MARK: Verdicts and retries

extension BatchConformance {
    fileprivate static let retries = [
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
            for (recovery, count) in [(RunOptions.Recovery.resume, 1), (.reprocess, 2)] {
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
            try expect(report.outcomes.map(\.status), [.failed, .failed])
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
    /// The worked example: four items, of which the last three fail at first and only the last one again.
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

// MARK: Folds and sums

extension BatchConformance {
    private struct Score: Codable, Sendable, Equatable {
        var total: Int
        var count: Int
    }

    fileprivate static let sums = [
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

// MARK: Resuming

extension BatchConformance {
    fileprivate static let resuming = [
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

// MARK: Costs

extension BatchConformance {
    fileprivate static let costs = [
        BatchConformance("the base is paid once, and every attempt pays its way") { stage in
            let calls = stage.calls
            let processor = try RegisteredProcessor(
                ClosureProcessor<Int, Int>("odd") { number, context in
                    try await context.charge("ocr", "page")
                    guard calls.note(context.inputID ?? "") > 1 else { throw ProcessingError(.processing, "not yet") }
                    return number
                })
            for listed in [true, false] {
                calls.reset()
                let stream = stage.engine.batches(processor, over: Stage.items(4), batching: Batching(size: 2))
                let batches = listed ? try await stream.list() : try await stream.all()
                try expect(batches.map(\.metrics.retriesUsed), [1, 1])
                try expect(batches.flatMap(\.outcomes).map(\.cost), Array(repeating: try Money(2), count: 4))
                try expect(batches.map(\.bill.totalCost), Array(repeating: try Money(4), count: 2))
                let bill = try await stream.report().bill
                try expect(bill.baseCost, Money(billionths: 100_000_000))
                try expect(bill.usageCost, try Money(8))
            }
        },
        BatchConformance("a base per input is paid with the batch that has it, each input once") { stage in
            var options = RunOptions()
            options.price = Price(try Money(1), policy: "per_input")
            let items = [Item("a", 1), Item("b", 2), Item("c", 1), Item("d", 3)]
            for listed in [true, false] {
                let stream = stage.engine.batches(
                    try stage.odd(), over: items, batching: Batching(size: 2), options: options)
                _ = listed ? try await stream.list() : try await stream.all()
                try expect(await stream.report().bill.baseCost, try Money(3))
            }
        },
        BatchConformance("a budget holds for the whole call") { stage in
            var options = RunOptions()
            options.budgets = [try Budget(Money(billionths: 3_100_000_000), name: "all", scope: .execution)]
            let processor = try RegisteredProcessor(
                ClosureProcessor<Int, Int>("odd") { number, context in
                    try await context.charge("ocr", "page")
                    return number
                })
            let stream = stage.engine.batches(
                processor, over: Stage.items(8), batching: Batching(size: 2), options: options)
            let batches = try await stream.list()
            try expect(batches.map(\.status), [.succeeded, .partial])
            let report = try await stream.report()
            try expect(report.bill.totalCost, Money(billionths: 3_100_000_000))
            try expect(report.error?.code, .budgetExhausted)
            try expect(report.status, .partial)
        },
    ]
}

// MARK: What the rules need

extension BatchStream {
    /// Takes every batch as it comes.
    fileprivate func all() async throws -> [BatchResult] {
        var batches: [BatchResult] = []
        for try await batch in self { batches.append(batch) }
        return batches
    }
}

extension RunOptions {
    fileprivate static func threads(_ count: Int) throws -> RunOptions {
        var options = RunOptions()
        options.runner = try ThreadRunner(maxWorkers: count)
        return options
    }
}

/// A lazy sequence that may be handed over, since only one call reads it.
private struct UncheckedSequence<Base: Sequence>: Sequence, @unchecked Sendable {
    let base: Base

    init(_ base: Base) { self.base = base }

    func makeIterator() -> Base.Iterator { base.makeIterator() }
}

/// A door that is closed until it is opened.
private final class Gate: Sendable {
    private let state = Mutex<(isOpen: Bool, waiting: [CheckedContinuation<Void, Never>])>((false, []))

    func pass() async {
        await withCheckedContinuation { continuation in
            let isOpen = state.withLock { state in
                if !state.isOpen { state.waiting.append(continuation) }
                return state.isOpen
            }
            if isOpen { continuation.resume() }
        }
    }

    func open() {
        let waiting = state.withLock { state in
            state.isOpen = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }
}

/// Counts who is inside at once, and keeps the first ones there until enough have come.
private final class Load: Sendable {
    private let state = Mutex<(inside: Int, most: Int)>((0, 0))
    private let gate = Gate()

    var most: Int { state.withLock { $0.most } }

    func through(_ number: Int, until enough: Int) async -> Int {
        let isFull = state.withLock { state in
            state.inside += 1
            state.most = max(state.most, state.inside)
            return state.most == enough
        }
        if isFull { gate.open() }
        await gate.pass()
        state.withLock { $0.inside -= 1 }
        return number
    }
}

/// A run that is handed from whoever begins it to whoever waits for it.
private final class Handed: Sendable {
    private let handle = Mutex<RunHandle?>(nil)
    private let gate = Gate()

    func put(_ handle: RunHandle) {
        self.handle.withLock { $0 = handle }
        gate.open()
    }

    func get() async -> RunHandle {
        await gate.pass()
        return handle.withLock { $0 }!
    }
}
