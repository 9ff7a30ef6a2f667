public import Assay
import Foundation
import GRDB

/// A store in one file that survives the end of the program, a kill and a power cut.
///
/// Everything it acknowledges is in a SQLite database in write-ahead mode with `synchronous=FULL`. One connection on
/// its own thread makes all commits and all checkpoints, and combines the simultaneous writes of many callers. Readers
/// have their own connections. One program at a time owns the folder; others may read at the same time. Rows carry
/// seals, so a flipped bit is an error and never a wrong amount.
public final class SQLiteStore: Store {
    /// The access that a program requests.
    public enum Access: Sendable {
        /// Access to run things; refused while another program has it.
        case owner
        /// Access to read, also while an owner works.
        case readOnly
    }

    public let currency: String
    public let keepsJSON = true
    public let definitionKey: [UInt8]
    /// The absolute path of the database.
    public let path: String
    /// The unfinished runs of a dead owner: ended as `interrupted` when this store was opened or, if it is read-only,
    /// only shown that way.
    public let recovered: [Run.ID]

    let readers: Readers
    private let commits: GroupCommit?
    /// The database's own file, for a read-only store.
    private let file: DatabaseFile?
    /// A dead owner, for a read-only store.
    let abandoned: Abandoned?

    /// Opens the store at `path`. If it does not exist and `access` is `owner`, creates it and its folder.
    ///
    /// The owner migrates an older database after a backup beside it, and ends what a dead owner left unfinished.
    /// Blocks meanwhile: for milliseconds if the store is in good order.
    ///
    /// - Parameters:
    ///   - currency: the currency of all amounts; `nil` means the store's currency, or `USD` for a new store.
    ///   - world: the source of the time at which unfinished runs count as ended.
    /// - Throws: ``ProcessingError`` with code `store` when another program is the owner; when the folder or a file is
    ///   open to others, a link, or owned by another user; when the database is damaged, in another currency, written
    ///   by a newer version, or not a store.
    public static func open(
        _ path: String, access: Access = .owner, currency: String? = nil, world: World = .system
    ) throws -> SQLiteStore {
        try open(path, access: access, currency: currency, world: world, schema: .current)
    }

    static func open(
        _ path: String, access: Access, currency: String? = nil, world: World = .system, schema: Schema
    ) throws -> SQLiteStore {
        do {
            let folder = try StateFolder(ofDatabase: path)
            return switch access {
            case .owner: try SQLiteStore(owning: folder, schema, currency, world, confirms: true)
            case .readOnly: try SQLiteStore(reading: folder, schema, currency)
            }
        } catch {
            throw ProcessingError.store(error)
        }
    }

    /// Opens a store like ``open(_:access:currency:world:)``, but a power cut loses the latest acknowledged writes. A
    /// rig that cuts the power uses it to prove that it would detect such a loss.
    package static func openUnconfirmed(_ path: String) throws -> SQLiteStore {
        try SQLiteStore(owning: StateFolder(ofDatabase: path), .current, nil, .system, confirms: false)
    }

    private init(
        owning folder: StateFolder, _ schema: Schema, _ currency: String?, _ world: World, confirms: Bool
    ) throws {
        let opening = Opening(path: folder.database, schema: schema)
        try folder.prepare { try opening.refuseForeign() }
        let now = world.time.now()
        let ownership = try folder.own(at: now) { opening.ownerOnRecord() }
        let queue = try DatabaseQueue(path: folder.database, configuration: .writer)
        try opening.migrate(queue)
        let stamp: String
        (self.currency, recovered, definitionKey, stamp) = try queue.inDatabase { database in
            let connection = Connection(database)
            try opening.check(connection)
            return try connection.transaction {
                (
                    try connection.settleCurrency(currency),
                    try connection.recover(at: now, lastSign: ownership.before.alive),
                    try connection.definitionKey(), try connection.stamp(owner: ownership.holder)
                )
            }
        }
        if !confirms { try queue.inDatabase { try $0.execute(sql: "PRAGMA synchronous = NORMAL") } }
        path = folder.database
        readers = Readers(path: path)
        (file, abandoned) = (nil, nil)
        let commits = GroupCommit()
        commits.start(
            queue, check: { try $0.check(stamp, of: ownership.file) }, beat: { ownership.beat(at: world.time.now()) },
            end: { ownership.release() })
        self.commits = commits
    }

    private init(reading folder: StateFolder, _ schema: Schema, _ currency: String?) throws {
        try folder.examine()
        let opening = Opening(path: folder.database, schema: schema)
        try opening.refuseForeign()
        guard let file = DatabaseFile(folder.database, forWriting: false) else {
            throw ProcessingError(
                .store, "cannot open '\(folder.database)': \(String(cString: strerror(errno)))", retryable: false)
        }
        self.file = file
        path = folder.database
        let readers = Readers(path: path)
        self.readers = readers
        let before: String?
        (self.currency, definitionKey, before) = try readers.read { connection in
            try opening.checkVersion(connection.database)
            return (
                try connection.currency(currency) ?? currency ?? "USD", try connection.definitionKey(),
                try connection.ownerStamp()
            )
        }
        // If the same owner is on record before and after, and no one holds the mark, no owner has written in between.
        let isOwned = file.isTaken(.ownership)
        let (after, unfinished) = try readers.read { connection in
            try connection.snapshot { (try connection.ownerStamp(), try connection.unfinishedRuns().map(\.id)) }
        }
        let isAbandoned = !isOwned && before == after
        abandoned = isAbandoned ? Abandoned(stamp: after, lastSign: folder.ownerNote.alive) : nil
        recovered = isAbandoned ? unfinished : []
        commits = nil
    }

    deinit { close() }

    /// Waits for current reads, finishes waiting writes, closes the database and releases the ownership. Afterwards
    /// everything is refused.
    public func close() {
        // The last connection to close must be the one that writes: it copies the log into the database and removes it.
        readers.close()
        commits?.close()
        file?.close()
    }

    /// Whether this store may write.
    var isOwner: Bool { commits != nil }

    /// The number of committed transactions, which is lower than the number of writes when there are many writers.
    var commitCount: Int { commits?.commits ?? 0 }

    /// Waits until `count` writes wait for a commit.
    func waited(by count: Int) async { await commits?.waited(by: count) }

    /// Writes with `body`, which must not keep the store alive, and returns once the write is durable.
    func write<Value: Sendable>(_ body: @escaping @Sendable (Connection) throws -> Value) async throws -> Value {
        guard let commits else {
            throw ProcessingError(
                .store, "the store '\(path)' was opened for reading only; open it as its owner to write",
                retryable: false)
        }
        return try await commits.write(body)
    }

    /// Reads with `body`, for lookups that take microseconds.
    func read<Value>(_ body: (Connection) throws -> Value) throws -> Value {
        try commits?.checkUsable()
        return try readers.read(body)
    }

    /// Reads with `body` on another thread, for longer reads.
    func readAside<Value: Sendable>(_ body: @escaping @Sendable (Connection) throws -> Value) async throws -> Value {
        try commits?.checkUsable()
        return try await readers.readAside(body)
    }
}
