import Assay
import Dispatch
import Foundation
import GRDB
import Synchronization

/// Connections that only read, opened when needed and kept for later readers.
///
/// In write-ahead mode a reader never waits for the writer, and sees everything that was acknowledged before it began.
final class Readers: Sendable {
    /// A connection and its statements. The statements are used only inside the queue.
    private final class Reader: @unchecked Sendable {
        let queue: DatabaseQueue
        private var connection: Connection?

        init(path: String) throws { queue = try DatabaseQueue(path: path, configuration: .reader) }

        func read<Value>(_ body: (Connection) throws -> Value) throws -> Value {
            try queue.inDatabase { database in
                let connection = self.connection ?? Connection(database)
                self.connection = connection
                return try body(connection)
            }
        }

        func close() {
            queue.inDatabase { _ in connection = nil }
            try? queue.close()
        }
    }

    private struct State {
        var idle: [Reader] = []
        var isClosed = false
    }

    private static let kept = 4

    private let path: String
    private let state = Mutex(State())
    private let underWay = DispatchGroup()
    // Long reads must not block the threads that all tasks of the program share.
    private let aside = DispatchQueue(label: "assay.store.reads", attributes: .concurrent)

    init(path: String) { self.path = path }

    /// Reads with `body` on the calling thread. For lookups that take microseconds.
    func read<Value>(_ body: (Connection) throws -> Value) throws -> Value {
        do {
            let idle = try state.withLock { state in
                guard !state.isClosed else { throw ProcessingError.storeClosed }
                underWay.enter()
                return state.idle.popLast()
            }
            defer { underWay.leave() }
            let reader = try idle ?? Reader(path: Self.address(of: path))
            defer { giveBack(reader) }
            return try reader.read(body)
        } catch {
            throw ProcessingError.store(error)
        }
    }

    /// Reads with `body` on another thread. For whole pages.
    func readAside<Value: Sendable>(_ body: @escaping @Sendable (Connection) throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            aside.async { continuation.resume(with: Result { try self.read(body) }) }
        }
    }

    /// Returns the address that SQLite opens for a reader of the database at `path`.
    ///
    /// Where there is no log and none can be created, as on read-only media, SQLite is told that the file never
    /// changes; otherwise it would refuse to open it.
    ///
    /// - Parameter leavingNothing: whether to do so also where a log could be created, so that none is.
    static func address(of path: String, leavingNothing: Bool = false) -> String {
        var log = stat()
        let hasLog = lstat(path + "-wal", &log) == 0 && log.st_size > 0
        let folder = (path as NSString).deletingLastPathComponent
        guard !hasLog, leavingNothing || access(folder, W_OK) != 0 else { return path }
        let allowed = CharacterSet.alphanumerics.union(CharacterSet(charactersIn: "/._-"))
        let escaped = path.addingPercentEncoding(withAllowedCharacters: allowed) ?? path
        return "file:\(escaped)?immutable=1"
    }

    private func giveBack(_ reader: Reader) {
        let isKept = state.withLock { state in
            guard state.idle.count < Self.kept, !state.isClosed else { return false }
            state.idle.append(reader)
            return true
        }
        if !isKept { reader.close() }
    }

    /// Refuses new reads, and returns when all current reads have ended and every connection is closed.
    func close() {
        let readers = state.withLock { state in
            defer { state.idle = [] }
            state.isClosed = true
            return state.idle
        }
        for reader in readers { reader.close() }
        underWay.wait()
    }
}
