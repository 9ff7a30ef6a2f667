import Synchronization

/// The base price of a processor or of a node of a graph, charged when it first starts on an item, or for every input.
///
/// The price is looked up once, at the first start. Batches in progress at the same time share one base charge.
final class BaseCharge: Sendable {
    private enum State {
        case unknown
        case charging([CheckedContinuation<Void, Never>])
        case paid
        case byInput(Ledger.BasePrice)
    }

    private let state = Mutex(State.unknown)

    private enum Turn {
        case mine, wait, none
        case byInput(Ledger.BasePrice)
    }

    /// Whether nothing is due anymore.
    var isPaid: Bool { state.withLock { if case .paid = $0 { true } else { false } } }

    /// Charges what is due at the first start, whatever the input.
    ///
    /// - Throws: ``ProcessingError`` with code `budget_exhausted` when it does not fit; the next caller tries again.
    nonisolated(nonsending) func open(for session: RunSession, by engine: Engine) async throws {
        _ = try await priceByInput(for: session, by: engine)
    }

    /// Charges what is due when `item` is started.
    ///
    /// - Throws: as ``open(for:by:)``.
    nonisolated(nonsending) func charge(for session: RunSession, on item: Item, by engine: Engine) async throws {
        guard !isPaid, let price = try await priceByInput(for: session, by: engine) else { return }
        try await engine.chargeBase(of: session, on: [try session.digest(of: item)], at: price)
    }

    /// Charges what is due once and returns the price that is due for every input; `nil` when there is none.
    private nonisolated(nonsending) func priceByInput(for session: RunSession, by engine: Engine) async throws
        -> Ledger.BasePrice?
    {
        while true {
            let turn: Turn = state.withLock { state in
                switch state {
                case .unknown:
                    state = .charging([])
                    return .mine
                case .charging: return .wait
                case .paid: return .none
                case .byInput(let price): return .byInput(price)
                }
            }
            switch turn {
            case .none: return nil
            case .byInput(let price): return price
            case .wait: await wait()
            case .mine:
                do {
                    let price = try await engine.ledger.basePrice(of: session.run, pipeline: session.options.price)
                    if !price.isByInput { try await engine.chargeBase(of: session, on: [], at: price) }
                    finish(as: price.isByInput ? .byInput(price) : .paid)
                } catch {
                    // The next item tries again.
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
