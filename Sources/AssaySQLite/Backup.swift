import Assay
import Foundation
import GRDB

/// A copy of a database in a new file for this user alone.
struct Backup {
    let path: String

    init(path: String) throws(ProcessingError) {
        self.path = path
        var found = stat()
        if lstat(path, &found) == 0 {
            throw ProcessingError(.exists, "there is something at '\(path)' already; name a new file for the backup")
        }
    }

    /// Copies what `source` holds at one moment; the file appears when it is complete.
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
            // A copy is a plain file without a log beside it.
            _ = try String.fetchOne(copy, sql: "PRAGMA journal_mode = DELETE")
        }
        try target.close()
        // Unlike a renaming, a link never replaces what is there.
        guard link(draft, path) == 0 else { throw failed() }
        StateFolder.synchronize((path as NSString).deletingLastPathComponent)
    }

    private func failed() -> ProcessingError {
        let reason = String(cString: strerror(errno))
        return ProcessingError(
            .store, "cannot write the backup '\(path)': \(reason); name another file", retryable: false)
    }
}
