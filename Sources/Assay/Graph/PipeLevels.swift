/// How many values wait behind the pipes of a graph, and what has changed about that.
///
/// A pipe holds the first of the values that wait at its node, as many as it has room for; the others wait for room. Only
/// pipes that are the only one of their node hold anything: a node with several takes from all of them at once.
struct PipeLevels: Sendable {
    /// What has become of a pipe.
    enum Change: Hashable, Sendable {
        /// It has no room any more.
        case filled(pipe: Int)
        /// There was something in it, and is not any more.
        case emptied(pipe: Int)
        /// From now on so many values wait for room.
        case blocked(pipe: Int, waiting: Int)
    }

    private struct Level: Sendable {
        /// The only pipe of its node; `nil` for nodes that have none or several.
        let pipe: Int?
        let capacity: Int
        var waiting = 0
        var peak = 0
    }

    /// By node.
    private var levels: [Level]
    /// What has changed since it was last taken note of, in order.
    private(set) var changes: [Change] = []

    init(_ wiring: Wiring) {
        levels = wiring.incoming.map { pipes in
            guard pipes.count == 1, let pipe = pipes.first else { return Level(pipe: nil, capacity: 0) }
            return Level(pipe: pipe, capacity: wiring.connections[pipe].capacity)
        }
    }

    /// How many values are in the pipe before a node, and were at most.
    func stand(before node: Int) -> (size: Int, peak: Int) {
        let level = levels[node]
        return (min(level.waiting, level.capacity), level.peak)
    }

    /// Takes note of how many values wait at a node, in its pipe or for room in it.
    mutating func note(_ waiting: Int, at node: Int) {
        let before = levels[node].waiting
        // Where nodes keep up, nothing waits before and after.
        guard waiting != before else { return }
        levels[node].waiting = waiting
        guard let pipe = levels[node].pipe else { return }
        let capacity = levels[node].capacity
        levels[node].peak = max(levels[node].peak, min(waiting, capacity))
        if before < capacity, waiting >= capacity { changes.append(.filled(pipe: pipe)) }
        if waiting == 0 { changes.append(.emptied(pipe: pipe)) }
        let (blocked, blockedBefore) = (max(0, waiting - capacity), max(0, before - capacity))
        if blocked != blockedBefore { changes.append(.blocked(pipe: pipe, waiting: blocked)) }
    }

    /// Hands out what has changed since the last time.
    mutating func takeChanges() -> [Change] {
        defer { changes.removeAll(keepingCapacity: true) }
        return changes
    }
}
