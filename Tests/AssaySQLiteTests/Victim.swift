import Foundation

/// A program that works on a store until it is killed, or stopped in the middle of its work.
final class Victim {
    private let process: pid_t
    private let output: Int32
    private var rest: [UInt8] = []
    /// What it acknowledged, as far as that was read.
    private(set) var acknowledged = Acknowledged()

    init(_ arguments: String...) throws {
        let helper = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
            .appendingPathComponent("AssaySQLiteKillHelper").path
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw POSIXError(.EMFILE) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        defer { close(ends[1]) }
        do { process = try Tool.start(helper, arguments, output: ends[1]) } catch {
            close(ends[0])
            throw error
        }
        output = ends[0]
    }

    deinit { close(output) }

    /// Reads until it has acknowledged so much in all, and waits for a moment more.
    func waits(for count: Int, spin: Int) {
        while acknowledged.count < count, take() {}
        var turns: UInt64 = 1
        for turn in 0..<UInt64(spin) { turns = turns &* 6_364_136_223_846_793_005 &+ turn }
        // The result must not be optimised away with its loop.
        if turns == 0 { rest = [] }
    }

    /// Kills it and reads what it had said.
    func kill() {
        Foundation.kill(process, SIGKILL)
        var status: Int32 = 0
        waitpid(process, &status, 0)
        while take() {}
    }

    /// Stops it wherever it is, and reads what it has said; returns once none of its threads does anything more.
    func stop() {
        Foundation.kill(process, SIGSTOP)
        let tasks = "/proc/\(process)/task"
        while let threads = try? FileManager.default.contentsOfDirectory(atPath: tasks), !threads.isEmpty {
            // One that is within the kernel gets out of there first.
            let isStopped = threads.allSatisfy { thread in
                let stat = FileManager.default.contents(atPath: "\(tasks)/\(thread)/stat") ?? Data()
                let state = String(decoding: stat, as: UTF8.self)
                return [") T ", ") Z ", ") X "].contains { state.contains($0) }
            }
            if isStopped { break }
            usleep(200)
        }
        var ready = pollfd(fd: output, events: Int16(POLLIN), revents: 0)
        while poll(&ready, 1, 0) == 1, take() {}
    }

    /// Lets it go on.
    func goOn() { Foundation.kill(process, SIGCONT) }

    /// Reads once; `false` when it will say no more.
    private func take() -> Bool {
        var buffer = [UInt8](repeating: 0, count: 4_096)
        let length = read(output, &buffer, buffer.count)
        guard length > 0 else { return false }
        rest += buffer[..<length]
        guard let end = rest.lastIndex(of: UInt8(ascii: "\n")) else { return true }
        for line in String(decoding: rest[..<end], as: UTF8.self).split(separator: "\n") { acknowledged.note(line) }
        rest.removeSubrange(...end)
        return true
    }
}

/// Programs of the system.
enum Tool {
    /// A program that failed.
    struct Failure: Error { let words: [String] }

    /// Starts a program whose output goes to a descriptor.
    static func start(_ path: String, _ arguments: [String], output: Int32) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO)
        var words = ([path] + arguments).map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var process = pid_t()
        let code = posix_spawnp(&process, path, &actions, nil, &words, environ)
        guard code == 0 else { throw POSIXError(POSIXErrorCode(rawValue: code) ?? .EIO) }
        return process
    }

    /// Runs a program to its end.
    static func run(_ path: String, _ arguments: String...) throws {
        var status: Int32 = 0
        waitpid(try start(path, arguments, output: STDERR_FILENO), &status, 0)
        guard status == 0 else { throw Failure(words: [path] + arguments) }
    }
}
