import Assay
import AssaySQLite

/// A queue that this program works on, as other programs may see and change it and the runs of its executions.
struct QueueDesk: Sendable {
    /// What is to be run beside the queue's own work.
    typealias Later = AsyncStream<@Sendable () async -> Void>.Continuation

    let queue: ExecutionQueue
    let engine: Engine
    /// Where spooled submissions lie.
    let folder: String
    let later: Later

    /// Does what `verb` says in the words of ``QueueVerb``.
    func carryOut(_ verb: JSONValue) async throws -> JSONValue {
        guard let verb = QueueVerb(json: verb) else {
            throw CommandFailure(
                .unavailable, "the program that owns the store is of another version and does not know what is asked")
        }
        return try await queue.carryOut(verb, folder: folder, goingOn: goOn)
    }

    /// How a run of the store stands: in progress as long as the queue holds its execution, ended also while it is paused.
    func stand(of id: Run.ID) async throws -> OwnerDesk.Stand {
        while let execution = try await engine.store.run(id)?.executionID {
            let isHeld = queue.holds(execution)
            // Looked at after that, since what the queue does not hold it does not change either.
            guard let run = try await engine.store.run(id) else { break }
            if run.status.isTerminal { return .ended(ExitStatus(run)) }
            if isHeld { return .inProgress(nil) }
            if run.status == .paused { return .ended(ExitStatus(run)) }
            // It goes on since, or is nobody's here.
            guard queue.holds(execution) else { break }
        }
        return .unknown
    }

    /// Cancels the execution of a run, or the run when it was left in a pause and is no execution's of the queue.
    ///
    /// - Returns: `false` when the run has ended before.
    func cancel(_ id: Run.ID, drain: Bool) async throws -> Bool {
        guard let run = try await engine.store.run(id), !run.status.isTerminal else { return false }
        if queue.contains(run.executionID) { return try await queue.cancel(run.executionID, drain: drain) }
        guard run.status == .paused else { return false }
        _ = try await engine.cancelPaused(id)
        return true
    }

    /// Lets a paused run go on beside the queue's own work, once it is certain that this program can.
    private func goOn(_ id: Run.ID, _ move: Pause.Move, toEnd: Bool) async throws -> JSONValue {
        let run = try await engine.store.existingRun(id.text)
        guard run.status == .paused else {
            throw CommandFailure(.failed, "run '\(id)' is \(run.status.rawValue), not paused")
        }
        let execution = run.executionID
        guard queue.contains(execution) else {
            throw CommandFailure(
                .unavailable, "run '\(id)' is of no execution of the queue; go on with it when its worker has ended")
        }
        try await queue.checkGoingOn(execution)
        let work: @Sendable () async -> Void = { [queue, engine] in
            do { _ = try await queue.goOn(execution, by: move, toEnd: toEnd, isWork: true) } catch {
                // What is given up with the worker is on record as it was.
                guard !Task.isCancelled else { return }
                engine.warn("run '\(id)' could not go on: \(CommandFailure(error).message)")
            }
        }
        guard case .enqueued = later.yield(work) else {
            throw CommandFailure(.unavailable, "the program that owns the store is ending; try again when it has ended")
        }
        return ["execution_id": .string(execution.text)]
    }
}
