// Standings of budgets.

extension Engine {
    /// Returns the current standings of `budgets` for those that `run` spends for, computed from the store. A service
    /// budget has one standing for each service that the run has used.
    ///
    /// Reads every charge in each budget's scope and window.
    public func standings(of budgets: [Budget], for run: Run) async throws -> [BudgetStanding] {
        let now = world.time.now()
        let unknown = try await store.calls(matching: CallFilter(states: [.open, .inDoubt]))
        var standings: [BudgetStanding] = []
        for budget in budgets {
            for subject in try await subjects(of: budget.scope, for: run, unknown) {
                var filter = subject.charges
                filter.since = budget.windowStart(at: now)
                let promised = unknown.filter { Spending($0).subject(budget.scope) == subject }
                let reserved = promised.reduce(MoneySum.zero) { $0 + $1.maximumCost }
                let doubts = promised.filter { $0.state == .inDoubt }
                standings.append(
                    BudgetStanding(
                        budget: budget, subject: subject.name, spent: try await store.total(matching: filter),
                        reserved: reserved, inDoubt: doubts.reduce(.zero) { $0 + $1.maximumCost }))
            }
        }
        return standings
    }

    private func subjects(of scope: Budget.Scope, for run: Run, _ unknown: [CallRecord]) async throws
        -> [BudgetSubject]
    {
        switch scope {
        case .run: return [BudgetSubject(scope, run.id.text)]
        case .execution: return [BudgetSubject(scope, run.executionID.text)]
        case .account: return run.scope.accountID.map { [BudgetSubject(scope, $0.text)] } ?? []
        case .underwriting: return run.scope.underwritingID.map { [BudgetSubject(scope, $0.text)] } ?? []
        case .processor: return [BudgetSubject(scope, run.processorID.text)]
        case .store: return [BudgetSubject(scope, "")]
        case .service:
            let charged = try await store.charges(matching: ChargeFilter(runID: run.id)).map(\.service)
            let called = unknown.filter { $0.runID == run.id }.map(\.service)
            return Set(charged + called).sorted().map { BudgetSubject(scope, $0) }
        }
    }
}
