// Calls in doubt that a run encounters. Every way to an answer deals with them.

extension RunSession {
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
    func honoursKeys(_ service: String) -> Bool { options.services[service]?.keys != .ignored }

    /// Asks about every open doubt of a call: those of the same item, and those of any execution that would have cached
    /// its value. The item's own come last.
    ///
    /// - Parameter isRepeated: whether the call is made again if its outcome stays unknown, which returns its value
    ///   where the service honors keys.
    func askAboutDoubts(
        _ request: CallRequest, _ identity: Digest, in context: Context, step: String?, cacheKey: String?,
        isRepeated: Bool
    ) async throws -> Doubts {
        var doubts = Doubts()
        for call in try await doubtsKnown(about: request, identity, in: context, cacheKey: cacheKey) {
            guard doubts.value == nil else { break }
            switch await ledger.resolution(
                of: call, warn: { message in emit(.warning) { ["message": .string(message)] } })
            {
            case .settled(let cost, let value?):
                doubts.value = try await take(value, for: call, cost: cost, request, cacheKey, in: context, step)
                doubts.worth = cost
            // Its value is lost: a service that honors keys returns it again and charges nothing more.
            case .settled(_, nil) where isRepeated && honoursKeys(call.service): doubts.open.append(call)
            case .settled(let cost, nil):
                try await ledger.settle(call, .resolver, at: cost)
            case .released: try await ledger.release(call, .resolver)
            case .unknown: doubts.open.append(call)
            }
        }
        return doubts
    }

    private func doubtsKnown(
        about request: CallRequest, _ identity: Digest, in context: Context, cacheKey: String?
    ) async throws -> [CallRecord] {
        // A filter without an input does not narrow the search, and a call without an input must not match those of the
        // items.
        let known = try await store.calls(
            matching: CallFilter(
                executionID: run.executionID, inputID: context.inputID, service: request.service,
                operation: request.operation, callKey: identity.text, states: [.inDoubt])
        ).filter { context.inputID != nil || $0.inputID == nil }
        guard let cacheKey else { return known }
        let names = Set(known.map(\.callID))
        // The doubts of the item come last: one of them is the call that would be repeated.
        return try await store.calls(matching: CallFilter(states: [.inDoubt], cacheKey: cacheKey))
            .filter { !names.contains($0.callID) } + known
    }

    /// Applies the policies of doubts that the run does not repeat because it has an answer without them. Doubts on
    /// hold are listed in the bill of the run, where everyone sees them.
    func pass(_ doubts: [CallRecord], item: String?) async throws {
        for call in doubts {
            switch call.doubtPolicy {
            case .settle: try await ledger.settle(call, .policy, at: call.maximumCost)
            case .release: try await ledger.release(call, .policy)
            case .hold: try await meet(call, item: item)
            }
        }
    }

    /// Lists a doubt that an earlier run has left in the bill of the run.
    func meet(_ call: CallRecord, item: String?) async throws {
        guard call.runID != run.id else { return }
        try await store.note(doubt: call.callID, metBy: run.id, of: run.executionID)
        if isBatch { withBatch { _ = $0.metDoubts.insert(call.callID) } }
        emit(.costInDoubt, item: item) {
            [
                "call_id": .string(call.callID), "maximum_cost": call.maximumCost.jsonValue,
                "policy": .string(call.doubtPolicy.rawValue), "of_execution": .string(call.executionID.text),
            ]
        }
    }

    /// Records that a call in doubt was made, with the value that its service still had.
    private func take(
        _ value: JSONValue, for call: CallRecord, cost: Money, _ request: CallRequest, _ cacheKey: String?,
        in context: Context, _ step: String?
    ) async throws -> JSONValue {
        var record = call
        (record.state, record.runID, record.resolution) = (.settled, run.id, .resolver)
        (record.itemIndex, record.step) = (context.itemIndex, step)
        var charge = record.charge(cost, .resolver, costID: tally.nextCostID(), at: world.time.now())
        (charge.runID, charge.executionID, charge.inputID) = (run.id, run.executionID, context.inputID)
        let cached = cacheKey.map { entry($0, value, charge, worth: cost, policy: request.options.cache) }
        let isCharged = try await store.file(record, charge: charge, cached: cached).isCharged
        if isCharged { note(charge) }
        tell(ledger.budgets.settle(call.callID, as: isCharged ? charge : nil, under: options.budgets))
        return value
    }
}

extension Engine {
    /// Handles the doubts of an execution when one of its runs ends.
    ///
    /// If an item has failed, the next run makes the call again. An item that has succeeded, in this run or before, has
    /// passed its doubt by: the resolver is asked, then its policy decides, and what stays open is in the bill of the
    /// run.
    func attendDoubts(_ session: RunSession) async throws {
        let open = try await callsInDoubt(of: session.run.executionID)
        guard !open.isEmpty else { return }
        let passed = try await succeeded(
            among: Set(open.compactMap { $0.inputID.map(ExternalID.init(unchecked:)) }), session)
        for call in open {
            let isPassed = call.inputID.map { passed.contains(ExternalID(unchecked: $0)) } ?? false
            // Once a run was told to end, it waits for no service.
            if isPassed, session.stopped?.isFromOutside != true, try await askResolver(about: call) { continue }
            if try await followPolicy(of: call) { continue }
            if isPassed { try await session.meet(call, item: call.inputID) }
        }
    }

    /// Returns which of the items named `names` have succeeded in a run, now or before.
    private func succeeded(among names: Set<ExternalID>, _ session: RunSession) async throws -> Set<ExternalID> {
        var found: Set<ExternalID> = []
        var left = names
        var start = 0
        while !left.isEmpty, start < session.tally.counts.total {
            let page = try await store.outcomes(of: session.run.id, from: start, limit: 1_024)
            for outcome in page {
                guard let name = left.remove(ExternalID(unchecked: outcome.inputID)) else { continue }
                if outcome.status == .succeeded { found.insert(name) }
            }
            start += 1_024
        }
        return found
    }
}
