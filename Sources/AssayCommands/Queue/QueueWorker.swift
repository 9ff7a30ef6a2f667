import Assay
import AssayPipelines
import AssaySQLite
import Synchronization

/// A program that works on the queue of its store, with one pipeline.
struct QueueWorker {
    /// What went wrong while it worked.
    final class Failure: Sendable {
        private let error = Mutex<(any Error)?>(nil)

        func fail(_ error: any Error) { self.error.withLock { $0 = $0 ?? error } }
        func check() throws { if let error = error.withLock({ $0 }) { throw error } }
    }

    let console: Console
    private let shell: Shell
    private let target: RunTarget
    private let path: String
    private let queue: PipelineQueue
    private let caching: RunOptions.Caching

    /// A worker with the settings and prices of the pipeline at `path`.
    ///
    /// - Throws: ``CommandFailure`` when the file says nothing of a queue.
    init(pipeline path: String, _ how: RunFlags, _ console: Console, in shell: Shell) throws {
        (self.console, self.shell, self.path, caching) = (console, shell, path, how.caching)
        target = try RunTarget(pipeline: path, parameters: [], console, in: shell)
        guard let queue = target.queue else {
            throw CommandFailure(
                .invalidData,
                "\(path): needs 'queue' with 'queue_capacity' and 'capacity_refresh_time' to work on a queue")
        }
        self.queue = queue
    }

    /// Opens store and queue, lets other programs and signals in, and carries `body` out.
    func conduct(_ body: @escaping @Sendable (ExecutionQueue, Failure) async -> Void) async throws -> ExitStatus {
        let store = try await StoreAccess.owner(console, in: shell)
        defer { StoreAccess.close(store) }
        let engine = target.engine(store, in: shell)
        target.warnings.pass(to: engine)
        let queue = try await ExecutionQueue(engine, queue.configuration, admission: queue.admission) { execution in
            try self.resolve(execution)
        }
        let (works, later) = AsyncStream.makeStream(of: (@Sendable () async -> Void).self)
        let alerts = try engine.watch(target.alerts) { console.warn($0.safe) }
        let folder = (store as? SQLiteStore)?.folder ?? ""
        let desk = OwnerDesk(
            queue: QueueDesk(queue: queue, engine: engine, folder: folder, later: later),
            alerts: engine.alertService(alerts))
        let socket = socket(beside: store, desk)
        let (stop, failure) = (StopFlag(), Failure())
        let signals = shell.stopSignals()
        let told = engine.events.subscribe([.executionStatus, .admissionDenied, .warning]) { tell($0) }
        let ended = Lines(console, store)
        let lines = engine.events.subscribe([.executionStatus]) { try await ended.tell($0) }
        queue.start()
        await withTaskGroup(of: Bool.self) { group in
            group.addTask {
                await body(queue, failure)
                // What went on after a pause is no part of the queue's own work.
                queue.stop()
                await queue.join()
                return true
            }
            group.addTask {
                await withDiscardingTaskGroup { group in for await work in works { group.addTask { await work() } } }
                return false
            }
            group.addTask {
                await queue.onRelease { desk.ring() }
                return false
            }
            group.addTask {
                for await signal in signals {
                    let isFirst = stop.signal == nil
                    stop.raise(signal)
                    queue.stop()
                    console.screen.say(
                        isFirst ? "stopping when what runs has ended; once more stops at once" : "stopping now")
                    if !isFirst { return true }
                }
                // Nobody listens any more, which ends nothing.
                return false
            }
            while let isOver = await group.next(), !isOver {}
            later.finish()
            group.cancelAll()
        }
        await told.finish()
        await lines.finish()
        await alerts.finish()
        await socket?.close()
        try failure.check()
        return stop.signal?.status ?? .success
    }

    /// What an execution needs to run: the definition that was submitted, at the prices of the worker's file.
    private func resolve(_ execution: Execution) throws -> (Runnable, RunOptions) {
        let request = execution.runRequest
        let submitted = request["pipeline"]?.string ?? ""
        guard shell.place(of: submitted) == shell.place(of: path) else {
            throw ProcessingError(
                .configuration,
                "the execution was submitted for pipeline '\(submitted)', this program works with '\(path)'; "
                    + "work with that file"
                    + (execution.status == .paused ? "" : ", then: assay queue resume \(execution.id)"))
        }
        var target: RunTarget
        do {
            target = try RunTarget(request: request, named: "execution '\(execution.id)'", console, in: shell)
            try target.apply(console.settings, earlier: request["flags"])
        } catch let failure as CommandFailure {
            throw ProcessingError(.configuration, failure.message)
        }
        target.options.caching = caching
        target.options.scope = execution.scope
        target.options.returnsOutcomes = false
        try target.attachTaps(console)
        return (target.work, target.options)
    }

    private func socket(beside store: any Store, _ desk: OwnerDesk) -> OwnerSocket? {
        guard let store = store as? SQLiteStore else { return nil }
        do { return try OwnerSocket(SQLiteStore.socketName, in: store.folder, desk: desk) } catch {
            console.warn("other programs cannot reach the queue: \(error.message.safe)")
            return nil
        }
    }

    private func tell(_ event: Event) {
        switch event.kind {
        case .admissionDenied:
            console.note(
                "execution \(event.executionID?.text ?? "?") denied: \((event.data["reason"]?.string ?? "").safe)")
        case .executionStatus where event.data["to"] == "paused":
            console.note(
                "execution \(event.executionID?.text ?? "?") is paused at a breakpoint; to go on: assay graph continue with "
                    + "the run that 'assay queue show' names")
        case .warning: console.warn((event.data["message"]?.string ?? "").safe)
        default: break
        }
    }

    /// Writes each execution that has ended.
    private final class Lines: Sendable {
        private let console: Console
        private let store: any Store

        init(_ console: Console, _ store: any Store) { (self.console, self.store) = (console, store) }

        func tell(_ event: Event) async throws {
            guard let id = event.executionID, let word = event.data["to"]?.string,
                Status(rawValue: word)?.isTerminal == true, let execution = try await store.execution(id)
            else { return }
            switch console.format {
            case .table:
                let took = execution.duration.map { "  \($0.brief)" } ?? ""
                let why = execution.error.map { "  \($0.code.rawValue): \($0.lastLine)" } ?? ""
                try console.write(lines: ["\(id)  \(word)\(took)\(why)".safe])
            case .json, .jsonl: try console.write(json: execution.brief.json + "\n")
            case .none: break
            }
        }
    }
}
