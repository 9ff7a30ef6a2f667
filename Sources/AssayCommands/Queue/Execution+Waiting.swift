import Assay

/// The facts by which people learn what executions wait for.
struct QueueStand {
    /// Whether the queue is paused.
    let isPaused: Bool
    /// The number of denials at which an execution is aborted.
    let maxDenials: Int
    /// Whether a program works on the queue, or at least owns the store.
    let isOwned: Bool
    let now: Timestamp

    init(_ record: JSONValue?, isOwned: Bool, now: Timestamp) {
        isPaused = record?["paused"]?.bool ?? false
        maxDenials = record?["configuration"]?["max_denials"]?.number?.integer.map { Int($0) } ?? 3
        self.isOwned = isOwned
        self.now = now
    }

    /// Returns what an execution waits for; `nil` for one that does not wait.
    func waits(_ execution: Execution) -> String? {
        guard execution.status == .pending else { return nil }
        if isPaused { return "the queue is paused" }
        if let moment = execution.notBefore, moment > now { return "not before \(moment)" }
        if let reason = execution.waitsFor { return reason }
        if let reason = execution.denials.last {
            return "denied \(execution.denials.count) of \(maxDenials): \(reason)"
        }
        return isOwned ? "its turn" : "a worker of \(execution.runRequest["pipeline"]?.string ?? "its pipeline")"
    }
}

extension Execution {
    /// The priority in the user's words.
    var priorityText: String {
        guard let own = ownPriority else { return denials.isEmpty ? "by time" : JSONValue(finite: priority).json }
        return own == Self.lowPriority ? "low" : JSONValue(finite: priority).json
    }
}
