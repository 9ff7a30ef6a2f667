import Assay
import Foundation
import GRDB
import GRDBSQLite
import Synchronization

/// The sign that a program owns a folder; the system gives it up when the program dies.
///
/// Ownership is held twice: by a lock on a file of its own, in which the owner says who it is and that it lives, and by
/// a mark on the database's own file, so that a removed lock file is not a free store. That nobody else has written
/// meanwhile is told by the owner's stamp in the database.
final class Ownership: Sendable {
    /// What an owner leaves in its lock file.
    struct Note: Sendable {
        /// Who it is, in words.
        var holder: String?
        /// When it last said that it lived.
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

    /// What the owner before this one left.
    let before: Note
    /// Who owns the store now, in words.
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

    /// Says that the owner lives.
    func beat(at moment: Timestamp) {
        let text = "\(holder)\nalive \(moment.milliseconds)\n"
        lock.withLock { lock in
            guard let lock else { return }
            _ = Array(text.utf8).withUnsafeBytes { pwrite(lock, $0.baseAddress, $0.count, 0) }
        }
    }

    /// Lets another program be the owner; for when SQLite has closed the database.
    func release() {
        lock.withLock { lock in
            guard let descriptor = lock else { return }
            file.give(.life)
            file.give(.ownership)
            // Said in words: a child that is being started has a copy of the descriptor, which would keep the lock.
            flock(descriptor, LOCK_UN)
            close(descriptor)
            lock = nil
        }
        file.close()
    }

    /// What stands in the lock file of that descriptor.
    static func note(_ descriptor: Int32) -> Note {
        var bytes = [UInt8](repeating: 0, count: 256)
        let count = pread(descriptor, &bytes, bytes.count, 0)
        return Note(bytes.prefix(max(0, count)))
    }
}

/// The owner of a store has found that it is no longer its.
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
    /// Who owns the store, as the database says: each owner has a stamp of its own.
    func ownerStamp() throws -> String? {
        try statement("SELECT value FROM meta WHERE name = 'owner'").first { $0.text() }
    }

    /// Writes down a new owner.
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

    /// Throws when the store is no longer that of the owner with `stamp`; for inside a transaction, where nobody else
    /// can become the owner.
    func check(_ stamp: String, of file: DatabaseFile) throws {
        guard file.isInPlace else { throw OwnershipLost(file.path, to: nil) }
        let now = try ownerStamp()
        guard now == stamp else {
            throw OwnershipLost(
                file.path, to: now.map { String($0.drop { $0 != " " }.dropFirst()) } ?? "another program")
        }
    }

    /// Leaves the log where it is when the connection is closed: it is no longer this program's to put away.
    func leaveLog() {
        var on: Int32 = 1
        sqlite3_file_control(database.sqliteConnection, "main", SQLITE_FCNTL_PERSIST_WAL, &on)
    }
}

/// What a store that is only read shows of an owner that has died: what the next owner will make of it.
struct Abandoned: Sendable {
    /// The stamp of the dead owner; what another one wrote is shown as it is.
    let stamp: String?
    /// When it last said that it lived.
    let lastSign: Timestamp?
}
