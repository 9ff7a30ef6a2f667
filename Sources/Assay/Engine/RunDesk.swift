import Logging

/// The desk outside of `extract`: charges and calls, recorded at once.
///
/// The desk of an item adds steps to this.
struct RunDesk: Desk {
    let session: RunSession
    /// The desk of the item's work that this is a part of; `nil` outside of an item's work.
    var work: ItemDesk?

    var terms: WorkTerms { session.options.terms }

    func logger(for context: Context) -> Logger { session.logger(for: context) }

    func say(_ text: String, at level: Logger.Level, from source: LogLine.Source, in context: Context) {
        session.say(text, at: level, from: source, in: context)
    }

    func warn(_ message: String, in context: Context) { session.warn(message, item: context.inputID) }

    func openStep(_ name: String, inside outer: String?, in context: Context) throws -> OpenedStep {
        throw Self.refused("step", context)
    }

    func rejectSaved(_ path: String, because error: any Error, in context: Context) throws {
        throw Self.refused("step", context)
    }

    func failStep(_ step: OpenedStep) {}

    func closeStep(_ step: OpenedStep, value: Payload, in context: Context) throws {
        throw Self.refused("step", context)
    }

    func charge(_ usage: Usage, in context: Context) async throws -> Bool {
        let charge = try await session.makeCharge(usage, in: context, step: nil)
        try await session.spend(charge, hasHappened: usage.incurred, inside: usage.inside, in: context)
        try await session.record(counted: [charge])
        note(worth: charge.cost, key: usage.key, in: context)
        return true
    }

    func openCall(_ request: CallRequest, in context: Context) async throws -> CallDecision {
        let identity =
            request.key.map { Digest(of: $0) }
            ?? Digest(of: ["unkeyed", .string(context.processorID.text), .string(context.phase.rawValue)])
        let (decision, worth) = try await session.openCall(request, identity: identity, in: context, step: nil)
        note(worth: worth, in: context)
        return decision
    }

    func closeCall(_ call: Call, _ end: CallEnd, in context: Context) async throws {
        let cost = try await session.closeCall(call, end, isLate: false, in: context, step: nil)
        note(worth: cost, in: context)
    }

    private func note(worth amount: Money, key: String? = nil, in context: Context) {
        if let work { return work.note(worth: amount, key: key, in: context) }
        for call in Context.enclosingCalls { call.note(worth: amount) }
    }

    func emit(_ chunk: Payload, in context: Context) throws { throw Self.refused("emit", context) }

    func heartbeat(in context: Context) throws { throw Self.refused("heartbeat", context) }

    func answered(in context: Context) { session.suspicion.noteAnswer() }

    func hint(_ kind: String, _ message: String, explainsTimeout: Bool, in context: Context) {
        session.hint(kind, message)
    }

    func waiting<Value: Sendable>(
        for wait: EngineWait, in context: Context, _ body: @escaping @Sendable (WaitSign) async throws -> Value
    ) async throws -> Value { try await session.wait(for: wait, body) }

    private static func refused(_ what: String, _ context: Context) -> ProcessingError {
        ProcessingError(.configuration, "'\(what)' works in extraction only, not in \(context.phase.rawValue)")
    }
}

extension RunSession {
    /// Makes the charge of a use.
    func makeCharge(_ usage: Usage, in context: Context, step: String?) async throws -> Charge {
        let (cost, basis) = try await ledger.cost(of: usage)
        if basis.priceSource == PriceOrigin.none {
            try await noteMissingPrice(of: usage.service, usage.operation, else: "give the charge a cost")
        }
        return Charge(
            costID: tally.nextCostID(),
            key: usage.key.map { chargeKey($0, of: context.inputID ?? "") },
            kind: .usage, runID: run.id, executionID: run.executionID, processorID: run.processorID,
            inputID: context.inputID, itemIndex: context.itemIndex, step: step, service: usage.service,
            operation: usage.operation, cost: cost, timestamp: world.time.now(), basis: basis, metadata: usage.metadata,
            accountID: context.scope.accountID, underwritingID: context.scope.underwritingID)
    }

    /// The key on record of a charge that an item's work made under `key`.
    func chargeKey(_ key: String, of item: String) -> String {
        "usage|\(run.executionID)|\(run.processorID)|\(item.utf8.count)|\(item)|\(key)"
    }

    // MARK: Paid calls

    /// Asks about open doubts of a call and looks it up in the cache; otherwise asks the breaker and budgets and writes
    /// its intent.
    ///
    /// - Parameter identity: what makes it the same call when it is made again: its key or its place.
    /// - Returns: the decision, and what the call would have cost without a cache when it need not be made.
    func openCall(
        _ request: CallRequest, identity: Digest, in context: Context, step: String?
    ) async throws -> (CallDecision, worth: Money) {
        let cacheKey =
            options.caching == .off
            ? nil
            : request.key.map { key in
                CacheKey.call(
                    service: request.service, operation: request.operation, parameters: key,
                    scope: request.options.cache.scope, of: run, for: context.scope)
            }
        let number = ledger.callsInFlight.number()
        guard let cacheKey, !request.options.cache.refresh, options.looksUp else {
            return try await proceed(
                request, identity, in: context, step: step, cacheKey: cacheKey, turn: nil, number: number)
        }
        guard
            let turn = try await ledger.callsInFlight.take(
                cacheKey, for: number, named: context.inputID ?? context.processorID.text, inside: request.inside,
                waiting: { wait, body in try await context.desk.waiting(for: wait, in: context, body) })
        else {
            hint(
                "crossed_calls",
                "calls of '\(request.service)/\(request.operation)' would have waited for each other, so that '\(context.inputID ?? run.processorID.text)' made one of its own; equal calls are paid once when all inputs make them in the same order"
            )
            return try await proceed(
                request, identity, in: context, step: step, cacheKey: cacheKey, turn: nil, number: number)
        }
        do {
            if let entry = try await cached(cacheKey, item: context.inputID) {
                let doubts = try await askAboutDoubts(
                    request, identity, in: context, step: step, cacheKey: cacheKey, isRepeated: false)
                try await pass(doubts.open, item: context.inputID)
                let charge = hitCharge(for: entry, avoided: entry.cost, kind: .call, in: context, step: step)
                try await store.useCacheEntry(cacheKey, charge: charge)
                note(charge)
                tally.noteLookup(hit: entry.cost)
                emit(.cacheHit, item: context.inputID) {
                    ["service": .string(request.service), "operation": .string(request.operation)]
                }
                ledger.callsInFlight.giveBack(turn)
                return (.hit(entry.value), entry.cost)
            }
            tally.noteLookup(hit: nil)
            emit(.cacheMiss, item: context.inputID) {
                ["service": .string(request.service), "operation": .string(request.operation)]
            }
            let decision = try await proceed(
                request, identity, in: context, step: step, cacheKey: cacheKey, turn: turn, number: number)
            if case (.hit, _) = decision { ledger.callsInFlight.giveBack(turn) }
            return decision
        } catch {
            ledger.callsInFlight.giveBack(turn)
            throw error
        }
    }

    /// Asks about open doubts, the breaker and the budgets, and writes the intent of a call that must be made.
    private func proceed(
        _ request: CallRequest, _ identity: Digest, in context: Context, step: String?, cacheKey: String?,
        turn: CallsInFlight.Turn?, number: Int
    ) async throws -> (CallDecision, worth: Money) {
        let isTrial = try admit(request.service)
        do {
            let subject = PriceSubject.service(request.service, operation: request.operation)
            let unitPrice = try await ledger.price(of: subject).price?.amount
            if unitPrice == nil, request.maximumCost == nil, options.strictCosts {
                try await noteMissingPrice(of: request.service, request.operation, else: "give the call a maximum_cost")
            }
            var doubts = try await askAboutDoubts(
                request, identity, in: context, step: step, cacheKey: cacheKey, isRepeated: true)
            if let value = doubts.value {
                withdrawAttempt(at: request.service, isTrial)
                return (.hit(value), doubts.worth)
            }
            // If the outcome stays unknown, the call is made again under its old key, provided that the service honors
            // keys.
            let doubt = honoursKeys(request.service) ? doubts.open.popLast() : nil
            try await pass(doubts.open, item: context.inputID)
            if let doubt, doubt.executionID != run.executionID { try await meet(doubt, item: context.inputID) }
            let known = try await earlierCalls(like: request, identity, in: context)
            // The larger of both counts: the call may cost as much as either says.
            let reservation = [request.maximumCost, unitPrice].compactMap { $0 }.max()
            var record = intent(of: request, identity, after: known, doubt, reservation: reservation, context, step)
            record.cacheKey = cacheKey ?? record.cacheKey
            var promised = record
            // The execution that makes the call again pays for it.
            promised.executionID = run.executionID
            try await promise(
                promised, isUnpriced: reservation == nil && record.maximumCost == .zero, number: number,
                inside: request.inside, in: context)
            let isFiled: Bool
            do { isFiled = try await store.file(record, charge: nil, cached: nil).isFiled } catch {
                if doubt == nil {
                    _ = ledger.budgets.settle(record.callID, as: nil)
                } else {
                    ledger.budgets.doubt(record.callID)
                }
                throw error
            }
            guard isFiled else {
                // The doubt was decided in the meantime, so this is a call of its own.
                _ = ledger.budgets.settle(record.callID, as: nil)
                withdrawAttempt(at: request.service, isTrial)
                return try await proceed(
                    request, identity, in: context, step: step, cacheKey: cacheKey, turn: turn, number: number)
            }
            let call = Call(
                record: record, request: request, unitPrice: unitPrice, cacheKey: cacheKey, turn: turn,
                number: number, continuesDoubt: doubt != nil, isTrial: isTrial)
            return (.proceed(call), .zero)
        } catch {
            withdrawAttempt(at: request.service, isTrial)
            throw error
        }
    }

    /// Returns the earlier calls of the item for the same purpose, in order.
    private func earlierCalls(
        like request: CallRequest, _ identity: Digest, in context: Context
    ) async throws -> [CallRecord] {
        // A filter without an input does not narrow the search, and a call without an input must not match those of the
        // items.
        try await store.calls(
            matching: CallFilter(
                executionID: run.executionID, inputID: context.inputID, service: request.service,
                operation: request.operation, callKey: identity.text)
        ).filter { context.inputID != nil || $0.inputID == nil }
    }

    /// Returns the intent of a call: that of the call in doubt if there is one, otherwise a new one.
    private func intent(
        of request: CallRequest, _ identity: Digest, after earlier: [CallRecord], _ doubt: CallRecord?,
        reservation: Money?, _ context: Context, _ step: String?
    ) -> CallRecord {
        var record: CallRecord
        if let doubt {
            record = doubt
            (record.state, record.runID) = (.open, run.id)
            record.maximumCost = max(record.maximumCost, reservation ?? .zero)
        } else {
            let callKey = identity.text
            // Another call that stays in doubt must not lend this one its key.
            let known = earlier.count { $0.state != .open }
            let parts: [JSONValue] = [
                .string(run.executionID.text), JSONValue(context.inputID), .string(request.service),
                .string(request.operation), .string(callKey), JSONValue(known),
            ]
            record = CallRecord(
                callID: world.makeIdentifier().text, idempotencyKey: Digest.hex(of: JSONValue.array(parts).jsonBytes),
                state: .open, runID: run.id, executionID: run.executionID, processorID: run.processorID,
                inputID: context.inputID, service: request.service, operation: request.operation, callKey: callKey,
                maximumCost: reservation ?? .zero, timestamp: world.time.now())
        }
        (record.itemIndex, record.step) = (context.itemIndex, step)
        (record.accountID, record.underwritingID) = (context.scope.accountID, context.scope.underwritingID)
        record.doubtPolicy = request.options.doubtPolicy ?? options.doubtPolicy
        return record
    }

    /// Records how a call ended, with its charge and its value.
    ///
    /// - Parameter isLate: whether no one waited for it anymore and its breaker has been notified.
    /// - Returns: the charged amount.
    @discardableResult func closeCall(
        _ call: Call, _ end: CallEnd, isLate: Bool, in context: Context, step: String?
    ) async throws -> Money {
        defer { if let turn = call.turn { ledger.callsInFlight.giveBack(turn) } }
        var record = call.record
        var basis = Charge.Basis()
        // A paid call with an unreadable cost is not lost: it counts with what was reserved.
        let settled = call.settlement?.cost.map { cost -> Money in
            switch cost {
            case .amount(let amount): return amount
            case .unreadable: return record.maximumCost
            }
        }
        var cost: Money?
        var value: Result<JSONValue, any Error>?
        switch end {
        case .returned, .made:
            if case .returned(let payload) = end, call.cacheKey != nil { value = Result { try payload.json() } }
            cost = settled ?? call.unitPrice ?? record.maximumCost
            if settled == nil { basis.unitPrice = call.unitPrice }
            if settled == nil, call.unitPrice == nil, call.request.maximumCost == nil {
                await hintAtPrice(of: record.service, record.operation)
            }
        case .notMade: if call.continuesDoubt { record.state = .inDoubt }
        // Whatever a body throws when it is cancelled, the service may have done its work.
        case .threw(let error) where settled == nil && (Task.isCancelled || Self.leavesDoubt(error)):
            record.state = .inDoubt
        // A repeat that was not accepted leaves the attempt before it in doubt.
        case .threw(let error as ProcessingError) where settled == nil && call.continuesDoubt && error.wasNotTaken:
            record.state = .inDoubt
        case .threw:
            cost = settled
            let billing = call.request.options.billing ?? options.billing
            if cost == nil, billing == .onAttempt { cost = call.unitPrice ?? record.maximumCost }
            if cost != nil { basis.cause = .failure }
        }
        if !isLate { tellBreaker(of: record.service, end, call.isTrial) }
        let isInDoubt = record.state == .inDoubt
        if isInDoubt, case .threw = end {
            switch record.doubtPolicy {
            case .hold: break
            case .settle:
                cost = record.maximumCost
                record.resolution = .policy
            case .release: (record.state, record.resolution) = (.released, .policy)
            }
        }
        if cost != nil { record.state = .settled } else if record.state == .open { record.state = .released }
        if call.continuesDoubt, record.state != .inDoubt, record.resolution == nil {
            record.resolution = .repetition
            tally.noteRepeat(of: record.service)
        }
        if record.state == .settled { basis.resolution = record.resolution }
        let charge = cost.map { cost in
            Charge(
                costID: tally.nextCostID(), key: record.chargeKey, kind: .call, runID: run.id,
                executionID: run.executionID, processorID: run.processorID, inputID: context.inputID,
                itemIndex: context.itemIndex, step: step, service: record.service, operation: record.operation,
                cost: cost, timestamp: world.time.now(), basis: basis, metadata: call.settlement?.metadata ?? [:],
                accountID: context.scope.accountID, underwritingID: context.scope.underwritingID)
        }
        let cached: CacheEntry? =
            if let key = call.cacheKey, let value = try? value?.get(), let charge,
                // A value whose worth exceeds the largest amount is not cached.
                let worth = try? (call.worthOfBody + charge.cost).money()
            {
                entry(key, value, charge, worth: worth, policy: call.request.options.cache)
            } else { nil }
        let isCharged = try await store.file(record, charge: charge, cached: cached).isCharged
        if isCharged, let charge { note(charge) }
        // While the call is in doubt, its reservation stays.
        if record.state == .inDoubt {
            ledger.budgets.doubt(record.callID)
        } else {
            tell(ledger.budgets.settle(record.callID, as: isCharged ? charge : nil, under: options.budgets))
        }
        if isCharged, case .unreadable(let text)? = call.settlement?.cost { noteUnreadable(text, for: record, context) }
        if isInDoubt {
            withBatch { $0.hasDoubts = true }
            emit(.costInDoubt, item: context.inputID) {
                [
                    "call_id": .string(record.callID), "maximum_cost": record.maximumCost.jsonValue,
                    "policy": .string(record.doubtPolicy.rawValue),
                ]
            }
        }
        if let cost, cost > record.maximumCost {
            emit(.costOverrun, item: context.inputID) {
                ["cost": cost.jsonValue, "maximum_cost": record.maximumCost.jsonValue]
            }
        }
        // Thrown only now: a value that cannot be kept was still paid for.
        if case .failure(let error) = value { throw error }
        return charge?.cost ?? .zero
    }

    // MARK: Circuit breakers

    /// Throws `circuit_open` while the breaker of `service` is open; returns whether the call is a trial.
    private func admit(_ service: String) throws -> Bool {
        guard let policy = options.breakers[service] else { return false }
        let now = world.time.uptime()
        let (answer, moved) = breakers.use(service, policy) { breaker in
            (
                isAdmitted: breaker.admits(at: now), isTrial: breaker.state == .halfOpen,
                remaining: breaker.remaining(at: now)
            )
        }
        tell(moved, of: service)
        guard !answer.isAdmitted else { return answer.isTrial }
        let limit = Limit(
            "failure_threshold: \(policy.failureThreshold)", of: "the circuit breaker of '\(service)'",
            setAt: options.setAt["breakers.\(service)"])
        throw ProcessingError(
            .circuitOpen,
            answer.remaining > .zero
                ? "\(limit) was used up: it keeps failing and is not called for another \(answer.remaining.secondsText)"
                : "\(limit) was used up: it kept failing and is being tried by another call",
            retryAfter: answer.remaining)
    }

    /// Notifies the breaker of `service` how a call ended. A cancellation says nothing about the service.
    private func tellBreaker(of service: String, _ end: CallEnd, _ isTrial: Bool) {
        guard let policy = options.breakers[service] else { return }
        let now = world.time.uptime()
        let (_, moved) = breakers.use(service, policy) { breaker in
            // A call that was admitted earlier says nothing about the current state of the service.
            guard isTrial == (breaker.state == .halfOpen) else { return }
            switch end {
            case .returned, .made: breaker.succeed()
            case .threw(let error) where !(error is CancellationError): breaker.fail(at: now)
            case .threw, .notMade: breaker.withdraw()
            }
        }
        tell(moved, of: service)
    }

    private func withdrawAttempt(at service: String, _ isTrial: Bool) { tellBreaker(of: service, .notMade, isTrial) }

    private func tell(_ state: CircuitBreaker.State?, of service: String) {
        switch state {
        case .open: emit(.breakerOpen) { ["service": .string(service)] }
        case .halfOpen: emit(.breakerHalfOpen) { ["service": .string(service)] }
        case .closed: emit(.breakerClosed) { ["service": .string(service)] }
        case nil: break
        }
    }

    // MARK: Prices

    /// Hints once that a processor costs nothing because it has no price.
    func hintAtPrice(of processor: Identifier) {
        hint("no_price", about: processor.text, "'\(processor)' has no price; 0.00 is charged")
    }

    /// Hints once that an operation costs nothing because it has no price, and which price was probably meant.
    private func hintAtPrice(of service: String, _ operation: String) async {
        let subject = "\(service)/\(operation)"
        guard !tally.hasHinted("no_price", about: subject) else { return }
        let likely = await ledger.likelyPrice(for: service, operation)
        hint("no_price", about: subject, "'\(subject)' has no price; 0.00 is charged\(likely)")
    }

    /// Hints at a missing price, or refuses it under strict costs.
    private func noteMissingPrice(of service: String, _ operation: String, else remedy: String) async throws {
        guard options.strictCosts else { return await hintAtPrice(of: service, operation) }
        let likely = await ledger.likelyPrice(for: service, operation)
        throw Self.needsPrice(service, operation, else: remedy, likely)
    }

    private static func needsPrice(
        _ service: String, _ operation: String, else remedy: String, _ likely: String = ""
    ) -> ProcessingError {
        ProcessingError(
            .cost,
            "'\(service)/\(operation)' has no price, and strict_costs needs one: name it under prices, or "
                + "\(remedy)\(likely)", retryable: false)
    }

    /// Reports that a call counts with what was reserved for it, because its cost cannot be read.
    private func noteUnreadable(_ text: String, for call: CallRecord, _ context: Context) {
        let subject = "\(call.service)/\(call.operation)"
        emit(.costUnreadable, item: context.inputID) {
            [
                "call_id": .string(call.callID), "service": .string(call.service), "operation": .string(call.operation),
                "message": .string(text), "cost": call.maximumCost.jsonValue,
            ]
        }
        hint(
            "cost_unreadable", about: subject,
            "a cost of '\(subject)' cannot be read (\(text)); it counts with the \(call.maximumCost) reserved for it")
        tally.noteIncomplete("a cost of '\(subject)' cannot be read: \(text)")
    }

    /// Returns whether a call that ended with `error` may have been carried out.
    private static func leavesDoubt(_ error: any Error) -> Bool {
        if error is CancellationError { return true }
        guard let error = error as? ProcessingError else { return false }
        return error.outcomeUnknown || error.code == .timeout || error.code == .cancelled
            || error.code == .workerCrashed
    }

    /// Makes the zero charge of a cached value.
    ///
    /// - Parameter avoided: what it would have cost now without the cache.
    func hitCharge(
        for entry: CacheEntry, avoided: Money, kind: Charge.Kind, in context: Context, step: String?
    ) -> Charge {
        Charge(
            costID: tally.nextCostID(), kind: kind, runID: run.id, executionID: run.executionID,
            processorID: run.processorID, inputID: context.inputID, itemIndex: context.itemIndex, step: step,
            service: entry.service, operation: entry.operation, cost: .zero, timestamp: world.time.now(),
            avoidedCost: avoided, basis: Charge.Basis(.cacheHit, cachedAt: entry.storedAt),
            accountID: context.scope.accountID, underwritingID: context.scope.underwritingID)
    }

    /// Makes a cache entry for a value, with the charge that paid for it.
    func entry(
        _ key: String, _ value: JSONValue, _ charge: Charge, worth: Money, policy: CachePolicy
    ) -> CacheEntry {
        let now = world.time.now()
        return CacheEntry(
            key: key, service: charge.service, operation: charge.operation, value: value, storedAt: now,
            expiresAt: policy.ttl.map { now.advanced(by: $0) }, cost: worth, costID: charge.costID)
    }
}
