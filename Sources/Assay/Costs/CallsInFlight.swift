import Synchronization

/// The cached calls that are being made: of several at once with one key only one is, the others wait for its value.
///
/// Calls that would wait for each other in a circle do not wait: the one that would close the circle is made for itself.
/// That one is inside of another is certain where a body calls; calls that a program has open at the same time may also
/// be made beside each other, so that their circle counts only when it has held for ``patience``.
final class CallsInFlight: Sendable {
    /// How long a circle that is only assumed may hold.
    static let patience = Duration.seconds(5)

    /// The right to look a key up and to make its call; to be given back.
    struct Turn: Sendable {
        fileprivate let key: String
        fileprivate let number: Int
    }

    private struct Owner {
        let number: Int
        /// Whose call it is, as those who wait for it are shown.
        let name: String
    }

    private struct Waiter {
        let owner: Owner
        let inside: CallNest
        let sign: WaitSign
        let continuation: CheckedContinuation<Bool, any Error>
        /// What ends the wait if it turns out to be part of a circle.
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

    /// A number for a call, by which others know that they are inside of it or wait for its end.
    func number() -> Int {
        state.withLock { state in
            state.lastNumber += 1
            return state.lastNumber
        }
    }

    // MARK: Turns

    /// Waits for the turn at `key`, first come, first served.
    ///
    /// - Parameters:
    ///   - number: that of the call.
    ///   - name: whose call it is, as those who wait for it are shown.
    ///   - inside: the calls around it.
    ///   - waiting: has the item wait while what it is given runs; called only where there is something to wait for.
    /// - Returns: `nil` when the one who has it waits for a call around this one.
    /// - Throws: `CancellationError` when the calling task is cancelled meanwhile, and what `waiting` throws.
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

    /// Lets a waiter go without the turn, if its wait is part of a circle that has held for a while.
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

    /// Gives a turn back; a second time changes nothing.
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

    /// Takes note that a call waits for the end of any of others, to find circles of such waits and of turns.
    ///
    /// To be ended with ``endWait(_:)``, when it was taken note of.
    /// - Parameters:
    ///   - number: that of the call.
    ///   - others: those of the calls it waits for.
    /// - Returns: `false` when the wait would never end; it is not begun then.
    func beginWait(of number: Int, inside: CallNest, forEndOf others: [Int]) -> Bool {
        let wait = WaitGraph.Wait(inside: inside.inside(number), forEndOf: others)
        return state.withLock { state in
            // A call that is refused can be made later; one that waits in a circle never is.
            guard !state.graph.isCircular(wait, assuming: true) else { return false }
            state.graph.set(wait, as: number)
            return true
        }
    }

    func endWait(_ number: Int) { state.withLock { $0.graph.remove(number) } }
}
