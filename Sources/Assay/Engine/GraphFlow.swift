import Synchronization

/// A graph at work on the items of a run: what starts next, what came of it, and the items on their way.
final class GraphFlow: Sendable {
    /// An item on its way.
    struct Traveller: Sendable {
        let entry: StoredItem
        let startedAt: Duration
        var nodes: [Passage.Node]
        /// What sources get that have not started yet.
        var fed: [Int: Payload]
        var steps: [Outcome.Step] = []
        /// Outputs that were not saved, because the store forgets with the program: kept in case the item does not
        /// succeed.
        var unsaved: [UnsavedOutput] = []
        var avoidedCost = Money.zero

        /// The item, with what a source gets that starts on it now.
        fileprivate mutating func start(_ node: Int) -> (StoredItem, fed: Payload?) {
            (entry, fed.isEmpty ? nil : fed.removeValue(forKey: node))
        }

        /// Takes note of how a node ended.
        ///
        /// - Returns: the item's name.
        fileprivate mutating func note(
            _ node: Passage.Node, at place: Int, _ steps: [Outcome.Step], _ unsaved: UnsavedOutput?, _ avoided: Money
        ) -> String {
            nodes[place] = node
            if !steps.isEmpty { self.steps += steps }
            if let unsaved { self.unsaved.append(unsaved) }
            if avoided != .zero { avoidedCost = (try? avoidedCost.adding(avoided)) ?? avoidedCost }
            return entry.item.id
        }
    }

    /// An output of a node that is to be saved.
    struct UnsavedOutput: Sendable {
        let node: Int
        let input: StoredItem
        let output: Payload
    }

    let session: RunSession
    let wiring: Wiring
    let graph: Graph
    let recovery: RunRecovery
    /// Where every output of a node is kept under a name; `nil`: nowhere.
    let checkpoints: Checkpoints?
    /// What the nodes' work asks, by place.
    let nodes: [RunSession]
    /// Which nodes' outputs are needed as JSON.
    let givesJSON: [Bool]
    private let sources: [Int]
    private let untouched: [Passage.Node]
    private let teams: [GraphSchedule.Team]
    private let crews: [Crew]
    private let frames: Frames
    private let bases: [BaseCharge]
    private let comeback: GraphWork.Comeback?
    /// The nodes that lead to the start at which the run comes back to its pause.
    private let wayBack: Set<Int>
    /// How nodes failed on items that are on their way, before the run was left in its pause.
    private let failures: [NodeStart.Key: Pause.Failure]
    private let (haltLimits, halts) = AsyncStream.makeStream(of: Duration.self, bufferingPolicy: .bufferingOldest(1))
    /// What becomes of the run besides its work, in order.
    enum Change: Sendable {
        /// A breakpoint was hit; the floor is held.
        case paused
        /// It was told to go on.
        case moved
        /// It works on without having come back to its pause.
        case missedPause
        /// It is stopped, or left in its pause.
        case over
    }

    /// What becomes of the run, for the one that files it.
    let changed: AsyncStream<Change>
    private let changes: AsyncStream<Change>.Continuation
    private let meters: NodeMeters?
    /// Whether the bytes of all values are counted.
    let measuresPipes: Bool
    let state: Mutex<State>

    /// A start that a breakpoint holds back.
    struct Held {
        let unit: GraphSchedule.Unit
        let entry: StoredItem
        let input: Payload
    }

    struct State {
        var schedule: GraphSchedule
        var book: GraphBook
        var breakpoints: Breakpoints
        var held: [NodeStart.Key: Held] = [:]
        /// By team: held starts that may be made now.
        var released: [ArraySlice<Held>]
        /// Whether a pause was noticed.
        var isPaused = false
        /// Whether the run stands still in that pause, so that it can be told to go on.
        var isStanding = false
        /// Whether it is left in that pause, for another program to go on with.
        var isLeft = false
        var travellers: [Int: Traveller] = [:]
        /// By pool: how many lanes there may be, and are.
        var lanes: [(limit: Int, active: Int)]
        /// By team: whether a lane has been started that has not asked for work yet.
        var starting: [Bool]
        var executions = 0
        var meanMicroseconds = 0.0
        /// What is to be told of pipes, and whether somebody is at it.
        var news: [PipeNews] = []
        var tellsNews = false
    }

    init(_ work: GraphWork, _ session: RunSession) {
        let plan = work.plan
        (changed, changes) = AsyncStream.makeStream(of: Change.self)
        self.session = session
        (graph, wiring, checkpoints) = (work.graph, work.wiring, work.checkpoints)
        sources = wiring.sources
        givesJSON = wiring.nodes.indices.map(wiring.givesJSON)
        untouched = wiring.nodes.map { Passage.Node($0.id) }
        teams = plan.teams
        crews = plan.crews
        nodes = plan.sessions(of: work.wiring.nodes, in: session)
        let comeback = work.comeback
        self.comeback = comeback
        wayBack = comeback.map { work.wiring.ancestors(of: $0.node) } ?? []
        failures = Dictionary((comeback?.pause.failures ?? []).map { ($0.key, $0) }) { $1 }
        bases = work.wiring.nodes.map { _ in BaseCharge() }
        let strategies = work.wiring.nodes.compactMap { node in node.errorStrategy.map { (node.id, $0) } }
        recovery = RunRecovery(
            graph: work.graph.id, standard: work.options.errorStrategy,
            strategies: Dictionary(uniqueKeysWithValues: strategies), breakers: session.breakers, world: session.world,
            skips: comeback?.pause.skips ?? [:],
            tell: { node, breaker in
                let kind: Event.Kind =
                    switch breaker {
                    case .open: .breakerOpen
                    case .halfOpen: .breakerHalfOpen
                    case .closed: .breakerClosed
                    }
                session.tally.emit(kind, by: node) { ["breaker": .string("\(work.graph.id)/\(node)")] }
            })
        let (id, store) = (session.run.id, session.store)
        frames = Frames(over: session.places) { place, limit in
            try await store.items(of: id, from: place, limit: limit).filter {
                !session.hasEnded($0.index) && $0.index != comeback?.entry.index
            }
        }
        meters = NodeMeters(work.wiring, of: work.graph.id)
        measuresPipes = work.options.measuresPipes || session.events.wants(.pipeDataFlow)
        var schedule = GraphSchedule(work.wiring, teams: plan.teams, maxInFlight: work.options.maxInFlight)
        schedule.holdsAdmission = comeback != nil
        let breakpoints =
            comeback.map { Breakpoints(returningTo: $0.pause) } ?? Breakpoints(work.options.breakpoints)
        state = Mutex(
            State(
                schedule: schedule,
                book: GraphBook(work.wiring, at: session.world.time.uptime(), countsBytes: measuresPipes),
                breakpoints: breakpoints, released: plan.teams.map { _ in [] },
                lanes: plan.pools.map { (limit: $0, active: 0) }, starting: plan.teams.map { _ in false }))
        asksBeforeStarts.store(!breakpoints.all.isEmpty || comeback != nil, ordering: .releasing)
    }

    // MARK: Lanes

    /// The teams for which another lane is wanted now, each counted as having it from here on.
    func wantedLanes() -> [Int] { state.withLock { wantedLanes(&$0) } }

    private func wantedLanes(_ state: inout State) -> [Int] {
        teams.indices.filter { team in
            let pool = teams[team].pool
            guard !state.starting[team], state.lanes[pool].active < state.lanes[pool].limit,
                state.schedule.demand(of: team) > 0 && !state.standsStill || !state.released[team].isEmpty,
                session.stopped?.drains != false
            else { return false }
            // Where work is over before another lane could begin, more of them only get in each other's way; the
            // first that is not says so when it has ended, until when these few go on.
            let isShort = state.executions >= 64 && state.meanMicroseconds < 50
            guard state.lanes[pool].active < 8 || !isShort else { return false }
            state.lanes[pool].active += 1
            state.starting[team] = true
            return true
        }
    }

    /// A lane for the work of `team`.
    func makeLane(for team: Int) -> Lane { Lane(crew: crews[team], team: team) }

    /// Says that a lane of `team` never came to be, or has been given up.
    func laneIsGone(of team: Int) {
        state.withLock { state in
            state.lanes[teams[team].pool].active -= 1
            state.starting[team] = false
        }
    }

    enum Next {
        case start(GraphSchedule.Unit, StoredItem, fed: Payload?, values: [Payload?])
        /// A start that a breakpoint held back and that may be made now.
        case goOn(GraphSchedule.Unit, StoredItem, Payload)
        case admit
        /// A breakpoint was hit: have the run stand still.
        case pause
        /// Nothing for this lane, which is not counted any more.
        case nothing
    }

    /// What a lane of `team` does next, and the teams for which another lane is wanted besides, as ``wantedLanes()``.
    func next(for team: Int) -> (next: Next, lanes: [Int]) {
        state.withLock { state in
            let next = next(for: team, &state)
            if case .pause = next { return (next, []) }
            return (next, wantedLanes(&state))
        }
    }

    private func next(for team: Int, _ state: inout State) -> Next {
        state.starting[team] = false
        // Items have entered in great numbers when they wait before the second node: what begins is a node.
        if session.stopped != nil { state.schedule.halt() }
        if state.noticePause() { return .pause }
        let isOver = session.stopped?.drains == false
        if !isOver, let held = state.released[team].popFirst() { return .goOn(held.unit, held.entry, held.input) }
        switch isOver || state.standsStill ? .nothing : state.schedule.next(for: team) {
        case .start(let unit):
            guard let (entry, fed) = state.travellers[unit.item]?.start(unit.node) else { return .nothing }
            return .start(unit, entry, fed: fed, values: state.schedule.takeInput(of: unit))
        case .admit: return .admit
        case .nothing:
            state.lanes[teams[team].pool].active -= 1
            return .nothing
        }
    }

    // MARK: Items

    /// Lets the next item in.
    ///
    /// - Returns: the items that have ended by that.
    nonisolated(nonsending) func admit() async throws -> [Departure] {
        let frame: ArraySlice<StoredItem>
        do { frame = try await frames.next(1) } catch {
            state.withLock { $0.schedule.noItem() }
            throw error
        }
        guard let entry = frame.first else {
            state.withLock { $0.schedule.noItem() }
            return []
        }
        return try admit(entry)
    }

    /// Lets the item in at which the run comes back to its pause, before all others; none in other runs.
    func admitFirst() throws -> [Departure] {
        guard let comeback else { return [] }
        state.withLock { $0.schedule.expectItem() }
        return try admit(comeback.entry)
    }

    private func admit(_ entry: StoredItem) throws -> [Departure] {
        let feed = try wiring.feed(entry.item.data, of: entry.item.id)
        session.emit(.itemStart, item: entry.item.id)
        let now = session.world.time.uptime()
        return state.withLock { state in
            state.travellers[entry.index] = Traveller(
                entry: entry, startedAt: now, nodes: untouched,
                fed: Dictionary(
                    uniqueKeysWithValues: zip(sources, feed).compactMap { source, value in
                        value.map { (source, $0) }
                    }))
            let skipped = state.schedule.admit(entry.index, feed: feed)
            note(skipped, of: entry.index, &state)
            missReturn(skipped, of: entry.index, &state)
            return departures(of: entry.index, &state)
        }
    }

    /// Takes note of how a node ended on an item.
    ///
    /// - Parameter isNew: whether it was not counted before the run was left in its pause.
    /// - Returns: the item, if it has ended by that.
    func end(
        _ unit: GraphSchedule.Unit, _ end: ItemFlow.End, as node: Passage.Node, at moment: Duration, isNew: Bool = true,
        steps: [Outcome.Step] = [], unsaved: UnsavedOutput? = nil, avoided: Money = .zero, lasted: Duration? = nil
    ) -> [Departure] {
        let microseconds = lasted.map { $0 / .microseconds(1) }
        if isNew { meters?.count(node, at: unit.node) }
        let bytes = bytes(of: end, from: unit.node)
        let (departures, hasNews) = state.withLock { state in
            if isNew { state.book.note(node, at: unit.node, moment) }
            let inputID = state.travellers[unit.item]?.note(node, at: unit.node, steps, unsaved, avoided)
            if let microseconds {
                state.executions += 1
                state.meanMicroseconds += (microseconds - state.meanMicroseconds) / 64
            }
            let skipped = state.schedule.end(unit, end)
            note(skipped, of: unit.item, &state)
            missReturn(skipped, of: unit.item, &state)
            if let inputID {
                if case .gave(let values) = end {
                    state.notePut(values, from: unit.node, of: inputID, bytes: bytes, at: moment, in: self)
                    tellTaps(values, from: unit.node, inputID)
                }
                state.breakpoints.ended(wiring.nodes[unit.node].id, inputID)
            }
            state.notePipes(in: session)
            let departures = self.departures(of: unit.item, &state)
            // Before anybody starts what has become free: it may be the end of the run.
            if departures.contains(where: hasFailed) { session.noteFailure() }
            return (departures, !state.news.isEmpty)
        }
        if hasNews { tellOfPipes() }
        return departures
    }

    /// Tells the taps of the pipes behind a node what it put into them.
    private func tellTaps(_ values: [Payload?], from node: Int, _ inputID: String) {
        for pipe in wiring.outgoing[node] {
            guard let value = values[wiring.edges[pipe].output] else { continue }
            graph.tell(wiring.connections[pipe].name, value, of: inputID, at: session.world.time.now())
        }
    }

    // MARK: Breakpoints

    /// Whether nodes have to ask before they start.
    private let asksBeforeStarts = Atomic(false)

    /// Whether a node may start on an item; if not, the start is kept until it may.
    func mayStart(_ unit: GraphSchedule.Unit, _ entry: StoredItem, _ input: Payload) throws -> Bool {
        guard asksBeforeStarts.load(ordering: .acquiring) else { return true }
        let node = wiring.nodes[unit.node].id
        let start = NodeStart(node, inputID: entry.item.id, value: try input.json())
        return state.withLock { state in
            let isReturning = state.isReturning
            // What leads to the pause is done again only where it was not saved.
            if isReturning, entry.index == comeback?.entry.index, wayBack.contains(unit.node) { return true }
            guard !state.breakpoints.arrives(start) else { return true }
            state.held[start.key] = Held(unit: unit, entry: entry, input: input)
            if isReturning, !state.isReturning { state.schedule.holdsAdmission = false }
            return false
        }
    }

    /// Goes on without returning to the pause of an item that goes another way this time.
    private func missReturn(_ skipped: [(node: Int, reason: Outcome.Reason)], of item: Int, _ state: inout State) {
        guard state.isReturning, item == comeback?.entry.index, skipped.contains(where: { $0.node == comeback?.node })
        else { return }
        release(state.breakpoints.missReturn(), &state)
        state.schedule.holdsAdmission = false
        changes.yield(.missedPause)
    }

    private func release(_ starts: [NodeStart], _ state: inout State) {
        for start in starts {
            guard let held = state.held.removeValue(forKey: start.key) else { continue }
            state.released[team(of: held.unit.node)].append(held)
        }
    }

    /// Changes the breakpoints.
    func withBreakpoints<Value>(_ body: (inout Breakpoints) throws -> Value) rethrows -> Value {
        asksBeforeStarts.store(true, ordering: .releasing)
        return try state.withLock { try body(&$0.breakpoints) }
    }

    /// Lets the run go on after a pause, to the next hit or by one node.
    ///
    /// - Throws: ``ProcessingError`` with code `illegal_move` when it is not paused.
    func goOn(byOne: Bool) throws {
        try state.withLock { state in
            guard state.isStanding else {
                throw ProcessingError(.illegalMove, "the run is not paused, so there is nothing to go on with")
            }
            release(byOne ? [try state.breakpoints.step()] : try state.breakpoints.resume(), &state)
            (state.isPaused, state.isStanding) = (false, false)
            // Before the next pause can be noticed, so that both are filed in their order.
            changes.yield(.moved)
        }
    }

    /// Leaves the run in its pause: what is in flight may finish, and the run ends here as a paused one.
    ///
    /// - Throws: ``ProcessingError`` with code `illegal_move` when it is not paused.
    func leave() throws {
        try state.withLock { state in
            guard state.isStanding else {
                throw ProcessingError(.illegalMove, "the run is not paused, so it cannot be left so")
            }
            (state.isLeft, state.isStanding) = (true, false)
        }
        changes.yield(.over)
    }

    /// Whether the run is left in a pause, unless it was stopped since.
    var isLeft: Bool { session.stopped == nil && state.withLock { $0.isLeft } }

    /// Where the run stands still; `nil` while it does not.
    var pause: Pause? {
        let skips = recovery.skips
        return state.withLock { state in
            var pause = state.breakpoints.pause
            pause?.skips = skips
            pause?.failures = state.travellers.values.flatMap { traveller in
                traveller.nodes.filter { $0.status == .failed && $0.error != nil }.map {
                    Pause.Failure(of: $0, on: traveller.entry.item.id)
                }
            }
            return pause
        }
    }

    /// The start at which the run has been stopped, whether it is known to stand still yet or not.
    var pausedStart: NodeStart? { state.withLock { $0.breakpoints.pause?.start } }

    /// The start that the run is paused before; `nil` when it is not paused.
    var pausedBefore: NodeStart? {
        state.withLock { state in state.isStanding ? state.breakpoints.pause?.start : nil }
    }

    /// Says that the run stands still from now on, and before which start.
    func stand() -> NodeStart? {
        state.withLock { state in
            guard let pause = state.breakpoints.pause else { return nil }
            state.isStanding = true
            return pause.start
        }
    }

    /// Whether the pause that the run has come to is the one it had come back for.
    func isBack(at start: NodeStart) -> Bool { start.key == comeback?.pause.start.key && takesComeback() }

    private let hasComeBack = Atomic(false)

    private func takesComeback() -> Bool { !hasComeBack.exchange(true, ordering: .acquiringAndReleasing) }

    /// How a run that has come back goes on; `nil` for all others.
    var firstMove: Pause.Move? { comeback?.move }

    /// Pauses the run if what has ended brought it to a start at which it is to stop.
    ///
    /// - Returns: whether it is paused by this.
    func noticePause() -> Bool { state.withLock { $0.noticePause() } }

    /// Says that the run is to stand still, whose floor is held for it.
    func tellPause() { changes.yield(.paused) }

    /// Says that the run is stopped.
    func tellStop() { changes.yield(.over) }

    /// How a node failed on an item before the run was left in its pause.
    func failure(of unit: GraphSchedule.Unit, on inputID: String) -> Pause.Failure? {
        failures[NodeStart.Key(processorID: wiring.nodes[unit.node].id, inputID: ExternalID(unchecked: inputID))]
    }

    /// Says that nothing more will happen.
    func endChanges() { changes.finish() }

    private func team(of node: Int) -> Int { teams.firstIndex { $0.nodes.contains(node) } ?? 0 }

    /// An item that has left the graph.
    struct Departure: Sendable {
        let traveller: Traveller
        let flow: ItemFlow
    }

    private func departures(of item: Int, _ state: inout State) -> [Departure] {
        guard state.schedule.isFinished(item), let flow = state.schedule.remove(item),
            let traveller = state.travellers.removeValue(forKey: item)
        else { return [] }
        return [Departure(traveller: traveller, flow: flow)]
    }

    private func note(
        _ skipped: [(node: Int, reason: Outcome.Reason)], of item: Int, _ state: inout State
    ) {
        for (node, reason) in skipped {
            state.travellers[item]?.nodes[node].status = .skipped
            state.travellers[item]?.nodes[node].reason = reason
            state.book.noteSkipped(node)
        }
    }

    /// The nodes that failed on an item, and those of them that results are lacking because of.
    func failures(of departure: Departure) -> (all: Set<Int>, responsible: Set<Int>) {
        let nodes = departure.traveller.nodes
        let failed = Set(nodes.indices.filter { nodes[$0].status == .failed })
        guard !failed.isEmpty else { return ([], []) }
        let responsible = ItemFlow.responsible(
            for: departure.flow.lacking, among: failed, isSkipped: { nodes[$0].reason == .upstreamFailed }, in: wiring)
        return (failed, responsible)
    }

    private func hasFailed(_ departure: Departure) -> Bool { !failures(of: departure).responsible.isEmpty }

    /// Takes out the items that are on their way still, when nothing goes on any more.
    func takeRest() -> [Departure] {
        state.withLock { state in
            state.schedule.items.compactMap { item in
                guard let flow = state.schedule.remove(item),
                    let traveller = state.travellers.removeValue(forKey: item)
                else { return nil }
                return Departure(traveller: traveller, flow: flow)
            }
        }
    }

    /// What a node gave for an item that was given up in the middle of it.
    func noteGivenUp(_ unit: GraphSchedule.Unit, as node: Passage.Node) {
        let moment = session.world.time.uptime()
        state.withLock { state in
            state.travellers[unit.item]?.nodes[unit.node] = node
            state.book.note(node, at: unit.node, moment)
        }
    }

    // MARK: Halting

    /// Lets nothing further start, because of a failure; nodes in flight have `limit` to finish.
    func halt(because record: FailureRecord, at node: Identifier, within limit: Duration) {
        let message =
            "graph '\(session.run.processorID)' was halted: node '\(node)' failed on '\(record.inputID ?? "")': \(record.message)"
        state.withLock { $0.schedule.halt() }
        var record = record
        record.message = message
        record.resumePoint = nil
        session.tally.noteHalt(record)
        halts.yield(limit)
    }

    /// Returns when the graph is halted, with the time that nodes in flight have; `nil` when it is not.
    func waitForHalt() async -> Duration? { await haltLimits.first { _ in true } }

    /// Says that it will not be halted any more.
    func endWaitForHalt() { halts.finish() }

    // MARK: Costs

    /// Charges the base price of a node that starts on an item, if that is due.
    nonisolated(nonsending) func chargeBase(of node: Int, on input: Item, by engine: Engine) async throws {
        guard !bases[node].isPaid else { return }
        try await bases[node].charge(for: nodes[node], on: input, by: engine)
    }
}

extension GraphFlow.State {
    /// Whether nothing starts but what was let go.
    fileprivate var standsStill: Bool {
        switch breakpoints.state {
        case .paused, .stepping, .cancelled: true
        case .running, .pausesNext, .returning: false
        }
    }

    /// Whether the run is on its way back to the pause in which it was left.
    fileprivate var isReturning: Bool { if case .returning = breakpoints.state { true } else { false } }

    /// Takes note of a pause, once for each.
    fileprivate mutating func noticePause() -> Bool {
        guard case .paused = breakpoints.state, !isPaused else { return false }
        isPaused = true
        return true
    }
}

/// The base price of a node, charged when it first starts on an item: once a run, or for every input.
private final class BaseCharge: Sendable {
    private enum State {
        case unknown
        case charging([CheckedContinuation<Void, Never>])
        case paid
        case byInput
    }

    private let state = Mutex(State.unknown)

    private enum Turn { case mine, wait, none, byInput }

    /// Whether nothing is due any more.
    var isPaid: Bool { state.withLock { if case .paid = $0 { true } else { false } } }

    nonisolated(nonsending) func charge(for session: RunSession, on item: Item, by engine: Engine) async throws {
        while true {
            let turn: Turn = state.withLock { state in
                switch state {
                case .unknown:
                    state = .charging([])
                    return .mine
                case .charging: return .wait
                case .paid: return .none
                case .byInput: return .byInput
                }
            }
            switch turn {
            case .none: return
            case .wait: await wait()
            case .byInput: return try await engine.chargeBase(of: session, on: [try session.digest(of: item)])
            case .mine:
                do {
                    let price = try await engine.ledger.basePrice(of: session.run, pipeline: session.options.price)
                    if !price.isByInput { try await engine.chargeBase(of: session, on: [], at: price) }
                    finish(as: price.isByInput ? .byInput : .paid)
                } catch {
                    // The next item asks again.
                    finish(as: .unknown)
                    throw error
                }
            }
        }
    }

    private func wait() async {
        await withCheckedContinuation { continuation in
            let isOver = state.withLock { state in
                guard case .charging(let waiters) = state else { return true }
                state = .charging(waiters + [continuation])
                return false
            }
            if isOver { continuation.resume() }
        }
    }

    private func finish(as next: State) {
        let waiters = state.withLock { state in
            defer { state = next }
            if case .charging(let waiters) = state { return waiters }
            return []
        }
        for waiter in waiters { waiter.resume() }
    }
}
