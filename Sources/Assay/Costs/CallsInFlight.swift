import Synchronization

/// The cached calls that are being made: of several at once with one key only one is, the others wait for its value.
final class CallsInFlight: Sendable {
    /// The right to look a key up and to make its call; to be given back.
    struct Turn: Sendable {
        fileprivate let key: String
        fileprivate let number: Int
    }

    private struct Waiter {
        let number: Int
        let continuation: CheckedContinuation<Void, any Error>
    }

    private struct State {
        var lastNumber = 0
        var owners: [String: Int] = [:]
        var waiting: [String: [Waiter]] = [:]
    }

    private let state = Mutex(State())

    /// Waits for the turn at `key`, first come, first served.
    ///
    /// - Throws: `CancellationError` when the calling task is cancelled meanwhile.
    func take(_ key: String) async throws -> Turn {
        let (number, free) = state.withLock { state in
            state.lastNumber += 1
            guard state.owners[key] == nil else { return (state.lastNumber, false) }
            state.owners[key] = state.lastNumber
            return (state.lastNumber, true)
        }
        let turn = Turn(key: key, number: number)
        if !free { try await wait(for: turn) }
        return turn
    }

    private func wait(for turn: Turn) async throws {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let now = state.withLock { state -> Result<Void, any Error>? in
                    if Task.isCancelled { return .failure(CancellationError()) }
                    if state.owners[turn.key] == nil {
                        state.owners[turn.key] = turn.number
                        return .success(())
                    }
                    state.waiting[turn.key, default: []].append(Waiter(number: turn.number, continuation: continuation))
                    return nil
                }
                if let now { continuation.resume(with: now) }
            }
        } onCancel: {
            let waiter = state.withLock { state in
                let index = state.waiting[turn.key]?.firstIndex { $0.number == turn.number }
                return index.flatMap { state.waiting[turn.key]?.remove(at: $0) }
            }
            waiter?.continuation.resume(throwing: CancellationError())
        }
    }

    /// Gives a turn back; a second time changes nothing.
    func giveBack(_ turn: Turn) {
        let next = state.withLock { state -> Waiter? in
            guard state.owners[turn.key] == turn.number else { return nil }
            guard var waiting = state.waiting[turn.key], !waiting.isEmpty else {
                state.owners[turn.key] = nil
                state.waiting[turn.key] = nil
                return nil
            }
            let next = waiting.removeFirst()
            state.waiting[turn.key] = waiting
            state.owners[turn.key] = next.number
            return next
        }
        next?.continuation.resume()
    }
}
