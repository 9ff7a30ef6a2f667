/// The cost of a run, an execution or any other selection of charges, computed from the ledger on request.
public struct Bill: Sendable {
    /// The sums of one operation of a service.
    public struct Line: Hashable, Sendable {
        /// The number of entries.
        public var count = 0
        /// The number of entries that were cache hits.
        public var cacheHits = 0
        /// The cost of the entries.
        public var total = Money.zero
        /// The amount that the hits saved; exact at any size.
        public var avoided = MoneySum.zero
    }

    /// The run that it covers, if it covers one.
    public var runID: Run.ID?
    /// The execution that it covers, if it covers one.
    public var executionID: Execution.ID?
    /// The runs that an execution's bill covers.
    public var runs: [Run.ID]?
    /// The currency of all amounts.
    public let currency: String
    /// The sum of base charges.
    public let baseCost: Money
    /// The sum of all other charges.
    public let usageCost: Money
    /// The sum of base and usage costs.
    public let totalCost: Money
    /// The amount that cache hits saved; exact at any size, since no one pays it.
    public let avoidedCost: MoneySum
    /// The maximum that calls with an unknown outcome may have cost; not part of the total.
    public let inDoubtCost: Money
    /// The charges other than base charges, by item and then in order of recording.
    public let trackedCosts: [Charge]
    /// The calls with an unknown outcome.
    public let inDoubt: [CallRecord]
    /// The sums by service and operation, without base charges.
    public let byService: [String: [String: Line]]
    /// The reason it is incomplete; `nil` when it is complete.
    public var incompleteReason: String?

    /// Creates the bill over `charges`, which must be in order of recording.
    ///
    /// - Throws: ``ProcessingError`` with code `cost` when a sum is above 9,000,000,000.
    public init(
        _ charges: [Charge], inDoubt: [CallRecord] = [], currency: String, runID: Run.ID? = nil,
        executionID: Execution.ID? = nil, runs: [Run.ID]? = nil, incompleteReason: String? = nil
    ) throws(ProcessingError) {
        var (base, usage, avoided, doubt) = (MoneySum.zero, MoneySum.zero, MoneySum.zero, MoneySum.zero)
        var lines: [String: [String: Line]] = [:]
        var tracked: [Charge] = []
        for charge in charges {
            guard charge.kind != .base else {
                base += charge.cost
                continue
            }
            usage += charge.cost
            avoided += charge.avoidedCost ?? .zero
            tracked.append(charge)
            var line = lines[charge.service]?[charge.operation] ?? Line()
            line.count += 1
            line.cacheHits += charge.isCacheHit ? 1 : 0
            line.total = try line.total.adding(charge.cost)
            line.avoided += charge.avoidedCost ?? .zero
            lines[charge.service, default: [:]][charge.operation] = line
        }
        for call in inDoubt { doubt += call.maximumCost }
        self.currency = currency
        self.runID = runID
        self.executionID = executionID
        self.runs = runs
        baseCost = try base.money()
        usageCost = try usage.money()
        totalCost = try (base + usage).money()
        avoidedCost = avoided
        inDoubtCost = try doubt.money()
        let order = tracked.enumerated().sorted { left, right in
            (left.element.itemIndex ?? -1, left.offset) < (right.element.itemIndex ?? -1, right.offset)
        }
        trackedCosts = order.map(\.element)
        self.inDoubt = inDoubt
        byService = lines
        self.incompleteReason = incompleteReason
    }

    /// Returns the total per succeeded item, rounded half to even to 6 decimals; `nil` for none.
    public func costPerSuccess(_ succeeded: Int) -> Money? { totalCost.divided(by: succeeded) }
}
