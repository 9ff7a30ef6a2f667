/// The options of a run. Every part has a default.
public struct RunOptions: Sendable {
    /// The account, underwriting and execution that the run works for.
    public var scope = Scope()
    /// The execution to continue or create; `nil`: that of the scope, that of the previous run, or a new one.
    public var executionID: Execution.ID?
    /// The runner: where items run and how many at once.
    public var runner: any Runner = .sequential
    /// The policy that decides what failed items mean for the rest.
    public var failurePolicy = FailurePolicy.collect
    /// The policy for further attempts at an item.
    public var retryPolicy = RetryPolicy.none
    /// The number of worker processes an item may crash before it fails as poison; 1: no further attempt.
    public var maxCrashes = 3
    /// The longest an attempt may take.
    public var itemTimeout = Duration.seconds(3_600)
    /// The longest silence of a processor that sends heartbeats with `heartbeat`; `nil`: any.
    public var heartbeatTimeout: Duration?
    /// The longest the run may take.
    public var timeout = Duration.seconds(86_400)
    /// The treatment of earlier runs of the execution.
    public var recovery = RecoveryMode.resume
    /// The treatment of earlier results when the processor has changed.
    public var onChange = ChangePolicy.refuse
    /// Whether `aggregate` is called when only some items succeeded.
    public var aggregatePartial = false
    /// Whether a failure of the cost accounting fails the run.
    public var strictCosts = false
    /// The limits on spending.
    public var budgets: [Budget] = []
    /// The circuit breakers of services that keep failing, by service.
    public var breakers: [String: CircuitBreakerPolicy] = [:]
    /// The known properties of services, by name.
    public var services: [String: ServiceTerms] = [:]
    /// The policy for billing failed calls, unless a call says so itself.
    public var billing = CallOptions.Billing.onSuccess
    /// The policy for calls whose outcome is unknown, unless a call says so itself.
    public var doubtPolicy = DoubtPolicy.hold
    /// The price of the processor, which takes precedence over the database and the price file.
    public var price: Price?
    /// The cache policy for outputs of whole items; `nil`: they are not cached.
    public var itemCache: CachePolicy?
    /// The use of the cache, whatever ``itemCache`` and calls say.
    public var caching = CacheMode.asConfigured
    /// The previous run that this one follows.
    public var previousRunID: Run.ID?
    /// A replacement for the computed first run of the chain.
    public var parentRunID: Run.ID?
    /// A replacement for the computed number of retries.
    public var retryCount: Int?
    /// The step at which the previous run failed. It is recorded and has no other effect.
    public var lastErrorStep: String?
    /// Metadata merged into that of the previous run. These values win.
    public var metadata: JSONObject = [:]
    /// Whether the report holds the outcomes; with `false` they are read from the store, page by page.
    public var returnsOutcomes = true
    /// Receives each piece of output that an item emits, with the item's name. `emit` waits for it.
    public var onChunk: (@Sendable (_ inputID: String, _ chunk: Payload) async -> Void)?
    /// Called when more of the run's log is in the store.
    public var onLogged: (@Sendable () async -> Void)?
    /// Receives outcomes once they are in the store, in the order in which they got there.
    public var onCommitted: (@Sendable (_ outcomes: [Outcome]) async -> Void)?
    /// The settings of a run in batches; `nil`: the run is not cut.
    public var batching: Batching?
    /// Receives each batch when it is finished, or all of them, sorted, when the policy does not stream.
    ///
    /// It is called for one batch at a time. While it works, batches in progress continue and no other is begun. An
    /// error it throws cancels the run and is rethrown.
    public var onBatch: (@Sendable (BatchResult) async throws -> Void)?
    /// The former name of the processor, when what is continued was done under another name.
    var formerName: Identifier?
    /// The moment since which cached values count as made again, under ``CacheMode/refresh``: values that earlier
    /// refreshing runs have replaced are not replaced, and paid for, once more. `nil`: nothing counts.
    public var refreshedSince: Timestamp?
    /// Whether the files of items are read again, whatever is on record of their contents.
    public var rehash = false
    /// The places where its limits were set, for messages: under `on_failure`, `timeout`, `error_threshold`,
    /// `breakers.SERVICE`.
    package var setAt = SettingPlaces()
    /// Whether the whole list is filed before the first batch is begun, so that the run can be resumed from the record
    /// and its outputs are aggregated.
    var listsFirst = true
    /// Whether the execution waits for another run when the calling task is cancelled, rather than being cancelled too.
    var waitsWhenGivenUp = false
    /// Whether the items are those that the execution was submitted to a queue with, if it was.
    var worksOnSubmission = false
    /// The digest of the pipeline's definition as written, which identifies its executions in a queue; `nil` for what
    /// is identified by name alone.
    public var pipeline: Digest?
    /// Data that is stored with the run so that it can be started again by name.
    public var request: JSONValue = [:]

    /// Creates options with all defaults.
    public init() {}

    /// The effective cache policy for outputs of whole items.
    var itemCacheInForce: CachePolicy? {
        guard caching != .off, var policy = itemCache else { return nil }
        policy.refresh = policy.refresh || !looksUp
        return policy
    }

    /// Whether the cache is read, if only for values that count as made again.
    var looksUp: Bool { caching == .asConfigured || caching == .refresh && refreshedSince != nil }

    /// Returns whether `run` may use steps that were saved under `definition`.
    func accepts(_ definition: Digest, for run: Run) -> Bool { definition == run.definition || onChange == .keep }

    /// The part of these options that a processor may know.
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
