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
            if !isResolved { isResolved = try await ledger.followPolicy(of: call) }
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
        for call in try await callsInDoubt(of: execution) { _ = try await ledger.followPolicy(of: call) }
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
            if try await ledger.followPolicy(of: call) { continue }
            if isPassed { try await session.paidCalls.meet(call, item: call.inputID) }
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
