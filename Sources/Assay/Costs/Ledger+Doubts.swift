// Decisions about calls whose outcome is unknown.

extension CallRecord {
    /// Returns the charge of a call that was decided instead of answered.
    func charge(
        _ cost: Money, _ resolution: Charge.Basis.Resolution, for work: ChargedWork, _ costID: String,
        at moment: Timestamp
    ) -> Charge {
        Charge(
            .call, costID, key: chargeKey, for: work, of: service, operation, cost, at: moment,
            Charge.Basis(resolution: resolution))
    }
}

extension Ledger {
    /// Records that a call in doubt was not made, or costs nothing.
    func release(_ call: CallRecord, _ resolution: Charge.Basis.Resolution) async throws {
        try await file(call.decided(as: .released, resolution), charge: nil)
    }

    /// Records that a call in doubt was made, with the charge of the run that made it.
    @discardableResult
    func settle(_ call: CallRecord, _ resolution: Charge.Basis.Resolution, at cost: Money) async throws -> Charge {
        let charge = call.charge(
            cost, resolution, for: ChargedWork(of: call), "\(call.callID)-settled", at: world.time.now())
        try await file(call.decided(as: .settled, resolution), charge: charge)
        return charge
    }

    private func file(_ call: CallRecord, charge: Charge?) async throws {
        let isCharged = try await store.file(call, charge: charge, cached: nil).isCharged
        _ = budgets.settle(call.callID, as: isCharged ? charge : nil)
    }

    /// Applies the policy of a call in doubt; returns `false` when the policy is to wait for a decision.
    func followPolicy(of call: CallRecord) async throws -> Bool {
        switch call.doubtPolicy {
        case .hold: return false
        case .settle: try await settle(call, .policy, at: call.maximumCost)
        case .release: try await release(call, .policy)
        }
        return true
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
