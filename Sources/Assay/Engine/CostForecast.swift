/// What expected costs come to, with the cache as it is and as earlier work of a plan will have filled it.
struct CostForecast {
    let engine: Engine
    /// The unit prices that were found.
    private(set) var prices: [String: Money] = [:]
    /// All that were looked for, each once: a plan is made at the prices of one moment.
    private var looked: [PriceSubject: Money?] = [:]
    /// The keys of calls and items that earlier work of the plan fills the cache with.
    private var filled: Set<ShortDigest> = []

    init(_ engine: Engine) { self.engine = engine }

    /// For whom work is planned, and how it is to be done.
    struct Work {
        let run: Run
        let options: RunOptions
        let owner: Scope
        /// How often it may be tried in all; `nil` when that is not known.
        let attempts: Int?
    }

    /// Records something that the cache will hold under `key`; `false` when earlier work puts it there already.
    mutating func fills(_ key: String) -> Bool { filled.insert(ShortDigest(of: key)).inserted }

    /// What the item cache has of an input now.
    func cached(_ key: String) async throws -> CacheEntry? {
        guard let found = try await engine.store.cacheEntry(key), found.isFresh(at: engine.world.time.now()) else {
            return nil
        }
        return found
    }

    /// Adds what `costs` come to; nobody knows it when one of them is no amount.
    mutating func add(_ costs: [ExpectedCost], of work: Work, to entry: inout Plan.Entry) async throws {
        do { for cost in costs { try await add(cost, of: work, to: &entry) } } catch let error as ProcessingError
            where error.code == .cost
        {
            (entry.calls, entry.high) = (nil, nil)
            entry.reason += (entry.reason.isEmpty ? "" : "; ") + "what it costs cannot be told: \(error.message)"
        }
    }

    private mutating func add(_ cost: ExpectedCost, of work: Work, to entry: inout Plan.Entry) async throws {
        var (low, high): (Money, Money)
        var attempts = work.attempts
        switch cost.kind {
        case .usage(let quantity, let amount):
            if let amount {
                low = amount
            } else {
                low = try await price(of: cost.service, cost.operation)?.times(quantity) ?? .zero
            }
            high = low
        case .call(let quantity, let key, let maximum, let options):
            let unit = try await price(of: cost.service, cost.operation)
            low = try unit?.times(quantity) ?? maximum ?? .zero
            high = max(low, maximum ?? .zero)
            if let key, try await isAnswered(cost, key, options, worth: low, of: work, entry: &entry) { return }
            entry.calls = (entry.calls ?? 0) + 1
            if (options.billing ?? work.options.billing) == .onSuccess { attempts = 1 }
        }
        // Saved steps may hold it, or it is not certain to be needed.
        if !cost.isCertain || !entry.savedSteps.isEmpty { low = .zero }
        entry.low = try entry.low.adding(low)
        guard high != .zero else { return }
        guard let attempts else { return entry.high = nil }
        for _ in 0..<attempts { entry.high = try entry.high?.adding(high) }
    }

    /// Whether the cache answers a call, as it stands or once earlier work has filled it.
    private mutating func isAnswered(
        _ cost: ExpectedCost, _ key: JSONValue, _ options: CallOptions, worth: Money, of work: Work,
        entry: inout Plan.Entry
    ) async throws -> Bool {
        guard !options.cache.refresh, work.options.caching == .asConfigured else { return false }
        let key = CacheKey.call(
            service: cost.service, operation: cost.operation, parameters: key, scope: options.cache.scope,
            of: work.run, for: work.owner)
        let found = try await cached(key)
        if found != nil || filled.contains(ShortDigest(of: key)) {
            entry.hits += 1
            entry.avoided = try entry.avoided.adding(found?.cost ?? worth)
            return true
        }
        if cost.isCertain { _ = fills(key) }
        return false
    }

    /// The price of a unit in force now; `nil` when there is none.
    private mutating func price(of service: String, _ operation: String) async throws -> Money? {
        let subject = PriceSubject.service(service, operation: operation)
        if let known = looked[subject] { return known }
        let price = try await engine.ledger.price(of: subject).price?.amount
        looked[subject] = .some(price)
        prices[subject.sortKey] = price
        return price
    }

    /// What a charge would come to now: what was worked out of a price is worked out of the one in force now.
    mutating func costNow(of charge: Charge) async throws -> Money {
        if charge.isCacheHit { return charge.avoidedCost ?? .zero }
        guard charge.basis.unitPrice != nil else { return charge.cost }
        let price = try await price(of: charge.service, charge.operation)
        return try price?.times(charge.basis.quantity ?? 1) ?? .zero
    }

    /// What a run with `plan` may come up against among its budgets.
    func warnings(of plan: Plan, _ budgets: [Budget], for run: Run) async throws -> [String] {
        try await engine.standings(of: budgets.filter { $0.scope != .service }, for: run).compactMap { standing in
            let name = "budget '\(standing.budget.name)' has \(standing.remaining) \(plan.currency) left"
            let remaining = MoneySum(standing.remaining)
            if plan.low > remaining { return "\(name) and stops the run, which costs at least \(plan.low)" }
            guard let high = plan.high else { return "\(name) and may stop the run, whose cost is not known" }
            return high > remaining ? "\(name) and may stop the run, which costs up to \(high)" : nil
        }
    }
}
