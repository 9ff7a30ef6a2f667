import Foundation
import Synchronization

/// A leash that ends every child of this program, and every descendant of a child, together with this program.
///
/// Each child carries ``variable`` in its environment and begins a session. One guard outside of this program waits for
/// this program's end, however it comes about. The guard then kills every process that carries the token, even if it
/// left its process group and session, and every process that stayed in one of the sessions, even if it carries
/// nothing. Finally it removes the folders in which the programs worked.
package enum Leash {
    /// The environment variable that holds the tokens of all ancestor programs, separated by commas.
    package static let variable = "ASSAY_LEASH"

    /// The token that only the children of this program carry.
    package static var token: String { post.withLock { $0.token } }

    /// Kills what earlier owners of `name` left behind. Only one program can own it at a time; from now on, the
    /// environment of this program's children states that it does.
    ///
    /// A process that was started by a program that is still alive, such as this one, was not left behind.
    package static func succeed(ownerOf name: String) {
        let owner = "owner-" + Digest.hex(of: Array(name.utf8)).prefix(32)
        sweep { tokens in
            guard let place = tokens.firstIndex(of: owner) else { return false }
            return !tokens[place...].dropFirst().prefix(1).contains(where: isOfLivingProgram)
        }
        PrivateFolder.sweep { $0 == owner && !isOfLivingProgram($1) }
        post.withLock { $0.owner = owner }
    }

    /// The mark in the names of the folders of this program's children: the owner and the program's token.
    static var mark: String { post.withLock { "\($0.owner ?? "").\($0.token)" } }

    /// Tells the guard that a child has begun a session.
    static func remember(_ session: pid_t) {
        post.withLock { post in
            post.sessions.insert(session)
            post.tell("+\(session)\n")
        }
    }

    /// Tells the guard that nothing is left of a session; must be called while no other session can have its ID.
    static func forget(_ session: pid_t) {
        post.withLock { post in
            post.sessions.remove(session)
            post.tell("-\(session)\n")
        }
    }

    private struct Guard {
        /// This program's process ID and start time, which together are unique to it, and a random number.
        var token = "\(getpid())-\(start(of: getpid()) ?? "")-\(String(UInt64.random(in: 0 ... .max), radix: 16))"
        /// The thing that this program owns; precedes ``token`` in the environment of its children.
        var owner: String?
        var process: ChildProcess?
        /// A socket that only this program holds; it closes only when this program ends, which is the guard's signal.
        var lifeline: Descriptor?
        /// The sessions of children that have not ended.
        var sessions: Set<pid_t> = []

        func tell(_ text: String) {
            guard let lifeline else { return }
            let text = Array(text.utf8)
            // A guard that has died receives nothing; the next one receives the live sessions again.
            _ = send(lifeline.number, text, text.count, Self.quiet)
        }

        #if canImport(Darwin)
            private static let quiet: Int32 = 0
        #else
            private static let quiet = Int32(MSG_NOSIGNAL)
        #endif
    }

    private static let post = Mutex(Guard())

    /// Makes sure that the guard is running.
    ///
    /// - Returns: the value of ``variable`` for a child.
    static func hold() throws(ProcessingError) -> String {
        let tokens = try post.withLock { post throws(ProcessingError) in
            let tokens = [inherited, post.owner, post.token]
            guard post.process?.exit != nil || post.process == nil, canGuard else { return tokens }
            let (theirs, ours) = try Descriptor.socketPair()
            post.process = try ChildProcess(
                unleashed: .init(
                    "/bin/sh", ["-c", script, "assay-guard", post.token, PrivateFolder.parent, PrivateFolder.prefix],
                    environment: ["PATH": "/usr/bin:/bin"], folder: "/", descriptors: [theirs]))
            post.lifeline = ours
            post.tell(post.sessions.map { "+\($0)\n" }.joined())
            return tokens
        }
        return tokens.compactMap(\.self).joined(separator: ",")
    }

    private static let inherited = ProcessInfo.processInfo.environment[variable]

    /// Kills every process that carries `token`, such as those that an earlier program left behind.
    ///
    /// - Returns: the number of processes killed.
    @discardableResult package static func sweep(token: String) -> Int { sweep { $0.contains(token) } }

    /// Kills every process whose tokens, in order, satisfy `isMeant`.
    ///
    /// - Returns: the number of processes killed.
    @discardableResult private static func sweep(_ isMeant: ([String]) -> Bool) -> Int {
        var killed: Set<pid_t> = []
        var sessions: Set<pid_t> = []
        // A process that was started during one pass is found by the next.
        for _ in 1...100 {
            let processes = (ProcessTable.numbers ?? []).filter { $0 != getpid() }
            let carriers = processes.filter { process in
                ProcessTable.file("environ", of: process).map { isMeant(tokens(in: $0)) } == true
            }
            // A session that one of them began is theirs; a session that they merely belong to may be anyone's.
            sessions.formUnion(carriers.filter { ProcessTable.standing(of: $0)?.session == $0 })
            let others = processes.filter { process in
                ProcessTable.standing(of: process).map { sessions.contains($0.session) } == true
            }
            let round = Set(carriers).union(others)
            for process in round where kill(process, SIGKILL) == 0 { killed.insert(process) }
            if round.isEmpty { break }
        }
        return killed.count
    }

    /// Returns the tokens in a process's environment, those of ancestor programs first.
    private static func tokens(in environment: [UInt8]) -> [String] {
        let prefix = Array("\(variable)=".utf8)
        return environment.split(separator: 0).filter { $0.starts(with: prefix) }.flatMap { entry in
            entry.dropFirst(prefix.count).split(separator: UInt8(ascii: ",")).map {
                String(decoding: $0, as: UTF8.self)
            }
        }
    }

    /// Returns whether `token` is that of a program that has not ended.
    private static func isOfLivingProgram(_ token: String) -> Bool {
        let parts = token.split(separator: "-")
        guard parts.count == 3, let process = pid_t(parts[0]) else { return false }
        return start(of: process) == String(parts[1])
    }

    /// Returns the start time of a process in the system's own units; `nil` if it does not exist or has ended.
    private static func start(of process: pid_t) -> String? {
        // After the name, which may hold anything and is in parentheses: the state, and 19 fields later the start.
        guard let stat = ProcessTable.file("stat", of: process), let bracket = stat.lastIndex(of: UInt8(ascii: ")"))
        else { return nil }
        let fields = stat[bracket...].dropFirst(2).split(separator: UInt8(ascii: " "))
        guard fields.count > 19, fields[0] != [UInt8(ascii: "Z")] else { return nil }
        return String(decoding: fields[19], as: UTF8.self)
    }

    /// Whether there are environments to search, and a shell to search them with.
    private static var canGuard: Bool {
        access("/proc/self/environ", R_OK) == 0 && access("/bin/sh", X_OK) == 0
    }

    /// A script that reads the sessions from its input until the input ends, then kills until nothing is found.
    private static let script = """
        trap '' HUP INT TERM
        live=" "
        while read -r word; do
            number=${word#?}
            case $word in
                +*) live="$live$number " ;;
                -*) case $live in *" $number "*) live="${live%%" $number "*} ${live#*" $number "}" ;; esac ;;
            esac
        done
        standing() {
            session=
            read -r stat 2>/dev/null < "/proc/$1/stat" || return 1
            set -- ${stat##*) }
            [ "$1" != Z ] && [ "$1" != X ] && session=$4
        }
        round=0
        while [ $round -lt 100 ]; do
            found=
            for file in $(grep -lsF -e "$1" /proc/[0-9]*/environ); do
                process=${file#/proc/}
                process=${process%/environ}
                found="$found $process"
                standing "$process" && [ "$session" = "$process" ] && live="$live$session "
            done
            for folder in /proc/[0-9]*; do
                process=${folder#/proc/}
                standing "$process" || continue
                case $live in *" $session "*) found="$found $process" ;; esac
            done
            [ -n "$found" ] || break
            kill -KILL $found 2>/dev/null
            round=$((round + 1))
        done
        for folder in "$2"/"$3"*".$1".??????; do
            [ -d "$folder" ] && [ ! -L "$folder" ] || continue
            rm -rf -- "$folder" 2>/dev/null && continue
            chmod -R u+rwx -- "$folder" 2>/dev/null
            rm -rf -- "$folder" 2>/dev/null
        done
        """
}
