// What a run may spend.

extension RunSession {
    /// Counts a charge that is about to be recorded.
    ///
    /// - Parameter hasHappened: whether it is a fact already, which no budget can refuse.
    /// - Throws: ``ProcessingError`` with code `budget_exhausted` when it does not fit; the run then starts nothing more.
    func spend(_ charge: Charge, hasHappened: Bool) async throws {
        do {
            let notices = try await ledger.budgets.spend(
                charge, hasHappened: hasHappened, under: options.budgets, at: charge.timestamp)
            tell(notices)
        } catch let error as ProcessingError where error.code == .budgetExhausted {
            // A charge that is on record already costs nothing more; it is counted and taken back when that shows.
            if let key = charge.key, try await store.recordedKeys(among: [key]).contains(key) {
                return try await spend(charge, hasHappened: true)
            }
            throw refused(error, item: charge.inputID)
        }
    }

    /// Counts the most that a call may cost.
    ///
    /// - Throws: as ``spend(_:hasHappened:)``.
    func promise(_ call: CallRecord) async throws {
        do { tell(try await ledger.budgets.promise(call, under: options.budgets, at: world.time.now())) } catch let
            error
            as ProcessingError where error.code == .budgetExhausted
        {
            throw refused(error, item: call.inputID)
        }
    }

    /// Records charges that budgets count already, and takes back what turns out to be on record.
    func record(counted charges: [Charge]) async throws {
        let new = try await store.record(charges)
        for charge in new { note(charge) }
        guard new.count < charges.count else { return }
        let names = Set(new.map(\.costID))
        for charge in charges where !names.contains(charge.costID) { ledger.budgets.takeBack(charge) }
    }

    /// Tells what budgets have to say.
    func tell(_ notices: [BudgetBook.Notice]) {
        for notice in notices {
            emit(notice.kind) {
                [
                    "budget": .string(notice.budget.name), "limit": notice.budget.limit.jsonValue,
                    "scope": .string(notice.budget.scope.rawValue), "subject": JSONValue(notice.subject.name),
                    "mode": .string(notice.budget.mode.rawValue),
                ]
            }
        }
    }

    /// Takes note of a refusal, after which no further item starts.
    private func refused(_ error: ProcessingError, item: String?) -> ProcessingError {
        if tally.noteBudgetRefusal(error) { emit(.budgetExceeded, item: item) { ["message": .string(error.message)] } }
        stop(Stop(reason: .budgetExhausted, drains: true))
        return error
    }
}
