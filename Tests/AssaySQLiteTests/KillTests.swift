import Assay
import AssaySQLite
import Foundation
import Testing

@Suite("A killed program", .serialized) struct KillTests {
    private static let kills = 50

    @Test("has lost nothing that it had acknowledged, and charged nothing twice")
    func killed() async throws {
        let folder = TemporaryFolder()
        let seed = UInt64.random(in: 0...UInt64.max)
        var chance = SeededNumbers(seed: seed)
        for number in 0..<Self.kills {
            let run = Sample.id("run_\(number)")
            let lines = Int.random(in: 0..<200, using: &chance)
            let spin = Int.random(in: 0..<200_000, using: &chance)
            let acknowledged = try Victim(folder.database, run.text).kill(afterLines: lines, spin: spin)

            let store = try SQLiteStore.open(folder.database)
            defer { store.close() }
            let comment = Comment(rawValue: "seed \(seed), kill \(number) after \(lines) lines and \(spin) turns")
            guard let found = try await store.run(run) else {
                #expect(acknowledged.isEmpty, comment)
                continue
            }
            #expect(store.recovered == [run], comment)
            #expect(found.status == .failed && found.error?.code == .interrupted, comment)
            let stored = Set(try await store.outcomes(of: run, from: 0, limit: .max).map(\.index))
            #expect(acknowledged.isSubset(of: stored), comment)
            let charges = try await store.charges(matching: ChargeFilter(runID: run))
            #expect(Set(charges.compactMap(\.itemIndex)) == stored && charges.count == stored.count, comment)
            #expect(Set(charges.map(\.key)).count == charges.count, comment)
            for index in stored where index % 7 == 0 {
                let subject = CheckpointSubject(
                    executionID: run, processorID: Sample.id("killed"), inputID: "doc_\(index)")
                #expect(try await store.checkpoints(of: subject).saved.count == 1, comment)
            }
            if number % 10 == 9 { #expect(try await store.check() == [], comment) }
        }
    }
}

/// A program that works on a store until it is killed.
private struct Victim {
    private let process: pid_t
    private let output: Int32

    init(_ arguments: String...) throws {
        let helper = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
            .appendingPathComponent("AssaySQLiteKillHelper").path
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw POSIXError(.EMFILE) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO)
        var words = ([helper] + arguments).map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var process = pid_t()
        let code = posix_spawn(&process, helper, &actions, nil, &words, environ)
        close(ends[1])
        guard code == 0 else { throw POSIXError(POSIXErrorCode(rawValue: code) ?? .EIO) }
        (self.process, output) = (process, ends[0])
    }

    /// Kills it when it has printed so many lines and a moment more; the numbers in its complete lines.
    func kill(afterLines lines: Int, spin: Int) -> Set<Int> {
        defer { close(output) }
        var text: [UInt8] = []
        var count = 0
        var buffer = [UInt8](repeating: 0, count: 4_096)
        func take() -> Bool {
            let length = read(output, &buffer, buffer.count)
            guard length > 0 else { return false }
            text += buffer[..<length]
            count += buffer[..<length].count { $0 == UInt8(ascii: "\n") }
            return true
        }
        while count < lines, take() {}
        var turns: UInt64 = 1
        for turn in 0..<UInt64(spin) { turns = turns &* 6_364_136_223_846_793_005 &+ turn }
        // The result must not be optimised away with its loop.
        if turns == 0 { text = [] }
        Foundation.kill(process, SIGKILL)
        var status: Int32 = 0
        waitpid(process, &status, 0)
        while take() {}
        let complete = text[..<(text.lastIndex(of: UInt8(ascii: "\n")) ?? 0)]
        return Set(
            complete.split(separator: UInt8(ascii: "\n")).compactMap { Int(String(decoding: $0, as: UTF8.self)) })
    }
}
