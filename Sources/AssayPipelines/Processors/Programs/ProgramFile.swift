import Assay
import Foundation

/// A search for the programs that pipeline files name. It refuses programs that other users may change.
enum ProgramFile {
    /// A program or script that is allowed to run.
    struct Found {
        /// Its absolute path.
        let path: String
        /// A warning about it, though it may run.
        var hint: String?
    }

    /// Finds the program `name`; `nil` after a finding at `value`.
    static func find(_ name: String, said value: ValueReader, _ surroundings: Surroundings) -> Found? {
        let shown = value.node.json.string ?? ""
        guard !name.isEmpty else {
            value.report("command needs a program")
            return nil
        }
        let places =
            name.contains("/") ? [surroundings.place(of: name)] : inPath(name, surroundings.environment["PATH"])
        var reason = "was not found"
        for place in places {
            var status = stat()
            guard stat(place, &status) == 0, status.st_mode & S_IFMT != S_IFDIR else { continue }
            guard status.st_mode & S_IFMT == S_IFREG, access(place, X_OK) == 0 else {
                reason = "is not a program that can be started"
                continue
            }
            switch rights(to: place, shown, status) {
            case .refused(let why): reason = why
            case .good: return Found(path: place)
            case .hint(let hint): return Found(path: place, hint: hint)
            }
            // A later program of the same name is not the intended one.
            break
        }
        value.report("command \(shown.quoted) \(reason)")
        return nil
    }

    /// Finds the script among the arguments of an interpreter; `nil` if there is none, if it needs no hint, or after a
    /// finding at its value.
    ///
    /// It is the first argument with a slash or the suffix of a script. An argument without such a suffix may be data
    /// that does not exist yet.
    static func findScript(
        among arguments: ArraySlice<(text: String, said: ValueReader)>, _ surroundings: Surroundings
    ) -> Found? {
        var isCode = false
        for (text, value) in arguments {
            guard !text.hasPrefix("-") else {
                // The next argument is program text or a module name, not a file.
                isCode = ["-c", "-e", "-m", "--eval", "--command"].contains(text)
                continue
            }
            defer { isCode = false }
            let isScript =
                suffixes.contains(text.split(separator: ".").last.map(String.init) ?? "") && text.contains(".")
            guard !isCode, isScript || text.contains("/") else { continue }
            // Any other path is resolved in the program's working folder.
            guard text.hasPrefix("./") || text.hasPrefix("../") || text.hasPrefix("/") else { return nil }
            return script(at: surroundings.place(of: text), isScript: isScript, said: value)
        }
        return nil
    }

    private static let suffixes: Set<String> = [
        "awk", "bash", "cjs", "exs", "jl", "js", "ksh", "lua", "mjs", "php", "pl", "ps1", "py", "pyz", "r", "R", "rb",
        "sh", "tcl", "ts", "zsh",
    ]

    private static func script(at place: String, isScript: Bool, said value: ValueReader) -> Found? {
        let shown = value.node.json.string ?? ""
        var status = stat()
        guard stat(place, &status) == 0 else {
            if isScript { value.report("command: the script \(shown.quoted) was not found") }
            return nil
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            if isScript { value.report("command: \(shown.quoted) is not a file that can be run") }
            return nil
        }
        switch rights(to: place, shown, status) {
        case .good: return nil
        case .hint(let hint): return Found(path: place, hint: hint)
        case .refused(let why):
            value.report("command: the script \(shown.quoted) \(why)")
            return nil
        }
    }

    private static func inPath(_ name: String, _ path: String?) -> [String] {
        (path ?? "/usr/local/bin:/usr/bin:/bin").split(separator: ":").filter { $0.hasPrefix("/") }
            .map { "\($0)/\(name)" }
    }

    // MARK: Rights

    private enum Rights {
        case good
        case hint(String)
        case refused(String)
    }

    /// Checks whether anyone besides root and the user may change the file at `place`, and how to fix that.
    private static func rights(to place: String, _ shown: String, _ status: stat) -> Rights {
        guard status.st_uid == 0 || status.st_uid == geteuid() else {
            return .refused("belongs to another user, who may change it; use a copy of your own")
        }
        let remedy = "chmod go-w \(shown.visible)"
        if status.st_mode & S_IWOTH != 0 {
            return .refused("may be changed by other users; take that right away: \(remedy)")
        }
        let folder = URL(fileURLWithPath: place).resolvingSymlinksInPath().deletingLastPathComponent().path
        guard !mayBeReplaced(in: folder) else {
            return .refused(
                "may be replaced by other users, who may write to its folder; take that right away: chmod o-w \(folder.visible)"
            )
        }
        guard status.st_mode & S_IWGRP != 0 else { return .good }
        guard isPrivate(status.st_gid) else {
            return .refused("may be changed by other users of its group; take that right away: \(remedy)")
        }
        return .hint(
            "\(shown.quoted) may be changed by its group, which is yours alone as it stands; to be sure: \(remedy)")
    }

    /// Returns whether everyone may put another file into the folder.
    private static func mayBeReplaced(in folder: String) -> Bool {
        var status = stat()
        guard stat(folder, &status) == 0 else { return true }
        return status.st_mode & S_IWOTH != 0 && status.st_mode & S_ISVTX == 0
    }

    /// Returns whether a group is private to the user: it has the user's name, is the user's primary group and has no
    /// other members.
    private static func isPrivate(_ id: gid_t) -> Bool {
        guard let user = getpwuid(geteuid()), user.pointee.pw_gid == id, let group = getgrgid(id),
            let name = user.pointee.pw_name, let groupName = group.pointee.gr_name, strcmp(name, groupName) == 0
        else { return false }
        var member = group.pointee.gr_mem
        while let found = member?.pointee {
            guard strcmp(found, name) == 0 else { return false }
            member = member?.successor()
        }
        return true
    }
}
