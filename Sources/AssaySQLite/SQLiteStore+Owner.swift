import Foundation

extension SQLiteStore {
    /// The name in ``folder`` of the socket at which the owner may answer other programs of the user.
    package static let socketName = StateFolder.socketName

    /// The folder of the database.
    package var folder: String { (path as NSString).deletingLastPathComponent }

    /// Ends, without having given anything, when no program owns the database at `path` any more; waits on a thread of
    /// its own. It keeps nobody from becoming the owner.
    package static func ownerGone(from path: String) -> AsyncStream<Never> {
        let (stream, continuation) = AsyncStream.makeStream(of: Never.self)
        let thread = Thread {
            if let file = DatabaseFile(path, forWriting: false) {
                file.waitUntilFree(.life)
                file.close()
            }
            continuation.finish()
        }
        thread.name = "assay.store.wait"
        thread.start()
        return stream
    }
}
