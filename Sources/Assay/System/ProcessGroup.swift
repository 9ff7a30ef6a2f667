import Foundation

/// The process group of a child's descendants, except those that left it.
struct ProcessGroup {
    let id: pid_t

    /// Waits until the killed processes are gone.
    ///
    /// The kernel does not announce that a group is empty, so this polls; once is almost always enough. A process that
    /// sleeps in the kernel for ten seconds does nothing either, and is not waited for.
    func waitUntilEmpty() {
        var pause: UInt32 = 500
        var waited: UInt32 = 0
        while lives, waited < 10_000_000 {
            usleep(pause)
            waited += pause
            pause = min(pause * 2, 50_000)
        }
    }

    /// Whether anything in the group can still run.
    private var lives: Bool {
        guard kill(-id, 0) == 0 else { return false }
        // Members that have ended stay until init reaps them, which in a container may be never.
        guard let processes = ProcessTable.numbers else { return true }
        return processes.contains { ProcessTable.standing(of: $0)?.group == id }
    }

    /// Kills processes that left the group but stayed in the session that its leader began.
    ///
    /// Must be called before the leader is reaped: until then no other session can have its ID.
    func killSession() {
        for process in ProcessTable.numbers ?? [] where process != id {
            guard let standing = ProcessTable.standing(of: process), standing.session == id else { continue }
            _ = kill(process, SIGKILL)
        }
    }
}

/// The processes of this machine, where `/proc` shows them.
enum ProcessTable {
    /// The process IDs; `nil` where there is no `/proc`.
    static var numbers: [pid_t]? {
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: "/proc") else { return nil }
        return names.compactMap { pid_t($0) }
    }

    /// Returns the group and session of a process that has not ended; `nil` for any other.
    static func standing(of process: pid_t) -> (group: pid_t, session: pid_t)? {
        // After the name, which may hold anything and is in parentheses: state, parent, group, session.
        guard let stat = file("stat", of: process), let name = stat.lastIndex(of: UInt8(ascii: ")")) else { return nil }
        let fields = stat[(name + 1)...].split(separator: UInt8(ascii: " "), maxSplits: 4)
        guard fields.count > 3, let state = fields[0].first, state != UInt8(ascii: "Z"), state != UInt8(ascii: "X"),
            let group = pid_t(String(decoding: fields[2], as: UTF8.self)),
            let session = pid_t(String(decoding: fields[3], as: UTF8.self))
        else { return nil }
        return (group, session)
    }

    /// Returns one of the files about `process`; `nil` when the process has ended or belongs to another user.
    static func file(_ name: String, of process: pid_t) -> [UInt8]? {
        let file = open("/proc/\(process)/\(name)", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16_384)
        while true {
            let count = read(file, &chunk, chunk.count)
            guard count > 0 else { return bytes }
            bytes += chunk[..<count]
        }
    }
}
