/// The run that pays: it numbers its charges, counts what was spent for it, and tells its watchers.
protocol Payer: Sendable {
    var run: Run { get }

    /// Returns a new name for a charge of the run.
    func nextCostID() -> String
    /// Records a charge that is on record.
    func note(_ charge: Charge)
    /// Records a look-up in the cache, with what a hit saved; `nil`: a miss.
    func noteLookup(hit avoided: Money?)
    /// Records a call in doubt that was made again under its key.
    func noteRepeat(of service: String)
    /// Records that a call of unknown outcome was made.
    func noteDoubt()
    /// Records that the run has met a doubt that an earlier run has left.
    func noteMeeting(with callID: String)
    /// Marks the bill of the run as incomplete.
    func noteIncomplete(_ reason: String)
    /// Sends an event of the run. Its data is made only when someone wants it.
    func emit(_ kind: Event.Kind, item: String?, _ data: () -> JSONObject)
    /// Sends a hint, once per kind and subject.
    func hint(_ kind: String, about subject: String, _ message: @autoclosure () -> String)
    /// Returns whether that hint has been sent.
    func hasHinted(_ kind: String, about subject: String) -> Bool
    /// Sends the warnings of budgets as events.
    func tell(_ warnings: [BudgetBook.Warning])
    /// Records that a budget has refused to let the run continue, and returns what to throw.
    func refused(_ refusal: ProcessingError, item: String?) -> ProcessingError
}

/// What a run has agreed on about money.
struct SpendingTerms: Sendable {
    let budgets: [Budget]
    let breakers: [String: CircuitBreakerPolicy]
    let services: [String: ServiceTerms]
    let billing: CallOptions.Billing
    let doubtPolicy: DoubtPolicy
    /// Whether a use without a price is refused.
    let strictCosts: Bool
    let caching: CacheMode
    /// Whether the cache is read, if only for values that count as made again.
    let looksUp: Bool
    /// The moment since which cached values count as made again, when they are refreshed.
    let refreshedSince: Timestamp?
    /// The places where breakers were set, for messages.
    let setAt: SettingPlaces
}

/// The work on an item, or of a whole run, that pays for something.
struct PayingWork: Sendable {
    let inputID: String?
    let scope: Scope
    let attempt: AttemptID
    /// Makes the work wait while the body runs.
    let wait: @Sendable (EngineWait, @escaping @Sendable (WaitSign) async throws -> Bool) async throws -> Bool

    /// The place of the item in the run.
    var itemIndex: Int? { attempt.place }
}
