import Synchronization

/// What is spent and promised under every budget of an engine, so that any number of workers and runs see one sum.
///
/// The ledger is only ever added to, so what it held when counting began never changes: a sum is what the store
/// answers for that part, whenever it is asked, and what has been counted since. Runs and executions are counted
/// while they last, since nobody else spends for them; everything else from the first run on.
///
/// What does not fit only because of what other calls have reserved waits until they have ended, in the order of asking.
/// What the money that is spent or in doubt leaves no room for is refused. So of calls of one price as many are made
/// whatever the number of workers.
final class BudgetBook: Sendable {
    /// What a budget has to say about spending that was accepted.
    struct Notice: Hashable, Sendable {
        let kind: Event.Kind
        let budget: Budget
        let subject: BudgetSubject
        let windowStart: Timestamp?
    }

    /// A notice with how its budget stood when it was due.
    struct Warning: Sendable {
        let notice: Notice
        let standing: BudgetStanding
    }

    /// Something that is to be counted if budgets have room for it.
    struct Ask: Sendable {
        enum Matter: Sendable {
            /// The most that a call may cost; of one without a price and a maximum nobody knows.
            case call(CallRecord, isUnpriced: Bool)
            /// What a charge comes to.
            case charge(Charge)
        }

        let matter: Matter
        let budgets: [Budget]
        /// By which others know that they wait for the call's end.
        let number: Int
        /// The calls around it: they cannot end before it has its answer.
        let inside: CallNest

        var spending: Spending {
            switch matter {
            case .call(let call, _): Spending(call)
            case .charge(let charge): Spending(charge)
            }
        }

        var amount: Money {
            switch matter {
            case .call(let call, _): call.maximumCost
            case .charge(let charge): charge.cost
            }
        }

        var isUnpriced: Bool { if case .call(_, isUnpriced: true) = matter { true } else { false } }

        /// What asks, in words.
        var title: String {
            let (service, operation) =
                switch matter {
                case .call(let call, _): (call.service, call.operation)
                case .charge(let charge): (charge.service, charge.operation)
                }
            return "\(service).\(operation)"
        }
    }

    private let store: any Store
    private let time: any TimeSource
    private let state: Mutex<BudgetCount>

    init(store: any Store, callsInFlight: CallsInFlight, time: any TimeSource) {
        (self.store, self.time) = (store, time)
        state = Mutex(BudgetCount(currency: store.currency, callsInFlight: callsInFlight))
    }

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
        state.withLock { $0.begin(run, at: position, unknown: unknown, doubts: doubts) }
    }

    /// Ends the count for a run.
    func end(_ run: Run) {
        state.withLock { state in
            state.forget(BudgetSubject(.run, run.id.text))
            state.forget(BudgetSubject(.execution, run.executionID.text))
        }
    }

    // MARK: Spending

    /// Counts what is asked for if it fits all of its budgets; a call in the place of what an earlier attempt at it was
    /// counted with. Waits while only the reservations of other calls are in the way.
    ///
    /// - Parameter pause: does its body while nothing else is done, for a reservation of the named budget.
    /// - Returns: what budgets have to say, each of it once a window.
    /// - Throws: ``ProcessingError`` with code `budget_exhausted` naming the first budget it does not fit, or the one for
    ///   which it would wait for itself, `cost` for a call without a price under a budget that needs one and for a sum
    ///   above 9,000,000,000, `CancellationError` when the calling task is cancelled while it waits.
    func count(
        _ ask: Ask, pause: (_ budget: String, _ body: @escaping @Sendable () async throws -> Void) async throws -> Void
    ) async throws -> [Warning] {
        let ticket = state.withLock { $0.nextTicket() }
        do {
            while true {
                let moment = time.now()
                try await load(for: ask, at: moment)
                switch state.withLock({ $0.take(ask, ticket, at: moment) }) {
                case .counted(let notices):
                    wake()
                    return notices
                case .refused(let error): throw error
                case .waits(let budget): try await pause(budget) { try await self.signal(of: ticket) }
                }
            }
        } catch {
            state.withLock { $0.leave(ticket) }
            wake()
            throw error
        }
    }

    /// Counts a charge that has happened already.
    ///
    /// - Throws: ``ProcessingError`` with code `cost` for a sum above 9,000,000,000.
    func countIncurred(_ charge: Charge, under budgets: [Budget]) async throws -> [Warning] {
        let ask = Ask(matter: .charge(charge), budgets: budgets, number: 0, inside: .none)
        let moment = time.now()
        try await load(for: ask, at: moment)
        let notices = try state.withLock { state in try state.takeIncurred(ask, at: moment) }
        wake()
        return notices
    }

    /// Takes a charge back that turned out to be on record already, or that was not made after all.
    func takeBack(_ charge: Charge) {
        state.withLock { $0.settle(charge.cost, Spending(charge), at: charge.timestamp, isBack: true) }
        wake()
    }

    /// Puts what a call cost in the place of what was promised; `nil`: nothing.
    func settle(_ callID: String, as charge: Charge?, under budgets: [Budget] = []) -> [Warning] {
        let moment = time.now()
        let notices = state.withLock { state -> [Warning] in
            state.withdraw(callID)
            guard let charge else { return [] }
            state.settle(charge.cost, Spending(charge), at: charge.timestamp)
            return state.notices(Spending(charge), budgets, moment)
        }
        wake()
        return notices
    }

    /// Takes note that nobody knows how a call ended: what it was promised stays, and nobody waits for it any more.
    func doubt(_ callID: String) {
        state.withLock { $0.doubt(callID) }
        wake()
    }

    /// Asks the store for what it held of the sums that `ask` needs and that are not known yet.
    private func load(for ask: Ask, at moment: Timestamp) async throws {
        for base in state.withLock({ $0.missingBases(for: ask, at: moment) }) {
            var filter = base.base.subject.charges
            filter.since = base.base.windowStart
            filter.upTo = base.position
            let sum = try await store.total(matching: filter)
            state.withLock { $0.bases[base.base] = sum }
        }
    }

    // MARK: Waiting

    /// Waits until something has changed for the one with `ticket`.
    private func signal(of ticket: Int) async throws {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let now = state.withLock { state -> Result<Void, any Error>? in
                    if Task.isCancelled { return .failure(CancellationError()) }
                    return state.wait(ticket, continuation) ? nil : .success(())
                }
                if let now { continuation.resume(with: now) }
            }
        } onCancel: {
            state.withLock { $0.takeWaiting(ticket) }?.resume(throwing: CancellationError())
        }
    }

    /// Calls those who wait and may find another answer by now.
    private func wake() {
        let moment = time.now()
        for waiting in state.withLock({ $0.callable(at: moment) }) { waiting.resume() }
    }
}
