public import Assay

/// A rule of runs in batches, to be checked on an engine with a fresh store.
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
    public static let all = cutting + running + retries + sums + resuming + costs + graphs

    /// An engine and the records of what it does.
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

        /// Returns a processor of numbers that records each call of `extract` under the item's name and fails for
        /// `failing`.
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

        /// Returns items with the numbers 0, 1, … and the names `n0`, `n1`, …
        static func items(_ count: Int) -> [Item] { (0..<count).map { Item("n\($0)", $0) } }
    }
}

extension BatchConformance {
    static let cutting = [
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
