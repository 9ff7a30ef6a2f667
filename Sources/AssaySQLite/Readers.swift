import Assay
import Dispatch
import Foundation
import GRDB
import Synchronization

/// Connections that only read, opened when they are needed and kept for the next reader.
///
/// In write-ahead mode a reader never waits for the writer and sees everything that was acknowledged before it began.
final class Readers: Sendable {
    /// A connection and its statements. The statements are touched inside the queue only.
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
    // Long reads must not occupy the threads that every task of the program shares.
    private let aside = DispatchQueue(label: "assay.store.reads", attributes: .concurrent)

    init(path: String) { self.path = path }

    /// What `body` reads, on the calling thread: for look-ups that take microseconds.
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

    /// What `body` reads, on another thread: for whole pages.
    func readAside<Value: Sendable>(_ body: @escaping @Sendable (Connection) throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            aside.async { continuation.resume(with: Result { try self.read(body) }) }
        }
    }

    /// What SQLite opens for a reader of the database at `path`.
    ///
    /// Where no log is and nobody could make one, as on read-only media, it is told that nothing changes; it would refuse
    /// to open the database otherwise.
    ///
    /// - Parameter leavingNothing: whether it is told so also where it could make a log, so that it makes none.
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

    /// Refuses what comes from now on, and returns when what is under way has ended and every connection is closed.
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
