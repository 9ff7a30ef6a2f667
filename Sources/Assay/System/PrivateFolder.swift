import Foundation

/// An empty folder that no other user can look into.
///
/// Its name identifies its owner, so that it is removed with its contents even when this program is killed: by the
/// guard that outlives this program, or else by the next owner of the same store.
package struct PrivateFolder: Sendable {
    /// The path of the folder.
    package let path: String

    static let prefix = "assay-program-"
    static var parent: String { NSTemporaryDirectory() }

    /// Creates the folder.
    ///
    /// - Throws: ``ProcessingError`` with code `runner_unavailable` when it cannot be created.
    package init() throws(ProcessingError) {
        let parent = Self.parent
        var name = Array("\(parent)/\(Self.prefix)\(Leash.mark).XXXXXX".utf8CString)
        guard mkdtemp(&name) != nil else {
            throw ProcessingError(
                .runnerUnavailable, "cannot make a folder in \(parent): \(String(cString: strerror(errno)))")
        }
        path = name.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
    }

    /// Removes the folder with its contents; passes a message to `complain` if that fails.
    package func remove(_ complain: (String) -> Void) {
        do { try Self.remove(path) } catch {
            complain("the folder \(path) of a program cannot be removed: \(error)")
        }
    }

    /// Removes the folders whose owner and program satisfy `isMeant`.
    static func sweep(_ isMeant: (_ owner: String, _ program: String) -> Bool) {
        let parent = parent
        for name in (try? FileManager.default.contentsOfDirectory(atPath: parent)) ?? [] where name.hasPrefix(prefix) {
            let mark = name.dropFirst(prefix.count).split(separator: ".", omittingEmptySubsequences: false)
            var status = stat()
            // Anyone may choose such a name, so only this user's folders are removed.
            guard mark.count == 3, isMeant(String(mark[0]), String(mark[1])), lstat("\(parent)/\(name)", &status) == 0,
                status.st_uid == geteuid(), status.st_mode & S_IFMT == S_IFDIR
            else { continue }
            // A folder that cannot be removed is left to the next sweep.
            try? remove("\(parent)/\(name)")
        }
    }

    private static func remove(_ path: String) throws {
        let files = FileManager.default
        do { try files.removeItem(atPath: path) } catch {
            // A program may have removed the write permission from its own folders.
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
