import OrderedCollections
import Synchronization

/// The state of an ``ExecutionQueue`` in memory. The store knows the rest, and is always changed first.
struct QueueState: Sendable {
    /// An execution that runs or is about to run.
    final class Live: Sendable {
        struct Facts: Sendable {
            var handle: RunHandle?
            var isCancelled = false
            var isGivenUp = false
            var end: Result<Report, any Error>?
        }

        let facts = Mutex(Facts())

        /// Its result, once it has ended.
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
    /// Executions that were found without a program that holds them, running or about to be cancelled.
    var orphans: [Execution.ID] = []
    /// The executions that run, and those that were taken and are about to.
    var live: [Execution.ID: Live] = [:]
    /// The number of times an entry of ``live`` was released.
    var releases = 0
    /// Executions with a change on its way to the store.
    var busy: Set<Execution.ID> = []
    /// Keys of executions on their way to the store.
    var busyKeys: Set<ExternalID> = []
    /// Places reserved for executions on their way to the store.
    var reserved = 0
    /// Waiting executions that were denied, in order of their first denial.
    var denied: OrderedSet<Execution.ID> = []
    var hubs: [Execution.ID: ChunkHub] = [:]
    /// The entries of ``hubs`` whose executions have ended, oldest first.
    var endedHubs: [Execution.ID] = []
    private var waiters: [Int: Waiter] = [:]
    private var nextWaiter = 0
    /// Observers that are resumed when so many tasks wait.
    private var observers: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []

    var isWorking: Bool { isStarted && !isPaused }

    /// Registers a waiter unless its condition already holds.
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

    /// Registers an observer unless `count` tasks wait already.
    mutating func observe(_ continuation: CheckedContinuation<Void, Never>, waiting count: Int) -> Bool {
        guard waiters.count < count else { return false }
        observers.append((count, continuation))
        return true
    }

    /// Takes the observers whose number of waiting tasks is reached.
    mutating func takeObservers() -> [CheckedContinuation<Void, Never>] {
        defer { observers.removeAll { $0.count <= waiters.count } }
        return observers.filter { $0.count <= waiters.count }.map(\.continuation)
    }

    /// Takes the waiters whose conditions hold.
    mutating func takeWoken() -> [CheckedContinuation<Void, Never>] {
        guard !waiters.isEmpty else { return [] }
        let woken = waiters.filter { $0.value.holds(self) }
        for id in woken.keys { waiters[id] = nil }
        return woken.values.map(\.continuation)
    }
}
