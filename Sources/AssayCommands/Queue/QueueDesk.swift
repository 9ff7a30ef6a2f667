import Assay
import AssaySQLite

/// The queue of this program, which other programs may watch and change together with the runs of its executions.
struct QueueDesk: Sendable {
    /// Work to run beside the queue's own.
    typealias Later = AsyncStream<@Sendable () async -> Void>.Continuation

    let queue: ExecutionQueue
    let engine: Engine
    /// The folder of spooled submissions.
    let folder: String
    let later: Later

    /// Runs `verb`, which has the JSON form of ``QueueVerb``.
    func carryOut(_ verb: JSONValue) async throws -> JSONValue {
        guard let verb = QueueVerb(json: verb) else {
            throw CommandFailure(
                .unavailable, "the program that owns the store is of another version and does not know what is asked")
        }
        return try await queue.carryOut(verb, folder: folder, goingOn: goOn)
    }

    /// Returns the standing of a stored run. It is in progress while the queue holds its execution, and ended also
    /// while it is paused.
    func stand(of id: Run.ID) async throws -> OwnerDesk.Stand {
        while let execution = try await engine.store.run(id)?.executionID {
            let isHeld = queue.holds(execution)
            // Read after that, because the queue does not change what it does not hold.
            guard let run = try await engine.store.run(id) else { break }
            if run.status.isTerminal { return .ended(ExitStatus(run)) }
            if isHeld { return .inProgress(nil) }
            if run.status == .paused { return .ended(ExitStatus(run)) }
            // It has continued since, or does not belong to this program.
            guard queue.holds(execution) else { break }
        }
        return .unknown
    }

    /// Cancels the execution of a run, or the run itself if it was left paused and belongs to no execution of the
    /// queue.
    ///
    /// - Returns: `false` if the run had already ended.
    func cancel(_ id: Run.ID, drain: Bool) async throws -> Bool {
        guard let run = try await engine.store.run(id), !run.status.isTerminal else { return false }
        if queue.contains(run.executionID) { return try await queue.cancel(run.executionID, drain: drain) }
        guard run.status == .paused else { return false }
        _ = try await engine.cancelPaused(id)
        return true
    }

    /// Continues a paused run beside the queue's own work, once it is certain that this program can.
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
                // If the worker was stopped, the record of the run is unchanged.
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
