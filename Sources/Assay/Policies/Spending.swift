/// The facts about spending that decide which budgets it counts under: for whom, by whom and on what.
struct Spending: Sendable {
    let runID: Run.ID
    let executionID: Execution.ID
    let processorID: Identifier
    let accountID: ExternalID?
    let underwritingID: ExternalID?
    let service: String

    init(_ charge: Charge) {
        (runID, executionID, processorID) = (charge.runID, charge.executionID, charge.processorID)
        (accountID, underwritingID, service) = (charge.accountID, charge.underwritingID, charge.service)
    }

    init(_ call: CallRecord) {
        (runID, executionID, processorID) = (call.runID, call.executionID, call.processorID)
        (accountID, underwritingID, service) = (call.accountID, call.underwritingID, call.service)
    }

    /// Returns the subject of the spending under budgets of `scope`; `nil` when there is none.
    func subject(_ scope: Budget.Scope) -> BudgetSubject? {
        switch scope {
        case .run: BudgetSubject(scope, runID.text)
        case .execution: BudgetSubject(scope, executionID.text)
        case .account: accountID.map { BudgetSubject(scope, $0.text) }
        case .underwriting: underwritingID.map { BudgetSubject(scope, $0.text) }
        case .processor: BudgetSubject(scope, processorID.text)
        case .service: BudgetSubject(scope, service)
        case .store: BudgetSubject(scope, "")
        }
    }

    /// All subjects of the spending.
    var subjects: [BudgetSubject] { Budget.Scope.allCases.compactMap(subject) }
}

/// A subject whose spending counts together: this account, that service.
struct BudgetSubject: Hashable, Sendable {
    let scope: Budget.Scope
    // Compared byte by byte, like the IDs it is made of.
    private let value: ExternalID

    init(_ scope: Budget.Scope, _ value: String) {
        self.scope = scope
        self.value = ExternalID(unchecked: value)
    }

    /// The name of the subject; `nil` for the store.
    var name: String? { scope == .store ? nil : value.text }

    /// A filter for the subject's charges.
    var charges: ChargeFilter {
        var filter = ChargeFilter()
        switch scope {
        case .run: filter.runID = Identifier(value.text)
        case .execution: filter.executionID = Identifier(value.text)
        case .account: filter.accountID = value
        case .underwriting: filter.underwritingID = value
        case .processor: filter.processorID = Identifier(value.text)
        case .service: filter.service = value.text
        case .store: break
        }
        return filter
    }
}
