import Foundation

/// An empty folder that nobody else may look into.
///
/// Its name says whose it is, so that it is removed with what is in it also when this program is killed: by the guard
/// that outlives it, else by the next owner of the same store.
package struct PrivateFolder: Sendable {
    /// Where it is.
    package let path: String

    static let prefix = "assay-program-"
    static var parent: String { NSTemporaryDirectory() }

    /// Makes the folder.
    ///
    /// - Throws: ``ProcessingError`` with code `runner_unavailable` when there is no place for it.
    package init() throws(ProcessingError) {
        let parent = Self.parent
        var name = Array("\(parent)/\(Self.prefix)\(Leash.mark).XXXXXX".utf8CString)
        guard mkdtemp(&name) != nil else {
            throw ProcessingError(
                .runnerUnavailable, "cannot make a folder in \(parent): \(String(cString: strerror(errno)))")
        }
        path = name.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
    }

    /// Removes it with what is in it.
    package func remove(_ complain: (String) -> Void) {
        do { try Self.remove(path) } catch {
            complain("the folder \(path) of a program cannot be removed: \(error)")
        }
    }

    /// Removes the folders of which `isMeant`, by owner and program.
    static func sweep(_ isMeant: (_ owner: String, _ program: String) -> Bool) {
        let parent = parent
        for name in (try? FileManager.default.contentsOfDirectory(atPath: parent)) ?? [] where name.hasPrefix(prefix) {
            let mark = name.dropFirst(prefix.count).split(separator: ".", omittingEmptySubsequences: false)
            var status = stat()
            // Of a name that anybody may give only what is ours is removed.
            guard mark.count == 3, isMeant(String(mark[0]), String(mark[1])), lstat("\(parent)/\(name)", &status) == 0,
                status.st_uid == geteuid(), status.st_mode & S_IFMT == S_IFDIR
            else { continue }
            // What cannot be removed stays for the next owner.
            try? remove("\(parent)/\(name)")
        }
    }

    private static func remove(_ path: String) throws {
        let files = FileManager.default
        do { try files.removeItem(atPath: path) } catch {
            // A program may have taken the right to write away from folders of its own.
            for inner in (try? files.subpathsOfDirectory(atPath: path)) ?? [] {
                var status = stat()
                let place = "\(path)/\(inner)"
                guard lstat(place, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else { continue }
                _ = chmod(place, 0o700)
            }
            try files.removeItem(atPath: path)
        }
    }
}
