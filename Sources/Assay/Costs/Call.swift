import Synchronization

/// A paid call that is being made.
public final class Call: Sendable {
    /// The same before and after a crash and new after a definite failure: hand it to the callee.
    public let idempotencyKey: String

    let record: CallRecord
    let request: CallRequest
    let unitPrice: Money?
    let cacheKey: String?
    let turn: CallsInFlight.Turn?
    /// By which others know that they are inside of it or wait for its end.
    package let number: Int
    /// Whether an earlier attempt at it may or may not have been carried out.
    let continuesDoubt: Bool
    /// Whether the breaker of its service let it through as a trial.
    let isTrial: Bool
    private let said = Mutex<Settlement?>(nil)

    /// What was said about a call that was made.
    package struct Settlement: Sendable {
        /// What it came to.
        package enum Cost: Sendable {
            case amount(Money)
            /// An amount that nobody can read, in words.
            case unreadable(String)
        }

        /// What it came to; `nil`: what its price says.
        package var cost: Cost?
        /// What was noted with it.
        package var metadata: JSONObject

        package init(cost: Cost?, metadata: JSONObject) { (self.cost, self.metadata) = (cost, metadata) }
    }

    init(
        record: CallRecord, request: CallRequest, unitPrice: Money?, cacheKey: String?, turn: CallsInFlight.Turn?,
        number: Int, continuesDoubt: Bool, isTrial: Bool = false
    ) {
        self.record = record
        self.request = request
        self.unitPrice = unitPrice
        self.cacheKey = cacheKey
        self.turn = turn
        self.number = number
        self.continuesDoubt = continuesDoubt
        self.isTrial = isTrial
        idempotencyKey = record.idempotencyKey
    }

    /// Says what the call cost; it is then billed even if the body throws later. The last word counts.
    public func settle(_ cost: Money, metadata: JSONObject = [:]) {
        settle(Settlement(cost: .amount(cost), metadata: metadata))
    }

    /// Says what is known of a call that was made.
    package func settle(_ settlement: Settlement) { said.withLock { $0 = settlement } }

    private let spared = Mutex(MoneySum.zero)

    /// What was asked for in its body came to, or would have without a cache: a hit spares it as well.
    var worthOfBody: MoneySum { spared.withLock { $0 } }

    /// Takes note that something in its body came to `amount`, or would have without a cache.
    func note(worth amount: Money) { spared.withLock { $0 += amount } }

    var settlement: Settlement? { said.withLock { $0 } }
}
