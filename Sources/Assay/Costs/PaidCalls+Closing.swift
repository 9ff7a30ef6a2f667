extension PaidCalls {
    /// Records how a call that this program has opened ended, with its charge and its value.
    ///
    /// - Parameters:
    ///   - isLate: whether no one waited for it anymore and its breaker has been notified.
    ///   - inputID: the item that pays for it; `nil`: the whole run.
    /// - Returns: the charged amount.
    @discardableResult func close(
        _ open: OpenCall, _ end: CallEnd, _ settlement: Call.Settlement?, isLate: Bool, for inputID: String?
    ) async throws -> Money {
        try await close(open.record, open, end, settlement, isLate: isLate, for: inputID)
    }

    /// Records how a call that another program has opened ended.
    ///
    /// - Returns: the charged amount.
    /// - Throws: ``ProcessingError`` with code `not_found` for a call that is not on record.
    @discardableResult func close(
        callNamed id: String, _ end: CallEnd, _ settlement: Call.Settlement?, by work: PayingWork
    ) async throws -> Money {
        guard var record = try await store.calls(matching: CallFilter(callID: id)).first else {
            throw ProcessingError(.notFound, "call '\(id)' is not on record")
        }
        record.attempt = work.attempt
        return try await close(record, nil, end, settlement, isLate: true, for: work.inputID)
    }

    private func close(
        _ known: CallRecord, _ open: OpenCall?, _ end: CallEnd, _ settlement: Call.Settlement?, isLate: Bool,
        for inputID: String?
    ) async throws -> Money {
        defer { if let turn = open?.turn { ledger.callsInFlight.giveBack(turn) } }
        let closing = known.closed(by: end, settlement, isCancelled: Task.isCancelled)
        let record = closing.record
        var value: Result<JSONValue, any Error>?
        if case .returned(let payload) = end, terms.caching != .off, record.cacheKey != nil {
            value = Result { try payload.json() }
        }
        if closing.isEstimate, open?.isUnpriced == true { await hintAtPrice(of: record.service, record.operation) }
        if !isLate { tellBreaker(of: record.service, end, open?.isTrial ?? false) }
        if record.resolution == .repetition { payer.noteRepeat(of: record.service) }
        let charge = closing.cost.map { cost in
            Charge(
                .call, payer.nextCostID(), key: record.chargeKey,
                for: ChargedWork(of: record, paidBy: run, for: inputID), of: record.service, record.operation, cost,
                at: ledger.world.time.now(), closing.basis,
                metadata: settlement?.metadata ?? [:])
        }
        let cached = entry(of: try? value?.get(), record, charge, open)
        let isCharged = try await store.file(record, charge: charge, cached: cached).isCharged
        if isCharged, let charge { payer.note(charge) }
        // While the call is in doubt, its reservation stays.
        if record.state == .inDoubt {
            ledger.budgets.doubt(record.callID)
        } else {
            payer.tell(ledger.budgets.settle(record.callID, as: isCharged ? charge : nil, under: terms.budgets))
        }
        if isCharged, let text = closing.unreadable { noteUnreadable(text, for: record, item: inputID) }
        tell(closing, item: inputID)
        // Thrown only now: a value that cannot be kept was still paid for.
        if case .failure(let error) = value { throw error }
        return charge?.cost ?? .zero
    }

    /// Returns the cache entry of a call's value, if it has one.
    private func entry(
        of value: JSONValue?, _ record: CallRecord, _ charge: Charge?, _ open: OpenCall?
    ) -> CacheEntry? {
        // A value whose worth exceeds the largest amount is not cached.
        guard let key = record.cacheKey, let value, let charge,
            let worth = try? ((open?.call.worthOfBody ?? .zero) + charge.cost).money()
        else { return nil }
        return entry(key, value, charge, worth: worth, timeToLive: record.timeToLive)
    }

    /// Makes a cache entry for a value, with the charge that paid for it.
    func entry(
        _ key: String, _ value: JSONValue, _ charge: Charge, worth: Money, timeToLive: Duration?
    ) -> CacheEntry {
        let now = ledger.world.time.now()
        return CacheEntry(
            key: key, service: charge.service, operation: charge.operation, value: value, storedAt: now,
            expiresAt: timeToLive.map { now.advanced(by: $0) }, cost: worth, costID: charge.costID)
    }

    private func tell(_ closing: CallClosing, item: String?) {
        let record = closing.record
        if closing.isInDoubt {
            payer.noteDoubt()
            payer.emit(.costInDoubt, item: item) {
                [
                    "call_id": .string(record.callID), "maximum_cost": record.maximumCost.jsonValue,
                    "policy": .string(record.doubtPolicy.rawValue),
                ]
            }
        }
        if let cost = closing.cost, cost > record.maximumCost {
            payer.emit(.costOverrun, item: item) {
                ["cost": cost.jsonValue, "maximum_cost": record.maximumCost.jsonValue]
            }
        }
    }

    /// Reports that a call counts with what was reserved for it, because its cost cannot be read.
    private func noteUnreadable(_ text: String, for call: CallRecord, item: String?) {
        let subject = "\(call.service)/\(call.operation)"
        payer.emit(.costUnreadable, item: item) {
            [
                "call_id": .string(call.callID), "service": .string(call.service), "operation": .string(call.operation),
                "message": .string(text), "cost": call.maximumCost.jsonValue,
            ]
        }
        payer.hint(
            "cost_unreadable", about: subject,
            "a cost of '\(subject)' cannot be read (\(text)); it counts with the \(call.maximumCost) reserved for it")
        payer.noteIncomplete("a cost of '\(subject)' cannot be read: \(text)")
    }
}
