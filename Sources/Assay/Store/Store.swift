/// What a run needs to be remembered by; the seam between the engine and a database.
///
/// Every function that writes returns once what it wrote is as durable as the store makes it; the engine
/// acknowledges nothing earlier. Functions may be called concurrently. A store has one engine at a time.
public protocol Store: CheckpointStorage {
    /// The currency of all its amounts, three letters.
    var currency: String { get }

    /// Whether values are kept as JSON; the engine then encodes each output before it is committed, so that one that
    /// cannot be written fails its own item.
    var keepsJSON: Bool { get }

    /// Begins `run`: files it and, when it is not there, its execution.
    ///
    /// - Parameter asSubmitted: whether the run works on what its execution was submitted to the queue with, if it was.
    /// - Throws: ``ProcessingError`` with code `already_running` when the execution has a run in progress, `exists`
    ///   when there is a run of that name, or when the execution was submitted and the run works on something else.
    func begin(_ run: Run, asSubmitted: Bool) async throws

    /// Appends items to a run, whose indices go on where the last ones ended, and files the outcomes of those that
    /// were settled before, all of it in one transaction: nobody ever sees a settled item without its outcome.
    ///
    /// For outcomes the rules of ``commit(_:of:epoch:)`` hold; nothing at all is written when the run has ended or
    /// its epoch is not `epoch`.
    func append(_ items: [StoredItem], settled: [CommittedOutcome], to run: Run.ID, epoch: Int) async throws

    /// Replaces the transformed values of items of a run.
    func setTransformed(_ values: [(index: Int, value: Payload)], of run: Run.ID) async throws

    /// Up to `limit` items of a run from position `start` on, in order.
    func items(of run: Run.ID, from start: Int, limit: Int) async throws -> [StoredItem]

    /// Files outcomes with their charges, all of them in one transaction.
    ///
    /// An item that has an outcome already keeps it, and an `epoch` other than the run's changes nothing: either
    /// way the answer at that place is `false` and nothing of that item is written.
    func commit(_ outcomes: [CommittedOutcome], of run: Run.ID, epoch: Int) async throws -> [Bool]

    /// Takes back what succeeded of the items at `places`, for a run that keeps no outputs after a failure.
    func withdrawOutputs(of run: Run.ID, in places: Range<Int>) async throws

    /// Forgets how the items at `places` ended, so that they can be worked on again; what they cost stays.
    ///
    /// An `epoch` other than the run's, or a run that has ended, changes nothing.
    func reopen(_ places: [Int], of run: Run.ID, epoch: Int) async throws

    /// Says that the items at `places` will not be asked for any more by the run itself, which has handed them over.
    ///
    /// A durable store keeps them, so that the run can be looked at and resumed.
    func release(_ places: Range<Int>, of run: Run.ID) async

    /// Up to `limit` outcomes of a run from position `start` on, in order.
    func outcomes(of run: Run.ID, from start: Int, limit: Int) async throws -> [Outcome]

    /// Files how a run stands, and its execution with it.
    ///
    /// Nothing happens when the run has ended already, which nothing undoes, or when another program has taken it over.
    func update(_ run: Run) async throws

    /// Forgets the items, outcomes, events, log lines and summary of a run that has ended, durable on return.
    ///
    /// The run itself stays on record with the moment of its deletion, and so do saved steps, charges and calls. What
    /// a later run of the execution still needs is not looked at here; see ``Engine/delete(_:force:)``.
    ///
    /// - Returns: `false` when there is no such run, when it has not ended, or when that was done before.
    func deleteContents(of run: Run.ID, at moment: Timestamp) async throws -> Bool

    /// The run of that name.
    func run(_ id: Run.ID) async throws -> Run?

    /// The execution of that name.
    func execution(_ id: Execution.ID) async throws -> Execution?

    /// Runs that fit `filter`, newest first.
    func runs(matching filter: RunFilter) async throws -> [Run]

    /// Saves the value of a step or of a node with the charges made before it, and the value for the cache, in one
    /// transaction, durable on return.
    func save(_ checkpoint: Checkpoint, charges: [Charge], cached: CacheEntry?) async throws

    /// The saved steps of one item, the last saved at the end, and the names of steps whose values are not as they
    /// were written; such a step counts as not saved.
    func checkpoints(of item: CheckpointSubject) async throws -> (saved: [Checkpoint], damaged: [String])

    /// Forgets the saved steps of one item.
    func dropCheckpoints(of item: CheckpointSubject) async throws

    /// Records charges; one whose key is on record already is left out.
    ///
    /// - Returns: those that were recorded now.
    func record(_ charges: [Charge]) async throws -> [Charge]

    /// Charges that fit `filter`, in order of recording.
    func charges(matching filter: ChargeFilter) async throws -> [Charge]

    /// How many entries the ledger holds; an entry keeps its position for ever.
    func ledgerPosition() async throws -> Int

    /// The sum of the charges that fit `filter`, however large.
    func total(matching filter: ChargeFilter) async throws -> MoneySum

    /// Which of `keys` charges are on record under.
    func recordedKeys(among keys: [String]) async throws -> Set<String>

    /// Writes the intent or the outcome of a paid call, with its charge and the value it brought, in one transaction.
    ///
    /// A call that is `settled` stays as it is, and one that is `released` can only be `settled` still, so that an
    /// answer that comes late casts no doubt on what is known. Only an intent moves a call to another run. What is
    /// refused leaves charge and cached value unwritten as well, but for the charge of a `settled` that has a key:
    /// it is recorded unless the key is on record.
    ///
    /// - Returns: whether the call was filed, and whether `charge` was recorded now.
    @discardableResult
    func file(
        _ call: CallRecord, charge: Charge?, cached: CacheEntry?
    ) async throws -> (isFiled: Bool, isCharged: Bool)

    /// Has the bill of `run` list a call in doubt that it has come upon; nothing when that is in doubt no longer.
    func note(doubt callID: String, metBy run: Run.ID, of execution: Execution.ID) async throws

    /// Calls that fit `filter`, in order of their intents.
    func calls(matching filter: CallFilter) async throws -> [CallRecord]

    /// What is filed in the cache under `key`, fresh or not; a damaged entry is dropped by the look-up that finds it.
    func cached(_ key: String) async throws -> CacheLookup

    /// Up to `limit` cached values that fit `filter`, in order of their keys, of those after the one filed under `key`.
    ///
    /// Damaged entries are left out and counted; there are no more of either kind when fewer than `limit` are given.
    func cacheEntries(
        matching filter: CacheFilter, after key: String?, limit: Int
    ) async throws -> (entries: [CacheEntry], damaged: Int)

    /// Removes the cached values that fit `filter`, whatever has become of them, durable on return.
    ///
    /// - Returns: how many there were.
    func removeCacheEntries(matching filter: CacheFilter) async throws -> Int

    /// Counts one use of an entry and records the zero charge that stands for it.
    func useCacheEntry(_ key: String, charge: Charge) async throws

    /// Adds a price; prices are never changed.
    func add(_ price: Price, for subject: PriceSubject, at moment: Timestamp) async throws

    /// All prices that were added.
    func prices() async throws -> PriceList

    /// Adds events of runs in their order.
    func append(_ events: [Event]) async throws

    /// Up to `limit` recorded events of a run after the one numbered `sequence`.
    func events(of run: Run.ID, after sequence: Int, limit: Int) async throws -> [Event]

    // MARK: Files

    /// What is on record of the contents of the files at `paths`, by their paths.
    func fileDigests(of paths: [String]) async throws -> [String: FileDigest]

    /// Puts the contents of files on record, in place of what is known of files at the same paths.
    func save(_ digests: [FileDigest]) async throws

    /// Keys the digests of values that are not to be shown; drawn once in the life of the store, and never told.
    var definitionKey: [UInt8] { get }

    // MARK: What is said

    /// Adds what was said in runs in its order, and drops the oldest of what is more than `limits`.
    ///
    /// What is said in a run that is not on record is left out.
    func append(_ lines: [LogLine], keeping limits: LogLimits) async throws

    /// Up to `limit` lines that fit `filter`, oldest first.
    func logLines(matching filter: LogFilter, limit: Int) async throws -> [LogLine]

    // MARK: Alerts

    /// Adds to how an alert stands, in the sense of ``AlertRecord/adding(_:)``.
    func add(_ alert: AlertRecord) async throws

    /// How all alerts stand that have fired or were cleared, by name.
    func alerts() async throws -> [AlertRecord]

    // MARK: The queue

    /// Files executions that wait, and the rest of their items, all of them in one transaction or none at all.
    ///
    /// They get the next numbers in the order of the list, but for those that come with one of their own. One whose
    /// idempotency key is on record with equal content is not filed; the one on record is given back in its place.
    ///
    /// - Returns: the executions as they are on record.
    /// - Throws: ``ProcessingError`` with code `exists` when a name, or a key with other content, is on record.
    func submit(_ executions: [SubmittedExecution]) async throws -> [Execution]

    /// Files items, from position `start` on, of an execution that is about to be submitted.
    func stage(_ items: [Item], from start: Int, for execution: Execution.ID) async throws

    /// Forgets the items of an execution that was not submitted after all.
    func discardStaged(for execution: Execution.ID) async throws

    /// Up to `limit` items that an execution was submitted with, from position `start` on, in order.
    func items(ofExecution id: Execution.ID, from start: Int, limit: Int) async throws -> [Item]

    /// Executions of the queue that fit `filter`, in the order in which they came into their statuses.
    func executions(matching filter: ExecutionFilter) async throws -> [Execution]

    /// Files how an execution of the queue stands, if the one on record stands at `status`.
    ///
    /// Runs do so by themselves: ``begin(_:)`` and ``update(_:)`` bring the execution of a run along.
    ///
    /// - Returns: `false` when it stands otherwise or is not on record; then nothing is written.
    func replace(_ execution: Execution, standingAt status: Status) async throws -> Bool

    /// Forgets executions that have ended with their items, runs, outcomes, events, log lines and saved steps; charges stay.
    ///
    /// - Returns: how many there were.
    func remove(_ executions: [Execution.ID]) async throws -> Int

    /// What the queue keeps of itself.
    func queueRecord() async throws -> JSONValue?

    /// Replaces what the queue keeps of itself.
    func setQueueRecord(_ record: JSONValue) async throws

    /// The moments at which executions were admitted under a rate, in the order in which they were filed.
    func admissions(under rate: String) async throws -> [Timestamp]

    /// Files that an execution was admitted under a rate, and forgets the admissions under it before `horizon`.
    func admit(under rate: String, at moment: Timestamp, forgettingBefore horizon: Timestamp) async throws
}

extension Store {
    public func release(_ places: Range<Int>, of run: Run.ID) async {}

    /// As ``begin(_:asSubmitted:)``, for a run of an execution that was not submitted to the queue.
    public func begin(_ run: Run) async throws { try await begin(run, asSubmitted: false) }

    /// Saves a step's value and the charges made before it, durable on return.
    public func save(_ checkpoint: Checkpoint, charges: [Charge]) async throws {
        try await save(checkpoint, charges: charges, cached: nil)
    }

    /// The entry filed in the cache under `key`, fresh or not; `nil` for one that is damaged.
    public func cacheEntry(_ key: String) async throws -> CacheEntry? {
        if case .found(let entry) = try await cached(key) { entry } else { nil }
    }

    /// Sums over the cached values that fit `filter`, by service and operation; every value is read.
    public func cacheStatistics(
        matching filter: CacheFilter = CacheFilter(), at moment: Timestamp
    ) async throws -> CacheStatistics {
        let page = 256
        var statistics = CacheStatistics()
        var last: String?
        while true {
            let found = try await cacheEntries(matching: filter, after: last, limit: page)
            statistics.damaged += found.damaged
            for entry in found.entries { statistics.add(entry, at: moment) }
            guard found.entries.count == page else { return statistics }
            last = found.entries.last?.key
        }
    }
}

extension CallRecord {
    /// What is filed when this arrives for a call that stands at `state` in the record of `runID`; `nil` when it is
    /// refused. The rule of ``Store/file(_:charge:cached:)``.
    public func following(_ state: State, of runID: Run.ID) -> CallRecord? {
        switch (state, self.state) {
        case (.open, _), (.inDoubt, _), (.released, .settled): break
        case (.settled, _), (.released, _): return nil
        }
        var filed = self
        if self.state != .open { filed.runID = runID }
        return filed
    }

    /// Whether `charge` is recorded although this was refused.
    public func keepsWhenRefused(_ charge: Charge) -> Bool { state == .settled && charge.key != nil }
}
