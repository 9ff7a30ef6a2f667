import Assay
import AssaySQLite
import Foundation

/// Access to the store that the settings name.
enum StoreAccess {
    /// The name of a store that is lost when the program ends.
    static let memory = ":memory:"

    /// Opens the store for a command that writes. Creates it if it does not exist, and takes over what a dead owner
    /// left.
    ///
    /// - Throws: ``ProcessingError`` with code `store` while another program owns it.
    static func owner(_ console: Console, in shell: Shell) async throws -> any Store {
        let path = path(console, in: shell)
        guard path != memory else { return MemoryStore(currency: try currency(console) ?? "USD") }
        let store = try SQLiteStore.open(path, access: .owner, currency: try currency(console), world: shell.world)
        // Before anything runs again: if a program died together with its guard, nothing else ends what it left
        // running.
        Leash.succeed(ownerOf: store.path)
        try SubmissionSpool.sweep(store.folder)
        for run in store.recovered {
            console.note("run \(run) had been left by a program that died; \(try await next(after: run, in: store))")
        }
        return store
    }

    /// Returns how to continue a run whose program has died.
    private static func next(after id: Run.ID, in store: SQLiteStore) async throws -> String {
        let run = try await store.run(id)
        if let execution = run?.executionID, try await store.execution(execution)?.number != nil {
            return "the queue goes on with its execution '\(execution)'"
        }
        return run?.isListed == true ? "to go on: assay resume \(id)" : "its inputs were not all read, so run it again"
    }

    /// Opens the store as ``owner(_:in:)`` does, for a command on something on record. Creates nothing.
    static func existing(_ console: Console, in shell: Shell) async throws -> any Store {
        _ = try existingPath(console, in: shell)
        return try await owner(console, in: shell)
    }

    /// Opens the store for a command that only reads.
    ///
    /// It is opened beside its owner, and reading does not own it. Runs that a dead owner left appear as `interrupted`,
    /// and the next writer cleans them up.
    ///
    /// - Throws: ``CommandFailure`` if there is no store.
    static func reader(_ console: Console, in shell: Shell) async throws -> any Store {
        try await database(console, in: shell)
    }

    /// Opens the store as ``reader(_:in:)`` does; an empty one if there is no store.
    static func readerOrEmpty(_ console: Console, in shell: Shell) async throws -> any Store {
        let path = path(console, in: shell)
        guard path != memory, access(path, F_OK) == 0 else {
            return MemoryStore(currency: try currency(console) ?? "USD")
        }
        return try await database(console, in: shell)
    }

    /// Opens the store as ``reader(_:in:)`` does, for a command about the database itself.
    static func database(_ console: Console, in shell: Shell) async throws -> SQLiteStore {
        try SQLiteStore.open(try existingPath(console, in: shell), access: .readOnly)
    }

    /// Returns the folder of the store that the settings name.
    ///
    /// - Throws: ``CommandFailure`` if there is no store.
    static func folder(_ console: Console, in shell: Shell) async throws -> String {
        URL(fileURLWithPath: try existingPath(console, in: shell)).deletingLastPathComponent().path
    }

    /// Returns the root of the workspace: the parent of the store's folder, or the working folder for a store in
    /// memory.
    static func root(_ console: Console, in shell: Shell) -> String {
        let path = path(console, in: shell)
        guard path != memory else { return shell.folder }
        let folder = URL(fileURLWithPath: FilePath.absolute(path, from: shell.folder)).deletingLastPathComponent()
        return folder.deletingLastPathComponent().path
    }

    /// Closes a store, so that other programs can own it.
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

    /// Returns the requested currency; `nil`: the one of the store.
    private static func currency(_ console: Console) throws -> String? {
        guard console.settings[.currency]?.origin != .standard else { return nil }
        let letters = UInt8(ascii: "A")...UInt8(ascii: "Z")
        return try console.settings.value(.currency, "three capital letters such as USD") { text in
            text.utf8.count == 3 && text.utf8.allSatisfy(letters.contains) ? text : nil
        }
    }
}
