import Assay
import AssayPipelines
import AssaySQLite
import Foundation

/// The queue of the store that the settings name: here when nobody owns the store, else through the program that does.
struct QueueAccess {
    let console: Console
    let shell: Shell

    /// Does what `verb` says, and returns once that is in the store.
    func carryOut(_ verb: QueueVerb) async throws -> JSONValue {
        let folder = try await StoreAccess.folder(console, in: shell)
        return try await atOwner(of: folder, verb) {
            let store = try await StoreAccess.existing(console, in: shell)
            defer { StoreAccess.close(store) }
            return try await queue(store).carryOut(verb, folder: folder)
        }
    }

    /// Files a submission, whose items are read once.
    func submit(_ submission: Submission, _ settings: PipelineQueue?) async throws -> JSONValue {
        if let folder = try? await StoreAccess.folder(console, in: shell),
            let client = try OwnerClient(SQLiteStore.socketName, in: folder)
        {
            let spool = try await SubmissionSpool(submission, in: folder, id: shell.world.makeIdentifier())
            defer { spool.remove() }
            return try await ask(client, .submit(spool: spool.name))
        }
        let store = try await StoreAccess.owner(console, in: shell)
        defer { StoreAccess.close(store) }
        let queue = try await queue(store, settings?.configuration)
        return queue.submitted(try await queue.submit(submission))
    }

    /// A queue that executes nothing by itself.
    ///
    /// - Parameter configuration: how it works; `nil` for as it did last.
    func queue(
        _ store: any Store, _ configuration: QueueConfiguration? = nil
    ) async throws -> ExecutionQueue {
        let engine = Engine(store: store, prices: PriceList(currency: store.currency), world: shell.world)
        let known = try await store.queueRecord()?["configuration"].flatMap { try? QueueConfiguration(json: $0) }
        let standard = try QueueConfiguration(capacity: 10, refreshTime: .seconds(1))
        // What waits for what is said by the programs that work.
        return try await ExecutionQueue(
            engine, configuration ?? known ?? standard, elsewhere: { $0.waitsFor }
        ) { _ in
            throw CommandFailure.usage("this command runs nothing")
        }
    }

    /// Asks the owner of `folder`, or does it here when there is none.
    private func atOwner(
        of folder: String, _ verb: QueueVerb, here: () async throws -> JSONValue
    ) async throws -> JSONValue {
        guard let client = try OwnerClient(SQLiteStore.socketName, in: folder) else { return try await here() }
        return try await ask(client, verb)
    }

    private func ask(_ client: OwnerClient, _ verb: QueueVerb) async throws -> JSONValue {
        try client.ask(.queue(verb.jsonValue))
        for try await answer in client.answers {
            switch answer {
            case .done(let result): return result
            case .failed(let exit, let message): throw CommandFailure(exit, message)
            case .refused(let reason):
                throw CommandFailure(.unavailable, "the program that owns the store says: \(reason)")
            case .stopping, .notInProgress, .progress, .goesOn, .ended: continue
            }
        }
        throw CommandFailure(
            .unavailable, "the program that owns the store has gone without an answer; look with 'assay queue list'")
    }
}
