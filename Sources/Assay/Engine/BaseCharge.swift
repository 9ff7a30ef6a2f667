import Synchronization

/// The base price of a node, charged when it first starts on an item: once a run, or for every input.
final class BaseCharge: Sendable {
    private enum State {
        case unknown
        case charging([CheckedContinuation<Void, Never>])
        case paid
        case byInput
    }

    private let state = Mutex(State.unknown)

    private enum Turn { case mine, wait, none, byInput }

    /// Whether nothing is due any more.
    var isPaid: Bool { state.withLock { if case .paid = $0 { true } else { false } } }

    nonisolated(nonsending) func charge(for session: RunSession, on item: Item, by engine: Engine) async throws {
        while true {
            let turn: Turn = state.withLock { state in
                switch state {
                case .unknown:
                    state = .charging([])
                    return .mine
                case .charging: return .wait
                case .paid: return .none
                case .byInput: return .byInput
                }
            }
            switch turn {
            case .none: return
            case .wait: await wait()
            case .byInput: return try await engine.chargeBase(of: session, on: [try session.digest(of: item)])
            case .mine:
                do {
                    let price = try await engine.ledger.basePrice(of: session.run, pipeline: session.options.price)
                    if !price.isByInput { try await engine.chargeBase(of: session, on: [], at: price) }
                    finish(as: price.isByInput ? .byInput : .paid)
                } catch {
                    // The next item asks again.
                    finish(as: .unknown)
                    throw error
                }
            }
        }
    }

    private func wait() async {
        await withCheckedContinuation { continuation in
            let isOver = state.withLock { state in
                guard case .charging(let waiters) = state else { return true }
                state = .charging(waiters + [continuation])
                return false
            }
            if isOver { continuation.resume() }
        }
    }

    private func finish(as next: State) {
        let waiters = state.withLock { state in
            defer { state = next }
            if case .charging(let waiters) = state { return waiters }
            return []
        }
        for waiter in waiters { waiter.resume() }
    }
}
