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

    /// Kills what an earlier owner of something left behind, which only one program can own at a time; from now on
    /// this program's children carry its token, unless some carry another one already.
    package static func succeed(ownerOf name: String) {
        let token = "owner-" + Digest.hex(of: Array(name.utf8)).prefix(32)
        sweep(token: token)
        post.withLock { post in
            if post.process == nil { post.token = token }
        }
    }

    private struct Guard {
        var token = (0..<2).map { _ in
            let digits = String(UInt64.random(in: 0 ... .max), radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }.joined()
        var process: ChildProcess?
        /// Ours alone: its closing, which only the end of this program brings about, is the guard's signal.
        var lifeline: Descriptor?
    }

    private static let post = Mutex(Guard())

    /// Makes sure that the guard is at its post.
    ///
    /// - Returns: the value of ``variable`` for a child.
    static func hold() throws(ProcessingError) -> String {
        let token = try post.withLock { post throws(ProcessingError) in
            guard post.process?.exit != nil || post.process == nil, canGuard else { return post.token }
            let (read, write) = try Descriptor.pipe()
            post.process = try ChildProcess(
                unleashed: .init(
                    "/bin/sh", ["-c", script, "assay-guard", post.token], environment: ["PATH": "/usr/bin:/bin"],
                    folder: "/", descriptors: [read]))
            post.lifeline = write
            return post.token
        }
        return inherited.map { "\($0),\(token)" } ?? token
    }

    private static let inherited = ProcessInfo.processInfo.environment[variable]

    /// Kills every process that carries `token`, such as those that an earlier program left behind.
    ///
    /// - Returns: how many there were.
    @discardableResult package static func sweep(token: String) -> Int {
        var killed: Set<pid_t> = []
        // One that was started while we looked is found by the next look.
        for _ in 1...100 {
            let round = (ProcessTable.numbers ?? []).filter { process in
                process != getpid() && ProcessTable.file("environ", of: process).map { carries($0, token) } == true
            }
            for process in round where kill(process, SIGKILL) == 0 { killed.insert(process) }
            if round.isEmpty { break }
        }
        return killed.count
    }

    private static func carries(_ environment: [UInt8], _ token: String) -> Bool {
        let prefix = Array("\(variable)=".utf8)
        return environment.split(separator: 0).contains { entry in
            guard entry.starts(with: prefix) else { return false }
            return entry.dropFirst(prefix.count).split(separator: UInt8(ascii: ","))
                .contains { $0.elementsEqual(token.utf8) }
        }
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
