import Assay

extension StoreConformance {
    static let items = [
        StoreConformance("a store keeps items in order with all their parts") { store in
            let run = Sample.run("run_1")
            try await store.begin(run)
            let items = (0..<5).map { Sample.item($0) }
            try await store.append(Array(items[..<2]), settled: [], to: run.id, epoch: 1)
            try await store.append(Array(items[2...]), settled: [], to: run.id, epoch: 1)
            try expect(await store.items(of: run.id, from: 0, limit: .max).map(Sample.text), items.map(Sample.text))
            try expect(await store.items(of: run.id, from: 1, limit: 2).map(\.item.id), ["doc_1", "doc_2"])
            try expect(await store.items(of: run.id, from: 5, limit: 2).count, 0)
            try expect(await store.items(of: run.id, from: 0, limit: 0).count, 0)
        },
        StoreConformance("a store appends items with the outcomes of those that were settled before") { store in
            var run = Sample.run("run_1")
            try await store.begin(run)
            func append(_ range: Range<Int>, settled: [Int], epoch: Int) async throws {
                let settled = settled.map { index in
                    CommittedOutcome(
                        Sample.success(index), charges: [Sample.charge("c\(index)")],
                        cached: Sample.cacheEntry("key\(index)", 1))
                }
                try await store.append(
                    range.map { Sample.item($0) }, settled: settled, to: run.id, epoch: epoch)
            }
            func found() async throws -> [Int] {
                let items = try await store.items(of: run.id, from: 0, limit: 9)
                let outcomes = try await store.outcomes(of: run.id, from: 0, limit: 9)
                return [items.count, outcomes.count, try await store.charges(matching: ChargeFilter()).count]
            }
            try await append(0..<2, settled: [1], epoch: 1)
            try await append(2..<4, settled: [2, 1, 3], epoch: 1)
            try expect(await found(), [4, 3, 3])
            try expect(await store.outcomes(of: run.id, from: 0, limit: 9).map(\.index), [1, 2, 3])
            try expect(await store.charges(matching: ChargeFilter()).map(\.costID), ["c1", "c2", "c3"])
            try expect(await store.cacheEntry("key3"), Sample.cacheEntry("key3", 1))
            try expect(
                await store.commit([CommittedOutcome(Sample.failed(1))], of: run.id, epoch: 1), [false])
            try await append(4..<5, settled: [4], epoch: 2)
            run.status = .failed
            try await store.update(run)
            try await append(4..<5, settled: [4], epoch: 1)
            try expect(await found(), [4, 3, 3])
            try expect(await store.cacheEntry("key4"), nil)
        },
        StoreConformance("a store replaces transformed values and leaves the data") { store in
            let run = Sample.run("run_1")
            try await store.begin(run)
            try await store.append(Sample.items(3), settled: [], to: run.id, epoch: 1)
            try await store.setTransformed([(1, Payload("first")), (2, Payload(json: .null))], of: run.id)
            try await store.setTransformed([(1, Payload("second"))], of: run.id)
            let found = try await store.items(of: run.id, from: 0, limit: 3)
            try expect(found.map { try $0.transformed?.json() }, [nil, "second", .null])
            try expect(found.map { try $0.item.data.json() }, [0, 1, 2])
        },
        StoreConformance("a store gives values back as they were: digits, depth, text, order of keys") { store in
            let run = Sample.run("run_1")
            try await store.begin(run)
            let deep = (1...JSONValue.maximumDepth).reduce(JSONValue.string("x")) { value, _ in [value] }
            let values: [JSONValue] = [
                .number(Number("1.0")!), .number(Number("-0.10")!),
                .number(Number("12345678901234567890123456789012345678")!),
                .number(Number("1e-40")!), "", "a\u{0}b\u{1F}\"\\/\n", "e\u{301} \u{E9} 🧾", [], [:],
                ["b": 1, "a": [.null, true]],
                deep, .null,
            ]
            let items = values.enumerated().map { StoredItem(Item("i\($0)", $1), index: $0) }
            try await store.append(items, settled: [], to: run.id, epoch: 1)
            let found = try await store.items(of: run.id, from: 0, limit: 100).map { try $0.item.data.json().jsonBytes }
            try expect(found, values.map(\.jsonBytes))
        },
    ]

    static let outcomes = [
        StoreConformance("a store gives outcomes back with all their parts, in order of their places") { store in
            let run = try await Sample.begun(in: store, items: 4)
            let outcomes = [Sample.failed(2), Sample.success(0), Sample.detailed(3)]
            try expect(
                await store.commit(outcomes.map { CommittedOutcome($0) }, of: run.id, epoch: 1), [true, true, true])
            let found = try await store.outcomes(of: run.id, from: 0, limit: .max)
            try expect(found.map(Sample.text), [outcomes[1], outcomes[0], outcomes[2]].map(Sample.text))
            try expect(found.map(\.error), [nil, outcomes[0].error, nil])
            try expect(found.last?.steps, outcomes[2].steps)
        },
        StoreConformance("a store pages outcomes by place, whether there is one at each or not") { store in
            let run = try await Sample.begun(in: store, items: 6)
            _ = try await store.commit([0, 1, 4].map { CommittedOutcome(Sample.success($0)) }, of: run.id, epoch: 1)
            try expect(await store.outcomes(of: run.id, from: 0, limit: 3).map(\.index), [0, 1])
            try expect(await store.outcomes(of: run.id, from: 3, limit: 3).map(\.index), [4])
            try expect(await store.outcomes(of: run.id, from: 5, limit: 3).map(\.index), [])
        },
        StoreConformance("a store keeps the first outcome of an item and writes nothing of a second") { store in
            let run = try await Sample.begun(in: store, items: 2)
            let first = CommittedOutcome(Sample.success(0), charges: [Sample.charge("c1", key: "k1")])
            try expect(await store.commit([first], of: run.id, epoch: 1), [true])
            let second = CommittedOutcome(
                Sample.failed(0), charges: [Sample.charge("c2", key: "k2")], cached: Sample.cacheEntry("key", 1))
            let other = CommittedOutcome(Sample.success(1), charges: [Sample.charge("c3", key: "k1")])
            try expect(await store.commit([second, other, other], of: run.id, epoch: 1), [false, true, false])
            try expect(await store.outcomes(of: run.id, from: 0, limit: 9).map(\.status), [.succeeded, .succeeded])
            try expect(await store.charges(matching: ChargeFilter()).map(\.costID), ["c1"])
            try expect(await store.cacheEntry("key"), nil)
        },
        StoreConformance("a store refuses outcomes of another epoch and of a run that has ended") { store in
            var run = try await Sample.begun(in: store, items: 2)
            let late = CommittedOutcome(
                Sample.success(0), charges: [Sample.charge("late")], cached: Sample.cacheEntry("key", 1))
            try expect(await store.commit([late, late], of: run.id, epoch: 2), [false, false])
            run.epoch = 2
            try await store.update(run)
            try expect(await store.commit([late], of: run.id, epoch: 1), [false])
            run.status = .failed
            try await store.update(run)
            try expect(await store.commit([late], of: run.id, epoch: 2), [false])
            try expect(await store.outcomes(of: run.id, from: 0, limit: 9).count, 0)
            try expect(await store.charges(matching: ChargeFilter()).count, 0)
            try expect(await store.cacheEntry("key"), nil)
        },
        StoreConformance("charges that were said to be on record stay so when the outcome of their item is refused") {
            store in
            let run = try await Sample.begun(in: store, items: 1)
            _ = try await store.record([Sample.charge("told", key: "k1")])
            try await store.save(Sample.checkpoint("read", 1), charges: [Sample.charge("saved")])
            let outcome = CommittedOutcome(Sample.failed(0), charges: [Sample.charge("again", key: "k1")])
            try expect(await store.commit([outcome], of: run.id, epoch: 2), [false])
            try expect(await store.commit([CommittedOutcome(Sample.success(0))], of: run.id, epoch: 1), [true])
            try expect(await store.commit([outcome], of: run.id, epoch: 1), [false])
            try expect(await store.charges(matching: ChargeFilter()).map(\.costID), ["told", "saved"])
        },
        StoreConformance("a store writes outcome, charges and cache entry together") { store in
            let run = try await Sample.begun(in: store, items: 1)
            let entry = Sample.cacheEntry("key", ["a": 1])
            let committed = CommittedOutcome(Sample.success(0), charges: [Sample.charge("c1")], cached: entry)
            try expect(await store.commit([committed], of: run.id, epoch: 1), [true])
            try expect(await store.charges(matching: ChargeFilter(runID: run.id)), committed.charges)
            try expect(await store.cacheEntry("key"), entry)
        },
        StoreConformance("a store takes back the outputs of what succeeded and nothing else") { store in
            let run = try await Sample.begun(in: store, items: 4)
            let outcomes = [Sample.success(0), Sample.failed(1), Sample.detailed(3)]
            _ = try await store.commit(outcomes.map { CommittedOutcome($0) }, of: run.id, epoch: 1)
            try await store.withdrawOutputs(of: run.id, in: 0..<4)
            let found = try await store.outcomes(of: run.id, from: 0, limit: 9)
            try expect(found.map(\.status), [.cancelled, .failed, .cancelled])
            try expect(found.map(\.reason), [.atomic, nil, .atomic])
            try expect(found.map { $0.output == nil }, [true, true, true])
            try expect(found.map(\.cost), outcomes.map(\.cost))
            try expect(found.last?.steps, outcomes.last?.steps)
        },
        StoreConformance("a store takes back outputs of the places it is told and of no others") { store in
            let run = try await Sample.begun(in: store, items: 4)
            _ = try await store.commit((0..<4).map { CommittedOutcome(Sample.success($0)) }, of: run.id, epoch: 1)
            try await store.withdrawOutputs(of: run.id, in: 1..<3)
            let found = try await store.outcomes(of: run.id, from: 0, limit: 9)
            try expect(found.map(\.status), [.succeeded, .cancelled, .cancelled, .succeeded])
        },
        StoreConformance("an item that is reopened takes another outcome, and what it cost stays") { store in
            let run = try await Sample.begun(in: store, items: 3)
            let first = CommittedOutcome(Sample.failed(1), charges: [Sample.charge("c1")])
            _ = try await store.commit([CommittedOutcome(Sample.success(0)), first], of: run.id, epoch: 1)
            try await store.reopen([1], of: run.id, epoch: 1)
            try expect(await store.outcomes(of: run.id, from: 0, limit: 9).map(\.index), [0])
            try expect(await store.commit([CommittedOutcome(Sample.success(1))], of: run.id, epoch: 1), [true])
            try expect(await store.outcomes(of: run.id, from: 0, limit: 9).map(\.status), [.succeeded, .succeeded])
            try expect(await store.charges(matching: ChargeFilter(runID: run.id)), first.charges)
        },
        StoreConformance("nothing is reopened by an older epoch or in a run that has ended") { store in
            var run = try await Sample.begun(in: store, items: 1)
            _ = try await store.commit([CommittedOutcome(Sample.success(0))], of: run.id, epoch: 1)
            try await store.reopen([0], of: run.id, epoch: 2)
            try expect(await store.outcomes(of: run.id, from: 0, limit: 9).count, 1)
            run.status = .succeeded
            try await store.update(run)
            try await store.reopen([0], of: run.id, epoch: 1)
            try expect(await store.outcomes(of: run.id, from: 0, limit: 9).count, 1)
        },
        StoreConformance("an item keeps the slot it belongs to") { store in
            let run = try await Sample.begun(in: store, items: 0)
            let items = [Item("a", 1, slot: "D1-Q1"), Item("b", 2)]
            let stored = items.enumerated().map { StoredItem($1, index: $0) }
            try await store.append(stored, settled: [], to: run.id, epoch: 1)
            try expect(await store.items(of: run.id, from: 0, limit: 9).map(\.item.slot), ["D1-Q1", nil])
        },
    ]
}
