import Logging

/// What a processor may ask for outside of `extract`: charges and calls, recorded at once.
///
/// The desk of an item adds steps to this.
struct RunDesk: Desk {
    let session: RunSession

    func logger(for context: Context) -> Logger { session.logger(item: context.inputID) }

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
        try await session.record([session.makeCharge(usage, in: context, step: nil)])
    }

    func openCall(_ request: CallRequest, in context: Context) async throws -> CallDecision {
        try await session.openCall(request, in: context, step: nil)
    }

    func closeCall(_ call: Call, _ end: CallEnd, in context: Context) async throws {
        try await session.closeCall(call, end, in: context, step: nil)
    }

    func emit(_ chunk: Payload, in context: Context) throws { throw Self.refused("emit", context) }

    func heartbeat(in context: Context) throws { throw Self.refused("heartbeat", context) }

    private static func refused(_ what: String, _ context: Context) -> ProcessingError {
        ProcessingError(.configuration, "'\(what)' works in extraction only, not in \(context.phase.rawValue)")
    }
}

extension RunSession {
    /// The charge that a use becomes.
    func makeCharge(_ usage: Usage, in context: Context, step: String?) async throws -> Charge {
        let (cost, metadata) = try await ledger.cost(of: usage)
        if metadata["price_source"] == "none" { hintAtPrice(of: "\(usage.service)/\(usage.operation)") }
        let item = context.inputID ?? ""
        return Charge(
            costID: nextCostID(),
            key: usage.key.map { "usage|\(run.executionID)|\(run.processorID)|\(item.utf8.count)|\(item)|\($0)" },
            kind: .usage, runID: run.id, executionID: run.executionID, processorID: run.processorID,
            inputID: context.inputID, itemIndex: context.itemIndex, step: step, service: usage.service,
            operation: usage.operation, cost: cost, timestamp: world.time.now(), metadata: metadata,
            accountID: context.scope.accountID, underwritingID: context.scope.underwritingID)
    }

    // MARK: Paid calls

    /// Looks a call up in the cache, else writes its intent.
    func openCall(_ request: CallRequest, in context: Context, step: String?) async throws -> CallDecision {
        let cacheKey = request.key.map { key in
            CacheKey.call(
                service: request.service, operation: request.operation, parameters: key,
                scope: request.options.cache.scope, of: run)
        }
        guard let cacheKey, !request.options.cache.refresh else {
            return try await proceed(request, in: context, cacheKey: cacheKey, turn: nil)
        }
        let turn = try await ledger.callsInFlight.take(cacheKey)
        do {
            if let entry = try await store.cacheEntry(cacheKey), entry.isFresh(at: world.time.now()) {
                let charge = hitCharge(for: entry, kind: .call, in: context, step: step)
                try await store.useCacheEntry(cacheKey, charge: charge)
                note(charge)
                noteLookup(hit: entry.cost)
                emit(.cacheHit, item: context.inputID) {
                    ["service": .string(request.service), "operation": .string(request.operation)]
                }
                ledger.callsInFlight.giveBack(turn)
                return .hit(entry.value)
            }
            noteLookup(hit: nil)
            emit(.cacheMiss, item: context.inputID) {
                ["service": .string(request.service), "operation": .string(request.operation)]
            }
            return try await proceed(request, in: context, cacheKey: cacheKey, turn: turn)
        } catch {
            ledger.callsInFlight.giveBack(turn)
            throw error
        }
    }

    /// Writes the intent of a call that must be made.
    private func proceed(
        _ request: CallRequest, in context: Context, cacheKey: String?, turn: CallsInFlight.Turn?
    ) async throws -> CallDecision {
        let subject = PriceSubject.service(request.service, operation: request.operation)
        let unitPrice = try await ledger.price(of: subject).price?.amount
        let (record, continuesDoubt) = try await intent(
            of: request, maximum: request.maximumCost ?? unitPrice ?? .zero, in: context)
        try await store.file(record, charge: nil, cached: nil)
        return .proceed(
            Call(
                record: record, request: request, unitPrice: unitPrice, cacheKey: cacheKey, turn: turn,
                continuesDoubt: continuesDoubt))
    }

    /// The intent of a call: the one whose outcome is unknown, if there is one, else a new one.
    private func intent(of request: CallRequest, maximum: Money, in context: Context) async throws -> (
        record: CallRecord, continuesDoubt: Bool
    ) {
        let callKey = Digest(of: request.key ?? .null).text
        var filter = CallFilter(executionID: run.executionID, inputID: context.inputID, service: request.service)
        filter.operation = request.operation
        filter.callKey = callKey
        let earlier = try await store.calls(matching: filter)
        if var open = earlier.last(where: { $0.state == .inDoubt }) {
            (open.state, open.runID) = (.open, run.id)
            return (open, true)
        }
        let known = earlier.count { $0.state == .settled || $0.state == .released }
        let parts: [JSONValue] = [
            .string(run.executionID.text), JSONValue(context.inputID), .string(request.service),
            .string(request.operation), .string(callKey), JSONValue(known),
        ]
        let record = CallRecord(
            callID: world.makeIdentifier().text, idempotencyKey: Digest.hex(of: JSONValue.array(parts).jsonBytes),
            state: .open, runID: run.id, executionID: run.executionID, processorID: run.processorID,
            inputID: context.inputID, service: request.service, operation: request.operation, callKey: callKey,
            maximumCost: maximum, timestamp: world.time.now())
        return (record, false)
    }

    /// Writes what became of a call, with its charge and the value it brought.
    func closeCall(_ call: Call, _ end: CallEnd, in context: Context, step: String?) async throws {
        defer { if let turn = call.turn { ledger.callsInFlight.giveBack(turn) } }
        var record = call.record
        var metadata: JSONObject = ["cache_hit": false]
        var cost: Money?
        var value: Result<JSONValue, any Error>?
        switch end {
        case .returned(let payload):
            if call.cacheKey != nil { value = Result { try payload.json() } }
            cost = call.settled?.cost ?? call.unitPrice ?? record.maximumCost
            if call.settled == nil, call.unitPrice == nil, call.request.maximumCost == nil {
                hintAtPrice(of: "\(record.service)/\(record.operation)")
            }
        case .notMade: if call.continuesDoubt { record.state = .inDoubt }
        case .threw(let error) where call.settled == nil && Self.leavesDoubt(error):
            record.state = .inDoubt
        case .threw:
            cost = call.settled?.cost
            if cost == nil, call.request.options.billing == .onAttempt { cost = call.unitPrice ?? record.maximumCost }
            if cost != nil { metadata["charged_despite_error"] = true }
        }
        if record.state != .inDoubt { record.state = cost == nil ? .released : .settled }
        for member in call.settled?.metadata.members ?? [] { metadata[member.key] = member.value }
        let charge = cost.map { cost in
            Charge(
                costID: nextCostID(), key: "call|\(record.callID)", kind: .call, runID: run.id,
                executionID: run.executionID, processorID: run.processorID, inputID: context.inputID,
                itemIndex: context.itemIndex, step: step, service: record.service, operation: record.operation,
                cost: cost, timestamp: world.time.now(), metadata: metadata, accountID: context.scope.accountID,
                underwritingID: context.scope.underwritingID)
        }
        let cached: CacheEntry? =
            if let key = call.cacheKey, let value = try? value?.get(), let charge {
                entry(key, value, charge, policy: call.request.options.cache)
            } else { nil }
        try await store.file(record, charge: charge, cached: cached)
        if let charge { note(charge) }
        if record.state == .inDoubt {
            emit(.costInDoubt, item: context.inputID) {
                ["call_id": .string(record.callID), "maximum_cost": record.maximumCost.jsonValue]
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
            costID: nextCostID(), kind: kind, runID: run.id, executionID: run.executionID,
            processorID: run.processorID, inputID: context.inputID, itemIndex: context.itemIndex, step: step,
            service: entry.service, operation: entry.operation, cost: .zero, timestamp: world.time.now(),
            avoidedCost: entry.cost,
            metadata: ["cache_hit": true, "cached_at": entry.storedAt.jsonValue],
            accountID: context.scope.accountID, underwritingID: context.scope.underwritingID)
    }

    /// A value for the cache, with the charge that paid for it.
    private func entry(_ key: String, _ value: JSONValue, _ charge: Charge, policy: CachePolicy) -> CacheEntry {
        let now = world.time.now()
        return CacheEntry(
            key: key, service: charge.service, operation: charge.operation, value: value, storedAt: now,
            expiresAt: policy.ttl.map { now.advanced(by: $0) }, cost: charge.cost, costID: charge.costID)
    }
}
