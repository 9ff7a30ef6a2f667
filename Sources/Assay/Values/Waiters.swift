import Synchronization

/// The tasks that wait for one state to change, first come, first served. The four ways to wait are made of it.
///
/// Every wait has an end: it ends with the state it waits for, and, unless it is the wait of work that must be done, with
/// the cancellation of its task.
final class Waiters<State: Sendable>: Sendable {
    private struct Waiter {
        let id: Int
        let continuation: CheckedContinuation<Bool, Never>
    }

    private struct Room {
        var state: State
        var waiting: [Waiter] = []
        var lastID = 0
    }

    private let room: Mutex<Room>

    init(_ state: State) { room = Mutex(Room(state: state)) }

    var state: State { room.withLock { $0.state } }

    /// The number of tasks that wait.
    var count: Int { room.withLock { $0.waiting.count } }

    /// Changes the state without ending a wait.
    func read<Value>(_ body: (inout State) -> Value) -> Value { room.withLock { body(&$0.state) } }

    /// Changes the state and ends waits.
    ///
    /// - Parameter body: changes the state of `waiting` tasks and returns how many of them go on, first come, first
    ///   served.
    func change(_ body: (inout State, _ waiting: Int) -> Int) {
        let woken = room.withLock { room in
            let count = body(&room.state, room.waiting.count)
            defer { room.waiting.removeFirst(count) }
            return room.waiting.prefix(count)
        }
        for waiter in woken { waiter.continuation.resume(returning: true) }
    }

    /// Waits unless `isReady`, which may change the state.
    ///
    /// - Parameter isStopped: whether the cancellation of the calling task ends the wait.
    /// - Returns: `false` when it has.
    func wait(isStopped: Bool, unless isReady: (inout State) -> Bool) async -> Bool {
        let id = room.withLock { room -> Int? in
            guard !isReady(&room.state) else { return nil }
            room.lastID += 1
            return room.lastID
        }
        guard let id else { return true }
        guard isStopped else { return await join(as: id, isStopped: false, unless: isReady) }
        return await withTaskCancellationHandler {
            await join(as: id, isStopped: true, unless: isReady)
        } onCancel: {
            let waiter = room.withLock { room in
                room.waiting.firstIndex { $0.id == id }.map { room.waiting.remove(at: $0) }
            }
            waiter?.continuation.resume(returning: false)
        }
    }

    private func join(as id: Int, isStopped: Bool, unless isReady: (inout State) -> Bool) async -> Bool {
        await withCheckedContinuation { continuation in
            let answer = room.withLock { room -> Bool? in
                if isStopped, Task.isCancelled { return false }
                if isReady(&room.state) { return true }
                room.waiting.append(Waiter(id: id, continuation: continuation))
                return nil
            }
            if let answer { continuation.resume(returning: answer) }
        }
    }
}
