import Synchronization

/// The counts and events of a whole run, in batches or not.
final class RunTally: Sendable {
    let meters: Meters
    /// The current waits of its items.
    let waits = WaitBoard()
    private let run: Run
    private let events: EventStream
    private let world: World
    private let store: any Store
    private let state = Mutex(State())
    private let hasCosts = Atomic(false)
    private let hasEvents = Atomic(false)
    private let baseNumber = Atomic(0)
    private let hasAskedForPrices = Atomic(false)
    private let emission = Mutex(Emission())

    private struct State {
        var isListed = false
        var isAccepted = false
        var counts = Counts()
        var metrics = RunMetrics()
        var firstFailure: (index: Int, record: FailureRecord)?
        var failureTexts: [String: Int] = [:]
        var incompleteReason: String?
        var budgetRefusal: ProcessingError?
        var changedDefinition: ProcessingError?
        var haltFailure: FailureRecord?
        var policyFailure: FailureRecord?
        var brokenProgram: ProcessingError?
        var hinted: Set<Hint> = []
        var repeats: [String: Int] = [:]
        var costs: [CostPlace: (cost: MoneySum, avoided: MoneySum)] = [:]
        var baseCosts: [Identifier: MoneySum] = [:]
        var chargeNumber = 0

        mutating func note(_ outcome: Outcome) {
            counts.add(outcome.status)
            guard let error = outcome.error else { return }
            if outcome.index < firstFailure?.index ?? .max { firstFailure = (outcome.index, error) }
            let text = "\(error.code.rawValue): \(error.lastLine)"
            if failureTexts.count < 256 || failureTexts[text] != nil { failureTexts[text, default: 0] += 1 }
        }
    }

    /// The recorded events.
    private struct Emission {
        var sequence = 0
        /// Events that are not filed yet.
        var recorded: [Event] = []
        var isFiling = false
    }

    private struct Hint: Hashable {
        let kind: String
        let subject: String
    }

    /// The place whose costs are added up: an item; in a graph, an item at one node.
    private struct CostPlace: Hashable {
        let index: Int
        let processorID: Identifier
    }

    /// The log of the run.
    let log: RunLog

    init(
        _ run: Run, events: EventStream, world: World, store: any Store,
        onLogged: (@Sendable () async -> Void)? = nil
    ) {
        self.run = run
        self.events = events
        self.world = world
        self.store = store
        meters = Meters(processor: run.processorID, runner: run.runner)
        log = RunLog(
            store, filed: { await onLogged?() },
            fails: { message in
                guard events.wants(.warning) else { return }
                var event = Event(
                    .warning, timestamp: world.time.now(), runID: run.id, executionID: run.executionID,
                    processorID: run.graphID == nil ? run.processorID : nil, inputID: nil,
                    data: ["message": .string(message)])
                event.graphID = run.graphID
                events.send(event)
            })
    }

    // MARK: Items

    /// Counts items that are on record.
    func noteTaken(_ count: Int) { state.withLock { $0.counts.total += count } }

    /// Records that all inputs are on record.
    func noteListed() { state.withLock { $0.isListed = true } }

    /// Records that the list, or as much of it as was read, was accepted.
    ///
    /// - Returns: `false` when that was recorded before.
    @discardableResult func noteAccepted() -> Bool {
        state.withLock { state in
            defer { state.isAccepted = true }
            return !state.isAccepted
        }
    }

    /// Returns `run` with its current counts and metrics.
    func update(_ run: Run) -> Run {
        var run = run
        (run.isListed, run.isAccepted, run.counts, run.metrics) = state.withLock { state in
            (state.isListed, state.isAccepted, state.counts, state.metrics)
        }
        return run
    }

    var counts: Counts { state.withLock { $0.counts } }
    var metrics: RunMetrics { state.withLock { $0.metrics } }
    var firstFailure: FailureRecord? { state.withLock { $0.firstFailure?.record } }

    /// Records how items ended.
    func note(_ outcomes: [Outcome]) {
        state.withLock { state in
            for outcome in outcomes {
                meters.count(outcome)
                state.metrics.add(outcome)
                state.note(outcome)
            }
        }
    }

    // MARK: Runs that another program has left

    /// Records how items ended before. Their sums are among the run's metrics already.
    func restore(_ outcomes: [Outcome]) { state.withLock { state in for outcome in outcomes { state.note(outcome) } } }

    /// Records earlier charges and the number of the last event.
    ///
    /// - Parameter charges: those of the whole run and of items that have not ended.
    func restore(_ charges: [Charge], sequence: Int) {
        for charge in charges where charge.kind != .base {
            guard let index = charge.itemIndex else { continue }
            add(charge.cost, avoided: charge.avoidedCost ?? .zero, to: index, by: charge.processorID)
        }
        state.withLock { state in
            (state.isListed, state.isAccepted) = (true, true)
            state.metrics = run.metrics ?? state.metrics
            state.incompleteReason = run.incompleteReason
        }
        emission.withLock { $0.sequence = sequence }
    }

    /// Records a call in doubt that was made again under its key.
    func noteRepeat(of service: String) { state.withLock { $0.repeats[service, default: 0] += 1 } }

    /// The number of calls in doubt that were made again under their keys, by service.
    var repeats: [String: Int] { state.withLock { $0.repeats } }

    /// Records the uses of steps.
    func note(_ steps: [Outcome.Step]) { state.withLock { $0.metrics.add(steps) } }

    /// Records the metrics of the nodes of a graph.
    func note(_ nodes: [NodeMetrics]) { state.withLock { $0.metrics.nodes = nodes } }

    /// Records that no output of the run is kept.
    func noteWithdrawal() {
        state.withLock { state in
            state.counts.cancelled += state.counts.succeeded
            state.counts.succeeded = 0
        }
    }

    /// Records that `count` items which were counted as succeeded keep no outputs.
    func noteWithdrawal(of count: Int) {
        state.withLock { state in
            state.counts.cancelled += count
            state.counts.succeeded -= count
        }
    }

    /// The failure that most items share, if at least two do.
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
            state.metrics.avoidedCost += avoided
        }
    }

    // MARK: Costs

    /// Returns a new name for a charge of this run.
    func nextCostID() -> String {
        let number = state.withLock { state in
            state.chargeNumber += 1
            return state.chargeNumber
        }
        return run.costID(number)
    }

    /// Returns the number of the first of `count` base charges.
    func takeBaseNumbers(_ count: Int) -> Int {
        baseNumber.add(count, ordering: .relaxed).oldValue
    }

    /// Records a charge that is on record.
    func note(_ charge: Charge) {
        meters.count(charge)
        emit(.charge, item: charge.inputID, by: charge.processorID) {
            [
                "kind": .string(charge.kind.rawValue), "service": .string(charge.service),
                "operation": .string(charge.operation), "cost": charge.cost.jsonValue,
            ]
        }
        if charge.kind == .base, charge.cost != .zero { add(base: charge.cost, of: charge.processorID) }
        guard let index = charge.itemIndex, charge.kind != .base else { return }
        add(charge.cost, avoided: charge.avoidedCost ?? .zero, to: index, by: charge.processorID)
    }

    private func add(base cost: Money, of processor: Identifier) {
        state.withLock { $0.baseCosts[processor, default: .zero] += cost }
    }

    /// The base prices that were charged, by processor.
    var baseCosts: [Identifier: MoneySum] { state.withLock { $0.baseCosts } }

    /// Restores the costs of an item from an attempt whose outcome no longer counts.
    func takeBack(_ outcome: Outcome) {
        add(outcome.cost, avoided: outcome.avoidedCost, to: outcome.index, by: run.processorID)
    }

    private func add(_ cost: Money, avoided: Money, to index: Int, by processor: Identifier) {
        let place = CostPlace(index: index, processorID: processor)
        state.withLock { state in
            var sums = state.costs[place] ?? (.zero, .zero)
            sums.cost += cost
            sums.avoided += avoided
            state.costs[place] = sums
        }
        hasCosts.store(true, ordering: .releasing)
    }

    /// Takes what an item cost so far in recorded charges of a processor; `nil`: the run's.
    func takeCosts(of index: Int, by processor: Identifier? = nil) -> (cost: MoneySum, avoided: MoneySum) {
        guard hasCosts.load(ordering: .acquiring) else { return (.zero, .zero) }
        let place = CostPlace(index: index, processorID: processor ?? run.processorID)
        return state.withLock { $0.costs.removeValue(forKey: place) } ?? (.zero, .zero)
    }

    /// Fills in the cost of an item. A sum that no outcome can hold is left out and makes the bill incomplete.
    func fill(_ outcome: inout Outcome, cost: MoneySum, avoided: MoneySum) {
        // Defaults are not set, because an outcome keeps rare values in separate storage.
        guard cost != .zero || avoided != .zero else { return }
        do {
            let (cost, avoided) = (try cost.money(), try avoided.money())
            if cost != .zero { outcome.cost = cost }
            if avoided != .zero { outcome.avoidedCost = avoided }
        } catch {
            noteIncomplete("item '\(outcome.inputID)': \(error.message)")
        }
    }

    /// Marks the bill as incomplete.
    func noteIncomplete(_ reason: String) {
        state.withLock { $0.incompleteReason = $0.incompleteReason ?? reason }
        emit(.warning) { ["message": .string("the bill is not complete: \(reason)")] }
    }

    var incompleteReason: String? { state.withLock { $0.incompleteReason } }

    /// Records that a budget refused to let the run continue; returns `false` when one has before.
    func noteBudgetRefusal(_ error: ProcessingError) -> Bool {
        state.withLock { state in
            guard state.budgetRefusal == nil else { return false }
            state.budgetRefusal = error
            return true
        }
    }

    /// The refusal of the budget that stopped the run.
    var budgetRefusal: ProcessingError? { state.withLock { $0.budgetRefusal } }

    /// Records that the processor is not what the run began with. The first report counts.
    func noteChangedDefinition(_ error: ProcessingError) {
        state.withLock { $0.changedDefinition = $0.changedDefinition ?? error }
    }

    /// The error because of which the run cannot continue with its processor.
    var changedDefinition: ProcessingError? { state.withLock { $0.changedDefinition } }

    /// Records why the program of the run cannot be started. The first report counts.
    func noteBrokenProgram(_ error: ProcessingError) {
        state.withLock { $0.brokenProgram = $0.brokenProgram ?? error }
    }

    /// The error because of which the program of the run cannot be started.
    var brokenProgram: ProcessingError? { state.withLock { $0.brokenProgram } }

    /// Records the failure that halted a graph. The first one counts.
    func noteHalt(_ record: FailureRecord) { state.withLock { $0.haltFailure = $0.haltFailure ?? record } }

    /// The failure that halted the graph.
    var haltFailure: FailureRecord? { state.withLock { $0.haltFailure } }

    /// Records the failure at which the failure policy stopped the run.
    func notePolicyStop(_ record: FailureRecord?) { state.withLock { $0.policyFailure = $0.policyFailure ?? record } }

    /// The failure at which the failure policy stopped the run.
    var policyFailure: FailureRecord? { state.withLock { $0.policyFailure } }

    // MARK: Events

    /// Sends an event of this run. Its data is made only when someone wants it.
    ///
    /// - Parameter node: the node of the graph concerned; `nil`: the run's processor, or the graph as a whole.
    func emit(
        _ kind: Event.Kind, item: String? = nil, by node: Identifier? = nil, _ data: () -> JSONObject = { [:] }
    ) {
        guard events.wants(kind) else { return }
        var event = Event(
            kind, timestamp: world.time.now(), runID: run.id, executionID: run.executionID,
            processorID: node ?? (run.graphID == nil ? run.processorID : nil), inputID: item, data: data())
        event.graphID = run.graphID
        guard events.records(kind) else { return events.send(event) }
        // Numbered and sent in one step, so that listeners receive them in order.
        emission.withLock { emission in
            emission.sequence += 1
            event.sequence = emission.sequence
            emission.recorded.append(event)
            hasEvents.store(true, ordering: .releasing)
            events.send(event)
        }
    }

    /// Sends a hint, once per kind and subject.
    func hint(_ kind: String, about subject: String = "", _ message: @autoclosure () -> String) {
        guard state.withLock({ $0.hinted.insert(Hint(kind: kind, subject: subject)).inserted }) else { return }
        emit(.hint) { ["hint": .string(kind), "message": .string(message())] }
    }

    /// Returns whether that hint has been sent.
    func hasHinted(_ kind: String, about subject: String) -> Bool {
        state.withLock { $0.hinted.contains(Hint(kind: kind, subject: subject)) }
    }

    /// Returns whether this is the first time that the prices of a graph's nodes are checked.
    func asksForPricesFirst() -> Bool {
        !hasAskedForPrices.load(ordering: .relaxed) && !hasAskedForPrices.exchange(true, ordering: .relaxed)
    }

    /// Files the events that were recorded since the last time, in order. If another caller is filing already, it files
    /// these too.
    nonisolated(nonsending) func fileEvents() async throws {
        while hasEvents.load(ordering: .acquiring), let events = takeEvents() {
            defer { emission.withLock { $0.isFiling = false } }
            try await store.append(events)
        }
    }

    private func takeEvents() -> [Event]? {
        emission.withLock { emission in
            guard !emission.isFiling, !emission.recorded.isEmpty else { return nil }
            emission.isFiling = true
            hasEvents.store(false, ordering: .releasing)
            defer { emission.recorded = [] }
            return emission.recorded
        }
    }
}
