import HeapModule

/// An index of the executions by status, and of the order of those that wait.
///
/// Looking one up, moving one and the counts take constant time, finding the next one takes logarithmic time, and a
/// list takes time in proportion to its length. The index holds only names and order; everything else is in the store.
public struct ExecutionIndex: Sendable {
    /// The turn of a waiting execution: where it is, and a stamp that a later change makes invalid.
    private struct Turn: Comparable, Sendable {
        var priority: Double
        var number: Int
        var place: Int
        var stamp: UInt32

        static func == (left: Turn, right: Turn) -> Bool { left.number == right.number && left.stamp == right.stamp }

        static func < (left: Turn, right: Turn) -> Bool {
            left.priority == right.priority ? left.number < right.number : left.priority < right.priority
        }
    }

    /// A turn that may not be taken before a moment.
    private struct Later: Comparable, Sendable {
        var due: Duration
        var turn: Turn

        static func < (left: Later, right: Later) -> Bool {
            left.due == right.due ? left.turn < right.turn : left.due < right.due
        }
    }

    private struct Entry: Sendable {
        var id: Execution.ID
        var status: Status
        var priority: Double
        var number: Int
        /// The stamp of its current turn. Outdated turns that are still in the heaps have others.
        var stamp: UInt32 = 0
        var isOffered = false
        /// Whether it waits for another program, so that it is not offered here.
        var isForeign = false
        var previous = -1
        var next = -1
    }

    private struct List: Sendable {
        var first = -1
        var last = -1
    }

    /// The number of executions in each status.
    public private(set) var counts = StatusCounts()
    private var places: [Execution.ID: Int] = [:]
    private var entries: [Entry] = []
    private var free: [Int] = []
    private var lists = [List](repeating: List(), count: Status.allCases.count)
    private var ready = Heap<Turn>()
    private var later = Heap<Later>()
    private var outdated = 0
    /// The number of executions that wait for another program.
    private var foreign = 0

    /// Creates an empty index.
    public init() {}

    /// Returns whether the index contains `id`.
    public func contains(_ id: Execution.ID) -> Bool { places[id] != nil }

    /// The number of waiting executions that can be taken here.
    public var waiting: Int { counts.pending - foreign }

    /// Returns whether `id` waits, or would wait, for another program.
    public func isForeign(_ id: Execution.ID) -> Bool { places[id].map { entries[$0].isForeign } ?? false }

    /// Returns the status of `id`; `nil` when the index does not contain it.
    public func status(of id: Execution.ID) -> Status? { places[id].map { entries[$0].status } }

    /// Returns the executions in `status` in the order in which they entered it.
    public func list(_ status: Status) -> [Execution.ID] {
        var ids: [Execution.ID] = []
        ids.reserveCapacity(counts[status])
        var place = lists[status.place].first
        while place >= 0 {
            ids.append(entries[place].id)
            place = entries[place].next
        }
        return ids
    }

    /// Returns how many waiting executions are taken before `id`; `nil` when it does not wait.
    ///
    /// - Complexity: O(n) in the number of those that wait.
    public func waitingBefore(_ id: Execution.ID) -> Int? {
        guard let own = places[id], entries[own].status == .pending else { return nil }
        let turn = (entries[own].priority, entries[own].number)
        var count = 0
        var place = lists[Status.pending.place].first
        while place >= 0 {
            if (entries[place].priority, entries[place].number) < turn { count += 1 }
            place = entries[place].next
        }
        return count
    }

    /// Adds an execution that is not in the index yet.
    ///
    /// - Parameters:
    ///   - number: its place in the order of submission, which orders equal priorities.
    ///   - due: the uptime before which it is not taken, if it waits.
    ///   - isForeign: whether only another program can take it.
    public mutating func add(
        _ id: Execution.ID, _ status: Status, priority: Double, number: Int, due: Duration? = nil,
        isForeign: Bool = false
    ) {
        let entry = Entry(id: id, status: status, priority: priority, number: number, isForeign: isForeign)
        let place: Int
        if let reused = free.popLast() {
            place = reused
            let stamp = entries[place].stamp
            entries[place] = entry
            entries[place].stamp = stamp &+ 1
        } else {
            place = entries.count
            entries.append(entry)
        }
        places[id] = place
        link(place)
        if status == .pending { queue(place, due) }
    }

    /// Moves an execution to `status`. One that waits again keeps its place in the order of submission.
    public mutating func move(_ id: Execution.ID, to status: Status, due: Duration? = nil) {
        guard let place = places[id], entries[place].status != status else { return }
        forget(place)
        unlink(place)
        entries[place].status = status
        link(place)
        if status == .pending { queue(place, due) }
    }

    /// Changes the priority of an execution, and the moment before which it is not taken.
    public mutating func setPriority(_ priority: Double, of id: Execution.ID, due: Duration? = nil) {
        guard let place = places[id] else { return }
        let isOffered = entries[place].isOffered
        forget(place)
        entries[place].priority = priority
        guard entries[place].status == .pending else { return }
        if isOffered { entries[place].isOffered = true } else { queue(place, due) }
    }

    /// Removes an execution.
    public mutating func remove(_ id: Execution.ID) {
        guard let place = places.removeValue(forKey: id) else { return }
        forget(place)
        unlink(place)
        free.append(place)
    }

    /// Offers the next execution whose turn it is at the uptime `now`. It is not offered again until
    /// ``giveBack(_:due:)``.
    public mutating func offer(at now: Duration) -> Execution.ID? {
        while let first = later.min, first.due <= now {
            later.removeMin()
            if isCurrent(first.turn) { ready.insert(first.turn) } else { outdated -= 1 }
        }
        while let turn = ready.popMin() {
            guard isCurrent(turn) else {
                outdated -= 1
                continue
            }
            entries[turn.place].stamp &+= 1
            entries[turn.place].isOffered = true
            return entries[turn.place].id
        }
        return nil
    }

    /// Withdraws a waiting execution, which is not offered until ``giveBack(_:due:)``.
    public mutating func withdraw(_ id: Execution.ID) {
        guard let place = places[id], entries[place].status == .pending, !entries[place].isOffered else { return }
        forget(place)
        entries[place].isOffered = true
    }

    /// Makes an execution available again that was offered or withdrawn and still waits.
    public mutating func giveBack(_ id: Execution.ID, due: Duration? = nil) {
        guard let place = places[id], entries[place].status == .pending, entries[place].isOffered else { return }
        entries[place].isOffered = false
        queue(place, due)
    }

    private func isCurrent(_ turn: Turn) -> Bool { entries[turn.place].stamp == turn.stamp }

    private mutating func queue(_ place: Int, _ due: Duration?) {
        let entry = entries[place]
        guard !entry.isForeign else { return }
        let turn = Turn(priority: entry.priority, number: entry.number, place: place, stamp: entry.stamp)
        if let due { later.insert(Later(due: due, turn: turn)) } else { ready.insert(turn) }
    }

    /// Invalidates the turns of an execution in the heaps.
    private mutating func forget(_ place: Int) {
        guard entries[place].status == .pending else { return }
        entries[place].stamp &+= 1
        if entries[place].isOffered {
            entries[place].isOffered = false
            return
        }
        guard !entries[place].isForeign else { return }
        outdated += 1
        guard outdated > 64, outdated > (ready.count + later.count) / 2 else { return }
        ready = Heap(ready.unordered.filter(isCurrent))
        later = Heap(later.unordered.filter { isCurrent($0.turn) })
        outdated = 0
    }

    private mutating func link(_ place: Int) {
        let list = entries[place].status.place
        counts[entries[place].status] += 1
        if entries[place].isForeign, entries[place].status == .pending { foreign += 1 }
        (entries[place].previous, entries[place].next) = (lists[list].last, -1)
        if lists[list].last >= 0 { entries[lists[list].last].next = place } else { lists[list].first = place }
        lists[list].last = place
    }

    private mutating func unlink(_ place: Int) {
        let (list, entry) = (entries[place].status.place, entries[place])
        counts[entry.status] -= 1
        if entry.isForeign, entry.status == .pending { foreign -= 1 }
        if entry.previous >= 0 { entries[entry.previous].next = entry.next } else { lists[list].first = entry.next }
        if entry.next >= 0 { entries[entry.next].previous = entry.previous } else { lists[list].last = entry.previous }
    }
}

extension Status {
    /// Its position among all statuses.
    fileprivate var place: Int {
        switch self {
        case .pending: 0
        case .running: 1
        case .paused: 2
        case .succeeded: 3
        case .partial: 4
        case .failed: 5
        case .cancelled: 6
        case .skipped: 7
        case .aborted: 8
        }
    }
}
