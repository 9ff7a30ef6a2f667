import Logging
import Synchronization

/// A run in progress, one batch of it, or one node of its graph: what it is made of, and what work for it shares.
///
/// A run in batches has one session for the whole run and one for each batch in progress. Sums over all of them are in
/// the ``RunTally`` that they share.
final class RunSession: Sendable {
    /// What the session stands for.
    private enum Role {
        case whole
        case batch(of: RunSession)
        case node(Identifier, of: RunSession)
    }

    /// What of the engine all its runs use.
    struct Services: Sendable {
        let ledger: Ledger
        let breakers: CircuitBreakers
        let events: EventStream
        let logger: Logger
    }

    /// The graph of a run.
    struct GraphTerms: Sendable {
        let id: Identifier
        let nodes: [Node]
        /// Whether the run continues from the pause in which it was left.
        let comesBack: Bool
    }

    let run: Run
    let processor: RegisteredProcessor
    let options: RunOptions
    let store: any Store
    let ledger: Ledger
    let breakers: CircuitBreakers
    let world: World
    let events: EventStream
    let tally: RunTally
    /// The base charge of its processor. A whole run shares its own with its batches; the nodes of a graph have their
    /// own.
    let base: BaseCharge
    /// Whether its program or its workers die of whatever they are given; a graph's nodes have their own.
    let suspicion: Suspicion
    /// The graph of the run; `nil` for one processor, and for a node.
    let graph: GraphTerms?
    let logger: Logger
    /// The time it has worked.
    let clock: Stopwatch
    /// Its stop, or that of its batch; nodes have none of their own.
    let stops: StopState
    let items: ItemBook
    private let role: Role
    private let state = Mutex(State())

    private struct State {
        /// The graph at work, which is notified of stops. It ends with the run.
        var steering: (any GraphSteering)?
        var batches: [Int: RunSession] = [:]
        var isLeft = false
        var isGivenUp = false
    }

    init(
        run: Run, processor: RegisteredProcessor, options: RunOptions, services: Services, graph: GraphTerms? = nil
    ) {
        let (ledger, events) = (services.ledger, services.events)
        (self.run, self.processor, self.options, self.graph) = (run, processor, options, graph)
        (self.ledger, breakers, self.events) = (ledger, services.breakers, events)
        (store, world) = (ledger.store, ledger.world)
        // A run that was left in a pause continues with the time it had taken.
        clock = Stopwatch(ledger.world.time, worked: run.duration ?? .zero)
        tally = RunTally(run, events: events, world: ledger.world, store: ledger.store, onLogged: options.onLogged)
        (base, suspicion) = (BaseCharge(), Suspicion())
        (role, stops, items) = (.whole, StopState(ledger.world.time), ItemBook(from: 0))
        var logger = services.logger
        logger[metadataKey: "run"] = "\(run.id)"
        logger[metadataKey: "processor"] = "\(run.processorID)"
        for (key, value) in [
            ("account", run.scope.accountID?.text), ("underwriting", run.scope.underwritingID?.text),
        ] {
            logger[metadataKey: key] = value.map { "\($0)" }
        }
        self.logger = logger
    }

    // MARK: Batches

    /// Begins the batch whose first item is at `start`; returns its session, which ends with ``endBatch(_:)``.
    func beginBatch(from start: Int) -> RunSession {
        let batch = RunSession(batchOf: self, from: start)
        state.withLock { $0.batches[start] = batch }
        if let stop = stopped { batch.apply(stop) }
        return batch
    }

    private init(batchOf whole: RunSession, from start: Int) {
        (run, processor, options, graph) = (whole.run, whole.processor, whole.options, whole.graph)
        (store, ledger, breakers) = (whole.store, whole.ledger, whole.breakers)
        (world, events, clock) = (whole.world, whole.events, whole.clock)
        (tally, base, logger) = (whole.tally, whole.base, whole.logger)
        suspicion = whole.suspicion
        (role, stops, items) = (.batch(of: whole), StopState(whole.world.time), ItemBook(from: start))
    }

    func endBatch(_ batch: RunSession) {
        state.withLock { $0.batches[batch.items.start] = nil }
        items.take(batch.items)
    }

    /// Whether this is one batch of a run. The outcomes of its items are reported when the batch has ended.
    var isBatch: Bool { if case .batch = role { true } else { false } }

    /// Whether this is a batch, or a node of a graph that works for one.
    private var isOfBatch: Bool {
        switch role {
        case .whole: false
        case .batch: true
        case .node(_, let graph): graph.isBatch
        }
    }

    /// Reads or changes what a batch remembers of its items. A node of a graph uses the batch that it works for.
    func withBatch<Value>(_ body: (inout BatchInProgress) -> Value) -> Value { items.withBatch(body) }

    /// Makes items that had ended begin again.
    func reopen(_ indices: [Int], resuming: Bool) {
        items.reopen(indices, resuming: resuming)
        stops.reopen()
    }

    // MARK: Nodes

    /// Creates the session of one node of the graph that `graph` runs. Work on an item at the node uses this session.
    ///
    /// It has the node's processor and settings. Counts, events and stops are those of the whole run.
    ///
    /// - Parameters:
    ///   - base: the node's base price, which all batches of a run share.
    ///   - suspicion: what they know of its program.
    init(node: Node, of graph: RunSession, base: BaseCharge, suspicion: Suspicion) {
        var run = graph.run
        run.processorID = node.id
        run.definition = node.processor.definition(in: graph.store).digest
        (self.run, processor, options) = (run, node.processor, RunOptions(of: node, in: graph.options))
        (store, ledger, breakers) = (graph.store, graph.ledger, graph.breakers)
        (world, events, clock) = (graph.world, graph.events, graph.clock)
        (tally, self.base, self.suspicion) = (graph.tally, base, suspicion)
        (role, stops, items, self.graph) = (.node(node.id, of: graph), graph.stops, graph.items, nil)
        var logger = graph.logger
        logger[metadataKey: "graph"] = "\(graph.run.processorID)"
        logger[metadataKey: "processor"] = "\(node.id)"
        self.logger = logger
    }

    /// The node of a graph that this session works for; `nil` for a whole run, and for one processor.
    var nodeID: Identifier? { if case .node(let id, _) = role { id } else { nil } }

    /// The graph of the node that this session works for; `nil` for all other sessions.
    var graphOfNode: GraphTerms? { if case .node(_, let graph) = role { graph.graph } else { nil } }

    // MARK: Items

    func resumes(_ index: Int) -> Bool {
        if case .node(_, let graph) = role, options.recovery == .reprocess {
            // A run that continues from a pause does not repeat what it has done itself.
            return graph.graph?.comesBack == true && graph.resumes(index)
        }
        return items.resumes(index)
    }

    /// The run with its current counts and metrics.
    var currentRun: Run {
        var run = tally.update(run)
        run.pause = nil
        return run
    }

    /// Records an item that failed for good and decides whether others may still start.
    ///
    /// - Parameter error: returns its failure.
    func noteFailure(of inputID: String, _ error: () -> FailureRecord?) {
        let policy = options.failurePolicy
        let (failures, total, stops) = items.noteFailure(under: policy)
        guard stops else { return }
        // In a batch, the others continue.
        if !isBatch { tally.notePolicyStop(error()?.stopping(policy, failures, of: total, options.setAt)) }
        stop(Stop(reason: policy == .atomic ? .atomic : .failurePolicy, drains: true))
    }

    /// Records how items ended before this program took the run over.
    func restore(_ outcomes: [Outcome]) {
        items.restore(outcomes)
        tally.restore(outcomes)
    }

    // MARK: Stopping

    var stopped: Stop? { stops.stop }

    /// Stops the run, or only the batch if the stop concerns that one.
    func stop(_ stop: Stop) {
        switch role {
        case .batch(let whole) where stop.isOfWholeRun: whole.stop(stop)
        case .node(_, let graph): graph.stop(stop)
        case .whole, .batch:
            apply(stop)
            for batch in state.withLock({ Array($0.batches.values) }) { batch.apply(stop) }
        }
    }

    private func apply(_ stop: Stop) {
        stops.apply(stop)
        steering?.tellStop()
    }

    /// Stops the run if the program of `worker`, which is this or one of its nodes, died of whatever it was given.
    func stopIfBroken(_ worker: RunSession) {
        guard worker.suspicion.isBroken else { return }
        tally.noteBrokenProgram(worker.suspicion.failure(of: worker.run.processorID))
        stop(.init(reason: .programBroken, drains: true))
    }

    /// Ends the run because its processor is not what it began with.
    func end(becauseOf error: ProcessingError) {
        tally.noteChangedDefinition(error)
        stop(Stop(reason: .definitionChanged, drains: true))
    }

    /// The moment when the run is out of time, unless it is paused before that.
    var end: Duration { world.time.uptime() + options.timeout - clock.timeWorked }

    /// The graph at work; `nil` when there is none.
    var steering: (any GraphSteering)? {
        get { state.withLock { $0.steering } }
        set { state.withLock { $0.steering = newValue } }
    }

    /// Records that the run is left in its pause.
    func noteLeft() { state.withLock { $0.isLeft = true } }

    /// Whether the run is left in its pause, for another program to continue.
    var isLeft: Bool { state.withLock { $0.isLeft } }

    /// Stops the run once items in progress have finished, so that another run can continue.
    func giveUp() {
        state.withLock { $0.isGivenUp = true }
        stop(Stop(reason: .runCancelled, drains: true))
    }

    /// Whether another run continues what this run has not done.
    var isGivenUp: Bool { state.withLock { $0.isGivenUp } }

    // MARK: Costs

    /// Records a charge that is on record.
    func note(_ charge: Charge) {
        tally.note(charge)
        if isOfBatch, charge.kind != .base { withBatch { $0.charges.append(charge) } }
    }

    // MARK: Events

    /// Sends an event of this run. Its data is made only when someone wants it.
    func emit(_ kind: Event.Kind, item: String? = nil, _ data: () -> JSONObject = { [:] }) {
        tally.emit(kind, item: item, by: nodeID, data)
    }

    /// Sends a hint, once per kind and subject.
    func hint(_ kind: String, about subject: String = "", _ message: @autoclosure () -> String) {
        tally.hint(kind, about: subject, message())
    }

    /// Sends a `warning` event.
    func warn(_ message: String, item: String?) {
        emit(.warning, item: item) { ["message": .string(secrets.hiding(message))] }
    }

    /// The secrets that no output of the run may show.
    var secrets: SecretFilter {
        switch role {
        case .whole: processor.secrets
        case .batch(let whole), .node(_, let whole): whole.secrets
        }
    }

    func logger(item: String?) -> Logger {
        guard let item else { return logger }
        var logger = logger
        logger[metadataKey: "item"] = "\(item)"
        return logger
    }

    /// Keeps a line of the processor at work in `context`, and writes it to the engine's log.
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
    /// Returns the digest by which an item's data is compared.
    func digest(of item: Item) throws -> Digest { try processor.digest(of: item) }

    /// Returns the subject under which the steps of the item named `inputID` are saved.
    func checkpointSubject(_ inputID: String) -> CheckpointSubject {
        CheckpointSubject(executionID: run.executionID, processorID: run.processorID, inputID: inputID)
    }

    /// Drops everything that was saved of the item named `inputID`, at all nodes of a graph.
    func dropCheckpoints(of inputID: String) async throws {
        for processor in graph?.nodes.map(\.id) ?? [run.processorID] {
            try await store.dropCheckpoints(
                of: CheckpointSubject(executionID: run.executionID, processorID: processor, inputID: inputID))
        }
    }
}

extension Scope {
    /// Returns the scope of work on `item`: the run's scope, completed with the item's own ids.
    func filled(by item: Item?) -> Scope {
        guard let item, item.accountID != nil || item.underwritingID != nil else { return self }
        var scope = self
        scope.accountID = scope.accountID ?? item.accountID.map { ExternalID(unchecked: $0) }
        scope.underwritingID = scope.underwritingID ?? item.underwritingID.map { ExternalID(unchecked: $0) }
        return scope
    }
}
