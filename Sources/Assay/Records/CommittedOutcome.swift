/// An outcome on its way into the store, with what must be written in the same transaction.
public struct CommittedOutcome: Sendable {
    /// The outcome of the item.
    public var outcome: Outcome
    /// The charges of its attempts that are not yet recorded.
    public var charges: [Charge]
    /// The output to keep in the item cache.
    public var cached: CacheEntry?

    /// Creates an outcome with its charges.
    public init(_ outcome: Outcome, charges: [Charge] = [], cached: CacheEntry? = nil) {
        self.outcome = outcome
        self.charges = charges
        self.cached = cached
    }
}
