// Base prices: of a run, or of a node of a graph.

extension RunSession {
    /// Charges what is due before the first item, whatever it is.
    ///
    /// - Throws: ``ProcessingError`` with code `budget_exhausted` when it does not fit; the next caller tries again.
    nonisolated(nonsending) func openBaseCharge() async throws { _ = try await basePriceByInput() }

    /// Charges what is due when `item` is started.
    ///
    /// - Throws: as ``openBaseCharge()``.
    nonisolated(nonsending) func chargeBase(on item: Item) async throws {
        guard !base.isPaid, let price = try await basePriceByInput() else { return }
        try await chargeBase(on: [try digest(of: item)], at: price)
    }

    private nonisolated(nonsending) func basePriceByInput() async throws -> Ledger.BasePrice? {
        try await base.priceByInput {
            let price = try await ledger.basePrice(of: run, pipeline: options.price)
            if !price.isByInput { try await chargeBase(on: [], at: price) }
            return price
        }
    }

    /// Charges the base price of a run, or of a node of a graph.
    ///
    /// - Parameter digests: the inputs that are started, for a price per input.
    /// - Throws: ``ProcessingError`` with code `budget_exhausted` when it does not fit; any other failure makes the
    ///   bill incomplete.
    private func chargeBase(on digests: [Digest], at price: Ledger.BasePrice) async throws {
        do { try await recordBase(on: digests, at: price) } catch let error as ProcessingError
            where error.code == .budgetExhausted
        { throw error } catch {
            tally.noteIncomplete(ProcessingError(wrapping: error, as: .cost).message)
        }
    }

    private func recordBase(on digests: [Digest], at base: Ledger.BasePrice) async throws {
        let charges = try ledger.baseCharges(
            for: run, at: base, digests: digests, numbered: tally.takeBaseNumbers)
        if charges.contains(where: { $0.basis.priceSource == PriceOrigin.none }) {
            try await hintAtPrice()
        }
        // A charge of zero fits every budget, whether it is on record already or not.
        let costs = charges.filter { $0.cost != .zero }
        let known = costs.isEmpty ? [] : try await store.recordedKeys(among: costs.compactMap(\.key))
        let new = charges.filter { charge in charge.key.map { !known.contains($0) } ?? true }
        try await spend(base: new)
        try await record(counted: new)
    }

    /// Hints that no base price was found. Most nodes of a graph need none, so for a graph the hint is sent only when
    /// no node has one.
    private func hintAtPrice() async throws {
        guard let graph = graphOfNode else { return hintAtPrice(of: run.processorID) }
        guard tally.asksForPricesFirst() else { return }
        let (added, listed, now) = (try await store.prices(), ledger.prices.current(), world.time.now())
        let hasPrice = graph.nodes.contains { node in
            let subject = PriceSubject.processor(node.id.text)
            return node.price != nil || added.price(for: subject, at: now) != nil
                || listed.price(for: subject, at: now) != nil
        }
        if !hasPrice {
            hint("no_price", "no processor of graph '\(graph.id)' has a price; 0.00 is charged")
        }
    }

    /// Counts base charges against budgets, all or none.
    private func spend(base charges: [Charge]) async throws {
        for (place, charge) in charges.enumerated() {
            do { try await spend(charge, hasHappened: false) } catch {
                for earlier in charges[..<place] { ledger.budgets.takeBack(earlier) }
                throw error
            }
        }
    }
}
