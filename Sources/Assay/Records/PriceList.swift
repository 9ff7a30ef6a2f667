/// A price and the time from which it applies.
public struct Price: Hashable, Sendable {
    /// The amount, per run for processors and per unit for services.
    public var amount: Money
    /// The name of the charge policy; only processors have one.
    public var policy: String
    /// The time from which it applies; `nil` for always.
    public var effectiveFrom: Timestamp?

    /// Creates a price that applies from `effectiveFrom` on.
    public init(_ amount: Money, policy: String = "per_run", effectiveFrom: Timestamp? = nil) {
        self.amount = amount
        self.policy = policy
        self.effectiveFrom = effectiveFrom
    }
}

/// Prices by subject, each with the time from which it applies.
public struct PriceList: Hashable, Sendable {
    /// The currency of all amounts, three letters.
    public var currency: String
    private var prices: [PriceSubject: [Price]] = [:]

    /// Creates a list without prices.
    public init(currency: String = "USD") { self.currency = currency }

    /// Adds a price; of two with the same subject and time, the one added later applies.
    public mutating func add(_ price: Price, for subject: PriceSubject) { prices[subject, default: []].append(price) }

    /// Returns the price in force at `moment`: of those that apply by then, the one that began last.
    public func price(for subject: PriceSubject, at moment: Timestamp) -> Price? {
        var best: Price?
        for price in prices[subject] ?? [] where price.effectiveFrom.map({ $0 <= moment }) ?? true {
            switch (best?.effectiveFrom, price.effectiveFrom) {
            case (let current?, let candidate) where candidate.map({ $0 < current }) ?? true: continue
            default: best = price
            }
        }
        return best
    }

    /// Whether nothing has a price.
    public var isEmpty: Bool { prices.isEmpty }

    /// Every subject with its prices in order of entry.
    public var entries: [(subject: PriceSubject, prices: [Price])] {
        prices.map { ($0.key, $0.value) }.sorted { $0.subject.sortKey < $1.subject.sortKey }
    }
}

/// A source of prices besides the store: a list, or a file that is read again when it has changed.
public protocol PriceSource: Sendable {
    /// Returns the current prices.
    func current() -> PriceList
}

extension PriceList: PriceSource {
    public func current() -> PriceList { self }
}
