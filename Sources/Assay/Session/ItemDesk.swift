import Logging
import Synchronization

/// The desk of one item: its steps, and charges that wait to be recorded with them or with the outcome.
final class ItemDesk: Desk {
    private let session: RunSession
    private let item: Item
    /// The clock of the attempt in progress.
    let clock = AttemptClock()
    private let state: Mutex<State>

    fileprivate struct State {
        var saved: [String: SavedStep]
        /// The definition of a reused step value that another definition made.
        var usedDefinition: Digest?
        var resumePoint: ResumePoint?
        var reachedResumePoint = false
        /// Whether a step of this attempt received the resume point's data.
        var usedResumeData = false
        var uses: [String: Int] = [:]
        var steps: [Outcome.Step] = []
        /// The steps whose bodies are running, the outer ones first.
        var openSteps: [String] = []
        var completed: [ResumePoint.Saved] = []
        var failedStep: String?
        var charges: [Charge] = []
        /// The worth of the attempt so far, with cache hits counted at what they avoided.
        var worth = WorkWorth()
        var openCalls = OpenCalls()
        var attempt: Int
        /// Whether the attempt was given up: later requests are refused.
        var isOver = false
        var closed = false
        var remark: String?
        /// The number of calls without a key in this attempt, by purpose.
        var unkeyedCalls: [String: Int] = [:]
        /// The chunks that a node of a graph has emitted in this attempt.
        var emitted: [Payload] = []
    }

    /// - Parameters:
    ///   - attempt: the number of the first attempt that it serves.
    ///   - saved: steps that earlier attempts finished.
    ///   - resumePoint: where the caller wants to continue.
    init(_ session: RunSession, item: Item, attempt: Int, saved: [String: SavedStep], resumePoint: ResumePoint?) {
        self.session = session
        self.item = item
        var saved = saved
        for step in resumePoint?.saved ?? [] { saved[step.step] = SavedStep(value: step.value, worth: nil) }
        state = Mutex(State(saved: saved, resumePoint: resumePoint, attempt: attempt))
    }

    /// Begins a further attempt: uses are counted anew, and saved steps return their values unless `forgetting` them.
    func beginAttempt(forgetting: Bool) {
        state.withLock { state in
            // The work behind a reached resume point was done again and is as good as any other step.
            if state.reachedResumePoint { state.resumePoint = nil }
            if forgetting {
                state.saved = [:]
            } else {
                for step in state.completed {
                    state.saved[step.step] = SavedStep(value: step.value, worth: state.worth.sum(inside: step.step))
                }
            }
            state.beginAttempt()
        }
    }

    /// Begins a further attempt without the resume point, whose data is forgotten.
    func startOver() {
        state.withLock { state in
            state.resumePoint = nil
            state.beginAttempt()
        }
    }

    /// Gives the attempt up: its later requests are refused, and no one waits for the answers to its calls.
    func endAttempt() { state.withLock { $0.isOver = true } }

    /// Forgets the unrecorded charges of an attempt that died and is made again, since it makes them again, too.
    func forgetCharges() {
        for charge in takeCharges() { session.ledger.budgets.takeBack(charge) }
    }

    /// Records the charges of a failed attempt that is followed by another: what it used stays used.
    func recordCharges() async throws {
        let charges = takeCharges()
        if !charges.isEmpty { try await session.record(counted: charges) }
    }

    private func takeCharges() -> [Charge] {
        state.withLock { state in
            defer { state.charges = [] }
            return state.charges
        }
    }

    /// Checks that the attempt of `context` is the current one. An older one was left behind and must do nothing more.
    private func check(_ context: Context) throws {
        guard state.withLock({ $0.isCurrent(context) }) else { throw CancellationError() }
    }

    var terms: WorkTerms { session.options.terms }

    func logger(for context: Context) -> Logger { session.logger(for: context) }

    func say(_ text: String, at level: Logger.Level, from source: LogLine.Source, in context: Context) {
        session.say(text, at: level, from: source, in: context)
    }

    func warn(_ message: String, in context: Context) { session.warn(message, item: context.inputID) }

    // MARK: Steps

    func openStep(_ name: String, inside outer: String?, in context: Context) throws -> OpenedStep {
        guard Identifier(name) != nil else {
            throw ProcessingError(
                .configuration, "a step's name must be 1 to 128 letters, digits, '.', '_' or '-', found '\(name)'")
        }
        let base = outer.map { "\($0)/\(name)" } ?? name
        let start = session.world.time.uptime()
        return try state.withLock { state in
            guard state.isCurrent(context) else { throw CancellationError() }
            let use = (state.uses[base] ?? 0) + 1
            state.uses[base] = use
            state.failedStep = nil
            let path = use == 1 ? base : "\(base)#\(use)"
            let saved = state.value(of: path)
            if let saved {
                state.usedDefinition = state.usedDefinition ?? saved.foreign
                state.steps.append(.init(name: path, restored: true, duration: .zero))
                state.completed.append(.init(step: path, value: saved.value))
                state.worth.restore(path, saved.worth)
            } else {
                state.openSteps.append(path)
            }
            return OpenedStep(path: path, attempt: context.attempt, saved: saved?.value, start: start)
        }
    }

    func rejectSaved(_ path: String, because error: any Error, in context: Context) throws {
        state.withLock { state in
            state.steps.removeAll { $0.name == path && $0.restored }
            state.completed.removeAll { $0.step == path }
            state.worth.forget(path)
        }
        session.emit(.warning, item: context.inputID) {
            ["message": .string("the saved value of step '\(path)' cannot be read and is made again: \(error)")]
        }
    }

    func failStep(_ step: OpenedStep) {
        let duration = session.world.time.uptime() - step.start
        state.withLock { state in
            guard state.attempt == step.attempt else { return }
            state.openSteps.removeAll { $0 == step.path }
            state.steps.append(.init(name: step.path, restored: false, failed: true, duration: duration))
            state.failedStep = state.failedStep ?? step.path
        }
    }

    func closeStep(_ step: OpenedStep, value: Payload, in context: Context) async throws {
        let duration = session.world.time.uptime() - step.start
        let json: JSONValue
        do { json = try value.json() } catch {
            throw ProcessingError(.processing, "the value of step '\(step.path)' cannot be written as JSON: \(error)")
        }
        // A step of an attempt that was left behind must not overwrite a newer attempt's.
        let (charges, worth, used) = try state.withLock { state in
            guard state.isCurrent(context) else { throw CancellationError() }
            // A charge made elsewhere is made again with the work it belongs to, if that work is repeated.
            let inside = state.charges.filter { $0.isMade(inside: step.path) }
            state.charges.removeAll { $0.isMade(inside: step.path) }
            return (inside, state.worth.sum(inside: step.path), state.usedDefinition)
        }
        let run = session.run
        let checkpoint = Checkpoint(
            subject: session.checkpointSubject(item.id), step: step.path, inputDigest: try session.digest(of: item),
            definition: run.definition.mixed(with: used), runID: run.id,
            epoch: run.epoch, value: json, savedAt: session.world.time.now(), worth: worth)
        do { try await session.store.save(checkpoint, charges: charges) } catch {
            state.withLock { $0.charges = charges + $0.charges }
            throw error
        }
        for charge in charges { session.note(charge) }
        state.withLock { state in
            state.openSteps.removeAll { $0 == step.path }
            state.steps.append(.init(name: step.path, restored: false, duration: duration))
            state.completed.append(.init(step: step.path, value: json))
        }
        session.emit(.stepSaved, item: context.inputID) { ["step": .string(step.path)] }
    }

    // MARK: Money

    func charge(_ usage: Usage, in context: Context) async throws -> Bool {
        let charge = try await session.paidCalls.charge(for: usage, by: session.payingWork(in: context))
        try await session.spend(charge, hasHappened: usage.incurred, inside: usage.inside, in: context)
        // Only the store knows whether a key is on record already, and a late charge waits for nothing.
        let waits = state.withLock { state in
            guard state.isCurrent(context), !usage.incurred, charge.key == nil else { return false }
            state.charges.append(charge)
            return true
        }
        note(worth: charge.cost, key: usage.key, step: usage.step, inside: usage.inside, in: context)
        if !waits { try await session.record(counted: [charge]) }
        return !waits
    }

    func openCall(_ request: CallRequest, in context: Context) async throws -> CallDecision {
        try check(context)
        let identity = try request.key.map { Digest(of: $0) } ?? unkeyedIdentity(of: request)
        switch try await session.paidCalls.open(request, identity: identity, by: session.payingWork(in: context)) {
        case .hit(let value, let worth):
            note(worth: worth, step: request.step, inside: request.inside, in: context)
            return .hit(value)
        case .proceed(let open):
            let inTime = state.withLock { state in
                guard state.isCurrent(context) else { return false }
                state.openCalls.add(open, attempt: context.attempt)
                return true
            }
            guard inTime else {
                try await session.paidCalls.close(open, .notMade, nil, isLate: false, for: context.inputID)
                throw CancellationError()
            }
            return .proceed(open.call)
        }
    }

    /// Identifies a call without a key by purpose and ordinal, so that another attempt makes the same one.
    private func unkeyedIdentity(of request: CallRequest) throws -> Digest {
        let step = request.step
        let place = [step ?? "", request.service, request.operation].joined(separator: "\u{0}")
        let number = state.withLock { state in
            state.unkeyedCalls[place, default: 0] += 1
            return state.unkeyedCalls[place] ?? 0
        }
        return Digest(of: [
            "unkeyed", .string(session.run.processorID.text), .string(try session.digest(of: item).text),
            .string(step ?? ""), JSONValue(number),
        ])
    }

    func closeCall(
        _ id: String, _ settlement: Call.Settlement?, _ end: CallEnd, in context: Context
    ) async throws {
        let (open, isAwaited) = state.withLock { $0.openCalls.end(id, attempt: context.attempt) }
        // The call is in doubt, or a later attempt has it: only the news that it was made can still matter.
        guard isAwaited || settlement != nil || end.isMade else { return }
        guard let open else {
            let cost = try await session.paidCalls.close(
                callNamed: id, end, settlement, by: session.payingWork(in: context))
            return note(worth: cost, step: nil, inside: .none, in: context)
        }
        let cost = try await session.paidCalls.close(
            open, end, settlement, isLate: !isAwaited, for: context.inputID)
        note(worth: cost, step: open.record.step, inside: open.inside, in: context)
    }

    /// Records that something in this attempt cost `amount`, or would have without a cache. A key counts once.
    func note(worth amount: Money, key: String? = nil, step: String?, inside nest: CallNest, in context: Context) {
        guard amount != .zero else { return }
        let calls = state.withLock { state in
            if state.isCurrent(context) { state.worth.add(amount, in: step, key: key) }
            return state.openCalls.calls(of: nest)
        }
        for call in calls { call.note(worth: amount) }
    }

    /// Files the calls of an attempt that was left behind as in doubt. A call that still returns resolves itself.
    ///
    /// - Parameter error: why no one waits for them.
    func doubtOpenCalls(because error: any Error = CancellationError()) async throws {
        for open in state.withLock({ $0.openCalls.leave() }) {
            try await session.paidCalls.close(
                open, .threw(error), open.call.settlement, isLate: false, for: item.id)
        }
    }

    func answered(in context: Context) { session.suspicion.noteAnswer() }

    func hint(_ kind: String, _ message: String, explainsTimeout: Bool, in context: Context) {
        // Before anybody hears of it: who does may end the attempt.
        if explainsTimeout { state.withLock { state in if state.isCurrent(context) { state.remark = message } } }
        session.hint(kind, message)
    }

    /// A remark on the attempt for its time-out message.
    var remark: String? { state.withLock { $0.remark } }

    // MARK: Waits

    func waiting<Value: Sendable>(
        for wait: EngineWait, in context: Context, _ body: @escaping @Sendable (WaitSign) async throws -> Value
    ) async throws -> Value {
        let now = session.world.time.uptime()
        let pause = try state.withLock { state in
            guard state.isCurrent(context) else { throw CancellationError() }
            return clock.pause(at: now)
        }
        defer { clock.goOn(after: pause, at: session.world.time.uptime()) }
        return try await session.wait(for: wait, body)
    }

    // MARK: Signs of life

    func emit(_ chunk: Payload, in context: Context) async throws {
        try check(context)
        if session.nodeID != nil { state.withLock { $0.emitted.append(chunk) } }
        await session.options.onChunk?(context.inputID ?? "", chunk)
    }

    func heartbeat(in context: Context) throws {
        let now = session.world.time.uptime()
        try state.withLock { state in
            guard state.isCurrent(context) else { throw CancellationError() }
            clock.beat(at: now)
        }
    }

    /// The chunks that a node of a graph has emitted in its last attempt.
    var emitted: [Payload] { state.withLock { $0.emitted } }

    /// The innermost step whose body is running.
    var openStep: String? { state.withLock { $0.openSteps.last } }

    // MARK: The end

    /// The remains of an item that ends: its steps, its unrecorded charges, and where it can continue.
    struct Remains {
        var steps: [Outcome.Step]
        var completed: [ResumePoint.Saved]
        var failedStep: String?
        var charges: [Charge]
        /// The worth of the last attempt, with cache hits counted at what they avoided; `nil` when it is unknown.
        var worth: Money?
        /// The charges with keys in that, by their keys.
        var keyed: [String: CacheEntry.Keyed]
        /// The definition of a reused step value that another definition made.
        var usedDefinition: Digest?
    }

    /// Closes the desk: later charges are recorded at once, later steps refused.
    func close() -> Remains {
        state.withLock { state in
            state.closed = true
            defer { state.charges = [] }
            return Remains(
                steps: state.steps, completed: state.completed, failedStep: state.failedStep ?? state.openSteps.last,
                charges: state.charges, worth: state.worth.total, keyed: state.worth.keyed,
                usedDefinition: state.usedDefinition)
        }
    }

    /// The step of the resume point that was never requested, with the steps that were.
    var missedResumePoint: (named: String, asked: [String])? {
        state.withLock { state in
            guard let step = state.resumePoint?.step, !state.reachedResumePoint, !Stage.names.contains(step) else {
                return nil
            }
            var seen: Set<String> = []
            return (step, state.steps.map(\.name).filter { seen.insert($0).inserted })
        }
    }

    /// Whether the attempt rests on what a resume point handed in that names no step, but the stage of a failure outside
    /// of every step: the item is to start over.
    var hasMissedStage: Bool {
        state.withLock { state in
            guard let step = state.resumePoint?.step, !state.reachedResumePoint else { return false }
            return Stage.names.contains(step) && state.usedResumeData
        }
    }
}

extension Digest {
    /// Returns the definition of a value that depends on values of another one. No processor has this definition, so
    /// the value is used only under `on_change: keep`.
    func mixed(with other: Digest?) -> Digest {
        guard let other else { return self }
        return Digest(of: ["mixed", .string(text), .string(other.text)])
    }
}

extension ItemDesk.State {
    func isCurrent(_ context: Context) -> Bool { !closed && !isOver && attempt == context.attempt }

    /// Begins a further attempt in which everything is counted anew.
    fileprivate mutating func beginAttempt() {
        attempt += 1
        isOver = false
        remark = nil
        unkeyedCalls = [:]
        emitted = []
        uses = [:]
        worth = WorkWorth()
        openSteps = []
        completed = []
        failedStep = nil
        usedResumeData = false
    }

    /// Returns the value that a step has without running: saved, or handed in with a resume point that lies behind it.
    fileprivate mutating func value(of path: String) -> SavedStep? {
        guard let point = resumePoint, let named = point.step, !reachedResumePoint else { return saved[path] }
        if path == named {
            // From here on everything runs, and a later attempt may reuse only what this one completes.
            reachedResumePoint = true
            saved = [:]
            return nil
        }
        if let value = saved[path] { return value }
        // A step that contains the named one must run, so that the named one is requested.
        if named.hasPrefix(path + "/") { return nil }
        // A point that lists its completed steps and names a stage was made outside of any step, so it hands in
        // nothing.
        if point.saved != nil, Stage.names.contains(named) { return nil }
        guard let data = point.data else { return nil }
        usedResumeData = true
        return SavedStep(value: data, worth: nil)
    }
}

extension String {
    /// Whether this is the step at `path`, or one in its body.
    func isStep(inside path: String) -> Bool { self == path || hasPrefix(path + "/") }
}

extension Charge {
    /// Returns whether it was made in the body of a step, or of one inside it.
    fileprivate func isMade(inside path: String) -> Bool { step?.isStep(inside: path) ?? false }
}
