/// The lookup of prices and the conversion of uses into charges.
struct Ledger: Sendable {
    let store: any Store
    let prices: any PriceSource
    let policies: [String: any ChargePolicy]
    let world: World
    let resolvers: [String: any DoubtResolver]
    let callsInFlight: CallsInFlight
    let budgets: BudgetBook

    init(
        store: any Store, prices: any PriceSource, policies: [String: any ChargePolicy],
        resolvers: [String: any DoubtResolver], world: World
    ) {
        self.store = store
        self.prices = prices
        self.policies = policies
        self.resolvers = resolvers
        self.world = world
        callsInFlight = CallsInFlight(time: world.time)
        budgets = BudgetBook(store: store, callsInFlight: callsInFlight, time: world.time)
    }

    /// Returns the current price of `subject` and its origin: pipeline, database, file or none.
    func price(of subject: PriceSubject, pipeline: Price? = nil) async throws -> (price: Price?, origin: PriceOrigin) {
        if let pipeline { return (pipeline, .pipeline) }
        let now = world.time.now()
        if let price = try await store.prices().price(for: subject, at: now) { return (price, .database) }
        if let price = prices.current().price(for: subject, at: now) { return (price, .file) }
        return (nil, .none)
    }

    /// Returns a suggestion for a missing price: another operation of the service, or a service with a similar name.
    ///
    /// Prices that cannot be read are ignored here; reading them where they are needed reports the error.
    func likelyPrice(for service: String, _ operation: String) async -> String {
        let added = (try? await store.prices().entries) ?? []
        let known = (added + prices.current().entries).compactMap {
            entry -> (String, String)? in
            guard case .service(let service, let operation) = entry.subject else { return nil }
            return (service, operation)
        }
        let ofService = Set(known.filter { $0.0.equalsInBytes(service) }.map { "\($0.0)/\($0.1)" }).sorted()
        guard ofService.isEmpty else {
            return Suggestion(for: "\(service)/\(operation)", among: ofService).ending
        }
        let similar = Suggestion(for: service, among: Set(known.map(\.0)).sorted()).word
        return similar.map { "; did you mean the service '\($0)'?" } ?? ""
    }

    /// Checks that the price list and the store have the same currency.
    func checkCurrency() throws(ProcessingError) {
        let list = prices.current()
        guard !list.isEmpty, list.currency != store.currency else { return }
        throw ProcessingError(
            .cost,
            "the prices are in \(list.currency), the store is in \(store.currency); use prices or a store in the same "
                + "currency")
    }

    /// Returns the policy named `name`.
    ///
    /// - Throws: ``ProcessingError`` with code `configuration` for an unregistered name.
    func policy(named name: String) throws(ProcessingError) -> any ChargePolicy {
        if let policy = policies[name] { return policy }
        let known = policies.keys.sorted().joined(separator: ", ")
        throw ProcessingError(.configuration, "unknown charge policy '\(name)'; known: \(known)")
    }

    /// The current base price of a run.
    struct BasePrice {
        let price: Price?
        let origin: PriceOrigin

        /// Whether it is charged per input, which needs the digests of all inputs.
        var isByInput: Bool { price.map { $0.policy != "per_run" && $0.policy != "per_execution" } ?? false }
    }

    func basePrice(of run: Run, pipeline: Price?) async throws -> BasePrice {
        let (price, origin) = try await price(of: .processor(run.processorID.text), pipeline: pipeline)
        return BasePrice(price: price, origin: origin)
    }

    /// Returns the base charges of a run that begins, or of one of its batches.
    ///
    /// - Parameter numbered: reserves numbers for so many base charges of the run and returns the first.
    func baseCharges(
        for run: Run, at base: BasePrice, digests: [Digest], numbered: (_ count: Int) -> Int = { _ in 0 }
    ) throws -> [Charge] {
        let price = base.price
        let request = ChargeRequest(
            processorID: run.processorID, executionID: run.executionID, runID: run.id, inputDigests: digests,
            basePrice: price?.amount ?? .zero)
        let now = world.time.now()
        let amounts = try policy(named: price?.policy ?? "per_run").charges(for: request)
        let first = numbered(amounts.count)
        return amounts.enumerated().map { index, keyed in
            Charge(
                .base, run.costID(first + index, of: "base-"), key: keyed.key, for: ChargedWork(of: run),
                of: "processor", run.processorID.text, keyed.amount, at: now, Charge.Basis(priceSource: base.origin))
        }
    }

    /// Returns the cost of a use and its basis.
    func cost(of usage: Usage) async throws -> (cost: Money, basis: Charge.Basis) {
        if let cost = usage.cost {
            return (try Money(cost.number), Charge.Basis(quantity: usage.quantity == 1 ? nil : usage.quantity))
        }
        let (price, origin) = try await price(of: .service(usage.service, operation: usage.operation))
        let unitPrice = price?.amount ?? .zero
        let basis = Charge.Basis(quantity: usage.quantity, unitPrice: unitPrice, priceSource: origin)
        return (try unitPrice.times(usage.quantity), basis)
    }
}

extension Run {
    /// Returns the name of its charge with that number. A program that has taken over the run uses names of its own.
    func costID(_ number: Int, of kind: String = "") -> String {
        epoch == 1 ? "\(id)-\(kind)\(number)" : "\(id)-\(kind)\(epoch).\(number)"
    }
}
