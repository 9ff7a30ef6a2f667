import Assay

/// The conductor of a run for a command: it shows the progress, writes the outcomes, and lets signals end the run.
struct RunConductor {
    /// A call of the engine that begins a run and returns when it has ended.
    typealias Begin = (_ options: RunOptions, _ watching: @escaping @Sendable (RunHandle) -> Void) async throws ->
        Report

    let shell: Shell
    let console: Console
    let engine: Engine
    let stop: StopFlag
    /// The access for other programs to watch and stop the run; `nil` if there is none.
    let desk: OwnerDesk?
    /// The handling of pauses at breakpoints; `nil` if there are no breakpoints.
    let pauses: PauseDesk?
    /// Whether to omit messages about a run that succeeds.
    let isQuiet: Bool

    /// Runs `begin` with `options` and returns the exit status.
    func conduct(_ options: RunOptions, _ begin: Begin) async throws -> ExitStatus {
        let progress = RunProgress(time: shell.world.time)
        let lines = OutcomeLines(console, progress)
        // When something fails, successes are discarded, so nothing is written before that is certain.
        let isHeld = options.failurePolicy == .atomic
        let goesInBatches = options.batching != nil
        var options = options
        options.returnsOutcomes = false
        options.onCommitted = { outcomes in
            progress.note(outcomes)
            desk?.ring()
            if !isHeld, !goesInBatches { lines.write(outcomes) }
        }
        options.onLogged = { desk?.ring() }
        if goesInBatches { options.onBatch = { lines.write($0) } }
        // From here on, before the first input is read, signals no longer end the program by themselves.
        let signals = shell.stopSignals()
        let hints: EventSubscription? = engine.events.subscribe(
            isQuiet ? [.warning, .budgetWarning, .budgetExceeded] : [.warning, .budgetWarning, .budgetExceeded, .hint]
        ) { event in
            if event.data["refused"] == true { return progress.note(refusedBy: event.data["budget"]?.string) }
            tell(hint: event)
        }
        let charges = isLive || desk != nil ? engine.events.subscribe([.charge]) { progress.note(baseIn: $0) } : nil
        let result: Result<Report, any Error>
        do {
            result = .success(try await watched(progress, signals) { try await begin(options, $0) })
        } catch {
            result = .failure(error)
        }
        for subscription in [hints, charges] { await subscription?.finish() }
        console.screen.show([])
        desk?.end(exit(of: result))
        let report = try result.get()
        if let failure = lines.failure { throw failure }
        do {
            let writer = RunWriter(console: console, store: engine.store)
            if isHeld, !goesInBatches, console.format == .jsonl { try await writer.writeOutcomes(of: report.runID) }
            try await writer.write(report, isQuiet: isQuiet)
        } catch SinkError.closed {
            // The reader has gone, so the rest need not be written; the status of the run still counts.
        }
        if !isQuiet || report.status != .succeeded { tellWhatNext(report, refusedBy: progress.refusedBudget) }
        return ExitStatus(report.run, stoppedBy: stop.signal)
    }

    /// Returns the exit status, provided that all output can be written.
    private func exit(of result: Result<Report, any Error>) -> ExitStatus {
        switch result {
        case .success(let report): ExitStatus(report.run, stoppedBy: stop.signal)
        case .failure(let error): CommandFailure(error).status
        }
    }

    // MARK: In progress

    /// Runs `begin` while it handles signals and draws the live block.
    private func watched(
        _ progress: RunProgress, _ signals: AsyncStream<StopSignal>,
        _ begin: (@escaping @Sendable (RunHandle) -> Void) async throws -> Report
    ) async throws -> Report {
        pauses?.open()
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await listen(to: signals, progress) }
            if let pauses { group.addTask { await pauses.attend(console, in: shell) } }
            if isLive { group.addTask { await draw(progress) } }
            defer { group.cancelAll() }
            return try await begin { handle in
                progress.begin(handle)
                desk?.begin(subject(handle, progress))
                if stop.signal != nil { handle.cancel(drain: true) }
            }
        }
    }

    /// Returns the run as other programs see it.
    private func subject(_ handle: RunHandle, _ progress: RunProgress) -> OwnerDesk.Subject {
        OwnerDesk.Subject(handle.runID) {
            progress.snapshot(currency: engine.store.currency)
        } cancel: { drain in
            stop.raise(.cancel)
            handle.cancel(drain: drain)
            // A list that ends early would be taken for a complete one without the raised flag.
            shell.input.stop()
            console.screen.say("stopping: cancelled from another terminal")
        } move: { move, toEnd in
            // A run that is not paused keeps its breakpoints and refuses to continue.
            if toEnd, handle.pausedBefore != nil {
                for breakpoint in handle.breakpoints { handle.removeBreakpoint(at: breakpoint.processorID) }
            }
            console.screen.answered()
            try move == .step ? handle.step() : handle.goOn()
            console.screen.say("going on: told so from another terminal")
        }
    }

    /// Handles signals: the first one lets work in flight finish, the second one ends the run at once.
    private func listen(to signals: AsyncStream<StopSignal>, _ progress: RunProgress) async {
        for await signal in signals {
            let isFirst = stop.signal == nil || signal == .hangUp
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

    /// Whether the screen can show a live block: messages go to a terminal, and no data is written between them.
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

    /// Shows the engine's hints and warnings. Repeated failures are already in the table at the end.
    private func tell(hint event: Event) {
        guard let message = event.data["message"]?.string, event.data["hint"] != "repeated_failure" else { return }
        if event.kind != .hint {
            console.warn(message.safe)
        } else {
            console.screen.say("hint: \(message.safe)")
        }
    }

    // MARK: At the end

    private func tellWhatNext(_ report: Report, refusedBy budget: String?) {
        let counts = report.counts
        guard report.status != .succeeded else { return }
        if report.status == .failed, let error = report.error {
            console.note("the run failed: \("\(error.code.rawValue): \(error.lastLine)".safe)")
        }
        if report.error?.code == .budgetExhausted, report.run.isListed {
            return tellOfBudget(report, named: budget)
        }
        if report.error?.phase == .preprocessing, report.status == .failed {
            return console.note("nothing was worked on; mend that and run the command again")
        }
        // A run in memory is gone with the program, and one whose inputs were not all read is incomplete.
        guard report.run.isListed, !(engine.store is MemoryStore) else {
            if report.status == .paused { console.note("left in a pause, and gone with the store in memory") }
            return
        }
        let rest = "\(report.runID)\(console.settings.storeAgain)"
        switch report.status {
        case .paused:
            let start = report.run.pause?.start
            console.note(
                "paused before node '\(start?.processorID.text ?? "")' on input '\((start?.inputID ?? "").safe)'; to go on: "
                    + "assay graph continue \(rest)  (or by one node: assay graph step \(rest))")
        case .cancelled:
            console.note("\(report.isTimedOut ? "out of time" : "stopped"); to go on: assay resume \(rest)")
        case .partial:
            let failed = "\(counts.failed.grouped) of \(counts.total.grouped) failed"
            console.note("\(failed); to run only those again: assay retry \(rest)")
        default: console.note("to go on once that is mended: assay resume \(rest)")
        }
    }

    private func tellOfBudget(_ report: Report, named refused: String?) {
        if report.status != .failed { console.note("stopped: \((report.error?.message ?? "").safe)") }
        guard !(engine.store is MemoryStore) else { return }
        let ofFile = report.run.budgets.filter { $0.name != Budget.ofFlag }
        let key = ofFile.count == 1 ? "budget.limit" : "budget.\(refused ?? "NAME").limit"
        let raised =
            refused == Budget.ofFlag
            ? "--budget AMOUNT"
            : "--set \("\(key)=AMOUNT".quotedForShell)   (or --pipeline FILE with a higher limit)"
        console.note("to go on: assay resume \(report.runID)\(console.settings.storeAgain) \(raised)")
    }
}

extension Report {
    /// Whether the run was cancelled because it took too long.
    fileprivate var isTimedOut: Bool { error?.code == .timeout && error?.inputID == nil }
}

extension RunProgress {
    /// Records the base price. The costs of items come with their outcomes, which are never lost.
    fileprivate func note(baseIn event: Event) {
        guard event.inputID == nil, event.data["kind"]?.string == Charge.Kind.base.rawValue,
            let cost = event.data["cost"]?.number.flatMap({ try? Money($0) })
        else { return }
        note(base: cost)
    }
}
