import Synchronization

/// A graph at work on the items of a run: what starts next, how it ended, and the items in the graph.
final class GraphFlow: GraphSteering {
    /// An item in the graph.
    struct Traveller: Sendable {
        let entry: StoredItem
        let startedAt: Duration
        var nodes: [Passage.Node]
        /// The values of sources that have not started yet.
        var fed: [Int: Payload]
        var steps: [Outcome.Step] = []
        /// Outputs that were not saved because the store forgets with the program. They are kept in case the item does
        /// not succeed.
        var unsaved: [UnsavedOutput] = []
        var avoidedCost = MoneySum.zero
        /// Whether it received what another definition of a node made.
        var isKept = false

        /// Returns the item, with the value of a source that starts on it now.
        fileprivate mutating func start(_ node: Int) -> (StoredItem, fed: Payload?) {
            (entry, fed.isEmpty ? nil : fed.removeValue(forKey: node))
        }

        /// Records how a node ended.
        ///
        /// - Returns: the item's name.
        fileprivate mutating func note(
            _ node: Passage.Node, at place: Int, _ steps: [Outcome.Step], _ unsaved: UnsavedOutput?, _ avoided: Money
        ) -> String {
            nodes[place] = node
            if !steps.isEmpty { self.steps += steps }
            if let unsaved { self.unsaved.append(unsaved) }
            avoidedCost += avoided
            return entry.item.id
        }
    }

    /// An output of a node that is yet to be saved.
    struct UnsavedOutput: Sendable {
        let node: Int
        let input: StoredItem
        let output: Payload
        /// Whether it depends on what another definition of the node made.
        let isKept: Bool
    }

    let session: RunSession
    let wiring: Wiring
    let graph: Graph
    let course: GraphCourse
    var recovery: RunRecovery { course.recovery }
    /// The named checkpoints that keep every output of a node; `nil`: none.
    let checkpoints: Checkpoints?
    /// The sessions of the nodes' work, by place.
    let nodes: [RunSession]
    /// Whether the outputs of a node are needed as JSON, by place.
    let givesJSON: [Bool]
    private let sources: [Int]
    private let untouched: [Passage.Node]
    private let teams: [GraphSchedule.Team]
    private let crews: [Crew]
    private let frames: Frames
    let comeback: GraphWork.Comeback?
    /// The nodes that lead to the start at which the run returns to its pause.
    let wayBack: Set<Int>
    /// The failures of nodes on items in the graph, from before the run was left in its pause.
    let failures: [NodeStart.Key: Pause.Failure]
    private let (haltLimits, halts) = AsyncStream.makeStream(of: Duration.self, bufferingPolicy: .bufferingOldest(1))
    /// A change of the run besides its work.
    enum Change: Sendable {
        /// A breakpoint was hit; the floor is held.
        case paused
        /// The run was continued.
        case moved
        /// It continues without having returned to its pause.
        case missedPause
        /// It was stopped, or left in its pause.
        case over
    }

    /// Told of each pause.
    let onPause: (@Sendable (RunHandle, NodeStart) -> Void)?
    /// The changes of the run, in order.
    let changed: AsyncStream<Change>
    let changes: AsyncStream<Change>.Continuation
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
        /// Held starts that may be made now, by team.
        var released: [ArraySlice<Held>]
        /// Starts that wait until it is known whether their nodes' programs die of whatever they are given.
        var suspended: [GraphSchedule.Unit] = []
        /// Whether a pause was noticed.
        var isPaused = false
        /// Whether the pause is on record, so that the run can be continued.
        var isStanding = false
        /// Whether it is left in that pause, for another program to continue.
        var isLeft = false
        var travellers: [Int: Traveller] = [:]
        /// The limit and the number of lanes, by pool.
        var lanes: [(limit: Int, active: Int)]
        /// Whether a lane has been started that has not asked for work yet, by team.
        var starting: [Bool]
        var executions = 0
        var meanMicroseconds = 0.0
        /// The pending news of pipes, and whether a caller is reporting them.
        var news: [PipeNews] = []
        var tellsNews = false
    }

    init(_ work: GraphWork, _ session: RunSession, _ course: GraphCourse) {
        let plan = work.plan
        (changed, changes) = AsyncStream.makeStream(of: Change.self)
        self.session = session
        (graph, wiring, checkpoints) = (work.graph, work.wiring, work.checkpoints)
        sources = wiring.sources
        givesJSON = wiring.nodes.indices.map(wiring.givesJSON)
        untouched = wiring.nodes.map { Passage.Node($0.id) }
        teams = plan.teams
        crews = plan.crews
        self.course = course
        onPause = work.options.onPause
        nodes = work.wiring.nodes.enumerated().map { place, node in
            RunSession(
                node: node, of: session, base: course.bases[place], suspicion: course.suspicions[place])
        }
        let comeback = work.comeback
        self.comeback = comeback
        wayBack = comeback.map { work.wiring.ancestors(of: $0.node) } ?? []
        failures = Dictionary((comeback?.pause.failures ?? []).map { ($0.key, $0) }) { $1 }
        let (id, store) = (session.run.id, session.store)
        frames = Frames(over: session.items.places, comesLate: session.suspicion.isKiller) { place, limit in
            guard session.items.firstUnfinished(in: place..<place + limit) != nil else { return [] }
            return try await store.items(of: id, from: place, limit: limit).filter {
                !session.items.hasEnded($0.index) && $0.index != comeback?.entry.index
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

    /// Returns the teams that want another lane now, and counts that lane for each.
    func wantedLanes() -> [Int] { state.withLock { wantedLanes(&$0) } }

    private func wantedLanes(_ state: inout State) -> [Int] {
        state.schedule.holdsBackSources = holdsBackSources
        return teams.indices.filter { team in
            let pool = teams[team].pool
            guard !state.starting[team], state.lanes[pool].active < state.lanes[pool].limit,
                state.schedule.demand(of: team) > 0 && !state.standsStill || !state.released[team].isEmpty,
                session.stopped?.drains != false
            else { return false }
            // If work ends before another lane could begin, more lanes only get in each other's way. The first work
            // that takes longer corrects the mean when it ends; until then these few lanes continue.
            let isShort = state.executions >= 64 && state.meanMicroseconds < 50
            guard state.lanes[pool].active < 8 || !isShort else { return false }
            state.lanes[pool].active += 1
            state.starting[team] = true
            return true
        }
    }

    /// Returns the workers of `team`.
    func crew(of team: Int) -> Crew { crews[team] }

    enum Next {
        case start(GraphSchedule.Unit, StoredItem, fed: Payload?, values: [Payload?])
        /// A start that a breakpoint held back and that may be made now.
        case goOn(GraphSchedule.Unit, StoredItem, Payload)
        case admit
        /// A breakpoint was hit: pause the run.
        case pause
        /// Nothing for this lane, which is no longer counted.
        case nothing
    }

    /// Returns what a lane of `team` does next, and the teams that want another lane besides, as ``wantedLanes()``.
    func next(for team: Int) -> (next: Next, lanes: [Int]) {
        state.withLock { state in
            let next = next(for: team, &state)
            if case .pause = next { return (next, []) }
            return (next, wantedLanes(&state))
        }
    }

    private func next(for team: Int, _ state: inout State) -> Next {
        state.starting[team] = false
        for unit in state.takeUnsuspected(in: self).reversed() { state.schedule.putBack(unit) }
        state.schedule.holdsBackSources = holdsBackSources
        // Many items may have entered and wait before the second node, so a stop lets no further node begin.
        if session.stopped != nil { state.schedule.halt() }
        if state.noticePause() { return .pause }
        let isOver = session.stopped?.drains == false
        if !isOver, let held = state.released[team].popFirst() { return .goOn(held.unit, held.entry, held.input) }
        var next = isOver || state.standsStill ? .nothing : state.schedule.next(for: team)
        while case .start(let unit) = next, isHeldBack(unit, &state) { next = state.schedule.next(for: team) }
        switch next {
        case .start(let unit):
            guard let (entry, fed) = state.travellers[unit.item]?.start(unit.node) else { return .nothing }
            return .start(unit, entry, fed: fed, values: state.schedule.takeInput(of: unit))
        case .admit: return .admit
        case .nothing:
            state.lanes[teams[team].pool].active -= 1
            return .nothing
        }
    }

    /// Whether no further item is let in until it is known whether the program of a source dies of whatever it is given.
    private var holdsBackSources: Bool { sources.contains { nodes[$0].suspicion.holdsBack } }

    /// Has a start wait while the node's program is tried with other items; what comes first is what it is tried with.
    private func isHeldBack(_ unit: GraphSchedule.Unit, _ state: inout State) -> Bool {
        let suspicion = nodes[unit.node].suspicion
        guard !suspicion.isTrying(unit.item) else { return false }
        switch suspicion.order() {
        case .inOrder: return false
        case .probe:
            suspicion.begin(at: unit.item)
            return false
        case .wait, .broken:
            state.suspended.append(unit)
            return true
        }
    }

    // MARK: Items

    /// Records that an item received what another definition of a node made.
    func noteKept(_ item: Int) { state.withLock { $0.travellers[item]?.isKept = true } }

    /// Returns whether a node receives the items' own values.
    func isSource(_ node: Int) -> Bool { wiring.incoming[node].isEmpty }

    /// Admits the next item.
    ///
    /// - Returns: the items that this ended.
    nonisolated(nonsending) func admit() async throws -> [Departure] {
        let frame: ArraySlice<StoredItem>
        do { frame = try await nextFrame() } catch {
            state.withLock { $0.schedule.noItem() }
            throw error
        }
        guard let entry = frame.first else {
            state.withLock { $0.schedule.noItem() }
            return []
        }
        return try admit(entry)
    }

    /// The next item, which is one from out of order when the program of a source is to be tried with it.
    private nonisolated(nonsending) func nextFrame() async throws -> ArraySlice<StoredItem> {
        for source in sources {
            guard case .probe(let probe) = nodes[source].suspicion.order() else { continue }
            let entry = try await frames.next(probe)
            nodes[source].suspicion.begin(at: entry?.index)
            session.stopIfBroken(nodes[source])
            if let entry { return [entry] }
        }
        return try await frames.next(1)
    }

    /// Admits the item at which the run returns to its pause, before all others; none in other runs.
    func admitFirst() throws -> [Departure] {
        guard let comeback else { return [] }
        state.withLock { $0.schedule.expectItem() }
        return try admit(comeback.entry)
    }

    private func admit(_ entry: StoredItem) throws -> [Departure] {
        let feed = try wiring.feed(entry.item.data, of: entry.item.id)
        session.emit(.itemStart, item: entry.item.id)
        let startedAt = session.begin(entry.index, at: session.world.time.uptime()).startedAt
        return state.withLock { state in
            state.travellers[entry.index] = Traveller(
                entry: entry, startedAt: startedAt, nodes: untouched,
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

    /// Records how a node ended on an item.
    ///
    /// - Parameter isNew: whether it was not counted before the run was left in its pause.
    /// - Returns: the item, if this ended it.
    func end(
        _ unit: GraphSchedule.Unit, _ end: ItemFlow.End, as node: Passage.Node, at moment: Duration, isNew: Bool = true,
        steps: [Outcome.Step] = [], unsaved: UnsavedOutput? = nil, avoided: Money = .zero, lasted: Duration? = nil
    ) -> [Departure] {
        let microseconds = lasted.map { $0 / .microseconds(1) }
        nodes[unit.node].suspicion.noteEnd(at: unit.item)
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
            // Before anything that has become free is started: this may end the run.
            for departure in departures where hasFailed(departure) {
                session.noteFailure(of: departure.traveller.entry.item.id) { failureRecord(of: departure) }
            }
            return (departures, !state.news.isEmpty)
        }
        if hasNews { tellOfPipes() }
        return departures
    }

    /// Sends the values of a node to the taps of the pipes behind it.
    private func tellTaps(_ values: [Payload?], from node: Int, _ inputID: String) {
        for pipe in wiring.outgoing[node] {
            guard let value = values[wiring.edges[pipe].output] else { continue }
            graph.tell(wiring.connections[pipe].name, value, of: inputID, at: session.world.time.now())
        }
    }

    // MARK: Breakpoints

    /// Whether nodes have to ask before they start.
    let asksBeforeStarts = Atomic(false)
    /// Whether the run has returned to its pause.
    let hasComeBack = Atomic(false)

    /// Returns the team that works at a node.
    func team(of node: Int) -> Int { teams.firstIndex { $0.nodes.contains(node) } ?? 0 }

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
            // What a suspected program was to be tried with may not reach it.
            nodes[node].suspicion.noteEnd(at: item)
            state.travellers[item]?.nodes[node].status = .skipped
            state.travellers[item]?.nodes[node].reason = reason
            state.book.noteSkipped(node, reason)
        }
    }

    /// Returns the nodes that failed on an item, and those of them because of which results are missing.
    func failures(of departure: Departure) -> (all: Set<Int>, responsible: Set<Int>) {
        let nodes = departure.traveller.nodes
        let failed = Set(nodes.indices.filter { nodes[$0].status == .failed })
        guard !failed.isEmpty else { return ([], []) }
        let responsible = ItemFlow.responsible(
            for: departure.flow.lacking, among: failed, isSkipped: { nodes[$0].reason == .upstreamFailed }, in: wiring)
        return (failed, responsible)
    }

    private func hasFailed(_ departure: Departure) -> Bool { !failures(of: departure).responsible.isEmpty }

    /// Removes the items that are still in the graph once nothing continues.
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

    /// Records how a node ended on an item that was given up in the middle of it.
    func noteGivenUp(_ unit: GraphSchedule.Unit, as node: Passage.Node) {
        let moment = session.world.time.uptime()
        state.withLock { state in
            state.travellers[unit.item]?.nodes[unit.node] = node
            state.book.note(node, at: unit.node, moment)
        }
    }

    // MARK: Halting

    /// Lets nothing further start because of a failure. Nodes in progress may finish within the time of `halt`.
    func halt(because record: FailureRecord, _ halt: ErrorAnswer.Halt, at node: Identifier) {
        state.withLock { $0.schedule.halt() }
        var ended = record
        ended.message =
            "graph '\(session.run.processorID)' was halted: node '\(node)' failed on '\((record.inputID ?? "").visible)': "
            + record.lastLine
        ended.resumePoint = nil
        session.tally.noteHalt(halt.limits.map(record.ending) ?? ended)
        halts.yield(halt.cleanupTimeout)
    }

    /// Waits until the graph is halted and returns the time that nodes in progress have; `nil` when it is not halted.
    func waitForHalt() async -> Duration? { await haltLimits.first { _ in true } }

    /// Ends the wait: the graph will not be halted anymore.
    func endWaitForHalt() { halts.finish() }
}

extension GraphFlow.State {
    /// Takes out the starts that need not wait any longer for what becomes of a suspicion.
    fileprivate mutating func takeUnsuspected(in flow: GraphFlow) -> [GraphSchedule.Unit] {
        guard !suspended.isEmpty else { return [] }
        let free = suspended.filter { !flow.nodes[$0.node].suspicion.holdsBack }
        suspended.removeAll { free.contains($0) }
        return free
    }
}
