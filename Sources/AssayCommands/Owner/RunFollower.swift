import Assay
import AssaySQLite
import Foundation

/// Follows a run that another program carries through, to its end.
struct RunFollower {
    /// A run that has ended.
    struct End {
        let run: Run
        /// How the program that carried it through ends, or would have.
        let exit: ExitStatus
        /// Whether it had ended before anybody asked.
        let wasOver: Bool
    }

    let console: Console
    let shell: Shell

    /// Returns when the run that the user calls `name` has ended, woken by the program that carries it through.
    ///
    /// When that program dies, the run has ended as interrupted.
    ///
    /// - Parameters:
    ///   - cancelling: whether the run is to be stopped, and whether items in flight may finish; `nil`: it is left alone.
    ///   - changed: is told when something about the run may be new, and how it stands where that is known.
    func follow(
        _ name: String, cancelling drain: Bool? = nil, changed: (ProgressBlock?) async throws -> Void = { _ in }
    ) async throws -> End {
        var name = name
        var isFirst = true
        var wasAnswered = true
        while true {
            let (run, path, isFound) = try await look(up: name)
            guard !run.status.isTerminal else {
                return End(run: run, exit: ExitStatus(run), wasOver: isFirst && !isFound)
            }
            try Task.checkCancellation()
            // What begins so, or is the last one, may be another run a moment later.
            (name, isFirst) = (run.id.text, false)
            if let client = try OwnerClient(SQLiteStore.socketName, in: (path as NSString).deletingLastPathComponent) {
                if let exit = try await converse(client, run.id, drain, changed) {
                    return End(run: try await look(up: name).run, exit: exit, wasOver: false)
                }
                // It has gone without a word. When it is dead, what it left is found as soon as the store is free.
                wasAnswered = true
                for await _ in SQLiteStore.ownerGone(from: path) {}
            } else if run.status == .paused {
                // Nobody holds it, so nothing happens to it by itself.
                guard drain != nil else { return End(run: run, exit: .paused, wasOver: false) }
                return try await cancelPaused(run.id)
            } else if wasAnswered {
                // It may have ended while it was asked for.
                wasAnswered = false
            } else {
                throw CommandFailure(
                    .unavailable,
                    "the program that holds run '\(run.id)' cannot be reached; it was not started by 'assay run'")
            }
        }
    }

    /// Ends a run that was left in a pause.
    private func cancelPaused(_ id: Run.ID) async throws -> End {
        let store = try await StoreAccess.existing(console, in: shell)
        defer { StoreAccess.close(store) }
        let engine = Engine(
            store: store, prices: PriceList(currency: store.currency),
            events: EventStream(Monitoring(), time: shell.world.time), world: shell.world)
        let run = try await engine.cancelPaused(id).run
        return End(run: run, exit: ExitStatus(run), wasOver: false)
    }

    /// The run as it is on record, the path of its store, and whether it is a dead program's and shown as interrupted.
    ///
    /// The store is closed again: an owner that ends can put its log away only when nobody else reads.
    private func look(up name: String) async throws -> (run: Run, path: String, isFound: Bool) {
        let store = try await StoreAccess.database(console, in: shell)
        defer { StoreAccess.close(store) }
        let run = try await store.existingRun(name)
        return (run, store.path, store.recovered.contains(run.id))
    }

    /// Speaks with the owner until the run has ended; `nil` when the owner goes away before that.
    private func converse(
        _ client: OwnerClient, _ run: Run.ID, _ drain: Bool?, _ changed: (ProgressBlock?) async throws -> Void
    ) async throws -> ExitStatus? {
        // An owner that has gone is met as the end of its answers.
        if let drain { try? client.ask(.cancel(run, drain: drain)) }
        try? client.ask(.watch(run))
        for try await answer in client.answers {
            switch answer {
            case .ended(let exit): return exit
            case .progress(let block): try await changed(block)
            case .goesOn: try await changed(nil)
            case .refused(let reason):
                throw CommandFailure(.unavailable, "the program that holds the run says: \(reason)")
            case .stopping: console.note("run \(run) is stopping")
            case .failed(let status, let message): throw CommandFailure(status, message)
            case .notInProgress, .done: continue
            }
        }
        return nil
    }
}

extension RunFollower {
    /// Follows as ``follow(_:cancelling:changed:)`` and gives up after `limit`.
    func follow(
        _ name: String, cancelling drain: Bool? = nil, atMost limit: Duration?,
        changed: @escaping @Sendable (ProgressBlock?) async throws -> Void = { _ in }
    ) async throws -> End {
        guard let limit else { return try await follow(name, cancelling: drain, changed: changed) }
        let time = shell.world.time
        let deadline = time.uptime() + limit
        return try await withThrowingTaskGroup(of: End.self) { group in
            group.addTask { try await follow(name, cancelling: drain, changed: changed) }
            group.addTask {
                try await time.sleep(until: deadline)
                throw CommandFailure(.timedOut, "run '\(name)' is still in progress after \(limit.brief)")
            }
            defer { group.cancelAll() }
            guard let end = try await group.next() else { throw CancellationError() }
            return end
        }
    }

    /// Writes how the run ended: a line for people, or the run as an object.
    func write(_ end: End) throws {
        let counts = end.run.counts
        switch console.format {
        case .table:
            try console.write(lines: [
                "run \(end.run.id): \(end.run.status.rawValue)  \(counts.succeeded.grouped) succeeded, "
                    + "\(counts.failed.grouped) failed of \(counts.total.grouped)"
            ])
        case .json, .jsonl:
            guard case .object(var object) = try end.run.row else { return }
            object["schema"] = "assay/run/1"
            try console.write(json: JSONValue.object(object).json + "\n")
        case .none: break
        }
    }

    /// Says how to go on with a run that did not succeed.
    func tellWhatNext(_ end: End) {
        guard end.run.isListed, end.run.status != .succeeded else { return }
        if end.run.status == .paused {
            return console.note("to go on: assay graph continue \(end.run.id)\(console.settings.storeAgain)")
        }
        let verb = end.run.status == .partial ? "retry" : "resume"
        console.note("to go on: assay \(verb) \(end.run.id)\(console.settings.storeAgain)")
    }
}
