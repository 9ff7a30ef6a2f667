// Paid calls whose outcome is unknown, and decisions about them.

extension Engine {
    /// Returns the calls whose outcome is unknown, in order of their intents.
    ///
    /// - Parameter execution: the execution; `nil`: all.
    public func callsInDoubt(of execution: Execution.ID? = nil) async throws -> [CallRecord] {
        try await store.calls(matching: CallFilter(executionID: execution, states: [.inDoubt]))
    }

    /// Decides that a call in doubt was made and what it cost. The cost is recorded as a charge of the run that made
    /// it.
    ///
    /// A run that makes the call again pays again, since the value of the first call is not known. Resuming the run
    /// instead of deciding repeats the call under its old idempotency key.
    ///
    /// - Throws: ``ProcessingError`` with code `not_found` for an unknown call, `illegal_move` when its outcome is
    ///   known.
    @discardableResult public func settle(callInDoubt id: String, at cost: Money) async throws -> Charge {
        try await ledger.settle(callInDoubt(id), .person, at: cost)
    }

    /// Decides that a call in doubt was not made or costs nothing.
    ///
    /// - Throws: as ``settle(callInDoubt:at:)``.
    public func release(callInDoubt id: String) async throws {
        try await ledger.release(callInDoubt(id), .person)
    }

    /// Asks the resolvers about an execution's calls in doubt, and applies the policies of the remaining ones.
    ///
    /// - Returns: the calls whose outcome is known now.
    public func resolveDoubts(of execution: Execution.ID? = nil) async throws -> [CallRecord] {
        var resolved: [CallRecord] = []
        for call in try await callsInDoubt(of: execution) {
            var isResolved = try await askResolver(about: call)
            if !isResolved { isResolved = try await followPolicy(of: call) }
            if isResolved { resolved += try await store.calls(matching: CallFilter(callID: call.callID)) }
        }
        return resolved
    }

    /// Asks the resolver of its service about a call in doubt; returns `false` when the outcome stays unknown.
    func askResolver(about call: CallRecord) async throws -> Bool {
        switch await ledger.resolution(of: call, warn: { self.warn($0) }) {
        case .settled(let cost, _): try await ledger.settle(call, .resolver, at: cost)
        case .released: try await ledger.release(call, .resolver)
        case .unknown: return false
        }
        return true
    }

    /// Applies the policies of an execution's calls in doubt.
    func followDoubtPolicies(of execution: Execution.ID) async throws {
        for call in try await callsInDoubt(of: execution) { _ = try await followPolicy(of: call) }
    }

    /// Applies the policy of a call in doubt; returns `false` when the policy is to wait for a decision.
    func followPolicy(of call: CallRecord) async throws -> Bool {
        switch call.doubtPolicy {
        case .hold: return false
        case .settle: try await ledger.settle(call, .policy, at: call.maximumCost)
        case .release: try await ledger.release(call, .policy)
        }
        return true
    }

    private func callInDoubt(_ id: String) async throws -> CallRecord {
        guard let call = try await store.calls(matching: CallFilter(callID: id)).first else {
            throw ProcessingError(.notFound, "call '\(id)' is not on record")
        }
        guard call.state == .inDoubt else {
            throw ProcessingError(.illegalMove, "call '\(id)' is \(call.state.rawValue), not in doubt")
        }
        return call
    }
}

extension CallRecord {
    /// Returns the charge of a call that was decided instead of answered.
    func charge(
        _ cost: Money, _ resolution: Charge.Basis.Resolution, costID: String, at moment: Timestamp
    ) -> Charge {
        Charge(
            costID: costID, key: chargeKey, kind: .call, runID: runID, executionID: executionID,
            processorID: processorID, inputID: inputID, itemIndex: itemIndex, step: step, service: service,
            operation: operation, cost: cost, timestamp: moment, basis: Charge.Basis(resolution: resolution),
            accountID: accountID, underwritingID: underwritingID)
    }
}

extension Ledger {
    /// Records that a call in doubt was not made, or costs nothing.
    func release(_ call: CallRecord, _ resolution: Charge.Basis.Resolution) async throws {
        try await file(call, as: .released, resolution, charge: nil)
    }

    /// Records that a call in doubt was made, with the charge of the run that made it.
    @discardableResult
    func settle(_ call: CallRecord, _ resolution: Charge.Basis.Resolution, at cost: Money) async throws -> Charge {
        let charge = call.charge(cost, resolution, costID: "\(call.callID)-settled", at: world.time.now())
        try await file(call, as: .settled, resolution, charge: charge)
        return charge
    }

    private func file(
        _ call: CallRecord, as state: CallRecord.State, _ resolution: Charge.Basis.Resolution, charge: Charge?
    ) async throws {
        var call = call
        (call.state, call.resolution) = (state, resolution)
        let isCharged = try await store.file(call, charge: charge, cached: nil).isCharged
        _ = budgets.settle(call.callID, as: isCharged ? charge : nil)
    }

    /// Asks the service how a call in doubt turned out.
    func resolution(of call: CallRecord, warn: (String) -> Void) async -> DoubtResolution {
        guard let resolver = resolvers[call.service] else { return .unknown }
        do { return try await resolver.resolve(call) } catch {
            warn("the resolver of '\(call.service)' failed for call '\(call.callID)', which stays in doubt: \(error)")
            return .unknown
        }
    }
}
