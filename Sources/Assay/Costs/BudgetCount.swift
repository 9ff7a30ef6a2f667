/// The sums of a ``BudgetBook``, and the calls that wait for room in them.
struct BudgetCount {
    /// What was in the ledger of a subject's charges when counting began, from a moment on.
    struct Base: Hashable {
        let subject: BudgetSubject
        let windowStart: Timestamp?
    }

    /// What becomes of something that asks to be counted.
    enum Answer {
        case counted([BudgetBook.Warning])
        case refused(ProcessingError)
        /// For what is reserved of the named budget.
        case waits(budget: String)
    }

    private enum Verdict {
        case fits
        case refused(ProcessingError)
        /// Only reservations under these are in the way, or somebody who asked for room there earlier.
        case waits(Set<BudgetSubject>, otherwise: ProcessingError)
    }

    /// A call whose cost is not known yet.
    private struct Promise {
        let call: CallRecord
        let isUnpriced: Bool
        /// By which others know that they wait for its end.
        let number: Int
        /// Whether it is being made; else nobody knows whether it was.
        var isOpen: Bool
        /// Where it counts.
        var subjects: Set<BudgetSubject>
    }

    private struct Tally {
        /// The place in the ledger after which charges are counted here.
        let position: Int
        var open = MoneySum.zero
        var doubt = MoneySum.zero
        /// How many calls are open or in doubt.
        var unknown = 0
        var settled = SettledSums()
    }

    private struct Waiter {
        let ask: BudgetBook.Ask
        var lacking: Set<BudgetSubject>
        var isCalled = false
        var continuation: CheckedContinuation<Void, any Error>?
    }

    /// Where in the ledger counting began; `nil` before the first run.
    private(set) var position: Int?
    /// What was in the ledger when a tally began.
    var bases: [Base: MoneySum] = [:]
    private let currency: String
    /// Where waits for each other are recognized.
    private let callsInFlight: CallsInFlight
    private var tallies: [BudgetSubject: Tally] = [:]
    private var promises: [String: Promise] = [:]
    private var noticed: Set<BudgetBook.Notice> = []
    private var lastTicket = 0
    private var waiters: [Int: Waiter] = [:]

    init(currency: String, callsInFlight: CallsInFlight) {
        (self.currency, self.callsInFlight) = (currency, callsInFlight)
    }

    // MARK: Runs

    mutating func begin(_ run: Run, at place: Int, unknown: [CallRecord], doubts: [CallRecord]) {
        if position == nil {
            position = place
            for call in unknown { promise(call, isOpen: false, in: Budget.Scope.allCases.filter(\.isLasting)) }
        }
        for scope in [Budget.Scope.run, .execution] {
            let subject = BudgetSubject(scope, scope == .run ? run.id.text : run.executionID.text)
            forget(subject)
            tallies[subject] = Tally(position: place)
        }
        let execution = BudgetSubject(.execution, run.executionID.text)
        for call in doubts {
            if promises[call.callID] == nil {
                promise(call, isOpen: false, in: [.execution])
            } else {
                count(promises[call.callID]!, under: [execution], sign: 1)
                promises[call.callID]?.subjects.insert(execution)
            }
        }
    }

    mutating func forget(_ subject: BudgetSubject) {
        tallies[subject] = nil
        bases = bases.filter { $0.key.subject != subject }
        noticed = noticed.filter { $0.subject != subject }
        for (id, promise) in promises where promise.subjects.contains(subject) {
            promises[id]?.subjects.remove(subject)
        }
    }

    // MARK: Sums

    /// The sums that `ask` needs and that only the store knows, with the place in the ledger up to which they go.
    func missingBases(for ask: BudgetBook.Ask, at moment: Timestamp) -> [(base: Base, position: Int)] {
        let spending = ask.spending
        var needed = ask.budgets.compactMap { budget in
            spending.subject(budget.scope).map { Base(subject: $0, windowStart: budget.windowStart(at: moment)) }
        }
        if ask.countsTowardsLargestSum, let execution = spending.subject(.execution) {
            needed.append(Base(subject: execution, windowStart: nil))
        }
        return needed.filter { bases[$0] == nil }.map { ($0, tallies[$0.subject]?.position ?? position ?? 0) }
    }

    /// Changes the count of a subject; runs and executions that are over have none.
    private mutating func change(_ subject: BudgetSubject, _ body: (inout Tally) -> Void) -> Bool {
        if tallies[subject] == nil {
            guard subject.scope.isLasting, let position else { return false }
            tallies[subject] = Tally(position: position)
        }
        body(&tallies[subject]!)
        return true
    }

    private mutating func count(_ promise: Promise, under subjects: Set<BudgetSubject>, sign: Int) {
        let amount = MoneySum(billionths: Int128(sign) * Int128(promise.call.maximumCost.billionths))
        for subject in subjects {
            _ = change(subject) { tally in
                if promise.isOpen { tally.open += amount } else { tally.doubt += amount }
                tally.unknown += sign
            }
        }
    }

    private mutating func promise(
        _ call: CallRecord, isUnpriced: Bool = false, number: Int = 0, isOpen: Bool,
        in scopes: [Budget.Scope] = Budget.Scope.allCases
    ) {
        var promise = Promise(call: call, isUnpriced: isUnpriced, number: number, isOpen: isOpen, subjects: [])
        for subject in scopes.compactMap(Spending(call).subject) where change(subject, { _ in }) {
            promise.subjects.insert(subject)
        }
        promises[call.callID] = promise
        count(promise, under: promise.subjects, sign: 1)
    }

    /// Takes back what a call is counted with; the answer is what it was counted as.
    @discardableResult private mutating func takePromise(_ callID: String) -> Promise? {
        guard let promise = promises.removeValue(forKey: callID) else { return nil }
        count(promise, under: promise.subjects, sign: -1)
        return promise
    }

    private mutating func putBack(_ promise: Promise?) {
        guard let promise else { return }
        promises[promise.call.callID] = promise
        count(promise, under: promise.subjects, sign: 1)
    }

    /// Takes back what a call is counted with.
    mutating func withdraw(_ callID: String) { takePromise(callID) }

    /// Counts a call that is being made as one of which nobody knows whether it was.
    mutating func doubt(_ callID: String) {
        guard var promise = takePromise(callID) else { return }
        promise.isOpen = false
        putBack(promise)
    }

    mutating func settle(_ cost: Money, _ spending: Spending, at moment: Timestamp, isBack: Bool = false) {
        guard cost != .zero else { return }
        for subject in spending.subjects {
            _ = change(subject) { tally in
                tally.settled.add(MoneySum(billionths: Int128(isBack ? -cost.billionths : cost.billionths)), at: moment)
            }
        }
    }

    /// How a budget stands for `subject`.
    private mutating func standing(of budget: Budget, _ subject: BudgetSubject, _ moment: Timestamp) -> BudgetStanding {
        let start = budget.windowStart(at: moment)
        let base = bases[Base(subject: subject, windowStart: start)] ?? .zero
        let settled = tallies[subject]?.settled.sum(since: start) ?? .zero
        let tally = tallies[subject]
        return BudgetStanding(
            budget: budget, subject: subject.name, spent: base + settled,
            reserved: (tally?.open ?? .zero) + (tally?.doubt ?? .zero), inDoubt: tally?.doubt ?? .zero)
    }

    // MARK: Asking

    mutating func nextTicket() -> Int {
        lastTicket += 1
        return lastTicket
    }

    /// Counts what is asked for, refuses it, or has it wait in its turn.
    mutating func take(_ ask: BudgetBook.Ask, _ ticket: Int, at moment: Timestamp) -> Answer {
        switch verdict(on: ask, ticket, at: moment) {
        case .fits:
            leave(ticket)
            switch ask.matter {
            case .call(let call, let isUnpriced):
                takePromise(call.callID)
                promise(call, isUnpriced: isUnpriced, number: ask.number, isOpen: true)
            case .charge(let charge): settle(charge.cost, ask.spending, at: charge.timestamp)
            }
            return .counted(notices(ask.spending, ask.budgets, moment))
        case .refused(let error): return .refused(error)
        case .waits(let lacking, let refusal):
            guard begins(ask, under: lacking) else { return .refused(refusal) }
            waiters[ticket] = Waiter(ask: ask, lacking: lacking)
            return .waits(budget: refusal.budget ?? "")
        }
    }

    /// Counts what has happened already, which only a sum that cannot be told refuses.
    mutating func takeIncurred(
        _ ask: BudgetBook.Ask, at moment: Timestamp
    ) throws(ProcessingError) -> [BudgetBook.Warning] {
        if let error = excess(of: ask) { throw error }
        if case .charge(let charge) = ask.matter { settle(charge.cost, ask.spending, at: charge.timestamp) }
        return notices(ask.spending, ask.budgets, moment)
    }

    private mutating func verdict(on ask: BudgetBook.Ask, _ ticket: Int, at moment: Timestamp) -> Verdict {
        // What an earlier attempt at the same call was counted with stands for this one.
        var earlier: Promise?
        if case .call(let call, _) = ask.matter { earlier = takePromise(call.callID) }
        defer { putBack(earlier) }
        if let error = excess(of: ask) { return .refused(error) }
        let (spending, amount) = (ask.spending, ask.amount)
        guard amount > .zero || ask.isUnpriced else { return .fits }
        var lacking: Set<BudgetSubject> = []
        var concerned: [BudgetSubject: ProcessingError] = [:]
        for budget in ask.budgets where budget.mode == .enforce {
            guard let subject = spending.subject(budget.scope) else { continue }
            let standing = standing(of: budget, subject, moment)
            let (certain, limit) = (standing.spent + standing.inDoubt, MoneySum(budget.limit))
            let refusal = standing.refusal(of: amount, currency: currency)
            concerned[subject] = refusal
            if ask.isUnpriced {
                guard budget.unpriced == .allow else { return .refused(standing.needsPrice(ask.title)) }
                guard certain < limit else { return .refused(refusal) }
                if hasOpenUnpriced(under: subject) { lacking.insert(subject) }
            } else {
                guard certain + amount <= limit else { return .refused(refusal) }
                if standing.spent + standing.reserved + amount > limit { lacking.insert(subject) }
            }
        }
        // First come, first served: who asked for room there earlier has it first. But those may be waiting for the end of
        // the call in whose body this is asked.
        for (other, waiter) in waiters where other < ticket && ask.inside.calls.isEmpty {
            lacking.formUnion(waiter.lacking.intersection(concerned.keys))
        }
        guard let refusal = lacking.first.flatMap({ concerned[$0] }) else { return .fits }
        return .waits(lacking, otherwise: refusal)
    }

    /// Begins the wait of `ask` for the calls that have reserved something under these, or begins it anew; `false` when it
    /// would wait for itself.
    private func begins(_ ask: BudgetBook.Ask, under subjects: Set<BudgetSubject>) -> Bool {
        let calls = promises.values.filter { $0.isOpen && !$0.subjects.isDisjoint(with: subjects) }
        return callsInFlight.beginWait(of: ask.number, inside: ask.inside, forEndOf: calls.map(\.number))
    }

    private func hasOpenUnpriced(under subject: BudgetSubject) -> Bool {
        promises.values.contains { $0.isOpen && $0.isUnpriced && $0.subjects.contains(subject) }
    }

    /// Why the costs of the execution could become more than a sum can be; a call may come to whatever an amount can be.
    private mutating func excess(of ask: BudgetBook.Ask) -> ProcessingError? {
        guard ask.countsTowardsLargestSum, let execution = ask.spending.subject(.execution) else { return nil }
        let tally = tallies[execution]
        let base = bases[Base(subject: execution, windowStart: nil)] ?? .zero
        let spent = base + (tallies[execution]?.settled.sum(since: nil) ?? .zero)
        let calls = MoneySum(billionths: Int128(tally?.unknown ?? 0) * Int128(Money.largestAmount.billionths))
        let asked = if case .call = ask.matter { Money.largestAmount } else { ask.amount }
        guard spent + calls + asked > MoneySum(Money.largestSum) else { return nil }
        return ProcessingError(
            .cost,
            "the costs of execution '\(execution.name ?? "")' are \(spent) \(currency), and no sum is above 9,000,000,000; "
                + "run the rest in another execution", retryable: false)
    }

    /// What budgets have to say that they have not said in their windows.
    mutating func notices(_ spending: Spending, _ budgets: [Budget], _ moment: Timestamp) -> [BudgetBook.Warning] {
        var notices: [BudgetBook.Warning] = []
        for budget in budgets {
            guard let subject = spending.subject(budget.scope) else { continue }
            let standing = standing(of: budget, subject, moment)
            let sum = standing.spent + standing.reserved
            var kinds: [Event.Kind] = []
            if sum > .zero, sum >= MoneySum(budget.warnLevel) { kinds.append(.budgetWarning) }
            if sum > MoneySum(budget.limit) { kinds.append(.budgetExceeded) }
            for kind in kinds {
                let notice = BudgetBook.Notice(
                    kind: kind, budget: budget, subject: subject, windowStart: budget.windowStart(at: moment))
                if noticed.insert(notice).inserted { notices.append(.init(notice: notice, standing: standing)) }
            }
        }
        return notices
    }

    // MARK: Waiting

    /// Registers the waiter of `ticket`; `false` when it has been called already.
    mutating func wait(_ ticket: Int, _ continuation: CheckedContinuation<Void, any Error>) -> Bool {
        guard let waiter = waiters[ticket], !waiter.isCalled else { return false }
        waiters[ticket]?.continuation = continuation
        return true
    }

    /// Takes the one who waits with `ticket`, which keeps its turn.
    mutating func takeWaiting(_ ticket: Int) -> CheckedContinuation<Void, any Error>? {
        defer { waiters[ticket]?.continuation = nil }
        return waiters[ticket]?.continuation
    }

    /// Forgets who waited with `ticket`.
    mutating func leave(_ ticket: Int) {
        if let waiter = waiters.removeValue(forKey: ticket) { callsInFlight.endWait(waiter.ask.number) }
    }

    /// Those who may find another answer than to wait, in the order of their asking; they keep their turns until then.
    mutating func callable(at moment: Timestamp) -> [CheckedContinuation<Void, any Error>] {
        var called: [CheckedContinuation<Void, any Error>] = []
        for (other, waiter) in waiters.sorted(by: { $0.key < $1.key }) where !waiter.isCalled {
            // Waiters behind one that is called are looked at again when that one has been answered.
            if missingBases(for: waiter.ask, at: moment).isEmpty,
                case .waits(let lacking, _) = verdict(on: waiter.ask, other, at: moment),
                begins(waiter.ask, under: lacking)
            {
                waiters[other]?.lacking = lacking
                continue
            }
            waiters[other]?.isCalled = true
            if let continuation = takeWaiting(other) { called.append(continuation) }
        }
        return called
    }
}

extension BudgetBook.Ask {
    /// Whether the costs of an execution become more by it.
    fileprivate var countsTowardsLargestSum: Bool {
        if case .call = matter { return true }
        return amount > .zero
    }
}

extension Budget.Scope {
    /// Whether its sums outlive a run.
    fileprivate var isLasting: Bool { self != .run && self != .execution }
}

/// What has been settled, so that the sum since the start of any window is known.
struct SettledSums {
    /// Windows begin at whole quarters of an hour, in whatever time zone.
    private static let quarter: Int64 = 900_000

    private var total = MoneySum.zero
    private var quarters: [Int64: MoneySum] = [:]
    /// The sums since moments that were asked about, which are kept up to date.
    private var windows: [Timestamp: MoneySum] = [:]

    mutating func add(_ amount: MoneySum, at moment: Timestamp) {
        total += amount
        quarters[moment.milliseconds.flooredQuotient(by: Self.quarter), default: .zero] += amount
        for start in windows.keys where moment >= start { windows[start]? += amount }
    }

    mutating func sum(since start: Timestamp?) -> MoneySum {
        guard let start else { return total }
        if let sum = windows[start] { return sum }
        let first = start.milliseconds.flooredQuotient(by: Self.quarter)
        let sum = quarters.reduce(MoneySum.zero) { $1.key >= first ? $0 + $1.value : $0 }
        if windows.count == 8, let oldest = windows.keys.min() { windows[oldest] = nil }
        windows[start] = sum
        return sum
    }
}

extension Int64 {
    /// The quotient rounded down.
    func flooredQuotient(by divisor: Int64) -> Int64 {
        let (quotient, rest) = quotientAndRemainder(dividingBy: divisor)
        return rest < 0 ? quotient - 1 : quotient
    }
}
