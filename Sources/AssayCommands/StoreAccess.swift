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
        guard path != memory else { return MemoryStore(currency: try currency(console)) }
        let store = try await SQLiteStore.open(path, access: .owner, currency: try currency(console))
        for run in store.recovered {
            console.note("run \(run) had been left by a program that died; to go on: assay resume \(run)")
        }
        return store
    }

    /// The store for a command that only reads.
    ///
    /// While an owner lives it is opened beside it; what a dead owner left is first put in order.
    ///
    /// - Throws: ``CommandFailure`` when there is no store.
    static func reader(_ console: Console, in shell: Shell) async throws -> any Store {
        try await database(console, in: shell)
    }

    /// As ``reader(_:in:)``, for a command about the database itself.
    static func database(_ console: Console, in shell: Shell) async throws -> SQLiteStore {
        let path = path(console, in: shell)
        let name = console.settings.text(.store) ?? path
        guard path != memory else { throw CommandFailure.usage("a store in memory has nothing to read; name a file with --store") }
        guard access(path, F_OK) == 0 else {
            throw CommandFailure(.notFound, "there is no store at '\(name)'; 'assay run' makes one, or name one with --store")
        }
        let store = try await SQLiteStore.open(path, access: .readOnly)
        guard try await !store.runs(matching: RunFilter(statuses: [.running], limit: 1)).isEmpty else { return store }
        // Somebody is at work or has died; in the second case this program can become the owner.
        return (try? await SQLiteStore.open(path, access: .owner)) ?? store
    }

    private static func path(_ console: Console, in shell: Shell) -> String {
        let text = console.settings.text(.store) ?? memory
        return text == memory ? text : shell.place(of: text)
    }

    private static func currency(_ console: Console) throws -> String {
        let letters = UInt8(ascii: "A")...UInt8(ascii: "Z")
        return try console.settings.value(.currency, "three capital letters such as USD") { text in
            text.utf8.count == 3 && text.utf8.allSatisfy(letters.contains) ? text : nil
        } ?? "USD"
    }
}
