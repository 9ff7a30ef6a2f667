import Assay

extension StoreConformance {
    static let savedValues = [
        StoreConformance("a store keeps one value per step, the last saved at the end") { store in
            _ = try await Sample.begun(in: store, items: 1)
            let saved = [
                Sample.checkpoint("a", 1), Sample.checkpoint("b", [.null, "x"]), Sample.checkpoint("c", .null),
            ]
            for checkpoint in saved { try await store.save(checkpoint, charges: []) }
            try expect(await store.checkpoints(of: Sample.subject).saved, saved)
            try expect(await store.checkpoints(of: Sample.subject).damaged, [])
            let again = Sample.checkpoint("a", 2)
            try await store.save(again, charges: [Sample.charge("c1", key: "k")])
            try expect(await store.checkpoints(of: Sample.subject).saved, [saved[1], saved[2], again])
            try expect(await store.charges(matching: ChargeFilter()).map(\.costID), ["c1"])
        },
        StoreConformance("a store saves no step of another epoch, nor its charges") { store in
            _ = try await Sample.begun(in: store, items: 1)
            var stale = Sample.checkpoint("a", 1)
            stale.epoch = 2
            try await store.save(stale, charges: [Sample.charge("c1")])
            try expect(await store.checkpoints(of: Sample.subject).saved, [])
            try expect(await store.charges(matching: ChargeFilter()), [])
        },
        StoreConformance("a store keeps the steps of items apart, byte by byte, and forgets those of one") { store in
            _ = try await Sample.begun(in: store, items: 1)
            var (composed, decomposed) = (Sample.checkpoint("a", 1), Sample.checkpoint("a", 2))
            composed.subject.inputID = "\u{E9}"
            decomposed.subject.inputID = "e\u{301}"
            try await store.save(composed, charges: [])
            try await store.save(decomposed, charges: [])
            try expect(await store.checkpoints(of: composed.subject).saved, [composed])
            try await store.dropCheckpoints(of: composed.subject)
            try await store.dropCheckpoints(of: composed.subject)
            try expect(await store.checkpoints(of: composed.subject).saved, [])
            try expect(await store.checkpoints(of: decomposed.subject).saved, [decomposed])
        },
        StoreConformance("a store replaces a cached value and counts its uses") { store in
            try expect(await store.cacheEntry("key"), nil)
            let call = Sample.call("call_1")
            try await store.file(call, charge: nil, cached: Sample.cacheEntry("key", "old"))
            try await store.useCacheEntry("key", charge: Sample.charge("hit", cost: 0))
            var entry = Sample.cacheEntry("key", "old")
            entry.hits = 1
            try expect(await store.cacheEntry("key"), entry)
            let new = Sample.cacheEntry("key", .null)
            try await store.file(call, charge: nil, cached: new)
            try expect(await store.cacheEntry("key"), new)
            try await store.useCacheEntry("gone", charge: Sample.charge("late", cost: 0))
            try expect(await store.charges(matching: ChargeFilter()).map(\.costID), ["hit", "late"])
        },
    ]

    static let cache = [
        StoreConformance("a store lists cached values by every part of a filter, page by page") { store in
            try await Sample.fillCache(of: store)
            func found(_ filter: CacheFilter, after key: String? = nil, limit: Int = 9) async throws -> [String] {
                let page = try await store.cacheEntries(matching: filter, after: key, limit: limit)
                try expect(page.damaged, 0)
                return page.entries.map(\.key)
            }
            try expect(await found(CacheFilter()), ["a", "b", "c", "d"])
            try expect(await found(CacheFilter(), limit: 2), ["a", "b"])
            try expect(await found(CacheFilter(), after: "b", limit: 2), ["c", "d"])
            try expect(await found(CacheFilter(), after: "d"), [])
            try expect(await found(CacheFilter(), limit: 0), [])
            try expect(await found(CacheFilter(service: "clear")), ["a", "b"])
            try expect(await found(CacheFilter(service: "statement", operation: "page")), ["d"])
            try expect(await found(.processor(Sample.id("statement"))), ["c"])
            try expect(await found(CacheFilter(key: "b")), ["b"])
            try expect(await found(CacheFilter(age: .fresh(at: Sample.moment(999)))), ["a", "b", "c", "d"])
            try expect(await found(CacheFilter(age: .fresh(at: Sample.moment(1_000)))), ["b"])
            try expect(await found(CacheFilter(age: .expired(at: Sample.moment(1_000)))), ["a", "c", "d"])
            let page = try await store.cacheEntries(matching: CacheFilter(key: "a"), after: nil, limit: 1)
            try expect(page.entries, try [await store.cacheEntry("a")].compactMap { $0 })
        },
        StoreConformance("a store removes the cached values that fit and says how many") { store in
            try await Sample.fillCache(of: store)
            try expect(await store.removeCacheEntries(matching: CacheFilter(key: "nobody")), 0)
            try expect(await store.removeCacheEntries(matching: CacheFilter(service: "clear", operation: "search")), 2)
            try expect(await store.cached("a"), .missing)
            let expired = CacheFilter(age: .expired(at: Sample.moment(5_000)))
            try expect(await store.removeCacheEntries(matching: expired), 2)
            try expect(await store.cacheEntries(matching: CacheFilter(), after: nil, limit: 9).entries.count, 0)
            try expect(await store.charges(matching: ChargeFilter()).count, 2)
        },
        StoreConformance("a store adds cached values up by service and operation") { store in
            try await Sample.fillCache(of: store)
            let statistics = try await store.cacheStatistics(at: Sample.moment(1_000))
            var line = CacheStatistics.Line()
            (line.entries, line.expired, line.bytes, line.hits) = (2, 1, 5, 2)
            (line.cost, line.avoided) = (MoneySum(Sample.money(10)), MoneySum(Sample.money(10)))
            try expect(statistics.lines[.init(service: "clear", operation: "search")], line)
            try expect(statistics.lines.count, 3)
            try expect(statistics.damaged, 0)
            try expect(statistics.total().entries, 4)
            try expect(statistics.total().fresh, 1)
        },
    ]

    static let concurrency = [
        StoreConformance("a store records a key once, however many ask at the same time") { store in
            let recorded = try await withThrowingTaskGroup(of: Int.self) { group in
                for number in 0..<100 {
                    group.addTask {
                        try await store.record([Sample.charge("c\(number)", key: "k\(number % 5)")]).count
                    }
                }
                return try await group.reduce(0, +)
            }
            try expect(recorded, 5)
            try expect(await store.charges(matching: ChargeFilter()).count, 5)
        },
        StoreConformance("a store gives each place to one of many, and disturbs none by another's refusal") { store in
            let run = try await Sample.begun(in: store, items: 50)
            let accepted = try await withThrowingTaskGroup(of: Int.self) { group in
                for number in 0..<200 {
                    group.addTask {
                        if number % 10 == 0 {
                            try await expect(.alreadyRunning) { try await store.begin(Sample.run("twin_\(number)")) }
                        }
                        let outcome = CommittedOutcome(
                            Sample.success(number % 50), charges: [Sample.charge("c\(number)", cost: 1)])
                        return try await store.commit([outcome], of: run.id, epoch: 1) == [true] ? 1 : 0
                    }
                }
                return try await group.reduce(0, +)
            }
            try expect(accepted, 50)
            try expect(await store.outcomes(of: run.id, from: 0, limit: .max).map(\.index), Array(0..<50))
            try expect(await store.charges(matching: ChargeFilter()).count, 50)
        },
        StoreConformance("a store finishes a write whose task is cancelled") { store in
            let run = try await Sample.begun(in: store, items: 1)
            let task = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                return try await store.commit([CommittedOutcome(Sample.success(0))], of: run.id, epoch: 1)
            }
            try expect(await task.value, [true])
            try expect(await store.outcomes(of: run.id, from: 0, limit: 1).count, 1)
        },
    ]
}
