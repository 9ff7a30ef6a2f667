import Assay
import Foundation

/// The built program, started with pipes in place of a terminal.
final class Program {
    let process: pid_t
    private var input, result, errors: Int32

    /// Starts the program.
    ///
    /// - Parameter mark: what it and all that descends from it carry, by which ``Marked`` finds them.
    init(_ arguments: [String], in folder: String = "/", mark: String? = nil) throws {
        signal(SIGPIPE, SIG_IGN)
        let path = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
            .appendingPathComponent("assay").path
        let pipes = try (0..<3).map { _ in
            var ends: [Int32] = [-1, -1]
            guard pipe(&ends) == 0 else { throw POSIXError(.EMFILE) }
            for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
            return ends
        }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for (index, end) in [pipes[0][0], pipes[1][1], pipes[2][1]].enumerated() {
            posix_spawn_file_actions_adddup2(&actions, end, Int32(index))
        }
        // `env` changes the folder and then becomes the program.
        let env = "/usr/bin/env"
        let variables = mark.map { ["\(Leash.variable)=\($0)"] } ?? []
        var words = ([env, "-C", folder] + variables + [path] + arguments).map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var process = pid_t()
        let code = posix_spawn(&process, env, &actions, nil, &words, environ)
        for end in [pipes[0][0], pipes[1][1], pipes[2][1]] { close(end) }
        guard code == 0 else { throw POSIXError(POSIXErrorCode(rawValue: code) ?? .EIO) }
        (self.process, input, result, errors) = (process, pipes[0][1], pipes[1][0], pipes[2][0])
    }

    deinit { for end in [input, result, errors] where end >= 0 { close(end) } }

    func write(_ text: String) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Foundation.write(input, $0.baseAddress, $0.count) }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }

    func closeInput() {
        close(input)
        input = -1
    }

    func closeOutput() {
        close(result)
        result = -1
    }

    func output() -> String { read(result) }
    func messages() -> String { read(errors) }

    /// The first `count` lines of its output, fewer when it ends before.
    func lines(_ count: Int) -> [String] {
        var (bytes, left) = ([UInt8](), count)
        while left > 0 {
            var byte: UInt8 = 0
            guard Foundation.read(result, &byte, 1) == 1 else { break }
            bytes.append(byte)
            left -= byte == UInt8(ascii: "\n") ? 1 : 0
        }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
    }
    func send(_ signal: Int32) { kill(process, signal) }

    /// Waits for its end: the exit code, or the negative number of the signal that killed it.
    func end() -> Int32 {
        var status: Int32 = 0
        waitpid(process, &status, 0)
        return status & 0x7F == 0 ? status >> 8 & 0xFF : -(status & 0x7F)
    }

    private func read(_ descriptor: Int32) -> String {
        var (bytes, buffer) = ([UInt8](), [UInt8](repeating: 0, count: 65_536))
        while true {
            let count = Foundation.read(descriptor, &buffer, buffer.count)
            guard count > 0 else { return String(decoding: bytes, as: UTF8.self) }
            bytes += buffer[..<count]
        }
    }
}
