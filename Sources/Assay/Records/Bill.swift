/// What a run, an execution or any other choice of charges cost; made from the ledger when asked.
public struct Bill: Sendable {
    /// Sums of one operation of a service.
    public struct Line: Hashable, Sendable {
        /// How many entries.
        public var count = 0
        /// How many of them were cache hits.
        public var cacheHits = 0
        /// What they cost.
        public var total = Money.zero
        /// What the hits saved; exact, however large.
        public var avoided = MoneySum.zero
    }

    /// The run it is of, if it is of one.
    public var runID: Run.ID?
    /// The execution it is of, if it is of one.
    public var executionID: Execution.ID?
    /// The runs of an execution's bill.
    public var runs: [Run.ID]?
    /// The currency of all amounts.
    public let currency: String
    /// The sum of base charges.
    public let baseCost: Money
    /// The sum of all other charges.
    public let usageCost: Money
    /// Base and usage.
    public let totalCost: Money
    /// What cache hits saved; exact, however large, as nobody pays it.
    public let avoidedCost: MoneySum
    /// The most that calls with an unknown outcome may turn out to have cost; not part of the total.
    public let inDoubtCost: Money
    /// The charges that are not base charges, by item, then in order of recording.
    public let trackedCosts: [Charge]
    /// The calls with an unknown outcome.
    public let inDoubt: [CallRecord]
    /// Sums by service and operation, base charges left out.
    public let byService: [String: [String: Line]]
    /// Why it is not complete; `nil` when it is.
    public var incompleteReason: String?

    /// The bill over `charges`, which come in order of recording.
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

    /// The total over `succeeded` items, rounded half to even to 6 decimals; `nil` for none.
    public func costPerSuccess(_ succeeded: Int) -> Money? { totalCost.divided(by: succeeded) }
}
