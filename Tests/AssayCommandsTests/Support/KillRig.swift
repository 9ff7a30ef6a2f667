import Assay
import AssaySQLite
import AssayTesting
import Foundation
import Testing

/// Runs paid work in programs that are killed, and goes on with it until one lives to the end.
///
/// After every kill it looks into the store: what was printed is there, no key was charged twice, and the limit holds.
final class KillRig {
    /// Whom a kill hits.
    enum Reach { case program, everything }

    let work: PaidWork
    let reach: Reach
    private(set) var kills = 0
    private(set) var seed: UInt64
    private let shell: TestShell
    private let provider: CountingProvider
    private let trap = Trap()
    private var chance: SeededNumbers
    private var story: [String] = []
    private var isOnRecord = false

    init(_ work: PaidWork, reach: Reach = .program, seed: UInt64) throws {
        (self.work, self.reach, self.seed) = (work, reach, seed)
        chance = SeededNumbers(seed: seed)
        shell = try TestShell()
        provider = try PaidWork.provider { [trap] in trap.step() }
        try shell.write(work.pipeline(provider), to: "p.yaml")
        try shell.write(work.list, to: "in.jsonl")
    }

    deinit { provider.stop() }

    private var database: String { shell.folder + "/.assay/assay.db" }

    /// What a failure has to tell so that it can be seen again.
    private var comment: Comment {
        Comment(rawValue: "ASSAY_SEED=\(seed), \(work.runner): killed " + story.joined(separator: ", "))
    }

    /// Starts programs until one ends by itself, and returns its exit code.
    func carryThrough(undisturbed: Bool = false) async throws -> Int32 {
        var look = Look()
        for _ in 0..<500 {
            let arguments = look.next.map { ["resume", $0.text, "-o", "jsonl"] } ?? work.arguments
            let moment = KillMoment(work, done: look.settled.count, using: &chance)
            let (lines, end) = try await live(arguments, undisturbed ? nil : moment)
            // Only workers can outlive their program, for as long as the guard of the program needs.
            if work.runner == "process" { #expect(try await Marked.survivors(mark) == [], comment) }
            look = try await self.look(lines)
            if end >= 0 { return end }
        }
        Issue.record("no program came to its end in 500 attempts: \(comment)")
        return -1
    }

    // MARK: A program

    private var mark: String { "rig-\(seed)-\(getpid())" }

    /// The life of one program: what it printed in complete lines, and its exit code or, negative, its signal.
    private func live(_ arguments: [String], _ moment: KillMoment?) async throws -> (lines: [String], end: Int32) {
        let program = try Program(arguments, in: shell.folder, mark: mark)
        let strike: @Sendable () -> Void = { [process = program.process, reach, mark] in
            kill(process, SIGKILL)
            if reach == .everything { Marked.kill(mark) }
        }
        var text = ""
        switch moment {
        case nil: break
        case .paying(let call): trap.set(at: call, strike)
        case .printed(let lines, let later):
            text = program.lines(lines).map { $0 + "\n" }.joined()
            try await Task.sleep(for: .microseconds(later))
            strike()
        }
        text += program.output()
        trap.disarm()
        let end = program.end()
        if end < 0, let moment {
            kills += 1
            story.append("\(moment)")
        }
        let complete = text[..<(text.lastIndex(of: "\n") ?? text.startIndex)]
        return (complete.split(separator: "\n").map(String.init), end)
    }

    // MARK: Looks into the store

    /// What the store says.
    private struct Look {
        /// The run that can be gone on with.
        var next: Run.ID?
        var settled: [CallRecord] = []
    }

    /// Opens the store after a program has ended, and checks what must hold at every moment.
    private func look(_ lines: [String]) async throws -> Look {
        let printed = try lines.map { try JSONValue(json: $0) }.flatMap { line -> [JSONValue] in
            switch line["type"]?.string {
            case "outcome": [line]
            case "batch": line["outcomes"]?.array ?? []
            default: []
            }
        }
        let store: SQLiteStore
        do { store = try SQLiteStore.open(database, access: .readOnly) } catch {
            // Killed while it was being made: the next owner puts it in order.
            #expect(!isOnRecord && printed.isEmpty, comment)
            return Look()
        }
        defer { store.close() }
        let runs = try await store.runs(matching: RunFilter())
        let listed = runs.first { $0.isListed }
        let told = try lines.first.flatMap { try JSONValue(json: $0)["run_id"]?.string }
        if !printed.isEmpty, let run = told.flatMap({ Identifier($0) }) {
            let stored = try await store.outcomes(of: run, from: 0, limit: .max)
            let known = Set(stored.map { "\($0.index) \($0.status.rawValue)" })
            let missing = printed.map { "\($0["index"]?.json ?? "") \($0["status"]?.string ?? "")" }
                .filter { !known.contains($0) }
            try #require(missing == [], comment)
        }
        isOnRecord = isOnRecord || listed != nil
        let charges = try await store.charges(matching: ChargeFilter())
        let calls = try await store.calls(matching: CallFilter())
        try check(charges, calls)
        return Look(next: listed?.id, settled: calls.filter { $0.state == .settled })
    }

    private func check(_ charges: [Charge], _ calls: [CallRecord]) throws {
        let keys = charges.compactMap(\.key)
        try #require(Set(keys).count == keys.count, comment)
        let unknown = calls.filter { $0.state == .open || $0.state == .inDoubt }
        let spent = try (charges.map(\.cost) + unknown.map(\.maximumCost)).reduce(Money.zero) { try $0.adding($1) }
        try #require(spent <= work.limit, comment)
        // The service was paid for nothing that the ledger does not know of, and for everything that it says.
        let (paid, settled) = (provider.paidKeys, calls.filter { $0.state == .settled })
        try #require(paid.subtracting((settled + unknown).map(\.idempotencyKey)) == [], comment)
        try #require(Set(settled.map(\.idempotencyKey)).subtracting(paid) == [], comment)
    }

    /// What is on record when all is over.
    struct End {
        let outcomes: [Outcome]
        let bill: Bill
        let settled: Int
        let inDoubt: [CallRecord]
    }

    /// Opens the store when all is over.
    func end() async throws -> End {
        let store = try SQLiteStore.open(database)
        defer { store.close() }
        let comment = self.comment
        #expect(try await store.check() == [], comment)
        let last = try #require(try await store.runs(matching: RunFilter(limit: 1)).first, comment)
        let charges = try await store.charges(matching: ChargeFilter())
        let calls = try await store.calls(matching: CallFilter())
        try check(charges, calls)
        let settled = calls.filter { $0.state == .settled }
        let inDoubt = calls.filter { $0.state == .inDoubt }
        #expect(!calls.contains { $0.state == .open }, comment)
        #expect(provider.charges == provider.paidKeys.count, comment)
        #expect(charges.count { $0.kind == .call && !$0.isCacheHit } == settled.count, comment)
        #expect(charges.filter { $0.executionID != last.executionID } == [], comment)
        let bill = try await Engine(store: store).bill(ofExecution: last.executionID)
        // What is in doubt is told, not forgotten.
        #expect(bill.inDoubt == inDoubt, comment)
        #expect(bill.totalCost == PaidWork.sum(calls: settled.count), comment)
        let outcomes = try await store.outcomes(of: last.id, from: 0, limit: .max)
        return End(outcomes: outcomes, bill: bill, settled: settled.count, inDoubt: inDoubt)
    }

    /// Checks that all ended as without a kill: `code` of the last program, every outcome, the bill.
    func expectWhole(_ code: Int32) async throws {
        let (end, comment) = (try await end(), self.comment)
        #expect(code == 2, comment)
        #expect(end.outcomes.map(\.index) == Array(work.inputs.indices), comment)
        for (input, outcome) in zip(work.inputs, end.outcomes) {
            if PaidWork.isRefused(input) {
                #expect(outcome.status == .failed && outcome.error?.code == .api, comment)
            } else {
                #expect(outcome.status == .succeeded, comment)
                #expect(try outcome.output?.json() == [.string(input)], comment)
            }
        }
        #expect(end.settled == work.paidCalls, comment)
        // Of inputs that ask the same, whichever goes on first continues the call that was cut off.
        #expect(end.inDoubt.isEmpty, comment)
    }
}
