import Assay

extension StoreConformance {
    static let ledger = [
        StoreConformance("a store records a key once and charges without key every time") { store in
            let first = [Sample.charge("c1", key: "k"), Sample.charge("c2"), Sample.charge("c3", key: "k")]
            try expect(await store.record(first).map(\.costID), ["c1", "c2"])
            try expect(await store.record([Sample.charge("c4", key: "k"), Sample.charge("c2")]).map(\.costID), ["c2"])
            try expect(await store.record([]), [])
            try expect(await store.charges(matching: ChargeFilter()).map(\.costID), ["c1", "c2", "c2"])
        },
        StoreConformance("a store compares keys byte by byte") { store in
            let charges = [Sample.charge("c1", key: "usage|\u{E9}"), Sample.charge("c2", key: "usage|e\u{301}")]
            try expect(await store.record(charges).count, 2)
        },
        StoreConformance("a store gives charges back with all their parts, in order of recording") { store in
            var full = Sample.charge("c1", key: "k", cost: 1, metadata: ["x": ["y": .null]])
            full.avoidedCost = Money(billionths: 5_000_000_000)
            full.basis = Charge.Basis(
                .cacheHit, cachedAt: Sample.moment(7), quantity: Number("1.50"), unitPrice: Money(billionths: 1),
                priceSource: .pipeline, resolution: .resolver)
            full.step = "ocr/page#2"
            full.accountID = ExternalID("Müller & Söhne")
            full.underwritingID = ExternalID("uw_1")
            var plain = Sample.charge("c2", cost: 1_000_000 * 1_000_000_000)
            (plain.inputID, plain.itemIndex, plain.kind) = (nil, nil, .base)
            _ = try await store.record([full])
            _ = try await store.record([plain])
            try expect(await store.charges(matching: ChargeFilter()), [full, plain])
        },
        StoreConformance("a store finds charges by run, execution, account and time") { store in
            var charges = (0..<6).map {
                Sample.charge("c\($0)", run: "run_\($0 % 2)", execution: "exec_\($0 % 3)", at: $0)
            }
            charges[4].accountID = ExternalID("acc")
            _ = try await store.record(charges)
            func found(_ filter: ChargeFilter) async throws -> [String] {
                try await store.charges(matching: filter).map(\.costID)
            }
            try expect(await found(ChargeFilter(runID: Sample.id("run_1"))), ["c1", "c3", "c5"])
            try expect(await found(ChargeFilter(runID: Sample.id("run_1"), executionID: Sample.id("exec_2"))), ["c5"])
            try expect(await found(ChargeFilter(accountID: ExternalID("acc"))), ["c4"])
            try expect(await found(ChargeFilter(since: Sample.moment(2), until: Sample.moment(4))), ["c2", "c3"])
        },
        StoreConformance("a store finds and adds up charges by what budgets count, up to a position") { store in
            var charges = (0..<6).map { Sample.charge("c\($0)", cost: Int64($0 + 1), at: $0) }
            charges[1].underwritingID = ExternalID("uw")
            charges[2].processorID = Sample.id("other")
            charges[3].service = "clear"
            _ = try await store.record(Array(charges[..<4]))
            let position = try await store.ledgerPosition()
            _ = try await store.record(Array(charges[4...]))
            func sum(_ narrow: (inout ChargeFilter) -> Void) async throws -> Int64 {
                var filter = ChargeFilter()
                narrow(&filter)
                let found = try await store.charges(matching: filter).reduce(0) { $0 + $1.cost.billionths }
                try expect(await store.total(matching: filter), MoneySum(billionths: Int128(found)))
                return found
            }
            try expect(await sum { _ in }, 21)
            try expect(await sum { $0.upTo = position }, 10)
            try expect(await sum { $0.after = position }, 11)
            try expect(await sum { ($0.after, $0.upTo) = (1, position) }, 9)
            try expect(await sum { ($0.after, $0.upTo, $0.runID) = (1, 3, Sample.id("run_1")) }, 5)
            try expect(await sum { $0.after = position + 9 }, 0)
            try expect(await sum { $0.underwritingID = ExternalID("uw") }, 2)
            try expect(await sum { $0.processorID = Sample.id("other") }, 3)
            try expect(await sum { $0.service = "clear" }, 4)
            try expect(await sum { ($0.since, $0.upTo) = (Sample.moment(2), position) }, 7)
            try expect(await sum { $0.service = "none" }, 0)
        },
        StoreConformance("a store knows which keys are on record") { store in
            _ = try await store.record([Sample.charge("c1", key: "usage|\u{E9}"), Sample.charge("c2", key: "b")])
            try expect(await store.recordedKeys(among: ["b", "c", "usage|e\u{301}"]), ["b"])
            try expect(await store.recordedKeys(among: []), [])
        },
        StoreConformance("a store gives calls back with all their parts and says whether it charged") { store in
            var call = Sample.call("call_1")
            (call.itemIndex, call.step, call.doubtPolicy) = (7, "search#2", .settle)
            (call.accountID, call.underwritingID) = (ExternalID("Müller"), ExternalID("uw_1"))
            let intent = try await store.file(call, charge: nil, cached: nil)
            try expect([intent.isFiled, intent.isCharged], [true, false])
            try expect(await store.calls(matching: CallFilter(callID: "call_1")), [call])
            try expect(await store.calls(matching: CallFilter(callID: "call_2")), [])
            call.state = .settled
            let charge = Sample.charge("c1", key: "call|1")
            let first = try await store.file(call, charge: charge, cached: nil)
            let second = try await store.file(call, charge: charge, cached: nil)
            try expect([first.isFiled, first.isCharged], [true, true])
            try expect([second.isFiled, second.isCharged], [false, false])
        },
        StoreConformance("a store moves a call on and keeps its place among the others") { store in
            var first = Sample.call("call_1")
            try await store.file(first, charge: nil, cached: nil)
            try await store.file(Sample.call("call_2"), charge: nil, cached: nil)
            first.state = .inDoubt
            try await store.file(first, charge: nil, cached: nil)
            (first.state, first.runID) = (.open, Sample.id("run_2"))
            try await store.file(first, charge: nil, cached: nil)
            first.state = .settled
            let entry = Sample.cacheEntry("key", 1)
            try await store.file(first, charge: Sample.charge("c1", key: "call|1"), cached: entry)
            try expect(await store.calls(matching: CallFilter()), [first, Sample.call("call_2")])
            try expect(await store.charges(matching: ChargeFilter()).map(\.costID), ["c1"])
            try expect(await store.cacheEntry("key"), entry)
        },
        StoreConformance("a store lets no late answer undo what is known of a call") { store in
            var call = Sample.call("call_1")
            var late = call
            func file(_ state: CallRecord.State, late isLate: Bool = false, _ number: Int? = nil) async throws {
                (call.state, late.state) = (state, state)
                try await store.file(
                    isLate ? late : call, charge: number.map { Sample.charge("c\($0)", key: "k\($0)") },
                    cached: number.map { Sample.cacheEntry("key", .number(Number($0))) })
            }
            func expectFound(
                _ state: CallRecord.State, _ charges: [String], cached: Int?, line: Int = #line
            ) async throws {
                call.state = state
                try expect(await store.calls(matching: CallFilter()), [call], line: line)
                try expect(await store.charges(matching: ChargeFilter()).map(\.costID), charges, line: line)
                try expect(await store.cacheEntry("key")?.value, cached.map { .number(Number($0)) }, line: line)
            }
            try await file(.open)
            try await file(.inDoubt)
            call.runID = Sample.id("run_2")
            try await file(.open)
            try await file(.inDoubt, late: true)
            try await expectFound(.inDoubt, [], cached: nil)
            try await file(.open)
            try await file(.released)
            for state in [CallRecord.State.open, .inDoubt, .released] { try await file(state, late: true, 1) }
            try await expectFound(.released, [], cached: nil)
            try await file(.settled, late: true, 2)
            try await expectFound(.settled, ["c2"], cached: 2)
            for state in [CallRecord.State.open, .inDoubt, .released] { try await file(state, late: true, 3) }
            for _ in 1...2 { try await file(.settled, late: true, 2) }
            try await expectFound(.settled, ["c2"], cached: 2)
            for _ in 1...2 { try await file(.settled, 4) }
            try await store.file(call, charge: Sample.charge("no key"), cached: nil)
            try await expectFound(.settled, ["c2", "c4"], cached: 2)
        },
        StoreConformance("a store lets only the attempt that opened a call say that it was not made") { store in
            var first = Sample.call("call_1")
            try await store.file(first, charge: nil, cached: nil)
            first.state = .inDoubt
            try expect(await store.file(first, charge: nil, cached: nil).isFiled, true)
            var second = first
            (second.state, second.attempt) = (.open, Sample.attempt(2))
            try expect(await store.file(second, charge: nil, cached: nil).isFiled, true)
            for state in [CallRecord.State.inDoubt, .released] {
                first.state = state
                let charge = Sample.charge("late \(state)", key: "late \(state)")
                let answer = try await store.file(first, charge: charge, cached: Sample.cacheEntry("key", 1))
                try expect([answer.isFiled, answer.isCharged], [false, false])
            }
            try expect(await store.calls(matching: CallFilter()), [second])
            try expect(await store.cacheEntry("key"), nil)
            // Any attempt may report that the call was made.
            first.state = .settled
            let paid = try await store.file(first, charge: Sample.charge("c1", key: "call|1"), cached: nil)
            try expect([paid.isFiled, paid.isCharged], [true, true])
            second.state = .settled
            try expect(await store.calls(matching: CallFilter()), [second])
        },
        StoreConformance("a store finds calls by every part of their subject") { store in
            var composed = Sample.call("call_1", input: "caf\u{E9}", key: "a")
            composed.state = .inDoubt
            let decomposed = Sample.call("call_2", input: "cafe\u{301}", key: "b")
            var other = Sample.call("call_3", input: nil, key: "b")
            (other.service, other.operation) = ("ocr", "page")
            for call in [composed, decomposed, other] { try await store.file(call, charge: nil, cached: nil) }
            func found(_ filter: CallFilter) async throws -> [String] {
                try await store.calls(matching: filter).map(\.callID)
            }
            try expect(await found(CallFilter(inputID: "caf\u{E9}")), ["call_1"])
            try expect(await found(CallFilter(callKey: "b")), ["call_2", "call_3"])
            try expect(await found(CallFilter(service: "ocr", operation: "page")), ["call_3"])
            try expect(await found(CallFilter(states: [.inDoubt, .settled])), ["call_1"])
            try expect(await found(CallFilter(runID: Sample.id("run_1"), executionID: Sample.id("none"))), [])
        },
        StoreConformance("a store lists prices in order of entry") { store in
            let processor = PriceSubject.processor("statement")
            let service = PriceSubject.service("ocr", operation: "page")
            let from = Sample.moment(1_000)
            try await store.add(Price(Sample.money(1), policy: "per_execution"), for: processor, at: Sample.moment(0))
            try await store.add(Price(Sample.money(2), effectiveFrom: from), for: processor, at: Sample.moment(1))
            try await store.add(Price(Sample.money(3), effectiveFrom: from), for: processor, at: Sample.moment(2))
            try await store.add(Price(Sample.money(4)), for: service, at: Sample.moment(3))
            let prices = try await store.prices()
            try expect(prices.currency, store.currency)
            try expect(prices.price(for: processor, at: Sample.moment(999))?.policy, "per_execution")
            try expect(prices.price(for: processor, at: from)?.amount, Sample.money(3))
            try expect(prices.price(for: service, at: from)?.amount, Sample.money(4))
        },
    ]
}
