/// What expected costs come to, with the cache as it is and as earlier work of a plan will have filled it.
struct CostForecast {
    let engine: Engine
    /// The unit prices that were looked up.
    private(set) var prices: [String: Money] = [:]
    /// The keys of calls and items that earlier work of the plan fills the cache with.
    private var filled: Set<String> = []

    init(_ engine: Engine) { self.engine = engine }

    /// For whom work is planned, and how it is to be done.
    struct Work {
        let run: Run
        let options: RunOptions
        let owner: Scope
        /// How often it may be tried in all; `nil` when that is not known.
        let attempts: Int?
    }

    /// Takes note of something that the cache will hold under `key`; `false` when earlier work puts it there already.
    mutating func fills(_ key: String) -> Bool { filled.insert(key).inserted }

    /// What the item cache has of an input now.
    func cached(_ key: String) async throws -> CacheEntry? {
        guard let found = try await engine.store.cacheEntry(key), found.isFresh(at: engine.world.time.now()) else {
            return nil
        }
        return found
    }

    /// Adds what `cost` comes to.
    mutating func add(_ cost: ExpectedCost, of work: Work, to entry: inout Plan.Entry) async throws {
        var (low, high): (Money, Money)
        var attempts = work.attempts
        switch cost.kind {
        case .usage(let quantity, let amount):
            let usage = Usage(service: cost.service, operation: cost.operation, quantity: quantity, cost: amount)
            low = try await engine.ledger.cost(of: usage).cost
            high = low
            if amount == nil { try await notePrice(of: cost) }
        case .call(let key, let maximum, let options):
            if let key, try await isAnswered(cost, key, options, of: work, entry: &entry) { return }
            entry.calls = (entry.calls ?? 0) + 1
            let unit = try await notePrice(of: cost)
            low = unit ?? maximum ?? .zero
            high = max(low, maximum ?? .zero)
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
        _ cost: ExpectedCost, _ key: JSONValue, _ options: CallOptions, of work: Work, entry: inout Plan.Entry
    ) async throws -> Bool {
        guard !options.cache.refresh, work.options.caching == .asConfigured else { return false }
        let key = CacheKey.call(
            service: cost.service, operation: cost.operation, parameters: key, scope: options.cache.scope,
            of: work.run, for: work.owner)
        var isAnswered = filled.contains(key)
        if !isAnswered { isAnswered = try await cached(key) != nil }
        if isAnswered {
            entry.hits += 1
        } else if cost.isCertain {
            filled.insert(key)
        }
        return isAnswered
    }

    @discardableResult private mutating func notePrice(of cost: ExpectedCost) async throws -> Money? {
        let subject = PriceSubject.service(cost.service, operation: cost.operation)
        let price = try await engine.ledger.price(of: subject).price?.amount
        prices[subject.sortKey] = price
        return price
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
