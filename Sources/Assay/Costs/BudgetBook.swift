import Synchronization

/// The spent and reserved amounts under every budget of an engine, so that all workers and runs share one sum.
///
/// The ledger is append-only, so its contents before counting began never change. A sum is the store's total for that
/// part, read when needed, plus what has been counted since. Runs and executions are counted while they last, because
/// no one else spends for them. Everything else is counted from the first run on.
///
/// A request that does not fit only because of other calls' reservations waits until those calls have ended, in order
/// of arrival. A request is refused when spent money and money in doubt leave no room for it. So for calls of one
/// price, the number of calls made does not depend on the number of workers.
final class BudgetBook: Sendable {
    /// A notice of a budget about accepted spending.
    struct Notice: Hashable, Sendable {
        let kind: Event.Kind
        let budget: Budget
        let subject: BudgetSubject
        let windowStart: Timestamp?
    }

    /// A notice with the standing of its budget at that time.
    struct Warning: Sendable {
        let notice: Notice
        let standing: BudgetStanding
    }

    /// A request to count something if budgets have room for it.
    struct Ask: Sendable {
        enum Matter: Sendable {
            /// The most that a call may cost; unknown for a call without a price and a maximum.
            case call(CallRecord, isUnpriced: Bool)
            /// The amount of a charge.
            case charge(Charge)
        }

        let matter: Matter
        let budgets: [Budget]
        /// The number by which other calls refer to this one when they wait for its end.
        let number: Int
        /// The enclosing calls. They cannot end before this request has its answer.
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

        /// The service and operation that ask.
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

    /// Begins to count for a run, before anything can spend for it.
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

    /// Counts `ask` if it fits all of its budgets. A call replaces the count of an earlier attempt at it. Waits while
    /// only the reservations of other calls are in the way.
    ///
    /// - Parameter pause: runs its body while the work waits for a reservation of the named budget.
    /// - Returns: the budgets' warnings, each once per window.
    /// - Throws: ``ProcessingError`` with code `budget_exhausted`, which names the first budget that `ask` does not fit
    ///   or the one for which it would wait for itself; `cost` for a call without a price under a budget that needs one
    ///   and for a sum above 9,000,000,000; `CancellationError` when the calling task is cancelled while it waits.
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

    /// Counts a charge for something that has already happened.
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

    /// Removes a charge from the count because it was already on record or was not made after all.
    func takeBack(_ charge: Charge) {
        state.withLock { $0.settle(charge.cost, Spending(charge), at: charge.timestamp, isBack: true) }
        wake()
    }

    /// Replaces the reservation of a call with what the call cost; `nil` means nothing.
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

    /// Records that the outcome of a call is unknown. Its reservation stays, and no one waits for the call any longer.
    func doubt(_ callID: String) {
        state.withLock { $0.doubt(callID) }
        wake()
    }

    /// Reads from the store the sums that `ask` needs and that are not known yet.
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

    /// Waits until something has changed for the waiter with `ticket`.
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

    /// Resumes the waiters that may get another answer now.
    private func wake() {
        let moment = time.now()
        for waiting in state.withLock({ $0.callable(at: moment) }) { waiting.resume() }
    }
}
