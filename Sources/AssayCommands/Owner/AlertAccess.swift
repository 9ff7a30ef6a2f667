import Assay
import AssaySQLite

/// The alerts of the store that the settings name: changed here when nobody owns the store, else through the program
/// that does.
struct AlertAccess {
    let console: Console
    let shell: Shell

    /// Makes an alert inactive, and returns once that is in the store.
    ///
    /// - Returns: `false` when none of that name has fired.
    func clear(_ name: String) async throws -> Bool {
        let folder = try await StoreAccess.folder(console, in: shell)
        if let client = try OwnerClient(SQLiteStore.socketName, in: folder) { return try await ask(client, name) }
        let store = try await StoreAccess.existing(console, in: shell)
        defer { StoreAccess.close(store) }
        return try await Engine(
            store: store, prices: PriceList(currency: store.currency), world: shell.world
        ).clearAlert(name)
    }

    private func ask(_ client: OwnerClient, _ name: String) async throws -> Bool {
        try client.ask(.clearAlert(name))
        for try await answer in client.answers {
            switch answer {
            case .done(let result): return result == true
            case .failed(let exit, let message): throw CommandFailure(exit, message)
            case .refused(let reason):
                throw CommandFailure(.unavailable, "the program that owns the store says: \(reason)")
            case .stopping, .notInProgress, .progress, .goesOn, .ended: continue
            }
        }
        throw CommandFailure(
            .unavailable, "the program that owns the store has gone without an answer; look with 'assay alerts'")
    }
}

extension Engine {
    /// Clears alerts that other programs name: those that `alerts` watch by, and those of earlier programs.
    func alertService(_ alerts: Alerts) -> OwnerDesk.AlertService {
        { [self] name in
            if try await alerts.clear(name) { return true }
            return try await clearAlert(name)
        }
    }
}
