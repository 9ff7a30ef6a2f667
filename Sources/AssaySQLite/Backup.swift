import Assay
import Foundation
import GRDB

/// A copy of a database in a new file that only this user can access.
struct Backup {
    let path: String

    init(path: String) throws(ProcessingError) {
        self.path = path
        var found = stat()
        if lstat(path, &found) == 0 {
            throw ProcessingError(.exists, "there is something at '\(path)' already; name a new file for the backup")
        }
    }

    /// Copies a consistent snapshot of `source`. The file appears when it is complete.
    func make(from source: Database) throws {
        let draft = "\(path).\(getpid()).partial"
        unlink(draft)
        let file = open(draft, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw failed() }
        close(file)
        defer { unlink(draft) }
        let target = try DatabaseQueue(path: draft)
        try target.writeWithoutTransaction { copy in
            try source.backup(to: copy)
            // A copy is a single file without a log beside it.
            _ = try String.fetchOne(copy, sql: "PRAGMA journal_mode = DELETE")
        }
        try target.close()
        // Unlike a rename, a link never replaces an existing file.
        guard link(draft, path) == 0 else { throw failed() }
        StateFolder.synchronize((path as NSString).deletingLastPathComponent)
    }

    private func failed() -> ProcessingError {
        let reason = String(cString: strerror(errno))
        return ProcessingError(
            .store, "cannot write the backup '\(path)': \(reason); name another file", retryable: false)
    }
}
