import Assay
import AssayTesting
import Foundation
import Testing

@Suite("A killed run", .serialized) struct KilledRunTests {
    /// Runners with their workers, and how many kills each is for: some here, many where there is time for it.
    static let runners: [(runner: String, workers: Int, batch: Int?, kills: Int)] = [
        ("sequential", 1, nil, Rig.isLong ? 2_000 : 70), ("thread", 4, nil, Rig.isLong ? 2_000 : 80),
        ("process", 2, nil, Rig.isLong ? 1_000 : 50), ("thread", 2, 5, Rig.isLong ? 1_000 : 30),
    ]

    @Test("goes on to the outcomes and the bill of an undisturbed one, wherever it was killed", arguments: runners)
    func killed(row: (runner: String, workers: Int, batch: Int?, kills: Int)) async throws {
        let work = PaidWork.mixed(24, runner: row.runner, workers: row.workers, batch: row.batch)
        try await undisturbed(work)
        try await kill(row.kills, seed: Rig.seed()) {
            try KillRig(work, seed: $0)
        } then: { rig, code in
            try await rig.expectWhole(code)
        }
    }

    @Test("goes on likewise when its workers were killed with it, and leaves no process behind")
    func killedWithWorkers() async throws {
        let work = PaidWork.mixed(16, runner: "process", workers: 4)
        try await undisturbed(work)
        try await kill(Rig.isLong ? 1_000 : 10, seed: Rig.seed()) {
            try KillRig(work, reach: .everything, seed: $0)
        } then: { rig, code in
            try await rig.expectWhole(code)
        }
    }

    @Test("never spends more than its budget allows, with as many workers as inputs")
    func budget() async throws {
        let affordable = 10
        let work = PaidWork(
            inputs: (0..<64).map { "own \($0)" }, runner: "thread", workers: 64,
            limit: PaidWork.sum(calls: affordable))
        try await kill(Rig.isLong ? 1_000 : 20, seed: Rig.seed()) {
            try KillRig(work, seed: $0)
        } then: { rig, code in
            let end = try await rig.end()
            #expect(code == 3, "ASSAY_SEED=\(rig.seed)")
            // What was asked for before a kill may not be asked again by those who are refused, and is promised still.
            #expect(end.settled + end.inDoubt.count == affordable, "ASSAY_SEED=\(rig.seed)")
        }
    }

    /// Kills until it was done often enough, from one execution to the next.
    private func kill(
        _ count: Int, seed: UInt64, _ rig: (UInt64) throws -> KillRig, then check: (KillRig, Int32) async throws -> Void
    ) async throws {
        var (killed, executions) = (0, UInt64(0))
        let start = ContinuousClock.now
        while killed < count {
            let rig = try rig(seed &+ executions)
            let code = try await rig.carryThrough()
            try await check(rig, code)
            killed += rig.kills
            executions += 1
        }
        print("\(killed) kills of \(executions) executions in \(Rig.seconds(since: start))")
    }

    private func undisturbed(_ work: PaidWork) async throws {
        let rig = try KillRig(work, seed: 0)
        try await rig.expectWhole(try await rig.carryThrough(undisturbed: true))
        #expect(rig.kills == 0)
    }

    @Test("is not offered to go on with when it had not read all of its inputs")
    func killedWhileReading() async throws {
        let shell = try TestShell()
        try shell.write(TestShell.capitals, to: "p.yaml")
        try shell.write("{\"data\":\"x\"}\n", to: "in.jsonl")
        let program = try Program(["run", "p.yaml", "-", "--runner", "sequential"], in: shell.folder)
        // More than a pipe holds, so that the program has begun to read when this returns.
        program.write("{\"data\": \"x\"}" + String(repeating: "\n", count: 200_000))
        program.send(SIGKILL)
        _ = program.end()
        #expect(await shell.assay("run", "p.yaml", "--inputs", "in.jsonl", "-o", "none") == 0)
        #expect(shell.messages.text.hasSuffix("its inputs were not all read, so run it again\n"))
        #expect(shell.messages.lines.count == 1)
        #expect(await shell.assay("resume", try #require(try await shell.runs().last)) == 65)
    }
}
