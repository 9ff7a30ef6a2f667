// Charges of a run beside those of its calls, and its look-ups in the cache.

extension PaidCalls {
    /// Makes the charge of a use.
    func charge(for usage: Usage, by work: PayingWork) async throws -> Charge {
        let (cost, basis) = try await ledger.cost(of: usage)
        if basis.priceSource == PriceOrigin.none {
            try await noteMissingPrice(of: usage.service, usage.operation, else: "give the charge a cost")
        }
        return Charge(
            .usage, payer.nextCostID(), key: usage.key.map { run.chargeKey($0, of: work.inputID ?? "") },
            for: ChargedWork(
                of: run, inputID: work.inputID, itemIndex: work.itemIndex, step: usage.step, scope: work.scope),
            of: usage.service, usage.operation, cost, at: ledger.world.time.now(), basis, metadata: usage.metadata)
    }

    /// Makes the zero charge of a cached value.
    ///
    /// - Parameter avoided: what it would have cost now without the cache.
    func hitCharge(
        for entry: CacheEntry, avoided: Money, kind: Charge.Kind, by work: PayingWork, step: String?
    ) -> Charge {
        Charge(
            kind, payer.nextCostID(), key: nil,
            for: ChargedWork(
                of: run, inputID: work.inputID, itemIndex: work.itemIndex, step: step, scope: work.scope),
            of: entry.service, entry.operation, .zero, at: ledger.world.time.now(),
            Charge.Basis(.cacheHit, cachedAt: entry.storedAt), avoiding: avoided)
    }

    /// Returns the cached value under `key` if it may be used now. A damaged value is reported and counts as a miss.
    func cached(_ key: String, item: String?) async throws -> CacheEntry? {
        switch try await store.cached(key) {
        case .found(let entry):
            if terms.caching == .refresh, let since = terms.refreshedSince, entry.storedAt < since { return nil }
            return entry.isFresh(at: ledger.world.time.now()) ? entry : nil
        case .missing: return nil
        case .damaged:
            payer.emit(.warning, item: item) {
                [
                    "message": .string("the cached value \(key) was damaged and is made again"),
                    "cache_key": .string(key),
                ]
            }
            return nil
        }
    }

    // MARK: Prices

    /// Hints once that an operation costs nothing because it has no price, and which price was probably meant.
    func hintAtPrice(of service: String, _ operation: String) async {
        let subject = "\(service)/\(operation)"
        guard !payer.hasHinted("no_price", about: subject) else { return }
        let likely = await ledger.likelyPrice(for: service, operation)
        payer.hint("no_price", about: subject, "'\(subject)' has no price; 0.00 is charged\(likely)")
    }

    /// Hints at a missing price, or refuses it under strict costs.
    func noteMissingPrice(of service: String, _ operation: String, else remedy: String) async throws {
        guard terms.strictCosts else { return await hintAtPrice(of: service, operation) }
        let likely = await ledger.likelyPrice(for: service, operation)
        throw ProcessingError(
            .cost,
            "'\(service)/\(operation)' has no price, and strict_costs needs one: name it under prices, or "
                + "\(remedy)\(likely)", retryable: false)
    }
}

extension Run {
    /// Returns the key on record of a charge that an item's work made under `key`.
    func chargeKey(_ key: String, of item: String) -> String {
        "usage|\(executionID)|\(processorID)|\(item.utf8.count)|\(item)|\(key)"
    }
}
