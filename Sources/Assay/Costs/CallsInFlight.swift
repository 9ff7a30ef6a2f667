import Synchronization

/// The cached calls in progress: of several calls with one key only one is made, and the others wait for its value.
///
/// Calls that would wait for each other in a circle do not wait: the one that would close the circle is made
/// separately. Where a body makes a call, the nesting is certain. Calls that a program has open at the same time may
/// also be independent, so their circle counts only when it has held for ``patience``.
final class CallsInFlight: Sendable {
    /// The time for which an assumed circle may hold.
    static let patience = Duration.seconds(5)

    /// The right to look up a key and make its call. It must be released.
    struct Turn: Sendable {
        fileprivate let key: String
        fileprivate let number: Int
    }

    private struct Owner {
        let number: Int
        /// The owner's name, as waiters for the call see it.
        let name: String
    }

    private struct Waiter {
        let owner: Owner
        let inside: CallNest
        let sign: WaitSign
        let continuation: CheckedContinuation<Bool, any Error>
        /// Ends the wait if it turns out to be part of a circle.
        let timer: Task<Void, Never>?

        func resume(with answer: Result<Bool, any Error>) {
            timer?.cancel()
            continuation.resume(with: answer)
        }
    }

    private struct State {
        var lastNumber = 0
        var owners: [String: Owner] = [:]
        var waiting: [String: [Waiter]] = [:]
        var graph = WaitGraph()
    }

    private let state = Mutex(State())
    private let time: any TimeSource

    init(time: any TimeSource) { self.time = time }

    /// Returns a new number, by which other calls refer to a call that they are inside of or wait for.
    func number() -> Int {
        state.withLock { state in
            state.lastNumber += 1
            return state.lastNumber
        }
    }

    // MARK: Turns

    /// Waits for the turn at `key`; waiters are served first come, first served.
    ///
    /// - Parameters:
    ///   - number: the number of the call.
    ///   - name: the owner's name, as waiters for the call see it.
    ///   - inside: the enclosing calls.
    ///   - waiting: makes the item wait while its body runs; only called when there is something to wait for.
    /// - Returns: `nil` when the holder of the turn waits for a call around this one.
    /// - Throws: `CancellationError` when the calling task is cancelled while it waits, and what `waiting` throws.
    func take(
        _ key: String, for number: Int, named name: String, inside: CallNest,
        waiting: (EngineWait, @escaping @Sendable (WaitSign) async throws -> Bool) async throws -> Bool
    ) async throws -> Turn? {
        let owner = Owner(number: number, name: name)
        let other = state.withLock { state -> Owner? in
            if let other = state.owners[key] { return other }
            state.owners[key] = owner
            return nil
        }
        if let other {
            let isTurn = try await waiting(.call(of: other.name)) { sign in
                try await self.wait(for: key, as: owner, inside, sign)
            }
            guard isTurn else { return nil }
        }
        return Turn(key: key, number: number)
    }

    private func wait(for key: String, as owner: Owner, _ inside: CallNest, _ sign: WaitSign) async throws -> Bool {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let now = state.withLock { state -> Result<Bool, any Error>? in
                    if Task.isCancelled { return .failure(CancellationError()) }
                    guard let other = state.owners[key] else {
                        state.owners[key] = owner
                        return .success(true)
                    }
                    let wait = WaitGraph.Wait(inside: inside, forEndOf: [other.number])
                    if state.graph.isCircular(wait, assuming: false) { return .success(false) }
                    let mayBeStuck = state.graph.isCircular(wait, assuming: true)
                    state.graph.set(wait, as: owner.number)
                    sign.show(.call(of: other.name))
                    state.waiting[key, default: []].append(
                        Waiter(
                            owner: owner, inside: inside, sign: sign, continuation: continuation,
                            timer: mayBeStuck ? timer(for: owner.number, at: key) : nil))
                    return nil
                }
                if let now { continuation.resume(with: now) }
            }
        } onCancel: {
            remove(owner.number, from: key)?.resume(with: .failure(CancellationError()))
        }
    }

    private func timer(for number: Int, at key: String) -> Task<Void, Never> {
        let moment = time.uptime() + Self.patience
        return Task {
            do { try await time.sleep(until: moment) } catch { return }
            leave(key, if: number)
        }
    }

    /// Releases a waiter without the turn if its wait is part of a circle that has held for a while.
    private func leave(_ key: String, if number: Int) {
        let isStuck = state.withLock { state in
            guard let other = state.owners[key],
                let waiter = state.waiting[key]?.first(where: { $0.owner.number == number })
            else { return false }
            return state.graph.isCircular(
                .init(inside: waiter.inside, forEndOf: [other.number]), as: number, assuming: true)
        }
        if isStuck { remove(number, from: key)?.resume(with: .success(false)) }
    }

    private func remove(_ number: Int, from key: String) -> Waiter? {
        state.withLock { state in
            guard let place = state.waiting[key]?.firstIndex(where: { $0.owner.number == number }) else { return nil }
            state.graph.remove(number)
            return state.waiting[key]?.remove(at: place)
        }
    }

    /// Releases a turn. A second call changes nothing.
    func giveBack(_ turn: Turn) {
        let next = state.withLock { state -> Waiter? in
            guard state.owners[turn.key]?.number == turn.number else { return nil }
            guard var waiting = state.waiting[turn.key], !waiting.isEmpty else {
                state.owners[turn.key] = nil
                state.waiting[turn.key] = nil
                return nil
            }
            let next = waiting.removeFirst()
            state.waiting[turn.key] = waiting
            state.owners[turn.key] = next.owner
            state.graph.remove(next.owner.number)
            for waiter in waiting {
                waiter.sign.show(.call(of: next.owner.name))
                state.graph.set(
                    .init(inside: waiter.inside, forEndOf: [next.owner.number]), as: waiter.owner.number)
            }
            return next
        }
        next?.resume(with: .success(true))
    }

    // MARK: Waits of other kinds

    /// Records that a call waits for the end of any of `others`, to find circles of such waits and of turns.
    ///
    /// A recorded wait must be ended with ``endWait(_:)``.
    /// - Parameters:
    ///   - number: the number of the call.
    ///   - others: the numbers of the calls it waits for.
    /// - Returns: `false` when the wait would never end; then it is not recorded.
    func beginWait(of number: Int, inside: CallNest, forEndOf others: [Int]) -> Bool {
        let wait = WaitGraph.Wait(inside: inside.inside(number), forEndOf: others)
        return state.withLock { state in
            // A refused call can be made later; one that waits in a circle can never be made.
            guard !state.graph.isCircular(wait, assuming: true) else { return false }
            state.graph.set(wait, as: number)
            return true
        }
    }

    func endWait(_ number: Int) { state.withLock { $0.graph.remove(number) } }
}
