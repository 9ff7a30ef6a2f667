import Synchronization

/// The base price of a processor or of a node of a graph, charged when it first starts on an item, or for every input.
///
/// The price is looked up once, at the first start. Batches in progress at the same time share one base charge.
final class BaseCharge: Sendable {
    private enum State {
        case unknown
        case charging
        case paid
        case byInput(Ledger.BasePrice)
    }

    private let state = Mutex(State.unknown)
    private let news = Signal()

    private enum Turn {
        case mine, wait, none
        case byInput(Ledger.BasePrice)
    }

    /// Whether nothing is due anymore.
    var isPaid: Bool { state.withLock { if case .paid = $0 { true } else { false } } }

    /// Returns the price that is due for every input; `nil` when there is none.
    ///
    /// The first caller charges what is due once, whatever the input; others wait for it.
    ///
    /// - Parameter open: looks the price up and charges it unless it is due for every input. If it throws, the next
    ///   caller tries again.
    nonisolated(nonsending) func priceByInput(
        _ open: nonisolated(nonsending) () async throws -> Ledger.BasePrice
    ) async throws -> Ledger.BasePrice? {
        while true {
            let turn: Turn = state.withLock { state in
                switch state {
                case .unknown:
                    state = .charging
                    return .mine
                case .charging: return .wait
                case .paid: return .none
                case .byInput(let price): return .byInput(price)
                }
            }
            switch turn {
            case .none: return nil
            case .byInput(let price): return price
            case .wait: await news.waitUncancelled { !isCharging }
            case .mine:
                do {
                    let price = try await open()
                    finish(as: price.isByInput ? .byInput(price) : .paid)
                } catch {
                    // The next item tries again.
                    finish(as: .unknown)
                    throw error
                }
            }
        }
    }

    private var isCharging: Bool { state.withLock { if case .charging = $0 { true } else { false } } }

    private func finish(as next: State) {
        state.withLock { $0 = next }
        news.raise()
    }
}
