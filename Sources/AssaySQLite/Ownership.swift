import Assay
import Foundation
import GRDB
import GRDBSQLite
import Synchronization

/// The ownership of a folder by a program; the system ends it when the program dies.
///
/// Ownership is held twice: by a lock on a separate file, in which the owner writes its name and when it was last
/// alive, and by a mark on the database's own file, so that a store whose lock file was removed is not free. The
/// owner's stamp in the database shows that no one else has written in the meantime.
final class Ownership: Sendable {
    /// The note of an owner in its lock file.
    struct Note: Sendable {
        /// The name of the owner.
        var holder: String?
        /// The time when it was last alive.
        var alive: Timestamp?

        init(_ bytes: some Sequence<UInt8>) {
            let lines = Array(bytes).split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            let first = lines[0].prefix { $0 >= 0x20 }
            holder = first.isEmpty ? nil : String(decoding: first, as: UTF8.self)
            let second = lines.count > 1 ? String(decoding: lines[1], as: UTF8.self) : ""
            guard second.hasPrefix("alive ") else { return }
            alive = Int64(second.dropFirst(6)).map { Timestamp(milliseconds: $0) }
        }
    }

    /// The note of the previous owner.
    let before: Note
    /// The name of the current owner.
    let holder: String
    let file: DatabaseFile
    private let lock: Mutex<Int32?>

    init(lock descriptor: Int32, _ file: DatabaseFile, at moment: Timestamp) {
        before = Self.note(descriptor)
        holder = "process \(getpid()) since \(moment)"
        self.file = file
        lock = Mutex(descriptor)
        ftruncate(descriptor, 0)
        beat(at: moment)
    }

    deinit { release() }

    /// Records that the owner is alive.
    func beat(at moment: Timestamp) {
        let text = "\(holder)\nalive \(moment.milliseconds)\n"
        lock.withLock { lock in
            guard let lock else { return }
            _ = Array(text.utf8).withUnsafeBytes { pwrite(lock, $0.baseAddress, $0.count, 0) }
        }
    }

    /// Lets another program become the owner. Call it after SQLite has closed the database.
    func release() {
        lock.withLock { lock in
            guard let descriptor = lock else { return }
            file.give(.life)
            file.give(.ownership)
            // Unlocked explicitly: a child process that is being started has a copy of the descriptor, which would keep
            // the lock.
            flock(descriptor, LOCK_UN)
            close(descriptor)
            lock = nil
        }
        file.close()
    }

    /// Returns the note in the lock file of that descriptor.
    static func note(_ descriptor: Int32) -> Note {
        var bytes = [UInt8](repeating: 0, count: 256)
        let count = pread(descriptor, &bytes, bytes.count, 0)
        return Note(bytes.prefix(max(0, count)))
    }
}

/// The error when a program finds that it no longer owns its store.
struct OwnershipLost: Error {
    let refusal: ProcessingError

    init(_ path: String, to holder: String?) {
        let what =
            holder.map { "\($0) has taken over the store '\(path)' of this program" }
            ?? "the store '\(path)' was removed or replaced while this program worked on it"
        refusal = ProcessingError(
            .store,
            "\(what), which has stopped: what it did since then is not on record; look at the runs there and "
                + "resume those that were interrupted", retryable: false)
    }
}

extension Connection {
    /// Returns the stamp of the owner on record in the database. Each owner has a unique stamp.
    func ownerStamp() throws -> String? {
        try statement("SELECT value FROM meta WHERE name = 'owner'").first { $0.text() }
    }

    /// Records a new owner.
    ///
    /// - Returns: its stamp.
    func stamp(owner holder: String) throws -> String {
        let number = try ownerStamp().flatMap { Int($0.prefix { $0 != " " }) } ?? 0
        let stamp = "\(number + 1) \(holder)"
        let insert = try statement("REPLACE INTO meta (name, value) VALUES ('owner', ?)")
        insert.bind(stamp)
        try insert.run()
        return stamp
    }

    /// Checks that the store still belongs to the owner with `stamp`. Call it inside a transaction, during which the
    /// owner cannot change.
    func check(_ stamp: String, of file: DatabaseFile) throws {
        guard file.isInPlace else { throw OwnershipLost(file.path, to: nil) }
        let now = try ownerStamp()
        guard now == stamp else {
            throw OwnershipLost(
                file.path, to: now.map { String($0.drop { $0 != " " }.dropFirst()) } ?? "another program")
        }
    }

    /// Leaves the log in place when the connection is closed, because this program no longer owns it.
    func leaveLog() {
        var on: Int32 = 1
        sqlite3_file_control(database.sqliteConnection, "main", SQLITE_FCNTL_PERSIST_WAL, &on)
    }
}

/// A dead owner, whose work a read-only store shows as the next owner will recover it.
struct Abandoned: Sendable {
    /// The stamp of the dead owner. If another owner is on record, its work is shown unchanged.
    let stamp: String?
    /// The time when it was last alive.
    let lastSign: Timestamp?
}
