import Assay
import Synchronization

/// Carries a run through for a command: shows how it stands, writes its outcomes, and lets signals end it.
struct RunConductor {
    /// A call of the engine that begins a run and returns when it has ended.
    typealias Begin = (_ options: RunOptions, _ watching: @escaping @Sendable (RunHandle) -> Void) async throws -> Report

    let shell: Shell
    let console: Console
    let engine: Engine
    let stop: StopFlag
    /// Whether messages about a run that goes well are left out.
    let isQuiet: Bool

    /// Conducts the run that `begin` begins with `options`.
    func conduct(_ options: RunOptions, _ begin: Begin) async throws -> ExitStatus {
        let progress = RunProgress(time: shell.world.time)
        let lines = OutcomeLines(console, progress)
        var options = options
        options.returnsOutcomes = false
        options.onCommitted = { outcomes in
            progress.note(outcomes)
            lines.write(outcomes)
        }
        let charges = isLive ? engine.events.subscribe([.charge]) { progress.note(baseIn: $0) } : nil
        let report = try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await listen(progress) }
            if isLive { group.addTask { await draw(progress) } }
            defer { group.cancelAll() }
            return try await begin(options) { handle in
                progress.begin(handle)
                if stop.signal != nil { handle.cancel(drain: true) }
            }
        }
        await charges?.finish()
        console.screen.show([])
        if let failure = lines.failure { throw failure }
        do {
            try await RunWriter(console: console, store: engine.store).write(report, isQuiet: isQuiet)
        } catch SinkError.closed {
            // What nobody reads need not be written; how the run ended still counts.
        }
        if !isQuiet || report.status != .succeeded { tellWhatNext(report) }
        return ExitStatus(report.run, stoppedBy: stop.signal)
    }

    // MARK: While it lasts

    /// The first signal lets what is in flight finish, the second one ends the run at once.
    private func listen(_ progress: RunProgress) async {
        for await signal in shell.stopSignals() {
            let isFirst = stop.signal == nil
            stop.raise(signal)
            shell.input.stop()
            progress.handle?.cancel(drain: isFirst)
            if isFirst {
                console.screen.say("stopping when what is in flight has finished; once more stops at once")
            } else {
                console.screen.say("stopping now")
            }
        }
    }

    /// Whether a block can stand on the screen: a terminal for messages, and no data that runs through it.
    private var isLive: Bool {
        console.screen.columns != nil && !isQuiet && !(console.format == .jsonl && console.columns != nil)
    }

    private func draw(_ progress: RunProgress) async {
        let time = shell.world.time
        while !Task.isCancelled {
            if let block = progress.snapshot(currency: engine.store.currency) {
                console.screen.show(block.lines(width: console.screen.columns ?? 80, paint: console.messagePaint))
            }
            do { try await time.sleep(until: time.uptime() + .milliseconds(100)) } catch { return }
        }
    }

    // MARK: At its end

    private func tellWhatNext(_ report: Report) {
        let counts = report.counts
        guard report.status != .succeeded else { return }
        if report.status == .failed, let error = report.error {
            console.note("the run failed: \("\(error.code.rawValue): \(error.message)".safe)")
        }
        // Nothing is left of a run in memory that one could go on with.
        guard !(engine.store is MemoryStore) else { return }
        let rest = "\(report.runID)\(console.settings.storeAgain)"
        switch report.status {
        case .cancelled: console.note("\(report.isTimedOut ? "out of time" : "stopped"); to go on: assay resume \(rest)")
        case .partial:
            console.note(
                "\(counts.failed.grouped) of \(counts.total.grouped) failed; to run only those again: assay retry \(rest)")
        default: console.note("to go on once that is mended: assay resume \(rest)")
        }
    }
}

extension Report {
    /// Whether the run was cancelled because it took too long.
    fileprivate var isTimedOut: Bool { error?.code == .timeout && error?.inputID == nil }
}

extension RunProgress {
    /// Takes note of the base price; what items cost comes with their outcomes, which never get lost.
    fileprivate func note(baseIn event: Event) {
        guard event.inputID == nil, event.data["service"] == "processor",
            let cost = event.data["cost"]?.number.flatMap({ try? Money($0) })
        else { return }
        note(base: cost)
    }
}

/// Writes outcomes as JSON lines in the order in which they get into the store.
private final class OutcomeLines: Sendable {
    private let console: Console
    private let progress: RunProgress
    private let state = Mutex<State>(.open)

    private enum State {
        case open
        case closed
        case failed(SinkError)
    }

    init(_ console: Console, _ progress: RunProgress) {
        self.console = console
        self.progress = progress
    }

    /// Why outcomes could not be written; a reader that has gone is no failure.
    var failure: SinkError? { state.withLock { if case .failed(let error) = $0 { error } else { nil } } }

    func write(_ outcomes: [Outcome]) {
        guard console.format == .jsonl, let run = progress.handle?.runID else { return }
        state.withLock { state in
            guard case .open = state else { return }
            do throws(SinkError) {
                let lines = outcomes.map { outcome in
                    (try? outcome.line(of: run, type: "outcome").json) ?? #"{"type":"outcome"}"#
                }
                try console.write(json: lines.map { $0 + "\n" }.joined())
            } catch {
                state = error == .closed ? .closed : .failed(error)
            }
        }
    }
}

extension Outcome {
    /// The outcome as an object of its own.
    ///
    /// - Parameter type: the kind of line it is among others; `nil` when it stands alone.
    func line(of run: Run.ID, type: String? = nil) throws -> JSONValue {
        guard case .object(var object) = try jsonValue() else { return .null }
        object["schema"] = "assay/outcome/1"
        object["run_id"] = .string(run.text)
        object["type"] = type.map { .string($0) }
        return .object(object)
    }
}
