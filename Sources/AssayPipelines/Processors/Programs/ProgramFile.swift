import Assay
import Foundation

/// Finds the programs that pipeline files name, and refuses those that somebody else may change.
enum ProgramFile {
    /// The absolute path of the program `name`; `nil` after a finding at `value`.
    static func find(_ name: String, said value: ValueReader, _ surroundings: Surroundings) -> String? {
        let shown = (value.node.json.string ?? "").quoted
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
            guard !mayBeChanged(status), !mayBeReplaced(place) else {
                reason = "may be changed by other users"
                // Another one of that name further on is not the one that was meant.
                break
            }
            return place
        }
        value.report("command \(shown) \(reason)")
        return nil
    }

    private static func inPath(_ name: String, _ path: String?) -> [String] {
        (path ?? "/usr/local/bin:/usr/bin:/bin").split(separator: ":").filter { $0.hasPrefix("/") }
            .map { "\($0)/\(name)" }
    }

    /// Whether somebody besides root and the user may write to the file.
    private static func mayBeChanged(_ status: stat) -> Bool {
        (status.st_uid != 0 && status.st_uid != geteuid()) || status.st_mode & (S_IWGRP | S_IWOTH) != 0
    }

    /// Whether everybody may put another file in its place.
    private static func mayBeReplaced(_ place: String) -> Bool {
        let folder = URL(fileURLWithPath: place).resolvingSymlinksInPath().deletingLastPathComponent().path
        var status = stat()
        guard stat(folder, &status) == 0 else { return true }
        return status.st_mode & S_IWOTH != 0 && status.st_mode & S_ISVTX == 0
    }
}
