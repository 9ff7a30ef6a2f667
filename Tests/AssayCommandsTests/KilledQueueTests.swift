import Assay
import AssayCommands
import AssaySQLite
import AssayTesting
import Foundation
import Testing

@Suite("A killed queue", .serialized) struct KilledQueueTests {
    @Test("loses nothing, doubles nothing and keeps its order, wherever its program was killed")
    func killed() async throws {
        let wanted = Rig.isLong ? 2_000 : 40
        let start = ContinuousClock.now
        var (kills, queues) = (0, UInt64(0))
        let seed = Rig.seed()
        while kills < wanted {
            let rig = try QueueKillRig(seed: seed &+ queues)
            try await rig.carryThrough()
            kills += rig.kills
            queues += 1
        }
        print("\(kills) kills of \(queues) queues in \(Rig.seconds(since: start))")
    }
}

/// A queue of executions that each pay for their inputs, worked on by programs that are killed.
private final class QueueKillRig {
    private static let executions = 8
    private static let inputs = 3

    private(set) var kills = 0
    private let seed: UInt64
    private let shell: TestShell
    private let provider: CountingProvider
    private let trap = Trap()
    private var chance: SeededNumbers
    private var story: [String] = []
    /// The order in which executions must begin: by priority, then submission.
    private var order: [String] = []

    init(seed: UInt64) throws {
        self.seed = seed
        chance = SeededNumbers(seed: seed)
        shell = try TestShell()
        provider = try CountingProvider { [trap] call in
            trap.step()
            return .reply(200, "[\(call.text)]")
        }
        try shell.write(
            """
            run_as: processor
            processors:
              - processor_id: check
                processor_type: http
                parameters: {url: '\(provider.url)/v1/check', service: bureau, operation: check}
            prices:
              currency: USD
              processors:
                check: {base_cost: \(PaidWork.base), charge: per_execution}
              services:
                bureau: {check: \(PaidWork.price)}
            queue: {queue_capacity: 3, capacity_refresh_time: 0.01, concurrency_limit: 1}

            """, to: "p.yaml")
    }

    deinit { provider.stop() }

    private var comment: Comment { "ASSAY_SEED=\(seed): killed \(story.joined(separator: ", "))" }

    func carryThrough() async throws {
        try await submit()
        for _ in 0..<200 {
            let end = try await live()
            try await look()
            guard end >= 0 else { continue }
            #expect(end == 0, comment)
            return try await checkEnd()
        }
        Issue.record("no program came to its end: \(comment)")
    }

    private func submit() async throws {
        var submitted: [(name: String, priority: Int)] = []
        for number in 0..<Self.executions {
            let (name, priority) = ("e\(number)", Int.random(in: -2...2, using: &chance))
            let lines = (0..<Self.inputs).map { "{\"input_id\": \"doc_\($0)\", \"data\": \"\(name) \($0)\"}\n" }
            try shell.write(lines.joined(), to: "\(name).jsonl")
            let code = await shell.assay(
                "queue", "submit", "p.yaml", "--inputs", "\(name).jsonl", "--execution", name,
                "--priority=\(priority)", "-o", "none")
            try #require(code == 0, comment)
            submitted.append((name, priority))
        }
        order = submitted.enumerated().sorted { ($0.element.priority, $0.offset) < ($1.element.priority, $1.offset) }
            .map(\.element.name)
    }

    /// The life of one program: its exit code or, negative, its signal.
    private func live() async throws -> Int32 {
        let program = try Program(
            ["queue", "work", "--pipeline", "p.yaml", "--until-empty", "-o", "jsonl"], in: shell.folder)
        let strike: @Sendable () -> Void = { [process = program.process] in kill(process, SIGKILL) }
        let left = Self.executions * Self.inputs
        switch Int.random(in: 0..<3, using: &chance) {
        case 0:
            let later = Int.random(in: 0..<150_000, using: &chance)
            try await Task.sleep(for: .microseconds(later))
            story.append("after \(later) µs")
            strike()
        case 1:
            let lines = Int.random(in: 0..<4, using: &chance)
            let later = Int.random(in: 0..<10_000, using: &chance)
            _ = program.lines(lines)
            try await Task.sleep(for: .microseconds(later))
            story.append("\(later) µs after \(lines) lines")
            strike()
        default:
            let call = Int.random(in: 1...left, using: &chance)
            story.append("in call \(call)")
            trap.set(at: call, strike)
        }
        _ = program.output()
        trap.disarm()
        let end = program.end()
        if end < 0 { kills += 1 }
        return end
    }

    /// Checks what must hold whenever a program has ended.
    private func look() async throws {
        let store = try SQLiteStore.open(shell.folder + "/.assay/assay.db", access: .readOnly)
        defer { store.close() }
        let executions = try await store.executions(matching: ExecutionFilter())
        try #require(executions.count == Self.executions, comment)
        // One at a time: whatever has begun is a beginning of the order.
        let begun = Set(executions.filter { $0.runs > 0 }.map(\.id.text))
        try #require(begun == Set(order.prefix(begun.count)), comment)
        let done = executions.filter { $0.status.isTerminal }.map(\.id.text)
        try #require(done == Array(order.prefix(done.count)), comment)
        try #require(executions.count { $0.status == .running } <= 1, comment)
        let keys = try await store.charges(matching: ChargeFilter()).compactMap(\.key)
        try #require(Set(keys).count == keys.count, comment)
    }

    private func checkEnd() async throws {
        let store = try SQLiteStore.open(shell.folder + "/.assay/assay.db")
        defer { store.close() }
        let (comment, order) = (self.comment, self.order)
        #expect(try await store.check() == [], comment)
        let ended = try await store.executions(matching: ExecutionFilter(statuses: [.succeeded]))
        #expect(ended.map(\.id.text) == order, comment)
        let charges = try await store.charges(matching: ChargeFilter())
        let calls = Self.executions * Self.inputs
        #expect(charges.count { $0.kind == .base } == Self.executions, comment)
        #expect(charges.count { $0.kind == .call && !$0.isCacheHit } == calls, comment)
        #expect(provider.charges == calls, comment)
        for execution in ended {
            let run = try #require(execution.lastRunID, comment)
            let outcomes = try await store.outcomes(of: run, from: 0, limit: 9)
            #expect(outcomes.map(\.status) == [.succeeded, .succeeded, .succeeded], comment)
        }
    }
}
