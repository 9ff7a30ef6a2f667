public import Assay

/// One thing that every store must do alike, to be checked on a fresh store.
///
/// ```swift
/// @Test(arguments: StoreConformance.all)
/// func conforms(check: StoreConformance) async throws { try await check(MyStore()) }
/// ```
public struct StoreConformance: Sendable, CustomStringConvertible {
    /// The promise, as a sentence that begins with "a store".
    public let description: String
    private let check: @Sendable (any Store) async throws -> Void

    init(_ description: String, _ check: @escaping @Sendable (any Store) async throws -> Void) {
        self.description = description
        self.check = check
    }

    /// Checks `store`, which must be empty and have amounts in USD.
    ///
    /// - Throws: ``Finding`` when it does not keep the promise.
    public func callAsFunction(_ store: any Store) async throws { try await check(store) }

    /// All promises.
    public static let all = runs + items + outcomes + ledger + savedValues + concurrency
}

private func expect<Value: Equatable>(
    _ found: Value, _ expected: Value, _ what: String = "value", line: Int = #line
) throws {
    guard found != expected else { return }
    throw Finding("line \(line): \(what) is \(found), expected \(expected)")
}

private func expect(
    _ code: ProcessingError.Code, line: Int = #line, _ body: () async throws -> Void
) async throws {
    do { try await body() } catch let error as ProcessingError {
        return try expect(error.code, code, "the error's code", line: line)
    }
    throw Finding("line \(line): nothing was thrown, expected \(code.rawValue)")
}

// MARK: - Runs

extension StoreConformance {
    private static let runs = [
        StoreConformance("a store gives a run back with all its parts") { store in
            var run = Sample.run("run_1", lineage: Sample.lineage)
            try await store.begin(run)
            try expect(await store.run(run.id).map(Sample.text), Sample.text(run))
            run.status = .partial
            run.counts = Counts(total: 3)
            run.counts.add(.succeeded)
            run.counts.add(.failed)
            run.finishedAt = Sample.moment(5_001)
            run.duration = .milliseconds(5_001)
            run.error = Sample.failure
            run.summary = Payload(json: ["total": .number(Number("1.50")!)])
            run.metrics = Sample.metrics
            run.incompleteReason = "the price list of ocr was gone"
            try await store.update(run)
            let found = try await store.run(run.id)
            try expect(found.map(Sample.text), Sample.text(run))
            try expect(found?.metrics, run.metrics)
            try expect(found?.error, run.error)
            try expect(found?.request, run.request)
            try expect(found?.incompleteReason, run.incompleteReason)
        },
        StoreConformance("a store tells a summary of null from no summary") { store in
            var run = Sample.run("run_1")
            try await store.begin(run)
            try expect(await store.run(run.id)?.summary == nil, true)
            run.status = .succeeded
            run.summary = Payload(json: .null)
            try await store.update(run)
            try expect(await store.run(run.id)?.summary?.json(), .null)
        },
        StoreConformance("a store refuses a second run of an execution while one is in progress") { store in
            var first = Sample.run("run_1")
            try await store.begin(first)
            try await expect(.alreadyRunning) { try await store.begin(Sample.run("run_2")) }
            first.status = .paused
            try await store.update(first)
            try await expect(.alreadyRunning) { try await store.begin(Sample.run("run_2")) }
            try expect(await store.run(Sample.id("run_2")) == nil, true)
            try await store.begin(Sample.run("run_3", execution: "another"))
            first.status = .failed
            try await store.update(first)
            try await store.begin(Sample.run("run_2"))
            try expect(await store.runs(matching: RunFilter()).map(\.id.text), ["run_2", "run_3", "run_1"])
        },
        StoreConformance("a store refuses a run whose name is on record") { store in
            try await store.begin(Sample.run("run_1"))
            try await expect(.exists) { try await store.begin(Sample.run("run_1", execution: "another")) }
            try expect(await store.run(Sample.id("run_1"))?.executionID.text, "exec_1")
        },
        StoreConformance("a store lets a run that has ended stay as it ended") { store in
            var run = Sample.run("run_1")
            try await store.begin(run)
            run.status = .succeeded
            try await store.update(run)
            try await store.begin(Sample.run("run_2"))
            var late = run
            (late.status, late.epoch, late.error) = (.failed, 2, Sample.failure)
            try await store.update(late)
            late.status = .running
            try await store.update(late)
            try expect(await store.run(run.id).map(Sample.text), Sample.text(run))
            try expect(await store.execution(run.executionID)?.status, .running)
        },
        StoreConformance("a store files the execution of a run and lets it stand as its last run") { store in
            var run = Sample.run("run_1")
            try expect(await store.execution(run.executionID) == nil, true)
            try await store.begin(run)
            var execution = try await store.execution(run.executionID)
            try expect(execution?.status, .running)
            try expect(execution?.scope, run.scope)
            try expect(execution?.createdAt, run.startedAt)
            run.status = .cancelled
            try await store.update(run)
            try await store.begin(Sample.run("run_2", startedAt: 9_000))
            execution = try await store.execution(run.executionID)
            try expect(execution?.status, .running)
            try expect(execution?.createdAt, run.startedAt)
        },
        StoreConformance("a store finds runs by execution, processor, status and time, newest first") { store in
            for number in 1...6 {
                var run = Sample.run(
                    "run_\(number)", execution: "exec_\(number)", processor: number % 2 == 0 ? "even" : "odd",
                    startedAt: Int64(number) * 1_000)
                try await store.begin(run)
                guard number < 6 else { continue }
                run.status = number < 4 ? .succeeded : .failed
                try await store.update(run)
            }
            func found(_ filter: RunFilter) async throws -> [String] {
                try await store.runs(matching: filter).map(\.id.text)
            }
            try expect(await found(RunFilter(processorID: Sample.id("odd"))), ["run_5", "run_3", "run_1"])
            try expect(await found(RunFilter(executionID: Sample.id("exec_2"))), ["run_2"])
            try expect(await found(RunFilter(statuses: [.failed, .running])), ["run_6", "run_5", "run_4"])
            try expect(await found(RunFilter(statuses: [])), [])
            try expect(await found(RunFilter(since: Sample.moment(4_000), limit: 2)), ["run_6", "run_5"])
            try expect(await found(RunFilter(limit: 0)), [])
        },
        StoreConformance("a store knows nothing of a run that never was") { store in
            let nobody = Sample.id("nobody")
            try expect(await store.run(nobody) == nil, true)
            try expect(await store.items(of: nobody, from: 0, limit: 10).count, 0)
            try expect(await store.outcomes(of: nobody, from: 0, limit: 10).count, 0)
            try expect(await store.events(of: nobody, after: 0, limit: 10).count, 0)
            try expect(await store.commit([CommittedOutcome(Sample.success(0))], of: nobody, epoch: 1), [false])
        },
        StoreConformance("a store numbers no events anew and gives them by page") { store in
            let run = Sample.run("run_1")
            try await store.begin(run)
            let events = (1...5).map { Sample.event($0, run: run.id) }
            try await store.append(Array(events[..<2]))
            try await store.append(events[2...] + [Sample.event(1, run: Sample.id("nobody"))])
            try expect(await store.events(of: run.id, after: 0, limit: 100), events)
            try expect(await store.events(of: run.id, after: 2, limit: 2), Array(events[2..<4]))
            try expect(await store.events(of: run.id, after: 5, limit: 2), [])
        },
    ]
}

// MARK: - Items and outcomes

extension StoreConformance {
    private static let items = [
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

    private static let outcomes = [
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
            try await store.withdrawOutputs(of: run.id)
            let found = try await store.outcomes(of: run.id, from: 0, limit: 9)
            try expect(found.map(\.status), [.cancelled, .failed, .cancelled])
            try expect(found.map(\.reason), [.atomic, nil, .atomic])
            try expect(found.map { $0.output == nil }, [true, true, true])
            try expect(found.map(\.cost), outcomes.map(\.cost))
            try expect(found.last?.steps, outcomes.last?.steps)
        },
    ]
}

// MARK: - Money

extension StoreConformance {
    private static let ledger = [
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
            var full = Sample.charge("c1", key: "k", cost: 1)
            full.avoidedCost = Money(billionths: 5_000_000_000)
            full.metadata = ["cache_hit": true, "quantity": .number(Number("1.50")!), "x": ["y": .null]]
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

// MARK: - Saved steps and cached values

extension StoreConformance {
    private static let savedValues = [
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

    private static let concurrency = [
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

// MARK: - Samples

private enum Sample {
    static func id(_ text: String) -> Identifier { Identifier(text)! }

    static func moment(_ milliseconds: Int) -> Timestamp {
        Timestamp(milliseconds: 1_740_993_300_000 + Int64(milliseconds))
    }

    static func money(_ units: Int64) -> Money { Money(billionths: units * 1_000_000_000) }

    static let definition = Digest(of: ["version": "1"])

    static let lineage = Lineage(
        parentRunID: id("run_0"), previousRunID: id("run_0"), retryCount: 1, lastErrorStep: "ocr",
        metadata: ["ticket": 7, "notes": ["a", .null]])

    static let subject = CheckpointSubject(executionID: id("exec_1"), processorID: id("statement"), inputID: "doc_0")

    static let failure: FailureRecord = {
        var point = ResumePoint()
        point.step = "score"
        point.data = .null
        point.inputDigest = definition
        return FailureRecord(
            inputID: "doc_2", step: "score", exception: "ParseError", message: "line 3:\n\"x\" is not a number",
            code: .extraction, phase: .extraction, attempt: 2, retryable: true, resumePoint: point)
    }()

    static let metrics: RunMetrics = {
        var metrics = RunMetrics()
        (metrics.retriedItems, metrics.cacheHits, metrics.cacheMisses) = (1, 2, 3)
        metrics.avoidedCost = money(4)
        var step = RunMetrics.Step(name: "ocr")
        (step.calls, step.restored, step.failures) = (5, 6, 7)
        (step.total, step.longest) = (.microseconds(8_001), .nanoseconds(9))
        metrics.steps = [step, RunMetrics.Step(name: "score")]
        return metrics
    }()

    static func run(
        _ name: String, execution: String = "exec_1", processor: String = "statement", startedAt: Int64 = 0,
        lineage: Lineage? = nil
    ) -> Run {
        Run(
            id: id(name), executionID: id(execution), processorID: id(processor), definition: definition,
            scope: Scope(accountID: ExternalID("acc \u{E9}"), underwritingID: nil, executionID: id(execution)),
            lineage: lineage ?? Lineage(parentRunID: id(name)), runner: "thread", request: ["pipeline": ["a", 1]],
            startedAt: moment(Int(startedAt)), isListed: true)
    }

    static func begun(in store: any Store, items: Int) async throws -> Run {
        let run = run("run_1")
        try await store.begin(run)
        try await store.append(self.items(items), settled: [], to: run.id, epoch: run.epoch)
        return run
    }

    static func items(_ count: Int) -> [StoredItem] {
        (0..<count).map { StoredItem(Item("doc_\($0)", $0), index: $0) }
    }

    static func item(_ index: Int) -> StoredItem {
        let item = Item(
            "doc_\(index)", JSONValue.number(Number(index)), accountID: index == 1 ? "acc" : nil,
            underwritingID: index == 2 ? "uw" : nil, executionID: index == 3 ? "exec_1" : nil,
            payload: index == 4 ? ["step": "ocr"] : nil)
        return StoredItem(
            item, index: index, transformed: index == 1 ? Payload("t") : nil, inputChanged: index == 2,
            settled: index == 3)
    }

    static func success(_ index: Int) -> Outcome {
        var outcome = Outcome(inputID: "doc_\(index)", index: index, status: .succeeded)
        outcome.output = Payload(index)
        outcome.attempts = 1
        return outcome
    }

    static func failed(_ index: Int) -> Outcome {
        var outcome = Outcome(inputID: "doc_\(index)", index: index, status: .failed)
        outcome.error = failure
        // Everything that can be absent or null must stay what it is.
        let deep = (1...JSONValue.maximumDepth).reduce(JSONValue.null) { value, _ in [value] }
        outcome.error?.resumePoint = try? ResumePoint(
            json: ["step": "score", "saved": [["step": "ocr", "value": deep], ["step": "read", "value": .null]]])
        outcome.attempts = 3
        return outcome
    }

    static func detailed(_ index: Int) -> Outcome {
        var outcome = success(index)
        outcome.output = Payload(json: .null)
        (outcome.cost, outcome.avoidedCost) = (Money(billionths: 1), money(5))
        outcome.duration = .nanoseconds(1_234_567_891)
        (outcome.cached, outcome.carried, outcome.inputChanged) = (true, true, true)
        outcome.steps = [
            Outcome.Step(name: "ocr/page#2", restored: true, duration: .zero),
            Outcome.Step(name: "score", restored: false, failed: true, duration: .microseconds(15)),
        ]
        return outcome
    }

    static func charge(
        _ costID: String, key: String? = nil, run: String = "run_1", execution: String = "exec_1", at time: Int = 0,
        cost: Int64 = 500_000_000
    ) -> Charge {
        Charge(
            costID: costID, key: key, kind: .call, runID: id(run), executionID: id(execution),
            processorID: id("statement"), inputID: "doc_0", itemIndex: 0, service: "ocr", operation: "page",
            cost: Money(billionths: cost), timestamp: moment(time))
    }

    static func call(_ name: String, input: String? = "doc_0", key: String = "a") -> CallRecord {
        CallRecord(
            callID: name, idempotencyKey: "0a1b", state: .open, runID: id("run_1"), executionID: id("exec_1"),
            processorID: id("statement"), inputID: input, service: "clear", operation: "search", callKey: key,
            maximumCost: money(5), timestamp: moment(0))
    }

    static func cacheEntry(_ key: String, _ value: JSONValue) -> CacheEntry {
        CacheEntry(
            key: key, service: "clear", operation: "search", value: value, storedAt: moment(0),
            expiresAt: value == .null ? nil : moment(1_000), cost: money(5), costID: "c1")
    }

    static func checkpoint(_ step: String, _ value: JSONValue) -> Checkpoint {
        Checkpoint(
            subject: subject, step: step, inputDigest: definition, definition: definition, runID: id("run_1"), epoch: 1,
            value: value, savedAt: moment(0))
    }

    static func event(_ sequence: Int, run: Run.ID) -> Event {
        Event(
            .itemComplete, sequence: sequence, timestamp: moment(sequence), runID: run, executionID: id("exec_1"),
            processorID: sequence == 2 ? nil : id("statement"), inputID: sequence == 3 ? nil : "doc_\(sequence)",
            data: ["status": "succeeded", "attempts": .number(Number(sequence))])
    }

    // What has no `==` of its own is compared as text with everything that matters in it.

    static func text(_ run: Run) throws -> String {
        let parts: [String] = [
            try run.jsonValue.json, run.definition.text, "\(run.scope)", run.request.json, "\(run.epoch)",
            "\(String(describing: run.duration))",
        ]
        return parts.joined(separator: "\n")
    }

    static func text(_ item: StoredItem) throws -> String {
        let parts: [JSONValue] = [
            .string(item.item.id), try item.item.data.json(), item.item.accountID.map { .string($0) } ?? .null,
            item.item.underwritingID.map { .string($0) } ?? .null, item.item.executionID.map { .string($0) } ?? .null,
            item.item.payload ?? "none", .number(Number(item.index)), try item.transformed?.json() ?? "none",
            .bool(item.inputChanged), .bool(item.settled),
        ]
        return JSONValue.array(parts).json
    }

    static func text(_ outcome: Outcome) throws -> String {
        try outcome.jsonValue().json + "\n\(outcome.duration) \(outcome.output == nil)"
    }
}
