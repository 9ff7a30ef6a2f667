// Budgets of a run.

extension RunSession {
    /// Counts a charge that is about to be recorded; waits while only reservations are in its way.
    ///
    /// - Parameters:
    ///   - hasHappened: whether it is a fact already, which no budget can refuse.
    ///   - inside: the calls around it.
    ///   - context: the context of the work that it pays for; `nil`: the run.
    /// - Throws: ``ProcessingError`` with code `budget_exhausted` when it does not fit; the run then starts nothing
    ///   more.
    func spend(
        _ charge: Charge, hasHappened: Bool, inside: CallNest = .none, in context: Context? = nil
    ) async throws {
        if hasHappened { return tell(try await ledger.budgets.countIncurred(charge, under: options.budgets)) }
        let ask = BudgetBook.Ask(
            matter: .charge(charge), budgets: options.budgets, number: ledger.callsInFlight.number(), inside: inside)
        let waiting = context.map { payingWork(in: $0).wait } ?? { try await self.wait(for: $0, $1) }
        do { try await paidCalls.count(ask, by: waiting) } catch let error as ProcessingError
            where error.code == .budgetExhausted
        {
            // A charge that is on record already costs nothing more. It is counted now and withdrawn once recording it
            // shows that.
            if let key = charge.key, try await store.recordedKeys(among: [key]).contains(key) {
                return try await spend(charge, hasHappened: true)
            }
            throw refused(error, item: charge.inputID)
        }
    }

    /// Records charges that budgets count already, and withdraws those that turn out to be on record.
    func record(counted charges: [Charge]) async throws {
        let new = try await store.record(charges)
        for charge in new { note(charge) }
        guard new.count < charges.count else { return }
        let names = Set(new.map(\.costID))
        for charge in charges where !names.contains(charge.costID) { ledger.budgets.takeBack(charge) }
    }

    /// Sends the warnings of budgets as events.
    func tell(_ warnings: [BudgetBook.Warning]) {
        for (notice, standing) in warnings.map({ ($0.notice, $0.standing) }) {
            emit(notice.kind) {
                [
                    "message": .string(
                        standing.notice(passed: notice.kind == .budgetExceeded, currency: store.currency)),
                    "budget": .string(notice.budget.name), "limit": notice.budget.limit.jsonValue,
                    "scope": .string(notice.budget.scope.rawValue), "subject": JSONValue(notice.subject.name),
                    "mode": .string(notice.budget.mode.rawValue), "spent": standing.spent.jsonValue,
                    "reserved": standing.reserved.jsonValue,
                ]
            }
        }
    }

    /// Records a refusal, after which no further item starts.
    func refused(_ refusal: ProcessingError, item: String?) -> ProcessingError {
        var error = refusal
        if let name = error.budget, let place = options.setAt["budget.\(name)"] {
            error.message += " (the limit: \(place))"
        }
        if tally.noteBudgetRefusal(error) {
            emit(.budgetExceeded, item: item) {
                ["message": .string(error.message), "budget": JSONValue(error.budget), "refused": true]
            }
        }
        stop(Stop(reason: .budgetExhausted, drains: true))
        return error
    }
}
