public import Assay
import Foundation
import GRDB

/// A store in one file that survives the end of the program, its kill and a power cut.
///
/// Everything it acknowledges is in a SQLite database in write-ahead mode with `synchronous=FULL`. One connection on
/// a thread of its own makes all commits and all checkpoints and writes together what many callers ask for at the
/// same time; readers have connections of their own. One program at a time owns the folder; others may read along.
/// Rows carry check values, so that a flipped bit is an error and never a wrong amount.
public final class SQLiteStore: Store {
    /// What a program wants from a store.
    public enum Access: Sendable {
        /// To run things; refused while another program does.
        case owner
        /// To look, also while an owner works.
        case readOnly
    }

    public let currency: String
    public let keepsJSON = true
    public let definitionKey: [UInt8]
    /// The database's path from the root on.
    public let path: String
    /// The runs of a dead owner that were found unfinished: ended as `interrupted` when this store was opened, or, when it
    /// is only read, shown so.
    public let recovered: [Run.ID]

    let readers: Readers
    private let commits: GroupCommit?
    /// The database's own file, for a store that is only read.
    private let file: DatabaseFile?
    /// What is known of a dead owner, for a store that is only read.
    let abandoned: Abandoned?

    /// Opens the store at `path`, and makes it, with its folder, when it is not there and `access` is `owner`.
    ///
    /// The owner brings an older database up to date after a backup beside it, and ends what a dead owner left
    /// unfinished. Blocks while it does so: milliseconds for a store in good order.
    ///
    /// - Parameters:
    ///   - currency: the currency of all amounts; `nil` for the store's own, and `USD` for a new one.
    ///   - world: gives the time at which unfinished runs are said to have ended.
    /// - Throws: ``ProcessingError`` with code `store`: another program is the owner; folder or file are open to
    ///   others, links, or somebody else's; the database is damaged, in another currency, written by a newer version,
    ///   or not a store.
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

    /// As ``open(_:access:currency:world:)``, but a power cut takes what was acknowledged last: so that a rig which cuts
    /// the power can show that it would notice.
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
        // With one owner on record before and after, nobody who owned nothing in between has written since.
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

    /// Waits for reads that are under way, writes what still waits, closes the database and gives up the ownership;
    /// afterwards everything is refused.
    public func close() {
        // The last connection to close must be one that writes: it takes the log into the database and removes it.
        readers.close()
        commits?.close()
        file?.close()
    }

    /// Whether this store may write.
    var isOwner: Bool { commits != nil }

    /// How many transactions were committed; fewer than writes when writers were many.
    var commitCount: Int { commits?.commits ?? 0 }

    /// How many writes wait for the next transaction.
    /// Returns once so many writes wait for a commit.
    func waited(by count: Int) async { await commits?.waited(by: count) }

    /// Writes with `body`, which must not keep the store alive, and returns once that is durable.
    func write<Value: Sendable>(_ body: @escaping @Sendable (Connection) throws -> Value) async throws -> Value {
        guard let commits else {
            throw ProcessingError(
                .store, "the store '\(path)' was opened for reading only; open it as its owner to write",
                retryable: false)
        }
        return try await commits.write(body)
    }

    /// A look-up of microseconds.
    func read<Value>(_ body: (Connection) throws -> Value) throws -> Value {
        try commits?.checkUsable()
        return try readers.read(body)
    }

    /// A longer read.
    func readAside<Value: Sendable>(_ body: @escaping @Sendable (Connection) throws -> Value) async throws -> Value {
        try commits?.checkUsable()
        return try await readers.readAside(body)
    }
}
