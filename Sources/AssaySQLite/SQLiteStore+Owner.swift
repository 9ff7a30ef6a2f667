import Foundation

extension SQLiteStore {
    /// The name in ``folder`` of the socket at which the owner may answer other programs of the user.
    package static let socketName = StateFolder.socketName

    /// The folder of the database.
    package var folder: String { (path as NSString).deletingLastPathComponent }

    /// Ends, without having given anything, when no program owns `folder` any more; waits on a thread of its own.
    package static func ownerGone(from folder: String) -> AsyncStream<Never> {
        let (stream, continuation) = AsyncStream.makeStream(of: Never.self)
        let thread = Thread {
            StateFolder.waitForLock(in: folder)
            continuation.finish()
        }
        thread.name = "assay.store.wait"
        thread.start()
        return stream
    }
}

extension StateFolder {
    /// Returns when nobody holds the lock of the owner.
    fileprivate static func waitForLock(in folder: String) {
        let file = open(folder + "/" + lockName, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
        guard file >= 0 else { return }
        defer { close(file) }
        while flock(file, LOCK_SH) != 0, errno == EINTR {}
    }
}
