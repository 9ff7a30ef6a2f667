/// How a run is to be done; every part has a default.
public struct RunOptions: Sendable {
    /// For whom the run works.
    public var scope = Scope()
    /// The execution to go on with or to create; `nil`: that of the scope, of the previous run, or a new one.
    public var executionID: Execution.ID?
    /// Where and how many at once.
    public var runner: any Runner = .sequential
    /// What failed items mean for the rest.
    public var failurePolicy = FailurePolicy.collect
    /// Further attempts at an item.
    public var retryPolicy = RetryPolicy.none
    /// How many worker processes an item may cost before it is failed as what kills them; 1: no further attempt.
    public var maxCrashes = 3
    /// The longest an attempt may take.
    public var itemTimeout = Duration.seconds(3_600)
    /// The longest silence of a processor that beats with `heartbeat`; `nil`: any.
    public var heartbeatTimeout: Duration?
    /// The longest the run may take.
    public var timeout = Duration.seconds(86_400)
    /// What becomes of earlier runs of the execution.
    public var recovery = RecoveryMode.resume
    /// What a changed processor means for that.
    public var onChange = ChangePolicy.refuse
    /// Whether `aggregate` is called when only some items succeeded.
    public var aggregatePartial = false
    /// Whether a failure of the costing fails the run.
    public var strictCosts = false
    /// How much may be spent.
    public var budgets: [Budget] = []
    /// When services that keep failing are left alone, by service.
    public var breakers: [String: CircuitBreakerPolicy] = [:]
    /// What is known of services, by their names.
    public var services: [String: ServiceTerms] = [:]
    /// When calls that fail are billed, unless a call says so itself.
    public var billing = CallOptions.Billing.onSuccess
    /// What becomes of calls of unknown outcome, unless a call says so itself.
    public var doubtPolicy = DoubtPolicy.hold
    /// The price of the processor, before database and price file.
    public var price: Price?
    /// How outputs of whole items are cached; `nil`: not at all.
    public var itemCache: CachePolicy?
    /// What is done with the cache, whatever ``itemCache`` and calls say.
    public var caching = CacheMode.asConfigured
    /// The previous run that this one follows.
    public var previousRunID: Run.ID?
    /// Replaces the computed first run of the chain.
    public var parentRunID: Run.ID?
    /// Replaces the computed number of retries.
    public var retryCount: Int?
    /// The step at which the previous run failed; recorded, drives nothing.
    public var lastErrorStep: String?
    /// Merged into the metadata of the previous run; these values win.
    public var metadata: JSONObject = [:]
    /// Whether the report holds the outcomes; with `false` they are read from the store, page by page.
    public var returnsOutcomes = true
    /// Takes each piece of output that an item emits, with the item's name; `emit` waits for it.
    public var onChunk: (@Sendable (_ inputID: String, _ chunk: Payload) async -> Void)?
    /// Called when more of what is said in the run is in the store.
    public var onLogged: (@Sendable () async -> Void)?
    /// Takes outcomes once they are in the store, in the order in which they got there.
    public var onCommitted: (@Sendable (_ outcomes: [Outcome]) async -> Void)?
    /// That the run goes in batches; `nil`: it goes in one.
    public var batching: Batching?
    /// Takes each batch when it is finished, or all of them, sorted, when the policy does not stream.
    ///
    /// It is called for one batch at a time; while it works, those in progress go on and no other is begun. What it
    /// throws cancels the run and is thrown on.
    public var onBatch: (@Sendable (BatchResult) async throws -> Void)?
    /// The name that the processor had in what is gone on with, when it is kept under another one.
    var formerName: Identifier?
    /// Since when what is cached counts as made again, under ``CacheMode/refresh``: what earlier runs that were told so have
    /// replaced is not replaced, and paid, once more. `nil`: nothing counts.
    public var refreshedSince: Timestamp?
    /// Whether the files of items are read anew, whatever is on record of their contents.
    public var rehash = false
    /// Where its limits were set, for messages: under `on_failure`, `timeout`, `error_threshold`, `breakers.SERVICE`.
    package var setAt = SettingPlaces()
    /// Whether the whole list is filed before the first batch is begun, so that the run can be resumed from the record
    /// and its outputs are aggregated.
    var listsFirst = true
    /// Whether the execution waits for another run when the calling task is cancelled, rather than being cancelled too.
    var waitsWhenGivenUp = false
    /// Whether the items are those that the execution was submitted to a queue with, if it was.
    var worksOnSubmission = false
    /// The digest of the pipeline's definition as it is written, by which executions of a queue are known to be of it;
    /// `nil` for what is known by its name alone.
    public var pipeline: Digest?
    /// What is stored with the run so that it can be started again by name.
    public var request: JSONValue = [:]

    /// All defaults.
    public init() {}

    /// How outputs of whole items are cached in the end.
    var itemCacheInForce: CachePolicy? {
        guard caching != .off, var policy = itemCache else { return nil }
        policy.refresh = policy.refresh || !looksUp
        return policy
    }

    /// Whether the cache is looked at, if only for what counts as made again.
    var looksUp: Bool { caching == .asConfigured || caching == .refresh && refreshedSince != nil }

    /// What a processor may know of these options.
    var terms: WorkTerms { WorkTerms(itemTimeout: itemTimeout, maxWorkers: runner.maxWorkers, recovery: recovery) }

    /// The shortest time after which an attempt may have to be ended.
    var shortestLimit: Duration { min(itemTimeout, heartbeatTimeout ?? itemTimeout) }

    func validate() throws(ProcessingError) {
        let limits = [("timeout", itemTimeout), ("run timeout", timeout), ("heartbeat_timeout", heartbeatTimeout)]
        for (name, limit) in limits {
            guard let limit, limit <= .zero else { continue }
            throw ProcessingError(.configuration, "\(name) must be greater than 0, found \(limit.secondsText)")
        }
        _ = try batching?.policy.size(explicit: batching?.size)
        guard maxCrashes >= 1 else {
            throw ProcessingError(.configuration, "max_crashes must be at least 1, found \(maxCrashes)")
        }
        guard runner.maxWorkers >= 1 else {
            throw ProcessingError(.configuration, "max_workers must be between 1 and 1024, found \(runner.maxWorkers)")
        }
    }
}
