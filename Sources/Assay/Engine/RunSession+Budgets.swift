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
        let number = ledger.callsInFlight.number()
        do { try await count(.charge(charge), number, inside, context) } catch let error as ProcessingError
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

    /// Counts the maximum cost of a call; waits while only reservations are in its way.
    ///
    /// - Throws: as ``spend(_:hasHappened:inside:in:)``, and ``ProcessingError`` with code `cost` for a call that has
    ///   neither a price nor a maximum under a budget that needs one.
    func promise(
        _ call: CallRecord, isUnpriced: Bool, number: Int, inside: CallNest, in context: Context
    ) async throws {
        do { try await count(.call(call, isUnpriced: isUnpriced), number, inside, context) } catch let error
            as ProcessingError
            where error.code == .budgetExhausted
        {
            throw refused(error, item: call.inputID)
        }
    }

    private func count(
        _ matter: BudgetBook.Ask.Matter, _ number: Int, _ inside: CallNest, _ context: Context?
    ) async throws {
        let ask = BudgetBook.Ask(matter: matter, budgets: options.budgets, number: number, inside: inside)
        let warnings = try await ledger.budgets.count(ask) { budget, body in
            // Waiting for the reservations of others does not use up the item's time.
            if let context {
                try await context.desk.waiting(for: .reservation(budget: budget), in: context) { _ in try await body() }
            } else {
                try await wait(for: .reservation(budget: budget)) { _ in try await body() }
            }
        }
        tell(warnings)
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
    private func refused(_ refusal: ProcessingError, item: String?) -> ProcessingError {
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
