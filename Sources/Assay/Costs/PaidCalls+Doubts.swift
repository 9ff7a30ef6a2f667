// Calls in doubt that a run encounters. Every way to an answer deals with them.

extension PaidCalls {
    /// The remaining doubts about a call once every resolver was asked.
    struct Doubts {
        /// The value of one of the calls, if its service still had it.
        var value: JSONValue?
        /// The cost of that call.
        var worth = Money.zero
        /// The calls that are still in doubt, in order of their intents.
        var open: [CallRecord] = []
    }

    /// Returns whether `service` carries out a call once, however often it is made under its key.
    func honorsKeys(_ service: String) -> Bool { terms.services[service]?.keys != .ignored }

    /// Asks about every open doubt of a call: those of the same item, and those of any execution that would have cached
    /// its value. The item's own come last.
    ///
    /// - Parameter isRepeated: whether the call is made again if its outcome stays unknown, which returns its value
    ///   where the service honors keys.
    func askAboutDoubts(of asked: Asked, isRepeated: Bool) async throws -> Doubts {
        var doubts = Doubts()
        for call in try await doubtsKnown(about: asked) {
            guard doubts.value == nil else { break }
            let resolution = await ledger.resolution(
                of: call, warn: { message in payer.emit(.warning, item: nil) { ["message": .string(message)] } })
            switch resolution {
            case .settled(let cost, let value?):
                doubts.value = try await take(value, for: call, cost: cost, asked)
                doubts.worth = cost
            // Its value is lost: a service that honors keys returns it again and charges nothing more.
            case .settled(_, nil) where isRepeated && honorsKeys(call.service): doubts.open.append(call)
            case .settled(let cost, nil):
                try await ledger.settle(call, .resolver, at: cost)
            case .released: try await ledger.release(call, .resolver)
            case .unknown: doubts.open.append(call)
            }
        }
        return doubts
    }

    private func doubtsKnown(about asked: Asked) async throws -> [CallRecord] {
        let known = try await earlierCalls(like: asked, in: [.inDoubt])
        guard let cacheKey = asked.cacheKey else { return known }
        let names = Set(known.map(\.callID))
        // The doubts of the item come last: one of them is the call that would be repeated.
        return try await store.calls(matching: CallFilter(states: [.inDoubt], cacheKey: cacheKey))
            .filter { !names.contains($0.callID) } + known
    }

    /// Applies the policies of doubts that the run does not repeat because it has an answer without them. Doubts on
    /// hold are listed in the bill of the run, where everyone sees them.
    func pass(_ doubts: [CallRecord], item: String?) async throws {
        for call in doubts where try await !ledger.followPolicy(of: call) { try await meet(call, item: item) }
    }

    /// Lists a doubt that an earlier run has left in the bill of the run.
    func meet(_ call: CallRecord, item: String?) async throws {
        guard call.runID != run.id else { return }
        try await store.note(doubt: call.callID, metBy: run.id, of: run.executionID)
        payer.noteMeeting(with: call.callID)
        payer.emit(.costInDoubt, item: item) {
            [
                "call_id": .string(call.callID), "maximum_cost": call.maximumCost.jsonValue,
                "policy": .string(call.doubtPolicy.rawValue), "of_execution": .string(call.executionID.text),
            ]
        }
    }

    /// Records that a call in doubt was made, with the value that its service still had.
    private func take(
        _ value: JSONValue, for call: CallRecord, cost: Money, _ asked: Asked
    ) async throws -> JSONValue {
        var record = call.decided(as: .settled, .resolver)
        record.runID = run.id
        (record.itemIndex, record.step) = (asked.work.itemIndex, asked.request.step)
        let work = ChargedWork(of: record, paidBy: run, for: asked.work.inputID)
        let charge = record.charge(cost, .resolver, for: work, payer.nextCostID(), at: ledger.world.time.now())
        let cached = asked.cacheKey.map {
            entry($0, value, charge, worth: cost, timeToLive: asked.request.options.cache.ttl)
        }
        let isCharged = try await store.file(record, charge: charge, cached: cached).isCharged
        if isCharged { payer.note(charge) }
        payer.tell(ledger.budgets.settle(call.callID, as: isCharged ? charge : nil, under: terms.budgets))
        return value
    }
}
