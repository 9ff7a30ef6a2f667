/// The numbers of values that wait behind the pipes of a graph, and their changes.
///
/// A pipe holds the first of the values that wait at its node, up to its capacity; the others wait for room. Only a
/// pipe that is the only one of its node holds anything: a node with several pipes takes from all of them at once.
struct PipeLevels: Sendable {
    /// A change of a pipe.
    enum Change: Hashable, Sendable {
        /// It has no more room.
        case filled(pipe: Int)
        /// It has become empty.
        case emptied(pipe: Int)
        /// The number of values that wait for room has changed.
        case blocked(pipe: Int, waiting: Int)
    }

    private struct Level: Sendable {
        /// The only pipe of its node; `nil` for nodes with none or several.
        let pipe: Int?
        let capacity: Int
        var waiting = 0
        var peak = 0
    }

    /// The levels by node.
    private var levels: [Level]
    /// The changes since the last ``takeChanges()``, in order.
    private(set) var changes: [Change] = []

    init(_ wiring: Wiring) {
        levels = wiring.incoming.map { pipes in
            guard pipes.count == 1, let pipe = pipes.first else { return Level(pipe: nil, capacity: 0) }
            return Level(pipe: pipe, capacity: wiring.connections[pipe].capacity)
        }
    }

    /// Returns the current and the highest number of values in the pipe before a node.
    func stand(before node: Int) -> (size: Int, peak: Int) {
        let level = levels[node]
        return (min(level.waiting, level.capacity), level.peak)
    }

    /// Records how many values wait at a node, in its pipe or for room in it.
    mutating func note(_ waiting: Int, at node: Int) {
        let before = levels[node].waiting
        // Where nodes keep up, nothing waits before or after.
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

    /// Returns the changes since the last call and clears them.
    mutating func takeChanges() -> [Change] {
        defer { changes.removeAll(keepingCapacity: true) }
        return changes
    }
}
