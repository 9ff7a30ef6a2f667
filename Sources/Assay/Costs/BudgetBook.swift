import Synchronization

/// What is spent and promised under every budget of an engine, so that any number of workers and runs see one sum.
///
/// The ledger is only ever added to, so what it held when counting began never changes: a sum is what the store
/// answers for that part, whenever it is asked, and what has been counted since. Runs and executions are counted
/// while they last, since nobody else spends for them; everything else from the first run on.
final class BudgetBook: Sendable {
    /// What a budget has to say about spending that was accepted.
    struct Notice: Hashable, Sendable {
        let kind: Event.Kind
        let budget: Budget
        let subject: BudgetSubject
        let windowStart: Timestamp?
    }

    fileprivate struct Tally {
        /// The place in the ledger after which charges are counted here.
        let position: Int
        var promised = Money.zero
        var settled: [Int64: Money] = [:]

        func settled(since start: Timestamp?) -> Int64 {
            settled.reduce(0) { sum, day in
                start.map { day.key >= $0.day } ?? true ? sum + day.value.billionths : sum
            }
        }
    }

    fileprivate struct Base: Hashable {
        let subject: BudgetSubject
        let windowStart: Timestamp?
    }

    fileprivate struct State {
        /// Where in the ledger counting began; `nil` before the first run.
        var position: Int?
        var tallies: [BudgetSubject: Tally] = [:]
        /// The calls whose cost is not known yet, by their names; each counts with its maximum.
        var promises: [String: CallRecord] = [:]
        /// What was in the ledger when a tally began.
        var bases: [Base: Money] = [:]
        var noticed: Set<Notice> = []
    }

    private let store: any Store
    private let state = Mutex(State())

    init(store: any Store) { self.store = store }

    // MARK: Counting

    /// Begins to count for a run, which nobody else can spend for yet.
    func begin(_ run: Run) async throws {
        let position = try await store.ledgerPosition()
        var unknown: [CallRecord] = []
        if state.withLock({ $0.position == nil }) {
            unknown = try await store.calls(matching: CallFilter(states: [.open, .inDoubt]))
        }
        let doubts = try await store.calls(
            matching: CallFilter(executionID: run.executionID, states: [.open, .inDoubt]))
        state.withLock { state in
            if state.position == nil {
                state.position = position
                for call in unknown { state.promise(call, in: Budget.Scope.allCases.filter(\.isLasting)) }
            }
            for scope in [Budget.Scope.run, .execution] {
                let subject = BudgetSubject(scope, scope == .run ? run.id.text : run.executionID.text)
                state.forget(subject)
                state.tallies[subject] = Tally(position: position)
            }
            for call in doubts { state.promise(call, in: [.execution]) }
        }
    }

    /// Ends the count for a run.
    func end(_ run: Run) {
        state.withLock { state in
            state.forget(BudgetSubject(.run, run.id.text))
            state.forget(BudgetSubject(.execution, run.executionID.text))
        }
    }

    // MARK: Spending

    /// Counts the most that `call` may cost, if that fits all of `budgets`, in the place of what an earlier attempt at
    /// the same call was counted with.
    ///
    /// - Returns: what budgets have to say, each of it once a window.
    /// - Throws: ``ProcessingError`` with code `budget_exhausted` naming the first budget it does not fit.
    func promise(_ call: CallRecord, under budgets: [Budget], at moment: Timestamp) async throws -> [Notice] {
        let spending = Spending(call)
        try await load(budgets, for: spending, at: moment)
        return try state.withLock { state in
            let earlier = state.withdraw(call.callID)
            do { try state.check(call.maximumCost, spending, budgets, moment, store.currency) } catch {
                if let earlier { state.promise(earlier) }
                throw error
            }
            state.promise(call)
            return state.notices(spending, budgets, moment)
        }
    }

    /// Counts `charge` as spent if it fits all of `budgets`, or in any case when it has happened already.
    func spend(_ charge: Charge, hasHappened: Bool, under budgets: [Budget], at moment: Timestamp) async throws
        -> [Notice]
    {
        let spending = Spending(charge)
        try await load(budgets, for: spending, at: moment)
        return try state.withLock { state in
            if !hasHappened { try state.check(charge.cost, spending, budgets, moment, store.currency) }
            state.settle(charge.cost, spending, on: charge.timestamp.day)
            return state.notices(spending, budgets, moment)
        }
    }

    /// Takes a charge back that turned out to be on record already.
    func takeBack(_ charge: Charge) {
        state.withLock { $0.settle(charge.cost, Spending(charge), on: charge.timestamp.day, isBack: true) }
    }

    /// Puts what a call cost in the place of what was promised; `nil`: nothing.
    func settle(_ callID: String, as charge: Charge?, under budgets: [Budget] = [], at moment: Timestamp) -> [Notice] {
        state.withLock { state in
            _ = state.withdraw(callID)
            guard let charge else { return [] }
            let spending = Spending(charge)
            state.settle(charge.cost, spending, on: charge.timestamp.day)
            return state.notices(spending, budgets, moment)
        }
    }

    /// How a budget stands for `spending`.
    func standing(of budget: Budget, for spending: Spending, at moment: Timestamp) async throws -> BudgetStanding? {
        try await load([budget], for: spending, at: moment)
        return state.withLock { state in
            spending.subject(budget.scope).map { state.standing(of: budget, $0, moment) }
        }
    }

    /// Asks the store for what it held of the sums that `budgets` need and that are not known yet.
    private func load(_ budgets: [Budget], for spending: Spending, at moment: Timestamp) async throws {
        for budget in budgets {
            guard let subject = spending.subject(budget.scope) else { continue }
            let base = Base(subject: subject, windowStart: budget.window.start(at: moment))
            let position = state.withLock { state in state.bases[base] == nil ? state.start(of: subject) : nil }
            guard let position else { continue }
            var filter = subject.charges
            filter.since = base.windowStart
            filter.upTo = position
            let sum = try await store.total(matching: filter)
            state.withLock { $0.bases[base] = sum }
        }
    }
}

extension Budget.Scope {
    /// Whether its sums outlive a run.
    fileprivate var isLasting: Bool { self != .run && self != .execution }
}

extension BudgetBook.State {
    /// Where in the ledger counting began for `subject`.
    fileprivate func start(of subject: BudgetSubject) -> Int {
        tallies[subject]?.position ?? position ?? 0
    }

    /// Changes the count of a subject; runs and executions that are over have none.
    private mutating func change(_ subject: BudgetSubject, _ body: (inout BudgetBook.Tally) -> Void) {
        if tallies[subject] == nil {
            guard subject.scope.isLasting, let position else { return }
            tallies[subject] = BudgetBook.Tally(position: position)
        }
        body(&tallies[subject]!)
    }

    fileprivate mutating func promise(_ call: CallRecord, in scopes: [Budget.Scope] = Budget.Scope.allCases) {
        promises[call.callID] = call
        changePromise(call, scopes, sign: 1)
    }

    /// Takes back what a call is counted with; the answer is the call as it was counted.
    fileprivate mutating func withdraw(_ callID: String) -> CallRecord? {
        guard let call = promises.removeValue(forKey: callID) else { return nil }
        changePromise(call, Budget.Scope.allCases, sign: -1)
        return call
    }

    private mutating func changePromise(_ call: CallRecord, _ scopes: [Budget.Scope], sign: Int64) {
        for subject in scopes.compactMap(Spending(call).subject) {
            change(subject) { tally in
                tally.promised = Money(
                    billionths: max(0, tally.promised.billionths + sign * call.maximumCost.billionths))
            }
        }
    }

    fileprivate mutating func settle(_ cost: Money, _ spending: Spending, on day: Int64, isBack: Bool = false) {
        guard cost != .zero else { return }
        for subject in spending.subjects {
            change(subject) { tally in
                let sum = (tally.settled[day] ?? .zero).billionths + (isBack ? -1 : 1) * cost.billionths
                tally.settled[day] = Money(billionths: max(0, sum))
            }
        }
    }

    fileprivate mutating func forget(_ subject: BudgetSubject) {
        tallies[subject] = nil
        bases = bases.filter { $0.key.subject != subject }
        noticed = noticed.filter { $0.subject != subject }
    }

    fileprivate func standing(of budget: Budget, _ subject: BudgetSubject, _ moment: Timestamp) -> BudgetStanding {
        let start = budget.window.start(at: moment)
        let base = bases[BudgetBook.Base(subject: subject, windowStart: start)] ?? .zero
        let spent = base.billionths + (tallies[subject]?.settled(since: start) ?? 0)
        return BudgetStanding(
            budget: budget, subject: subject.name, spent: Money(billionths: spent),
            reserved: tallies[subject]?.promised ?? .zero)
    }

    /// Throws when `amount` does not fit one of `budgets`; nothing always fits.
    fileprivate func check(
        _ amount: Money, _ spending: Spending, _ budgets: [Budget], _ moment: Timestamp, _ currency: String
    ) throws(ProcessingError) {
        guard amount > .zero else { return }
        for budget in budgets where budget.mode == .enforce {
            guard let subject = spending.subject(budget.scope) else { continue }
            let standing = standing(of: budget, subject, moment)
            guard amount > standing.remaining else { continue }
            throw standing.refusal(of: amount, currency: currency)
        }
    }

    /// What budgets have to say that they have not said in their windows.
    fileprivate mutating func notices(_ spending: Spending, _ budgets: [Budget], _ moment: Timestamp)
        -> [BudgetBook.Notice]
    {
        budgets.flatMap { budget -> [BudgetBook.Notice] in
            guard let subject = spending.subject(budget.scope) else { return [] }
            let standing = standing(of: budget, subject, moment)
            let sum = standing.spent.billionths + standing.reserved.billionths
            var kinds: [Event.Kind] = []
            if sum > 0, sum >= budget.warnLevel.billionths { kinds.append(.budgetWarning) }
            if sum > budget.limit.billionths { kinds.append(.budgetExceeded) }
            return kinds.map {
                BudgetBook.Notice(
                    kind: $0, budget: budget, subject: subject, windowStart: budget.window.start(at: moment))
            }.filter { noticed.insert($0).inserted }
        }
    }
}
