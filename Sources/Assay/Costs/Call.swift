import Synchronization

/// A paid call in progress.
public final class Call: Sendable {
    /// The call's name, under which it is on record.
    public let id: String
    /// The key to hand to the callee. It stays the same across a crash and changes after a definite failure.
    public let idempotencyKey: String

    /// The number by which other calls refer to it when they are inside of it or wait for its end.
    package let number: Int
    private let said = Mutex<Settlement?>(nil)

    /// The reported cost and metadata of a call that was made.
    package struct Settlement: Sendable {
        /// A reported cost.
        package enum Cost: Sendable {
            case amount(Money)
            /// An amount that cannot be read, as text.
            case unreadable(String)
        }

        /// The reported cost; `nil` means that its price applies.
        package var cost: Cost?
        /// The metadata reported with it.
        package var metadata: JSONObject

        package init(cost: Cost?, metadata: JSONObject) { (self.cost, self.metadata) = (cost, metadata) }
    }

    init(_ id: String, idempotencyKey: String, number: Int) {
        (self.id, self.idempotencyKey, self.number) = (id, idempotencyKey, number)
    }

    /// Reports the cost of the call, which is then billed even if the body throws later. The last report counts.
    public func settle(_ cost: Money, metadata: JSONObject = [:]) {
        settle(Settlement(cost: .amount(cost), metadata: metadata))
    }

    /// Reports the settlement of a call that was made.
    package func settle(_ settlement: Settlement) { said.withLock { $0 = settlement } }

    package var settlement: Settlement? { said.withLock { $0 } }

    private let spared = Mutex(MoneySum.zero)

    /// The worth of everything used in its body: its cost, or its cost without a cache. A cache hit saves this as well.
    var worthOfBody: MoneySum { spared.withLock { $0 } }

    /// Records that something used in its body cost `amount`, or would have without a cache.
    func note(worth amount: Money) { spared.withLock { $0 += amount } }
}
