import Assay
import AssaySQLite
import Foundation

/// A folder that goes when the test does.
final class TemporaryFolder: Sendable {
    let path: String

    init() {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("assay-\(UUID().uuidString)").path
        mkdir(path, 0o700)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Where a store may be made.
    var database: String { path + "/.assay/assay.db" }

    /// The folder of that store.
    var state: String { path + "/.assay" }
}

/// What tests write.
enum Sample {
    static func id(_ text: String) -> Identifier { Identifier(text)! }

    static let definition = Digest(of: ["version": "1"])

    static func run(_ name: String = "run_1", execution: String? = nil) -> Run {
        Run(
            id: id(name), executionID: id(execution ?? "exec_" + name), processorID: id("sample"),
            definition: definition,
            scope: Scope(accountID: ExternalID("acc")), lineage: Lineage(parentRunID: id(name)), runner: "sequential",
            request: [:], startedAt: Timestamp(milliseconds: 1_740_993_300_000), isListed: true)
    }

    static func items(_ count: Int) -> [StoredItem] { (0..<count).map { StoredItem(Item("doc_\($0)", $0), index: $0) } }

    static func charge(_ index: Int, of run: Run) -> Charge {
        Charge(
            costID: "\(run.id)-\(index)", key: "usage|\(run.id)|\(index)", kind: .usage, runID: run.id,
            executionID: run.executionID, processorID: run.processorID, inputID: "doc_\(index)", itemIndex: index,
            service: "ocr", operation: "page", cost: Money(billionths: 500_000_000), timestamp: run.startedAt)
    }

    static func committed(_ index: Int, of run: Run) -> CommittedOutcome {
        var outcome = Outcome(inputID: "doc_\(index)", index: index, status: .succeeded)
        outcome.output = Payload(json: ["page": .number(Number(index))])
        outcome.cost = Money(billionths: 500_000_000)
        return CommittedOutcome(outcome, charges: [charge(index, of: run)])
    }

    static func callCharge(_ name: String, of run: Run) -> Charge {
        var charge = charge(0, of: run)
        (charge.costID, charge.key, charge.kind) = ("\(name)-charge", "call|\(name)", .call)
        return charge
    }

    static func checkpoint(_ step: String, _ value: JSONValue, of run: Run) -> Checkpoint {
        Checkpoint(
            subject: subject(of: run), step: step, inputDigest: definition, definition: definition, runID: run.id,
            epoch: run.epoch, value: value, savedAt: run.startedAt)
    }

    static func subject(of run: Run) -> CheckpointSubject {
        CheckpointSubject(executionID: run.executionID, processorID: run.processorID, inputID: "doc_0")
    }

    static func cacheEntry(_ key: String, _ value: JSONValue) -> CacheEntry {
        CacheEntry(
            key: key, service: "ocr", operation: "page", value: value, storedAt: Timestamp(milliseconds: 0),
            cost: Money(billionths: 500_000_000))
    }

    static func call(_ name: String, of run: Run, state: CallRecord.State = .open) -> CallRecord {
        CallRecord(
            callID: name, idempotencyKey: "0a1b", state: state, runID: run.id, executionID: run.executionID,
            processorID: run.processorID, inputID: "doc_0", service: "ocr", operation: "page", callKey: "a",
            maximumCost: Money(billionths: 500_000_000), timestamp: run.startedAt)
    }

    /// A store that holds one finished run with an outcome, a charge, a saved step, a cached value and an event each.
    static func fill(_ store: SQLiteStore, items count: Int = 3) async throws -> Run {
        var run = run()
        try await store.begin(run)
        try await store.append(items(count), settled: [], to: run.id, epoch: 1)
        _ = try await store.commit((0..<count).map { committed($0, of: run) }, of: run.id, epoch: 1)
        try await store.save(checkpoint("read", ["text": "abc"], of: run), charges: [])
        var cached = cacheEntry("key", ["a": 1])
        cached.costID = "call_1-charge"
        try await store.file(
            call("call_1", of: run, state: .settled), charge: callCharge("call_1", of: run), cached: cached)
        let event = Event(
            .runStart, sequence: 1, timestamp: run.startedAt, runID: run.id, executionID: run.executionID,
            processorID: nil, inputID: nil, data: [:])
        try await store.append([event])
        run.status = .succeeded
        run.counts = Counts(total: count)
        for _ in 0..<count { run.counts.add(.succeeded) }
        run.finishedAt = run.startedAt
        try await store.update(run)
        return run
    }
}
