import DequeModule

/// A scheduler that decides which node starts on which item next, and which item may enter the graph.
///
/// It only decides. The driver of the graph reports the end of each start and asks for the next one. Nothing in it
/// depends on time, and every answer costs time in proportion to what it changes.
struct GraphSchedule: Sendable {
    /// A node that works on an item.
    struct Unit: Hashable, Sendable {
        let node: Int
        /// The place of the item in the run.
        let item: Int
    }

    /// The next thing a lane may do.
    enum Next: Sendable {
        case start(Unit)
        /// Let another item in.
        case admit
        case nothing
    }

    /// A set of nodes that share lanes.
    struct Team: Sendable {
        var nodes: [Int]
        /// The pool of lanes that the team shares with other teams.
        var pool: Int
    }

    /// A value in a pipe, or in front of a full pipe.
    private struct Waiting {
        let item: Int
        /// The node that provided the value, while it waits for room.
        var holder: Int?
    }

    private struct Desk {
        /// The maximum number of items it works on at once.
        let limit: Int
        /// The number of values its only pipe holds. A node with several pipes takes from all of them at once.
        let capacity: Int
        let team: Int
        let isSource: Bool
        /// The number of items it works on, plus the ended ones whose outputs have no room yet.
        var taken = 0
        var waiting: Deque<Waiting> = []
    }

    private let wiring: Wiring
    private let resultPorts: [[Int]]
    private let sources: [Int]
    private let maxInFlight: Int
    private var desks: [Desk]
    private var startable: [Deque<Unit>]
    private var flows: [Int: ItemFlow] = [:]
    /// The number of outputs without room yet, by ended unit.
    private var undelivered: [Unit: Int] = [:]
    /// Whether each team may let items in: those that contain sources.
    private let admits: [Bool]
    /// The number of values that wait behind the pipes.
    private(set) var levels: PipeLevels
    /// The number of sources with free capacity.
    private var freeSources: Int
    private var admitting = 0
    /// Whether there are no more items, or no more may enter.
    private(set) var isClosed = false
    /// Whether admission of items is paused.
    var holdsAdmission = false
    /// Whether none enters until it is known whether the program of a source dies of whatever it is given.
    var holdsBackSources = false
    /// Whether all further starts are stopped.
    private(set) var isHalted = false

    init(_ wiring: Wiring, teams: [Team], maxInFlight: Int) {
        self.wiring = wiring
        self.maxInFlight = maxInFlight
        levels = PipeLevels(wiring)
        resultPorts = wiring.nodes.indices.map { wiring.resultPorts(of: $0) }
        sources = wiring.sources
        var team = Array(repeating: 0, count: wiring.nodes.count)
        for (place, one) in teams.enumerated() { for node in one.nodes { team[node] = place } }
        desks = wiring.nodes.indices.map { node in
            let pipes = wiring.incoming[node]
            return Desk(
                limit: wiring.nodes[node].concurrency,
                capacity: pipes.count == 1 ? wiring.connections[pipes[0]].capacity : .max, team: team[node],
                isSource: pipes.isEmpty)
        }
        startable = Array(repeating: [], count: teams.count)
        freeSources = sources.count
        let entries = sources.isEmpty ? [0] : Set(sources.map { team[$0] })
        admits = teams.indices.map(entries.contains)
    }

    /// Returns whether a node works on an item.
    func isAtWork(_ node: Int) -> Bool { desks[node].taken > 0 }

    /// Returns the changes of pipes since the last call.
    mutating func takePipeChanges() -> [PipeLevels.Change] { levels.takeChanges() }

    /// The items in the graph.
    var items: [Int] { flows.keys.sorted() }

    // MARK: Choosing

    /// Returns what a lane of `team` may do next.
    mutating func next(for team: Int) -> Next {
        guard !isHalted else { return .nothing }
        if let unit = startable[team].popFirst() { return .start(unit) }
        guard canAdmit else { return .nothing }
        admitting += 1
        return .admit
    }

    /// Takes back a start that ``next(for:)`` has asked for, which is asked for before all others.
    mutating func putBack(_ unit: Unit) { startable[desks[unit.node].team].prepend(unit) }

    private var canAdmit: Bool {
        !isClosed && !holdsAdmission && !holdsBackSources && flows.count + admitting < maxInFlight
            && (freeSources > admitting || sources.isEmpty)
    }

    /// Returns how many lanes `team` could use now.
    func demand(of team: Int) -> Int {
        guard !isHalted else { return 0 }
        return startable[team].count + (admits[team] && canAdmit ? 1 : 0)
    }

    /// Stops all further starts.
    mutating func halt() { (isClosed, isHalted) = (true, true) }

    /// Announces an item that is about to enter without ``next(for:)``.
    mutating func expectItem() { admitting += 1 }

    /// Records that there was no item to let in.
    mutating func noItem() {
        admitting -= 1
        isClosed = true
    }

    // MARK: Recording

    /// Lets an item in with the inputs of its sources.
    ///
    /// - Returns: the nodes that are skipped at once.
    mutating func admit(_ item: Int, feed: [Payload?]) -> [(node: Int, reason: Outcome.Reason)] {
        admitting -= 1
        flows[item] = ItemFlow(wiring)
        var skipped: [(node: Int, reason: Outcome.Reason)] = []
        for (source, value) in zip(sources, feed) {
            guard value == nil else {
                arrive(Waiting(item: item), at: source)
                continue
            }
            skipped.append((source, .noInput))
            skipped += settle(Unit(node: source, item: item), .skipped(.noInput))
        }
        return skipped
    }

    /// Returns the inputs of the unit's node, by its pipes.
    mutating func takeInput(of unit: Unit) -> [Payload?] {
        flows[unit.item]?.takeInput(of: unit.node, in: wiring) ?? []
    }

    /// Records how a started unit has ended.
    ///
    /// - Returns: the nodes that are skipped for the item because of it.
    mutating func end(_ unit: Unit, _ end: ItemFlow.End) -> [(node: Int, reason: Outcome.Reason)] {
        let skipped = settle(unit, end)
        if undelivered[unit] == nil { free(unit.node) }
        return skipped
    }

    /// Returns whether all nodes have ended on an item.
    func isFinished(_ item: Int) -> Bool { flows[item]?.unfinished == 0 }

    /// Removes an item from the graph.
    mutating func remove(_ item: Int) -> ItemFlow? { flows.removeValue(forKey: item) }

    private mutating func settle(
        _ unit: Unit, _ end: ItemFlow.End
    ) -> [(node: Int, reason: Outcome.Reason)] {
        guard let after = flows[unit.item]?.end(unit.node, end, in: wiring, results: resultPorts) else { return [] }
        for node in after.ready {
            // A node with only one pipe gets its value from there; the node that has just ended put it in.
            let holder = wiring.incoming[node].count == 1 ? unit.node : nil
            arrive(Waiting(item: unit.item, holder: holder), at: node)
        }
        return after.skipped
    }

    // MARK: Pipes and capacity

    private mutating func arrive(_ value: Waiting, at node: Int) {
        // Values only wait at a node without free capacity.
        if desks[node].taken < desks[node].limit { return take(value.item, at: node) }
        var value = value
        if desks[node].waiting.count < desks[node].capacity {
            value.holder = nil
        } else if let holder = value.holder {
            undelivered[Unit(node: holder, item: value.item), default: 0] += 1
        }
        desks[node].waiting.append(value)
        levels.note(desks[node].waiting.count, at: node)
    }

    /// Starts a node with free capacity on an item.
    private mutating func take(_ item: Int, at node: Int) {
        desks[node].taken += 1
        if desks[node].isSource, desks[node].taken == desks[node].limit { freeSources -= 1 }
        startable[desks[node].team].append(Unit(node: node, item: item))
    }

    /// Starts a node on values that wait for it, as far as it has capacity.
    ///
    /// - Returns: the nodes whose last output has found room as a result.
    private mutating func promote(_ node: Int) -> [Int] {
        var freed: [Int] = []
        while desks[node].taken < desks[node].limit, let value = desks[node].waiting.popFirst() {
            take(value.item, at: node)
            // The room of a value that has left the pipe goes to the first one that waits for room.
            let last = min(desks[node].capacity, desks[node].waiting.count) - 1
            guard last >= 0, last == desks[node].capacity - 1 else { continue }
            guard let holder = desks[node].waiting[last].holder else { continue }
            desks[node].waiting[last].holder = nil
            let unit = Unit(node: holder, item: desks[node].waiting[last].item)
            let left = undelivered[unit, default: 1] - 1
            undelivered[unit] = left == 0 ? nil : left
            if left == 0 { freed.append(holder) }
        }
        levels.note(desks[node].waiting.count, at: node)
        return freed
    }

    /// Frees one unit of a node's capacity for waiting values, and so on up the graph.
    private mutating func free(_ node: Int) {
        var freed = leave(node)
        while let node = freed.popLast() { freed += leave(node) }
    }

    /// Frees one unit of a node's capacity.
    ///
    /// - Returns: the nodes whose last output has found room as a result.
    private mutating func leave(_ node: Int) -> [Int] {
        if desks[node].isSource, desks[node].taken == desks[node].limit { freeSources += 1 }
        desks[node].taken -= 1
        return promote(node)
    }
}
