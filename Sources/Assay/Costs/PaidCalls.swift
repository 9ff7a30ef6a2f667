/// The paid calls of a run: looked up, reserved and on record before they are made, and closed by their names.
///
/// What becomes of a call is decided by its ``CallRecord``; this reads, writes and tells.
struct PaidCalls: Sendable {
    /// The decision whether a call must be made.
    enum Opening {
        /// Its value is known. `worth` is what the call would have cost without a cache.
        case hit(JSONValue, worth: Money)
        /// It must be made, and its intent is on record.
        case proceed(OpenCall)
    }

    /// A call that asks to be made.
    struct Asked {
        let request: CallRequest
        /// What makes it the same call when it is made again: its key or its place.
        let identity: Digest
        let work: PayingWork
        /// The key under which the cache keeps its value.
        let cacheKey: String?
        /// The number by which other calls refer to it.
        let number: Int
    }

    let ledger: Ledger
    let breakers: CircuitBreakers
    let terms: SpendingTerms
    let payer: any Payer

    var run: Run { payer.run }
    var store: any Store { ledger.store }

    /// Asks about open doubts of a call and looks it up in the cache; otherwise asks the breaker and budgets and writes
    /// its intent.
    ///
    /// - Parameter identity: what makes it the same call when it is made again: its key or its place.
    func open(_ request: CallRequest, identity: Digest, by work: PayingWork) async throws -> Opening {
        let cacheKey =
            terms.caching == .off
            ? nil
            : request.key.map { key in
                CacheKey.call(
                    service: request.service, operation: request.operation, parameters: key,
                    scope: request.options.cache.scope, of: run, for: work.scope)
            }
        let asked = Asked(
            request: request, identity: identity, work: work, cacheKey: cacheKey, number: ledger.callsInFlight.number())
        guard let cacheKey, !request.options.cache.refresh, terms.looksUp else {
            return try await proceed(asked, turn: nil)
        }
        let name = work.inputID ?? run.processorID.text
        guard
            let turn = try await ledger.callsInFlight.take(
                cacheKey, for: asked.number, named: name, inside: request.inside, waiting: work.wait)
        else {
            payer.hint(
                "crossed_calls", about: "",
                "calls of '\(request.service)/\(request.operation)' would have waited for each other, so that '\(name)' made one of its own; equal calls are paid once when all inputs make them in the same order"
            )
            return try await proceed(asked, turn: nil)
        }
        do {
            if let entry = try await cached(cacheKey, item: work.inputID) {
                let opening = try await use(entry, for: asked)
                ledger.callsInFlight.giveBack(turn)
                return opening
            }
            payer.noteLookup(hit: nil)
            tell(.cacheMiss, of: asked)
            let opening = try await proceed(asked, turn: turn)
            if case .hit = opening { ledger.callsInFlight.giveBack(turn) }
            return opening
        } catch {
            ledger.callsInFlight.giveBack(turn)
            throw error
        }
    }

    /// Uses a cached value instead of a call.
    private func use(_ entry: CacheEntry, for asked: Asked) async throws -> Opening {
        let doubts = try await askAboutDoubts(of: asked, isRepeated: false)
        try await pass(doubts.open, item: asked.work.inputID)
        let charge = hitCharge(
            for: entry, avoided: entry.cost, kind: .call, by: asked.work, step: asked.request.step)
        try await store.useCacheEntry(entry.key, charge: charge)
        payer.note(charge)
        payer.noteLookup(hit: entry.cost)
        tell(.cacheHit, of: asked)
        return .hit(entry.value, worth: entry.cost)
    }

    private func tell(_ kind: Event.Kind, of asked: Asked) {
        payer.emit(kind, item: asked.work.inputID) {
            ["service": .string(asked.request.service), "operation": .string(asked.request.operation)]
        }
    }

    /// Asks about open doubts, the breaker and the budgets, and writes the intent of a call that must be made.
    private func proceed(_ asked: Asked, turn: CallsInFlight.Turn?) async throws -> Opening {
        let request = asked.request
        let isTrial = try admit(request.service)
        do {
            let subject = PriceSubject.service(request.service, operation: request.operation)
            let unitPrice = try await ledger.price(of: subject).price?.amount
            let isUnpriced = unitPrice == nil && request.maximumCost == nil
            if isUnpriced, terms.strictCosts {
                try await noteMissingPrice(of: request.service, request.operation, else: "give the call a maximum_cost")
            }
            var doubts = try await askAboutDoubts(of: asked, isRepeated: true)
            if let value = doubts.value {
                withdrawAttempt(at: request.service, isTrial)
                return .hit(value, worth: doubts.worth)
            }
            // If the outcome stays unknown, the call is made again under its old key, provided that the service honors
            // keys.
            let doubt = honorsKeys(request.service) ? doubts.open.popLast() : nil
            try await pass(doubts.open, item: asked.work.inputID)
            if let doubt, doubt.executionID != run.executionID { try await meet(doubt, item: asked.work.inputID) }
            let record = try await intent(of: asked, repeating: doubt, at: unitPrice)
            var promised = record
            // The execution that makes the call again pays for it.
            promised.executionID = run.executionID
            try await promise(promised, isUnpriced: isUnpriced && record.maximumCost == .zero, for: asked)
            guard try await file(record) else {
                // The doubt was decided in the meantime, so this is a call of its own.
                _ = ledger.budgets.settle(record.callID, as: nil)
                withdrawAttempt(at: request.service, isTrial)
                return try await proceed(asked, turn: turn)
            }
            return .proceed(
                OpenCall(
                    call: Call(record.callID, idempotencyKey: record.idempotencyKey, number: asked.number),
                    record: record, inside: request.inside, turn: turn, isTrial: isTrial, isUnpriced: isUnpriced))
        } catch {
            withdrawAttempt(at: request.service, isTrial)
            throw error
        }
    }

    /// Writes an intent; returns whether it is on record.
    private func file(_ intent: CallRecord) async throws -> Bool {
        do { return try await store.file(intent, charge: nil, cached: nil).isFiled } catch {
            if intent.isRepeat {
                ledger.budgets.doubt(intent.callID)
            } else {
                _ = ledger.budgets.settle(intent.callID, as: nil)
            }
            throw error
        }
    }

    /// Returns the intent of a call: that of the call in doubt if there is one, otherwise a new one.
    private func intent(of asked: Asked, repeating doubt: CallRecord?, at unitPrice: Money?) async throws -> CallRecord
    {
        let (request, work) = (asked.request, asked.work)
        // The larger of both counts: the call may cost as much as either says.
        let reservation = [request.maximumCost, unitPrice].compactMap { $0 }.max()
        var record: CallRecord
        if let doubt {
            record = doubt.repeated(by: run, reserving: reservation)
        } else {
            let callKey = asked.identity.text
            // Another call that stays in doubt must not lend this one its key.
            let known = try await earlierCalls(like: asked).count { $0.state != .open }
            let parts: [JSONValue] = [
                .string(run.executionID.text), JSONValue(work.inputID), .string(request.service),
                .string(request.operation), .string(callKey), JSONValue(known),
            ]
            record = CallRecord(
                callID: ledger.world.makeIdentifier().text,
                idempotencyKey: Digest.hex(of: JSONValue.array(parts).jsonBytes), state: .open, runID: run.id,
                executionID: run.executionID, processorID: run.processorID, inputID: work.inputID,
                service: request.service, operation: request.operation, callKey: callKey,
                maximumCost: reservation ?? .zero, timestamp: ledger.world.time.now())
        }
        (record.itemIndex, record.step, record.attempt) = (work.itemIndex, request.step, work.attempt)
        (record.accountID, record.underwritingID) = (work.scope.accountID, work.scope.underwritingID)
        record.doubtPolicy = request.options.doubtPolicy ?? terms.doubtPolicy
        record.billing = request.options.billing ?? terms.billing
        (record.unitPrice, record.timeToLive) = (unitPrice, request.options.cache.ttl)
        record.cacheKey = asked.cacheKey ?? record.cacheKey
        return record
    }

    /// Returns the calls of the item for the same purpose that are in one of `states`, in order of their intents.
    func earlierCalls(like asked: Asked, in states: Set<CallRecord.State>? = nil) async throws -> [CallRecord] {
        // A filter without an input does not narrow the search, and a call without an input must not match those of the
        // items.
        try await store.calls(
            matching: CallFilter(
                executionID: run.executionID, inputID: asked.work.inputID, service: asked.request.service,
                operation: asked.request.operation, callKey: asked.identity.text, states: states)
        ).filter { asked.work.inputID != nil || $0.inputID == nil }
    }

    /// Counts the maximum cost of a call; waits while only reservations are in its way.
    ///
    /// - Throws: ``ProcessingError`` with code `budget_exhausted` when it does not fit, after which the run starts
    ///   nothing more; `cost` for a call that has neither a price nor a maximum under a budget that needs one.
    private func promise(_ call: CallRecord, isUnpriced: Bool, for asked: Asked) async throws {
        let ask = BudgetBook.Ask(
            matter: .call(call, isUnpriced: isUnpriced), budgets: terms.budgets, number: asked.number,
            inside: asked.request.inside)
        do { try await count(ask, by: asked.work.wait) } catch let error as ProcessingError
            where error.code == .budgetExhausted
        {
            throw payer.refused(error, item: call.inputID)
        }
    }

    /// Counts `ask` under its budgets. Waiting for the reservations of others does not use up the time of the work.
    func count(
        _ ask: BudgetBook.Ask,
        by wait: (EngineWait, @escaping @Sendable (WaitSign) async throws -> Bool) async throws -> Bool
    ) async throws {
        let warnings = try await ledger.budgets.count(ask) { budget, body in
            _ = try await wait(.reservation(budget: budget)) { _ in
                try await body()
                return true
            }
        }
        payer.tell(warnings)
    }

    // MARK: Circuit breakers

    /// Throws `circuit_open` while the breaker of `service` is open; returns whether the call is a trial.
    private func admit(_ service: String) throws -> Bool {
        guard let policy = terms.breakers[service] else { return false }
        let now = ledger.world.time.uptime()
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
            setAt: terms.setAt["breakers.\(service)"])
        throw ProcessingError(
            .circuitOpen,
            answer.remaining > .zero
                ? "\(limit) was used up: it keeps failing and is not called for another \(answer.remaining.secondsText)"
                : "\(limit) was used up: it kept failing and is being tried by another call",
            retryAfter: answer.remaining)
    }

    /// Notifies the breaker of `service` how a call ended. A cancellation says nothing about the service.
    func tellBreaker(of service: String, _ end: CallEnd, _ isTrial: Bool) {
        guard let policy = terms.breakers[service] else { return }
        let now = ledger.world.time.uptime()
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
        case .open: payer.emit(.breakerOpen, item: nil) { ["service": .string(service)] }
        case .halfOpen: payer.emit(.breakerHalfOpen, item: nil) { ["service": .string(service)] }
        case .closed: payer.emit(.breakerClosed, item: nil) { ["service": .string(service)] }
        case nil: break
        }
    }
}
