import Foundation

extension SQLiteStore {
    /// The name of the socket in ``folder`` at which the owner may answer other programs of the user.
    package static let socketName = StateFolder.socketName

    /// The folder of the database.
    package var folder: String { (path as NSString).deletingLastPathComponent }

    /// Returns a stream without elements that ends when no program owns the database at `path` any longer. It waits on
    /// its own thread and keeps no one from becoming the owner.
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
