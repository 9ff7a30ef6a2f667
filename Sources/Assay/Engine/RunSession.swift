import Logging
import Synchronization

/// A run in progress, or one batch of it: its items, how they end, and what its lanes share.
///
/// A run in batches has a session of its own, which stands for the whole of it, and one for each batch in progress.
/// What is counted over all of them is in the ``RunTally`` that they share.
final class RunSession: Sendable {
    /// Why a run stops before its end.
    struct Stop {
        /// What is said of items that are not finished.
        var reason: Outcome.Reason
        /// Whether items in flight may finish.
        var drains: Bool

        /// Whether the run was cancelled or is out of time, rather than stopped by its own policy.
        var isFromOutside: Bool { reason == .runCancelled || reason == .runTimeout }
        /// Whether what failed is not tried again, since nothing starts any more.
        var endsRetries: Bool { isFromOutside || reason == .graphHalted || reason == .programBroken }
        /// Whether it is the end of all batches and not just of the one in which it happened.
        var isOfWholeRun: Bool {
            isFromOutside || [.budgetExhausted, .definitionChanged, .graphHalted, .programBroken].contains(reason)
        }
    }

    let run: Run
    let processor: RegisteredProcessor
    let options: RunOptions
    let store: any Store
    let ledger: Ledger
    let breakers: CircuitBreakers
    let world: World
    let events: EventStream
    let startedAt: Duration
    let tally: RunTally
    let crew: Crew
    /// What its processor is charged by itself; that of a whole run is its batches', and a graph's nodes have their own.
    let base: BaseCharge
    /// Whether its program or its workers die of whatever they are given; a graph's nodes have their own.
    let suspicion: Suspicion
    /// The place of its first item in the run.
    let start: Int
    /// The session of the whole run, for a batch.
    private let whole: RunSession?
    /// Whether this is one batch of a run; what happens to its items is told when the batch has ended.
    let isBatch: Bool
    /// The graph that the run is of; `nil` for one processor.
    let graph: GraphWork?
    /// The node of a graph whose work this is; `nil` for a whole run, and for one processor.
    let nodeID: Identifier?
    private let logger: Logger
    private let state: Mutex<State>
    // Asked for every item, and almost always false: a look at these spares the lock that all lanes share.
    private let isStopped = Atomic(false)
    private let hasResuming = Atomic(false)

    private struct State {
        var ended: [Bool] = []
        var resuming: Set<Int> = []
        var failures = 0
        var stop: Stop?
        var stopWaiter: CheckedContinuation<Void, Never>?
        /// The graph at work, which is told of stops; it ends with the run.
        var flow: GraphFlow?
        /// What batches of the graph have in common.
        var course: GraphCourse?
        var waitsForStop = true
        var alarms: [Int: CheckedContinuation<Void, Never>] = [:]
        var nextAlarm = 0
        var batch = BatchInProgress()
        var batches: [Int: RunSession] = [:]
        /// How long the run has stood still in pauses, and since when it does so now.
        var stood = Duration.zero
        var standsSince: Duration?
        var isLeft = false
        var isGivenUp = false
    }

    init(
        run: Run, processor: RegisteredProcessor, options: RunOptions, ledger: Ledger, breakers: CircuitBreakers,
        events: EventStream, logger: Logger, graph: GraphWork? = nil
    ) {
        self.run = run
        self.graph = graph
        self.processor = processor
        self.options = options
        self.ledger = ledger
        self.breakers = breakers
        store = ledger.store
        world = ledger.world
        self.events = events
        // A run that was left in a pause goes on with the time it had taken.
        startedAt = ledger.world.time.uptime() - (run.duration ?? .zero)
        tally = RunTally(run, events: events, world: ledger.world, store: ledger.store, onLogged: options.onLogged)
        crew = Crew(of: options.runner, for: processor)
        (base, suspicion) = (BaseCharge(), Suspicion())
        (start, whole, isBatch, nodeID) = (0, nil, false, nil)
        var logger = logger
        logger[metadataKey: "run"] = "\(run.id)"
        logger[metadataKey: "processor"] = "\(run.processorID)"
        for (key, value) in [
            ("account", run.scope.accountID?.text), ("underwriting", run.scope.underwritingID?.text),
        ] {
            logger[metadataKey: key] = value.map { "\($0)" }
        }
        self.logger = logger
        state = Mutex(State())
    }

    // MARK: Batches

    /// The session of the batch whose first item is at `start`; it ends with ``endBatch(_:)``.
    func beginBatch(from start: Int) -> RunSession {
        let batch = RunSession(batchOf: self, from: start)
        let stop = state.withLock { state in
            state.batches[start] = batch
            return state.stop
        }
        if let stop { batch.apply(stop) }
        return batch
    }

    private init(batchOf whole: RunSession, from start: Int) {
        (run, processor, options) = (whole.run, whole.processor, whole.options)
        (store, ledger, breakers) = (whole.store, whole.ledger, whole.breakers)
        (world, events, startedAt) = (whole.world, whole.events, whole.startedAt)
        (tally, crew, base, logger) = (whole.tally, whole.crew, whole.base, whole.logger)
        suspicion = whole.suspicion
        (self.start, self.whole, isBatch, nodeID, graph) = (start, whole, true, nil, whole.graph)
        state = Mutex(State())
    }

    // MARK: Nodes

    /// The session of one node of the graph that `graph` runs: what works on an item there asks this one.
    ///
    /// It has the node's processor and settings; what is counted, told and stopped is the whole run's.
    ///
    /// - Parameters:
    ///   - base: the node's base price, which all batches of a run share.
    ///   - suspicion: what they know of its program.
    init(node: Node, of graph: RunSession, crew: Crew, base: BaseCharge, suspicion: Suspicion) {
        var run = graph.run
        run.processorID = node.id
        run.definition = node.processor.definition(in: graph.store).digest
        (self.run, processor, options) = (run, node.processor, RunOptions(of: node, in: graph.options))
        (store, ledger, breakers) = (graph.store, graph.ledger, graph.breakers)
        (world, events, startedAt) = (graph.world, graph.events, graph.startedAt)
        (tally, self.crew, self.base, self.suspicion) = (graph.tally, crew, base, suspicion)
        (start, whole, isBatch, nodeID, self.graph) = (0, graph, false, node.id, nil)
        var logger = graph.logger
        logger[metadataKey: "graph"] = "\(graph.run.processorID)"
        logger[metadataKey: "processor"] = "\(node.id)"
        self.logger = logger
        state = Mutex(State())
    }

    func endBatch(_ batch: RunSession) {
        let ended = batch.state.withLock { $0.ended }
        state.withLock { state in
            state.batches[batch.start] = nil
            // Only a run that files its whole list first has places for them.
            for (place, hasEnded) in zip(batch.start..., ended) where state.ended.indices.contains(place) {
                state.ended[place] = hasEnded
            }
        }
    }

    /// What a batch remembers of its items; a node of a graph asks the batch that it works for.
    func withBatch<Value>(_ body: (inout BatchInProgress) -> Value) -> Value {
        if nodeID != nil, let whole { return whole.withBatch(body) }
        return state.withLock { body(&$0.batch) }
    }

    /// Whether this is a batch, or a node of a graph that works for one.
    private var isOfBatch: Bool { isBatch || (nodeID != nil && whole?.isBatch == true) }

    /// What the batches of a run of a graph have in common; `nil` where there are none.
    var course: GraphCourse? { isBatch ? whole?.course : state.withLock { $0.course } }

    /// Has the batches of a run of a graph share what holds for all of them.
    func shares(_ course: GraphCourse) { state.withLock { $0.course = course } }

    /// Takes note of outcomes that are in the store, until the batch has ended.
    func keep(_ outcomes: [Outcome]) {
        state.withLock { state in
            for outcome in outcomes {
                state.ended[outcome.index - start] = true
                state.batch.outcomes[outcome.index] = outcome
            }
        }
    }

    /// Lets items begin again that had ended, with nothing held against the others.
    func reopen(_ indices: [Int], resuming: Bool) {
        state.withLock { state in
            for index in indices {
                state.ended[index - start] = false
                state.batch.outcomes[index] = nil
                if resuming { state.resuming.insert(index) } else { state.resuming.remove(index) }
            }
            state.failures = state.batch.outcomes.values.count { $0.status == .failed }
            state.waitsForStop = true
            if state.stop?.isOfWholeRun == false {
                state.stop = nil
                isStopped.store(false, ordering: .releasing)
            }
        }
        if resuming { hasResuming.store(true, ordering: .releasing) }
    }

    // MARK: Items

    func add(items: [StoredItem], resuming: [Int]) {
        state.withLock { state in
            state.ended += repeatElement(false, count: items.count)
            state.resuming.formUnion(resuming)
        }
        if !resuming.isEmpty { hasResuming.store(true, ordering: .releasing) }
    }

    var total: Int { state.withLock { $0.ended.count } }
    /// How many items have no outcome yet.
    var unfinished: Int { state.withLock { $0.ended.count { !$0 } } }
    /// The graph in which the node stands whose work this is; `nil` for all other work.
    var graphOfNode: GraphWork? { nodeID == nil ? nil : whole?.graph }

    /// The places of its items in the run.
    var places: Range<Int> { start..<(start + total) }

    func resumes(_ index: Int) -> Bool {
        if nodeID != nil, let whole {
            // What a run has done itself it does not do again when it comes back to a pause.
            return whole.resumes(index) && (options.recovery != .reprocess || whole.graph?.comeback != nil)
        }
        return hasResuming.load(ordering: .acquiring) && state.withLock { $0.resuming.contains(index) }
    }

    func hasEnded(_ index: Int) -> Bool { state.withLock { $0.ended[index - start] } }

    /// The run with what is known of it by now.
    var currentRun: Run {
        var run = tally.update(run)
        run.pause = nil
        return run
    }

    /// Takes note of an item that failed for good and decides whether others may still start.
    ///
    /// - Parameter error: how it failed.
    func noteFailure(of inputID: String, _ error: () -> FailureRecord?) {
        let policy = options.failurePolicy
        let (failures, total, stops) = state.withLock { state in
            state.failures += 1
            let (failures, total) = (state.failures, state.ended.count)
            // Those in flight that fail as well have not stopped it.
            let continued = policy.continues(afterFailures: failures - 1, of: total)
            return (failures, total, continued && !policy.continues(afterFailures: failures, of: total))
        }
        guard stops else { return }
        // In a batch the others go on.
        if !isBatch { tally.notePolicyStop(error()?.stopping(policy, failures, of: total, options.setAt)) }
        stop(Stop(reason: policy == .atomic ? .atomic : .failurePolicy, drains: true))
    }

    /// Takes note of how items ended before this program took the run over.
    func restore(_ outcomes: [Outcome]) {
        state.withLock { state in
            for outcome in outcomes {
                state.ended[outcome.index] = true
                state.failures += outcome.status == .failed ? 1 : 0
            }
        }
        tally.restore(outcomes)
    }

    /// Takes note of outcomes that are in the store.
    func note(_ outcomes: [Outcome]) {
        if !isBatch {
            state.withLock { state in for outcome in outcomes { state.ended[outcome.index] = true } }
        }
        tally.note(outcomes)
    }

    // MARK: Stopping

    var stopped: Stop? { isStopped.load(ordering: .acquiring) ? state.withLock { $0.stop } : nil }

    /// Stops the run, or the batch if it is a matter of that one; a stop that does not wait for items in flight
    /// overrides one that does.
    func stop(_ stop: Stop) {
        if let whole, stop.isOfWholeRun { return whole.stop(stop) }
        apply(stop)
        for batch in state.withLock({ Array($0.batches.values) }) { batch.apply(stop) }
    }

    private func apply(_ stop: Stop) {
        let waiters = state.withLock { state -> [CheckedContinuation<Void, Never>] in
            if state.stop == nil || stop.isOfWholeRun && state.stop?.isOfWholeRun == false {
                state.stop = stop
            } else if state.stop?.drains == true, !stop.drains {
                state.stop?.drains = false
                if stop.isFromOutside { state.stop?.reason = stop.reason }
            } else {
                return []
            }
            isStopped.store(true, ordering: .releasing)
            var waiters = Array(state.alarms.values)
            state.alarms = [:]
            if !stop.drains, let waiter = state.stopWaiter {
                waiters.append(waiter)
                state.stopWaiter = nil
            }
            return waiters
        }
        for waiter in waiters { waiter.resume() }
        flow?.tellStop()
    }

    /// Names the graph at work.
    func conducts(_ flow: GraphFlow?) { state.withLock { $0.flow = flow } }

    /// The graph at work.
    var flow: GraphFlow? { state.withLock { $0.flow } }

    /// Returns when the run is stopped without waiting for items in flight, or there are no more of them.
    ///
    /// It does not look at whether its task is cancelled: that may be seen before the stop that it leads to.
    func waitForHardStop() async {
        await withCheckedContinuation { continuation in
            let now = state.withLock { state in
                guard state.stop?.drains != false, state.waitsForStop else { return true }
                state.stopWaiter = continuation
                return false
            }
            if now { continuation.resume() }
        }
    }

    /// Says that nothing is in flight any more.
    func endWaitForHardStop() {
        let waiter = state.withLock { state in
            state.waitsForStop = false
            defer { state.stopWaiter = nil }
            return state.stopWaiter
        }
        waiter?.resume()
    }

    /// Waits for a moment, or until the run is stopped by a stop that `counts`.
    func sleep(until deadline: Duration, orStop counts: @escaping @Sendable (Stop) -> Bool) async {
        await withTaskGroup(of: Void.self) { group in
            let time = world.time
            group.addTask { try? await time.sleep(until: deadline) }
            group.addTask { await self.waitForStop(which: counts) }
            await group.next()
            group.cancelAll()
        }
    }

    /// Returns when the run is stopped by a stop that `counts`, or the task is cancelled.
    func waitForStop(which counts: @escaping @Sendable (Stop) -> Bool) async {
        // What is stopped is the run, not one of its nodes.
        if nodeID != nil, let whole { return await whole.waitForStop(which: counts) }
        let id = state.withLock { state in
            state.nextAlarm += 1
            return state.nextAlarm
        }
        await withTaskCancellationHandler {
            while !Task.isCancelled, stopped.map(counts) != true {
                await withCheckedContinuation { continuation in
                    let now = state.withLock { state in
                        guard state.stop.map(counts) != true, !Task.isCancelled else { return true }
                        state.alarms[id] = continuation
                        return false
                    }
                    if now { continuation.resume() }
                }
            }
        } onCancel: {
            state.withLock { $0.alarms.removeValue(forKey: id) }?.resume()
        }
    }

    // MARK: Pauses

    /// Says that the run stands still from now on, or does so no longer.
    func stands(_ stands: Bool) {
        let now = world.time.uptime()
        state.withLock { state in
            if let since = state.standsSince { state.stood += now - since }
            state.standsSince = stands ? now : nil
        }
    }

    /// How long the run has gone on, not counting how long it stood still.
    var timeWorked: Duration {
        let now = world.time.uptime()
        return state.withLock { state in now - startedAt - state.stood - (state.standsSince.map { now - $0 } ?? .zero) }
    }

    /// When the run is out of time, unless it stands still before that.
    var end: Duration { world.time.uptime() + options.timeout - timeWorked }

    /// Says that the run is left in its pause.
    func noteLeft() { state.withLock { $0.isLeft = true } }

    /// Whether the run is left in its pause, for another program to go on with.
    var isLeft: Bool { state.withLock { $0.isLeft } }

    /// Stops the run when what is in flight has finished, for somebody else to go on with it.
    func giveUp() {
        state.withLock { $0.isGivenUp = true }
        stop(Stop(reason: .runCancelled, drains: true))
    }

    /// Whether somebody else goes on with what the run has not done.
    var isGivenUp: Bool { state.withLock { $0.isGivenUp } }

    // MARK: Costs

    /// Takes note of a charge that is on record.
    func note(_ charge: Charge) {
        tally.note(charge)
        if isOfBatch, charge.kind != .base { withBatch { $0.charges.append(charge) } }
    }

    // MARK: Events

    /// Sends an event of this run; its data is made only when somebody wants it.
    func emit(_ kind: Event.Kind, item: String? = nil, _ data: () -> JSONObject = { [:] }) {
        tally.emit(kind, item: item, by: nodeID, data)
    }

    /// Sends a hint, each kind of hint once about each subject.
    func hint(_ kind: String, about subject: String = "", _ message: @autoclosure () -> String) {
        tally.hint(kind, about: subject, message())
    }

    /// Sends a `warning` event.
    func warn(_ message: String, item: String?) {
        emit(.warning, item: item) { ["message": .string(secrets.hiding(message))] }
    }

    /// What must not be seen of all that works in the run.
    var secrets: SecretFilter { whole?.secrets ?? processor.secrets }

    func logger(item: String?) -> Logger {
        guard let item else { return logger }
        var logger = logger
        logger[metadataKey: "item"] = "\(item)"
        return logger
    }

    /// The log of who works for `context`.
    func logger(for context: Context) -> Logger {
        Logger(label: "assay") { _ in RecordingLogHandler(self, context) }
    }

    /// Keeps what was said in the work of `context`, and writes it to the engine's log.
    func say(_ text: String, at level: Logger.Level, from source: LogLine.Source, in context: Context) {
        let text = secrets.hiding(text).cut(toBytes: LogLine.longestText).printableLines
        let logger = logger(item: context.inputID)
        if logger.logLevel <= level { logger.log(level: level, "\(text)") }
        tally.log.add(
            LogLine(
                runID: run.id, processorID: run.processorID, inputID: context.inputID,
                attempt: context.inputID == nil ? 0 : context.attempt, source: source, level: level,
                timestamp: world.time.now(), text: text))
    }
}

extension RunSession {
    /// What the processor may ask for outside of `extract`.
    func context(for entry: StoredItem? = nil, phase: Phase) -> Context {
        context(for: entry, phase: phase, attempt: 1, desk: RunDesk(session: self))
    }

    /// What the processor may ask for at one attempt.
    func context(for entry: StoredItem?, phase: Phase, attempt: Int, desk: any Desk) -> Context {
        return Context(
            runID: run.id, executionID: run.executionID, processorID: run.processorID,
            scope: run.scope.filled(by: entry?.item),
            lineage: run.lineage, inputID: entry?.item.id, attempt: attempt, phase: phase, itemIndex: entry?.index,
            file: entry?.item.file, desk: desk)
    }

    /// The digest by which an item's data is compared.
    func digest(of item: Item) throws -> Digest { try processor.digest(of: item) }

    /// Whose saved steps are those of the item named `inputID`.
    func checkpointSubject(_ inputID: String) -> CheckpointSubject {
        CheckpointSubject(executionID: run.executionID, processorID: run.processorID, inputID: inputID)
    }

    /// Forgets everything that was saved of the item named `inputID`, at all nodes of a graph.
    func dropCheckpoints(of inputID: String) async throws {
        for processor in graph?.wiring.nodes.map(\.id) ?? [run.processorID] {
            try await store.dropCheckpoints(
                of: CheckpointSubject(executionID: run.executionID, processorID: processor, inputID: inputID))
        }
    }
}

extension Scope {
    /// For whom work on `item` is done: the run's scope, filled up with the item's own ids.
    func filled(by item: Item?) -> Scope {
        guard let item, item.accountID != nil || item.underwritingID != nil else { return self }
        var scope = self
        scope.accountID = scope.accountID ?? item.accountID.map { ExternalID(unchecked: $0) }
        scope.underwritingID = scope.underwritingID ?? item.underwritingID.map { ExternalID(unchecked: $0) }
        return scope
    }
}

/// A run in progress, for those who watch it or want it to end.
public struct RunHandle: Sendable {
    let session: RunSession

    /// The run.
    public var runID: Run.ID { session.run.id }
    /// The execution.
    public var executionID: Execution.ID { session.run.executionID }
    /// How its items have ended so far; items in flight are not counted.
    public var counts: Counts { session.tally.counts }
    /// What items in flight wait for, rather than being worked on, most first.
    public var waits: [ItemWait] { session.tally.waits.waits }
    /// Sums over what has ended so far.
    public var metrics: RunMetrics {
        var metrics = session.tally.metrics
        if let flow = session.flow { metrics.nodes = flow.profile }
        return metrics
    }

    /// Stops the run, which can be resumed: nothing further starts.
    ///
    /// - Parameter drain: whether items in flight may finish; otherwise they are given up and become cancelled.
    public func cancel(drain: Bool = false) { session.stop(.init(reason: .runCancelled, drains: drain)) }

    /// Stops the run when what is in flight has finished; its execution waits for another run, if it is work of a queue.
    func giveUp() { session.giveUp() }

    // MARK: Breakpoints

    /// The node, the item and the inputs that a run of a graph is paused before; `nil` when it is not paused.
    public var pausedBefore: NodeStart? { session.flow?.pausedBefore }

    /// The breakpoints of a run of a graph in the order in which they were set; none for other runs.
    public var breakpoints: [Breakpoint] { session.flow?.withBreakpoints { $0.all } ?? [] }

    /// Sets a breakpoint in place of the one at its node; nothing for a run that is not of a graph.
    public func set(_ breakpoint: Breakpoint) { session.flow?.withBreakpoints { $0.set(breakpoint) } }

    /// Removes the breakpoint at a node, which does not let a paused run go on; `false` when there is none.
    @discardableResult public func removeBreakpoint(at node: Identifier) -> Bool {
        session.flow?.withBreakpoints { $0.remove(at: node) } ?? false
    }

    /// Says whether the breakpoint at a node is looked at; `false` when there is none.
    @discardableResult public func enableBreakpoint(_ isEnabled: Bool, at node: Identifier) -> Bool {
        session.flow?.withBreakpoints { $0.enable(isEnabled, at: node) } ?? false
    }

    /// Leaves a paused run of a graph as it is: what is in flight finishes, and the call that runs it returns a report
    /// with status `paused`. ``Engine/goOn(_:with:by:toEnd:options:watching:)`` goes on with it, in this or another program.
    ///
    /// - Throws: ``ProcessingError`` with code `illegal_move` when it is not paused.
    public func leave() throws { try conductor().leave() }

    /// Lets a paused run of a graph go on to the next hit.
    ///
    /// - Throws: ``ProcessingError`` with code `illegal_move` when it is not paused.
    public func goOn() throws { try conductor().goOn(byOne: false) }

    /// Lets the node run that a run of a graph is paused before; it is paused again before the next start.
    ///
    /// - Throws: ``ProcessingError`` with code `illegal_move` when it is not paused.
    public func step() throws { try conductor().goOn(byOne: true) }

    private func conductor() throws(ProcessingError) -> GraphFlow {
        guard let flow = session.flow else {
            throw ProcessingError(.illegalMove, "the run is not paused, so there is nothing to go on with")
        }
        return flow
    }
}
