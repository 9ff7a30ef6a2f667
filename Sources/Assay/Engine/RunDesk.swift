import Logging

/// What a processor may ask for outside of `extract`: charges and calls, recorded at once.
///
/// The desk of an item adds steps to this.
struct RunDesk: Desk {
    let session: RunSession

    var options: RunOptions { session.options }

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

    func charge(_ usage: Usage, in context: Context) async throws {
        let charge = try await session.makeCharge(usage, in: context, step: nil)
        try await session.spend(charge, hasHappened: usage.incurred)
        try await session.record(counted: [charge])
    }

    func openCall(_ request: CallRequest, in context: Context) async throws -> CallDecision {
        let identity =
            request.key.map { Digest(of: $0) }
            ?? Digest(of: ["unkeyed", .string(context.processorID.text), .string(context.phase.rawValue)])
        return try await session.openCall(request, identity: identity, in: context, step: nil)
    }

    func closeCall(_ call: Call, _ end: CallEnd, in context: Context) async throws {
        try await session.closeCall(call, end, isLate: false, in: context, step: nil)
    }

    func emit(_ chunk: Payload, in context: Context) throws { throw Self.refused("emit", context) }

    func heartbeat(in context: Context) throws { throw Self.refused("heartbeat", context) }

    func waiting<Value: Sendable>(
        for wait: EngineWait, in context: Context, _ body: @escaping @Sendable (WaitSign) async throws -> Value
    ) async throws -> Value { try await session.wait(for: wait, body) }

    private static func refused(_ what: String, _ context: Context) -> ProcessingError {
        ProcessingError(.configuration, "'\(what)' works in extraction only, not in \(context.phase.rawValue)")
    }
}

extension RunSession {
    /// The charge that a use becomes.
    func makeCharge(_ usage: Usage, in context: Context, step: String?) async throws -> Charge {
        let (cost, basis) = try await ledger.cost(of: usage)
        if basis.priceSource == PriceOrigin.none { hintAtPrice(of: "\(usage.service)/\(usage.operation)") }
        let item = context.inputID ?? ""
        return Charge(
            costID: tally.nextCostID(),
            key: usage.key.map { "usage|\(run.executionID)|\(run.processorID)|\(item.utf8.count)|\(item)|\($0)" },
            kind: .usage, runID: run.id, executionID: run.executionID, processorID: run.processorID,
            inputID: context.inputID, itemIndex: context.itemIndex, step: step, service: usage.service,
            operation: usage.operation, cost: cost, timestamp: world.time.now(), basis: basis, metadata: usage.metadata,
            accountID: context.scope.accountID, underwritingID: context.scope.underwritingID)
    }

    // MARK: Paid calls

    /// Asks about open doubts of a call, looks it up in the cache, else asks breaker and budgets and writes its intent.
    ///
    /// - Parameter identity: what makes it the same call when it is made again: its key, or its place.
    func openCall(
        _ request: CallRequest, identity: Digest, in context: Context, step: String?
    ) async throws -> CallDecision {
        let cacheKey =
            options.caching == .off
            ? nil
            : request.key.map { key in
                CacheKey.call(
                    service: request.service, operation: request.operation, parameters: key,
                    scope: request.options.cache.scope, of: run, for: context.scope)
            }
        let number = ledger.callsInFlight.number()
        guard let cacheKey, !request.options.cache.refresh, options.caching != .refresh else {
            return try await proceed(
                request, identity, in: context, step: step, cacheKey: cacheKey, turn: nil, number: number)
        }
        guard
            let turn = try await ledger.callsInFlight.take(
                cacheKey, for: number, inside: request.inside, in: context)
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
                let charge = hitCharge(for: entry, kind: .call, in: context, step: step)
                try await store.useCacheEntry(cacheKey, charge: charge)
                note(charge)
                tally.noteLookup(hit: entry.cost)
                emit(.cacheHit, item: context.inputID) {
                    ["service": .string(request.service), "operation": .string(request.operation)]
                }
                ledger.callsInFlight.giveBack(turn)
                return .hit(entry.value)
            }
            tally.noteLookup(hit: nil)
            emit(.cacheMiss, item: context.inputID) {
                ["service": .string(request.service), "operation": .string(request.operation)]
            }
            let decision = try await proceed(
                request, identity, in: context, step: step, cacheKey: cacheKey, turn: turn, number: number)
            if case .hit = decision { ledger.callsInFlight.giveBack(turn) }
            return decision
        } catch {
            ledger.callsInFlight.giveBack(turn)
            throw error
        }
    }

    /// Asks about open doubts, breaker and budgets, and writes the intent of a call that must be made.
    private func proceed(
        _ request: CallRequest, _ identity: Digest, in context: Context, step: String?, cacheKey: String?,
        turn: CallsInFlight.Turn?, number: Int
    ) async throws -> CallDecision {
        let isTrial = try admit(request.service)
        do {
            let subject = PriceSubject.service(request.service, operation: request.operation)
            let unitPrice = try await ledger.price(of: subject).price?.amount
            var doubts = try await askAboutDoubts(
                request, identity, in: context, step: step, cacheKey: cacheKey, isRepeated: true)
            if let value = doubts.value {
                withdrawAttempt(at: request.service, isTrial)
                return .hit(value)
            }
            // Nobody knows, so the callee is asked again under the key it knows, if that means anything to it.
            let doubt = honoursKeys(request.service) ? doubts.open.popLast() : nil
            try await pass(doubts.open, item: context.inputID)
            if let doubt, doubt.executionID != run.executionID { try await meet(doubt, item: context.inputID) }
            let known = try await earlierCalls(like: request, identity, in: context)
            var record = intent(
                of: request, identity, after: known, doubt, maximum: request.maximumCost ?? unitPrice, context, step)
            record.cacheKey = cacheKey ?? record.cacheKey
            var promised = record
            // Who asks for it again is who may pay for it.
            promised.executionID = run.executionID
            try await promise(promised)
            let isFiled: Bool
            do { isFiled = try await store.file(record, charge: nil, cached: nil).isFiled } catch {
                if doubt == nil { _ = ledger.budgets.settle(record.callID, as: nil, at: record.timestamp) }
                throw error
            }
            guard isFiled else {
                // Somebody decided about the doubt in the meantime, so this is a call of its own.
                _ = ledger.budgets.settle(record.callID, as: nil, at: record.timestamp)
                withdrawAttempt(at: request.service, isTrial)
                return try await proceed(
                    request, identity, in: context, step: step, cacheKey: cacheKey, turn: turn, number: number)
            }
            return .proceed(
                Call(
                    record: record, request: request, unitPrice: unitPrice, cacheKey: cacheKey, turn: turn,
                    number: number, continuesDoubt: doubt != nil, isTrial: isTrial))
        } catch {
            withdrawAttempt(at: request.service, isTrial)
            throw error
        }
    }

    /// The calls of the item that were made for the same before, in order.
    private func earlierCalls(
        like request: CallRequest, _ identity: Digest, in context: Context
    ) async throws -> [CallRecord] {
        // A filter without an input does not narrow, and a call without one is not those of the items.
        try await store.calls(
            matching: CallFilter(
                executionID: run.executionID, inputID: context.inputID, service: request.service,
                operation: request.operation, callKey: identity.text)
        ).filter { context.inputID != nil || $0.inputID == nil }
    }

    /// The intent of a call: the one whose outcome is unknown, if there is one, else a new one.
    private func intent(
        of request: CallRequest, _ identity: Digest, after earlier: [CallRecord], _ doubt: CallRecord?,
        maximum: Money?, _ context: Context, _ step: String?
    ) -> CallRecord {
        var record: CallRecord
        if let doubt {
            record = doubt
            (record.state, record.runID) = (.open, run.id)
        } else {
            let callKey = identity.text
            // One that stays in doubt beside this call must not lend it its key.
            let known = earlier.count { $0.state != .open }
            let parts: [JSONValue] = [
                .string(run.executionID.text), JSONValue(context.inputID), .string(request.service),
                .string(request.operation), .string(callKey), JSONValue(known),
            ]
            record = CallRecord(
                callID: world.makeIdentifier().text, idempotencyKey: Digest.hex(of: JSONValue.array(parts).jsonBytes),
                state: .open, runID: run.id, executionID: run.executionID, processorID: run.processorID,
                inputID: context.inputID, service: request.service, operation: request.operation, callKey: callKey,
                maximumCost: maximum ?? .zero, timestamp: world.time.now())
        }
        (record.itemIndex, record.step) = (context.itemIndex, step)
        (record.accountID, record.underwritingID) = (context.scope.accountID, context.scope.underwritingID)
        record.doubtPolicy = request.options.doubtPolicy ?? options.doubtPolicy
        return record
    }

    /// Writes what became of a call, with its charge and the value it brought.
    ///
    /// - Parameter isLate: whether nobody waited for it any more, and its breaker has been told.
    func closeCall(
        _ call: Call, _ end: CallEnd, isLate: Bool, in context: Context, step: String?
    ) async throws {
        defer { if let turn = call.turn { ledger.callsInFlight.giveBack(turn) } }
        var record = call.record
        var basis = Charge.Basis()
        var cost: Money?
        var value: Result<JSONValue, any Error>?
        switch end {
        case .returned, .made:
            if case .returned(let payload) = end, call.cacheKey != nil { value = Result { try payload.json() } }
            cost = call.settled?.cost ?? call.unitPrice ?? record.maximumCost
            if call.settled == nil, call.unitPrice == nil, call.request.maximumCost == nil {
                hintAtPrice(of: "\(record.service)/\(record.operation)")
            }
        case .notMade: if call.continuesDoubt { record.state = .inDoubt }
        // Whatever a body throws when it is cancelled, the callee may have done its work.
        case .threw(let error) where call.settled == nil && (Task.isCancelled || Self.leavesDoubt(error)):
            record.state = .inDoubt
        case .threw:
            cost = call.settled?.cost
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
                cost: cost, timestamp: world.time.now(), basis: basis, metadata: call.settled?.metadata ?? [:],
                accountID: context.scope.accountID, underwritingID: context.scope.underwritingID)
        }
        let cached: CacheEntry? =
            if let key = call.cacheKey, let value = try? value?.get(), let charge {
                entry(key, value, charge, policy: call.request.options.cache)
            } else { nil }
        let isCharged = try await store.file(record, charge: charge, cached: cached).isCharged
        if isCharged, let charge { note(charge) }
        // While it is in doubt what was promised stays.
        if record.state != .inDoubt {
            tell(
                ledger.budgets.settle(
                    record.callID, as: isCharged ? charge : nil, under: options.budgets, at: world.time.now()))
        }
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
        // Thrown only now: a value that cannot be kept was paid for all the same.
        if case .failure(let error) = value { throw error }
    }

    // MARK: Circuit breakers

    /// Throws `circuit_open` while the breaker of `service` is open; the answer is whether the call is a trial.
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

    /// Tells the breaker of `service` how a call ended; a cancellation says nothing of the service.
    private func tellBreaker(of service: String, _ end: CallEnd, _ isTrial: Bool) {
        guard let policy = options.breakers[service] else { return }
        let now = world.time.uptime()
        let (_, moved) = breakers.use(service, policy) { breaker in
            // One that was let through earlier says nothing of how the service is by now.
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

    /// Says once that something costs nothing because nobody named its price.
    func hintAtPrice(of subject: String) { hint("no_price", "'\(subject)' has no price; 0.00 is charged") }

    /// Whether a call that ended with `error` may have been carried out.
    private static func leavesDoubt(_ error: any Error) -> Bool {
        if error is CancellationError { return true }
        guard let error = error as? ProcessingError else { return false }
        return error.outcomeUnknown || error.code == .timeout || error.code == .cancelled
            || error.code == .workerCrashed
    }

    /// The zero charge that stands for a value from the cache.
    func hitCharge(for entry: CacheEntry, kind: Charge.Kind, in context: Context, step: String?) -> Charge {
        Charge(
            costID: tally.nextCostID(), kind: kind, runID: run.id, executionID: run.executionID,
            processorID: run.processorID, inputID: context.inputID, itemIndex: context.itemIndex, step: step,
            service: entry.service, operation: entry.operation, cost: .zero, timestamp: world.time.now(),
            avoidedCost: entry.cost, basis: Charge.Basis(.cacheHit, cachedAt: entry.storedAt),
            accountID: context.scope.accountID, underwritingID: context.scope.underwritingID)
    }

    /// A value for the cache, with the charge that paid for it.
    func entry(_ key: String, _ value: JSONValue, _ charge: Charge, policy: CachePolicy) -> CacheEntry {
        let now = world.time.now()
        return CacheEntry(
            key: key, service: charge.service, operation: charge.operation, value: value, storedAt: now,
            expiresAt: policy.ttl.map { now.advanced(by: $0) }, cost: charge.cost, costID: charge.costID)
    }
}
