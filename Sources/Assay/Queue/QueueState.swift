import OrderedCollections
import Synchronization

/// What an ``ExecutionQueue`` knows in memory; the store knows the rest, and is always told first.
struct QueueState: Sendable {
    /// An execution that is about to run or runs.
    final class Live: Sendable {
        struct Facts: Sendable {
            var handle: RunHandle?
            var isCancelled = false
            var isGivenUp = false
            var end: Result<Report, any Error>?
        }

        let facts = Mutex(Facts())

        /// How it ended, once it has.
        var end: Result<Report, any Error>? { facts.withLock { $0.end } }
    }

    private struct Waiter: Sendable {
        var holds: @Sendable (QueueState) -> Bool
        var continuation: CheckedContinuation<Void, Never>
    }

    var index = ExecutionIndex()
    var isStarted = false
    var isPaused = false
    var isCycling = false
    /// Executions that were found running without a program that held them.
    var orphans: [Execution.ID] = []
    /// What runs, and what was taken and is about to.
    var live: [Execution.ID: Live] = [:]
    /// How often one of ``live`` was let go of.
    var releases = 0
    /// Executions of which a change is on its way into the store.
    var busy: Set<Execution.ID> = []
    /// Keys under which executions are on their way into the store.
    var busyKeys: Set<ExternalID> = []
    /// Places of executions that are on their way into the store.
    var reserved = 0
    /// Waiting executions that were denied, the one that was denied first at the beginning.
    var denied: OrderedSet<Execution.ID> = []
    var hubs: [Execution.ID: ChunkHub] = [:]
    /// Those of ``hubs`` whose executions have ended, the oldest first.
    var endedHubs: [Execution.ID] = []
    private var waiters: [Int: Waiter] = [:]
    private var nextWaiter = 0
    /// Those who want to know when so many wait.
    private var observers: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []

    var isWorking: Bool { isStarted && !isPaused }

    /// Files a waiter, unless what it waits for is so already.
    mutating func wait(
        _ continuation: CheckedContinuation<Void, Never>, _ id: Int,
        until holds: @escaping @Sendable (QueueState) -> Bool
    ) -> Bool {
        guard !holds(self) else { return false }
        waiters[id] = Waiter(holds: holds, continuation: continuation)
        return true
    }

    mutating func makeWaiter() -> Int {
        nextWaiter += 1
        return nextWaiter
    }

    mutating func dropWaiter(_ id: Int) -> CheckedContinuation<Void, Never>? {
        waiters.removeValue(forKey: id)?.continuation
    }

    /// Files one who wants to know when `count` wait, unless so many do already.
    mutating func observe(_ continuation: CheckedContinuation<Void, Never>, waiting count: Int) -> Bool {
        guard waiters.count < count else { return false }
        observers.append((count, continuation))
        return true
    }

    /// Takes out those who wanted to know of so many as wait now.
    mutating func takeObservers() -> [CheckedContinuation<Void, Never>] {
        defer { observers.removeAll { $0.count <= waiters.count } }
        return observers.filter { $0.count <= waiters.count }.map(\.continuation)
    }

    /// Takes out those whose wait is over.
    mutating func takeWoken() -> [CheckedContinuation<Void, Never>] {
        guard !waiters.isEmpty else { return [] }
        let woken = waiters.filter { $0.value.holds(self) }
        for id in woken.keys { waiters[id] = nil }
        return woken.values.map(\.continuation)
    }
}
