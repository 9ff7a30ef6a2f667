import Foundation
import Synchronization

/// What holds every child of this program, and every descendant of a child, to the life of this program.
///
/// Each carries ``variable`` in its environment. One guard outside of this program waits for its end, however that
/// comes about, and then kills whatever carries the token: also what has left its process group and session.
package enum Leash {
    /// The environment variable that holds the tokens of all programs above, separated by commas.
    package static let variable = "ASSAY_LEASH"

    /// What this program's children, and nobody else's, carry.
    package static var token: String { post.withLock { $0.token } }

    /// Kills what earlier owners of something left behind, which only one program can own at a time; from now on this
    /// program's children say of what it is the owner.
    ///
    /// What a program started that is still alive, such as this one, was not left behind.
    package static func succeed(ownerOf name: String) {
        let owner = "owner-" + Digest.hex(of: Array(name.utf8)).prefix(32)
        sweep { tokens in
            guard let place = tokens.firstIndex(of: owner) else { return false }
            return !tokens[place...].dropFirst().prefix(1).contains(where: isOfLivingProgram)
        }
        post.withLock { $0.owner = owner }
    }

    private struct Guard {
        /// This program's number and the moment of its start, which together are nobody else's, and chance.
        var token = "\(getpid())-\(start(of: getpid()) ?? "")-\(String(UInt64.random(in: 0 ... .max), radix: 16))"
        /// Of what this program is the owner; stands before ``token`` in the environment of its children.
        var owner: String?
        var process: ChildProcess?
        /// Ours alone: its closing, which only the end of this program brings about, is the guard's signal.
        var lifeline: Descriptor?
    }

    private static let post = Mutex(Guard())

    /// Makes sure that the guard is at its post.
    ///
    /// - Returns: the value of ``variable`` for a child.
    static func hold() throws(ProcessingError) -> String {
        let tokens = try post.withLock { post throws(ProcessingError) in
            let tokens = [inherited, post.owner, post.token]
            guard post.process?.exit != nil || post.process == nil, canGuard else { return tokens }
            let (read, write) = try Descriptor.pipe()
            post.process = try ChildProcess(
                unleashed: .init(
                    "/bin/sh", ["-c", script, "assay-guard", post.token], environment: ["PATH": "/usr/bin:/bin"],
                    folder: "/", descriptors: [read]))
            post.lifeline = write
            return tokens
        }
        return tokens.compactMap(\.self).joined(separator: ",")
    }

    private static let inherited = ProcessInfo.processInfo.environment[variable]

    /// Kills every process that carries `token`, such as those that an earlier program left behind.
    ///
    /// - Returns: how many there were.
    @discardableResult package static func sweep(token: String) -> Int { sweep { $0.contains(token) } }

    /// Kills every process whose tokens `isMeant`, in their order.
    ///
    /// - Returns: how many there were.
    @discardableResult private static func sweep(_ isMeant: ([String]) -> Bool) -> Int {
        var killed: Set<pid_t> = []
        // One that was started while we looked is found by the next look.
        for _ in 1...100 {
            let round = (ProcessTable.numbers ?? []).filter { process in
                process != getpid() && ProcessTable.file("environ", of: process).map { isMeant(tokens(in: $0)) } == true
            }
            for process in round where kill(process, SIGKILL) == 0 { killed.insert(process) }
            if round.isEmpty { break }
        }
        return killed.count
    }

    /// The tokens in a process's environment, those of the programs above first.
    private static func tokens(in environment: [UInt8]) -> [String] {
        let prefix = Array("\(variable)=".utf8)
        return environment.split(separator: 0).filter { $0.starts(with: prefix) }.flatMap { entry in
            entry.dropFirst(prefix.count).split(separator: UInt8(ascii: ",")).map {
                String(decoding: $0, as: UTF8.self)
            }
        }
    }

    /// Whether `token` is that of a program which has not ended.
    private static func isOfLivingProgram(_ token: String) -> Bool {
        let parts = token.split(separator: "-")
        guard parts.count == 3, let process = pid_t(parts[0]) else { return false }
        return start(of: process) == String(parts[1])
    }

    /// When a process was started, in the system's own count; `nil` for one that is not there or has ended.
    private static func start(of process: pid_t) -> String? {
        // After the name, which may hold anything and stands in brackets: the state, and 19 fields later the start.
        guard let stat = ProcessTable.file("stat", of: process), let bracket = stat.lastIndex(of: UInt8(ascii: ")"))
        else { return nil }
        let fields = stat[bracket...].dropFirst(2).split(separator: UInt8(ascii: " "))
        guard fields.count > 19, fields[0] != [UInt8(ascii: "Z")] else { return nil }
        return String(decoding: fields[19], as: UTF8.self)
    }

    /// Whether there is something to look through, and something to look through it with.
    private static var canGuard: Bool {
        access("/proc/self/environ", R_OK) == 0 && access("/bin/sh", X_OK) == 0
    }

    /// Reads until the end of its input, then kills until nothing is found.
    private static let script = """
        trap '' HUP INT TERM
        while read -r _; do :; done
        round=0
        while [ $round -lt 100 ]; do
            found=$(grep -lsF -e "$1" /proc/[0-9]*/environ)
            [ -n "$found" ] || exit 0
            for file in $found; do
                process=${file#/proc/}
                kill -KILL "${process%/environ}" 2>/dev/null
            done
            round=$((round + 1))
        done
        """
}
