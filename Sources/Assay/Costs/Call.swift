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
    private let settlement = Mutex<(cost: Money, metadata: JSONObject)?>(nil)

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
    public func settle(_ cost: Money, metadata: JSONObject = [:]) { settlement.withLock { $0 = (cost, metadata) } }

    /// What it costs when nobody says what it did.
    package var price: Money { unitPrice ?? record.maximumCost }

    var settled: (cost: Money, metadata: JSONObject)? { settlement.withLock { $0 } }
}
