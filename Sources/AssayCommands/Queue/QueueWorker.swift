import Assay
import AssayPipelines
import AssaySQLite
import Synchronization

/// A program that works on the queue of its store, with the pipelines that it was given.
struct QueueWorker {
    /// What went wrong while it worked.
    final class Failure: Sendable {
        private let error = Mutex<(any Error)?>(nil)

        func fail(_ error: any Error) { self.error.withLock { $0 = $0 ?? error } }
        func check() throws { if let error = error.withLock({ $0 }) { throw error } }
    }

    let console: Console
    private let shell: Shell
    private let pipelines: WorkerPipelines

    /// A worker with the pipelines at `paths`, or with those of `folder` when none are named.
    ///
    /// - Throws: ``CommandFailure`` when a file says nothing of a queue, or two contradict each other.
    init(_ paths: [String], folder: String?, _ how: RunFlags, _ console: Console, in shell: Shell) throws {
        guard folder == nil || paths.isEmpty else {
            throw CommandFailure.usage("name pipelines with --pipeline, or a folder of them, not both")
        }
        (self.console, self.shell) = (console, shell)
        let named = try paths.isEmpty ? WorkerPipelines.files(in: folder ?? ".", console, in: shell) : paths
        pipelines = try WorkerPipelines(named, how, console, in: shell)
    }

    /// Opens store and queue, lets other programs and signals in, and carries `body` out.
    func conduct(_ body: @escaping @Sendable (ExecutionQueue, Failure) async -> Void) async throws -> ExitStatus {
        let store = try await StoreAccess.owner(console, in: shell)
        defer { StoreAccess.close(store) }
        let engine = pipelines.engine(store, in: shell)
        pipelines.passWarnings(to: engine)
        let begun = shell.world.time.now()
        let told = Told(console)
        let (logged, said) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let queue = try await ExecutionQueue(
            engine, pipelines.queue.configuration, admission: pipelines.queue.admission,
            elsewhere: { [pipelines] in told.noting(pipelines.elsewhere($0), of: $0) }
        ) { [pipelines] execution in
            var (work, options) = try pipelines.resolve(execution)
            options.onLogged = { said.yield() }
            return (work, options)
        }
        let (works, later) = AsyncStream.makeStream(of: (@Sendable () async -> Void).self)
        let alerts = try engine.watch(pipelines.alerts) { console.warn($0.safe) }
        let folder = (store as? SQLiteStore)?.folder ?? ""
        let desk = OwnerDesk(
            queue: QueueDesk(queue: queue, engine: engine, folder: folder, later: later),
            alerts: engine.alertService(alerts))
        let socket = socket(beside: store, desk)
        let (stop, failure) = (StopFlag(), Failure())
        let signals = shell.stopSignals()
        let progress = QueueProgress(queue, store, since: begun)
        let messages = engine.events.subscribe([.executionStatus, .admissionDenied, .warning]) { event in
            if event.kind == .executionStatus { progress.note(event) }
            tell(event)
        }
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
                for await _ in logged { desk.ring() }
                return false
            }
            group.addTask {
                await follow(progress)
                return false
            }
            group.addTask {
                for await signal in signals {
                    let isFirst = stop.signal == nil || signal == .hangUp
                    stop.raise(signal)
                    queue.drain()
                    console.screen.say(
                        isFirst
                            ? "stopping when what is in flight has finished; once more stops at once" : "stopping now")
                    if !isFirst { return true }
                }
                // Nobody listens any more, which ends nothing.
                return false
            }
            while let isOver = await group.next(), !isOver {}
            later.finish()
            group.cancelAll()
        }
        await messages.finish()
        await lines.finish()
        await alerts.finish()
        await socket?.close()
        console.screen.show([])
        try failure.check()
        console.note(try await progress.summary().safe)
        return stop.signal?.status ?? (progress.hasAborted ? .partial : .success)
    }

    /// Shows how things stand: in a live block on a terminal, else in a line every half minute.
    private func follow(_ progress: QueueProgress) async {
        let time = shell.world.time
        let isLive = console.screen.columns != nil && console.columns == nil
        let pause: Duration = isLive ? .seconds(1) : .seconds(30)
        while true {
            do {
                try await time.sleep(until: time.uptime() + pause)
                let line = try await progress.line().safe
                if isLive {
                    console.screen.show([line.cut(toColumns: max(1, (console.screen.columns ?? 80) - 1))])
                } else {
                    console.note(line)
                }
            } catch { return }
        }
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

    /// Says once of each thing that executions wait for elsewhere that they do.
    private final class Told: Sendable {
        private let console: Console
        private let reasons = Mutex<Set<String>>([])

        init(_ console: Console) { self.console = console }

        func noting(_ reason: String?, of execution: Execution) -> String? {
            guard let reason, execution.status == .pending, reasons.withLock({ $0.insert(reason).inserted }) else {
                return reason
            }
            console.note("execution '\(execution.id)' waits for \(reason)".safe)
            return reason
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
