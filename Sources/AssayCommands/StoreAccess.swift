import Assay
import AssaySQLite
import Foundation

/// The store that the settings name.
enum StoreAccess {
    /// A store that is forgotten when the program ends.
    static let memory = ":memory:"

    /// The store for a command that works: made when it is not there, with what a dead owner left taken over.
    ///
    /// - Throws: ``ProcessingError`` with code `store` while another program owns it.
    static func owner(_ console: Console, in shell: Shell) async throws -> any Store {
        let path = path(console, in: shell)
        guard path != memory else { return MemoryStore(currency: try currency(console) ?? "USD") }
        let store = try SQLiteStore.open(path, access: .owner, currency: try currency(console), world: shell.world)
        // Before anything is run again: a program that died with its guard has left what nobody else ends.
        Leash.succeed(ownerOf: store.path)
        try SubmissionSpool.sweep(store.folder)
        for run in store.recovered {
            console.note("run \(run) had been left by a program that died; \(try await next(after: run, in: store))")
        }
        return store
    }

    /// How a run goes on whose program has died.
    private static func next(after id: Run.ID, in store: SQLiteStore) async throws -> String {
        let run = try await store.run(id)
        if let execution = run?.executionID, try await store.execution(execution)?.number != nil {
            return "the queue goes on with its execution '\(execution)'"
        }
        return run?.isListed == true ? "to go on: assay resume \(id)" : "its inputs were not all read, so run it again"
    }

    /// As ``owner(_:in:)`` for a command that goes on with something on record: nothing is made.
    static func existing(_ console: Console, in shell: Shell) async throws -> any Store {
        _ = try existingPath(console, in: shell)
        return try await owner(console, in: shell)
    }

    /// The store for a command that only reads.
    ///
    /// It is opened beside its owner, and looking does not make an owner; what a dead owner left is shown as
    /// `interrupted`, and put in order by the next program that writes.
    ///
    /// - Throws: ``CommandFailure`` when there is no store.
    static func reader(_ console: Console, in shell: Shell) async throws -> any Store {
        try await database(console, in: shell)
    }

    /// As ``reader(_:in:)``; nothing is on record where there is no store.
    static func readerOrEmpty(_ console: Console, in shell: Shell) async throws -> any Store {
        let path = path(console, in: shell)
        guard path != memory, access(path, F_OK) == 0 else {
            return MemoryStore(currency: try currency(console) ?? "USD")
        }
        return try await database(console, in: shell)
    }

    /// As ``reader(_:in:)``, for a command about the database itself.
    static func database(_ console: Console, in shell: Shell) async throws -> SQLiteStore {
        try SQLiteStore.open(try existingPath(console, in: shell), access: .readOnly)
    }

    /// The folder of the store that the settings name.
    ///
    /// - Throws: ``CommandFailure`` when there is no store.
    static func folder(_ console: Console, in shell: Shell) async throws -> String {
        URL(fileURLWithPath: try existingPath(console, in: shell)).deletingLastPathComponent().path
    }

    /// The root of the workspace: the folder that holds the store's folder; of a store in memory the working folder.
    static func root(_ console: Console, in shell: Shell) -> String {
        let path = path(console, in: shell)
        guard path != memory else { return shell.folder }
        let folder = URL(fileURLWithPath: FilePath.absolute(path, from: shell.folder)).deletingLastPathComponent()
        return folder.deletingLastPathComponent().path
    }

    /// Ends the use of a store, so that others can own it.
    static func close(_ store: any Store) { (store as? SQLiteStore)?.close() }

    private static func existingPath(_ console: Console, in shell: Shell) throws -> String {
        let path = path(console, in: shell)
        guard path != memory else {
            throw CommandFailure.usage("a store in memory has nothing to read; name a file with --store")
        }
        guard access(path, F_OK) == 0 else {
            let name = console.settings.text(.store) ?? path
            throw CommandFailure(
                .notFound, "there is no store at '\(name)'; 'assay run' makes one, or name one with --store")
        }
        return path
    }

    private static func path(_ console: Console, in shell: Shell) -> String {
        let text = console.settings.text(.store) ?? memory
        return text == memory ? text : shell.place(of: text)
    }

    /// The currency that somebody asked for; `nil`: the one the store has.
    private static func currency(_ console: Console) throws -> String? {
        guard console.settings[.currency]?.origin != .standard else { return nil }
        let letters = UInt8(ascii: "A")...UInt8(ascii: "Z")
        return try console.settings.value(.currency, "three capital letters such as USD") { text in
            text.utf8.count == 3 && text.utf8.allSatisfy(letters.contains) ? text : nil
        }
    }
}
