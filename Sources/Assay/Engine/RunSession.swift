import Logging
import Synchronization

/// A run in progress: its facts, and what its lanes share.
final class RunSession: Sendable {
    /// Why a run stops before its end.
    struct Stop {
        /// What is said of items that are not finished.
        var reason: Outcome.Reason
        /// Whether items in flight may finish.
        var drains: Bool

        /// Whether the run was cancelled or is out of time, rather than stopped by its own policy.
        var isFromOutside: Bool { reason == .runCancelled || reason == .runTimeout }
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
    let meters: Meters
    private let logger: Logger
    private let state: Mutex<State>
    // Asked for every item, and almost always false: a look at these spares the lock that all lanes share.
    private let isStopped = Atomic(false)
    private let hasResuming = Atomic(false)
    private let hasCosts = Atomic(false)
    private let hasEvents = Atomic(false)
    private let emission = Mutex(())

    private struct State {
        var total = 0
        var isListed = false
        var runnable = 0
        var ended: [Bool] = []
        var resuming: Set<Int> = []
        var counts = Counts()
        var metrics = RunMetrics()
        var failures = 0
        var firstFailure: (index: Int, record: FailureRecord)?
        var failureTexts: [String: Int] = [:]
        var stop: Stop?
        var stopWaiter: CheckedContinuation<Void, Never>?
        var waitsForStop = true
        var incompleteReason: String?
        var budgetRefusal: ProcessingError?
        var recordedEvents: [Event] = []
        var filesEvents = false
        var sequence = 0
        var hinted: Set<String> = []
        var costs: [Int: (cost: Money, avoided: Money)] = [:]
        var chargeNumber = 0
    }

    init(
        run: Run, processor: RegisteredProcessor, options: RunOptions, ledger: Ledger, breakers: CircuitBreakers,
        events: EventStream, logger: Logger
    ) {
        self.run = run
        self.processor = processor
        self.options = options
        self.ledger = ledger
        self.breakers = breakers
        store = ledger.store
        world = ledger.world
        self.events = events
        startedAt = ledger.world.time.uptime()
        meters = Meters(processor: run.processorID, runner: run.runner)
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

    // MARK: Items

    func add(items: [StoredItem], resuming: [Int]) {
        state.withLock { state in
            state.total += items.count
            state.counts.total = state.total
            state.runnable += items.count { !$0.settled }
            state.ended += repeatElement(false, count: items.count)
            state.resuming.formUnion(resuming)
        }
        if !resuming.isEmpty { hasResuming.store(true, ordering: .releasing) }
    }

    var total: Int { state.withLock { $0.total } }
    var runnable: Int { state.withLock { $0.runnable } }
    var counts: Counts { state.withLock { $0.counts } }
    var metrics: RunMetrics { state.withLock { $0.metrics } }
    var firstFailure: FailureRecord? { state.withLock { $0.firstFailure?.record } }

    func resumes(_ index: Int) -> Bool {
        hasResuming.load(ordering: .acquiring) && state.withLock { $0.resuming.contains(index) }
    }

    func hasEnded(_ index: Int) -> Bool { state.withLock { $0.ended[index] } }

    /// Takes note that all inputs are on record.
    func noteListed() { state.withLock { $0.isListed = true } }

    /// The run with what is known of it by now.
    var currentRun: Run {
        var run = run
        (run.isListed, run.counts, run.metrics) = state.withLock { ($0.isListed, $0.counts, $0.metrics) }
        return run
    }

    /// Takes note of an item that failed for good and decides whether others may still start.
    func noteFailure() {
        let stops = state.withLock { state in
            state.failures += 1
            return !options.failurePolicy.continues(afterFailures: state.failures, of: state.total)
        }
        guard stops else { return }
        stop(Stop(reason: options.failurePolicy == .atomic ? .atomic : .failurePolicy, drains: true))
    }

    /// Takes note of outcomes that are in the store.
    func note(_ outcomes: some Sequence<Outcome>) {
        state.withLock { state in
            for outcome in outcomes {
                meters.count(outcome)
                state.ended[outcome.index] = true
                state.counts.add(outcome.status)
                state.metrics.add(outcome)
                guard let error = outcome.error else { continue }
                if outcome.index < state.firstFailure?.index ?? .max { state.firstFailure = (outcome.index, error) }
                let text = "\(error.code.rawValue): \(error.message)"
                if state.failureTexts.count < 256 || state.failureTexts[text] != nil {
                    state.failureTexts[text, default: 0] += 1
                }
            }
        }
    }

    /// Takes note of the uses of steps.
    func note(_ steps: [Outcome.Step]) { state.withLock { $0.metrics.add(steps) } }

    /// Takes note that no output of the run is kept.
    func noteWithdrawal() {
        state.withLock { state in
            state.counts.cancelled += state.counts.succeeded
            state.counts.succeeded = 0
        }
    }

    /// The failure that most items share, if two do.
    var repeatedFailure: (text: String, count: Int)? {
        state.withLock { state in
            let most = state.failureTexts.max { ($0.value, $1.key) < ($1.value, $0.key) }
            return most.flatMap { $0.value > 1 ? ($0.key, $0.value) : nil }
        }
    }

    func noteLookup(hit avoided: Money?) {
        state.withLock { state in
            guard let avoided else {
                state.metrics.cacheMisses += 1
                return
            }
            state.metrics.cacheHits += 1
            state.metrics.avoidedCost = (try? state.metrics.avoidedCost.adding(avoided)) ?? state.metrics.avoidedCost
        }
    }

    // MARK: Stopping

    var stopped: Stop? { isStopped.load(ordering: .acquiring) ? state.withLock { $0.stop } : nil }

    /// Stops the run; a stop that does not wait for items in flight overrides one that does.
    func stop(_ stop: Stop) {
        let waiter: CheckedContinuation<Void, Never>? = state.withLock { state in
            if state.stop == nil {
                state.stop = stop
            } else if state.stop?.drains == true, !stop.drains {
                state.stop?.drains = false
                if stop.isFromOutside { state.stop?.reason = stop.reason }
            } else {
                return nil
            }
            isStopped.store(true, ordering: .releasing)
            guard !stop.drains else { return nil }
            defer { state.stopWaiter = nil }
            return state.stopWaiter
        }
        waiter?.resume()
    }

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

    // MARK: Costs

    /// A name for a charge of this run.
    func nextCostID() -> String {
        let number = state.withLock { state in
            state.chargeNumber += 1
            return state.chargeNumber
        }
        return "\(run.id)-\(number)"
    }

    /// Takes note of a charge that is on record.
    func note(_ charge: Charge) {
        meters.count(charge)
        emit(.charge, item: charge.inputID) {
            ["service": .string(charge.service), "operation": .string(charge.operation), "cost": charge.cost.jsonValue]
        }
        guard let index = charge.itemIndex, charge.kind != .base else { return }
        state.withLock { state in
            var sums = state.costs[index] ?? (.zero, .zero)
            sums.cost = (try? sums.cost.adding(charge.cost)) ?? sums.cost
            sums.avoided = (try? sums.avoided.adding(charge.avoidedCost ?? .zero)) ?? sums.avoided
            state.costs[index] = sums
        }
        hasCosts.store(true, ordering: .releasing)
    }

    /// What an item cost so far in charges that are on record.
    func takeCosts(of index: Int) -> (cost: Money, avoided: Money) {
        guard hasCosts.load(ordering: .acquiring) else { return (.zero, .zero) }
        return state.withLock { $0.costs.removeValue(forKey: index) } ?? (.zero, .zero)
    }

    /// Marks the bill as incomplete.
    func noteIncomplete(_ reason: String) {
        state.withLock { $0.incompleteReason = $0.incompleteReason ?? reason }
        emit(.warning) { ["message": .string("the bill is not complete: \(reason)")] }
    }

    var incompleteReason: String? { state.withLock { $0.incompleteReason } }

    /// Takes note that a budget refused to go on; `false` when one has before.
    func noteBudgetRefusal(_ error: ProcessingError) -> Bool {
        state.withLock { state in
            guard state.budgetRefusal == nil else { return false }
            state.budgetRefusal = error
            return true
        }
    }

    /// Why a budget stopped the run.
    var budgetRefusal: ProcessingError? { state.withLock { $0.budgetRefusal } }

    // MARK: Events

    /// Sends an event of this run; its data is made only when somebody wants it.
    func emit(_ kind: Event.Kind, item: String? = nil, _ data: () -> JSONObject = { [:] }) {
        guard events.wants(kind) else { return }
        var event = Event(
            kind, timestamp: world.time.now(), runID: run.id, executionID: run.executionID,
            processorID: run.processorID, inputID: item, data: data())
        guard events.records(kind) else { return events.send(event) }
        // Numbered and sent in one go, so that whoever listens hears of them in their order.
        emission.withLock { _ in
            state.withLock { state in
                state.sequence += 1
                event.sequence = state.sequence
                state.recordedEvents.append(event)
                hasEvents.store(true, ordering: .releasing)
            }
            events.send(event)
        }
    }

    /// Sends a hint, each kind of hint once.
    func hint(_ kind: String, _ message: @autoclosure () -> String) {
        guard state.withLock({ $0.hinted.insert(kind).inserted }) else { return }
        emit(.hint) { ["hint": .string(kind), "message": .string(message())] }
    }

    /// Sends a `warning` event.
    func warn(_ message: String, item: String?) { emit(.warning, item: item) { ["message": .string(message)] } }

    /// Files the events that were recorded since the last time, in their order: whoever finds another at it leaves
    /// its own to that one.
    nonisolated(nonsending) func fileEvents() async throws {
        while hasEvents.load(ordering: .acquiring), let events = takeEvents() {
            defer { state.withLock { $0.filesEvents = false } }
            try await store.append(events)
        }
    }

    private func takeEvents() -> [Event]? {
        state.withLock { state in
            guard !state.filesEvents, !state.recordedEvents.isEmpty else { return nil }
            state.filesEvents = true
            hasEvents.store(false, ordering: .releasing)
            defer { state.recordedEvents = [] }
            return state.recordedEvents
        }
    }

    func logger(item: String?) -> Logger {
        guard let item else { return logger }
        var logger = logger
        logger[metadataKey: "item"] = "\(item)"
        return logger
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
            scope: run.scope(of: entry?.item),
            lineage: run.lineage, inputID: entry?.item.id, attempt: attempt, phase: phase, itemIndex: entry?.index,
            desk: desk)
    }

    /// The digest by which an item's data is compared.
    func digest(of item: Item) throws -> Digest { processor.digest(of: try item.data.json()) }

    /// Whose saved steps are those of the item named `inputID`.
    func checkpointSubject(_ inputID: String) -> CheckpointSubject {
        CheckpointSubject(executionID: run.executionID, processorID: run.processorID, inputID: inputID)
    }
}

extension Run {
    /// For whom work on `item` is done: the run's scope, filled up with the item's own ids.
    func scope(of item: Item?) -> Scope {
        guard let item else { return scope }
        var scope = scope
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
    public var counts: Counts { session.counts }
    /// Sums over what has ended so far.
    public var metrics: RunMetrics { session.metrics }

    /// Stops the run, which can be resumed: nothing further starts.
    ///
    /// - Parameter drain: whether items in flight may finish; otherwise they are given up and become cancelled.
    public func cancel(drain: Bool = false) { session.stop(.init(reason: .runCancelled, drains: drain)) }
}
