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

/// An item as it is stored with its run.
public struct StoredItem: Sendable {
    /// The item as it was given.
    public var item: Item
    /// Its place in the run, from 0.
    public var index: Int
    /// What `transform` made of its data; `nil` when that is the data itself.
    public var transformed: Payload?
    /// Why the run treats it as it does; `nil` in runs of older versions.
    public var basis: Basis?
    /// Whether its data differs from that of an earlier run.
    public var inputChanged: Bool
    /// Whether its outcome was settled before the run began to work: carried or kept from an earlier run, or failed
    /// because its file cannot be read.
    public var settled: Bool
    /// The file of the item that comes to a node of a graph; nobody stores it.
    var origin: InputFile?

    /// An item at its place.
    public init(
        _ item: Item, index: Int, transformed: Payload? = nil, inputChanged: Bool = false, settled: Bool = false
    ) {
        self.item = item
        self.index = index
        self.transformed = transformed
        self.inputChanged = inputChanged
        self.settled = settled
    }
}

/// Why a run treats an item as it does, from what earlier runs of the execution left of it.
public enum Basis: String, Codable, Sendable, CaseIterable {
    /// No earlier run of the execution had it.
    case new
    /// An earlier run did not finish it.
    case unfinished
    /// It comes with other data than in the earlier run.
    case changed
    /// The run does everything again, or a changed processor does.
    case restarted
    /// An earlier run finished it.
    case finished
    /// Only failed items run, and it was none.
    case notFailed = "not_failed"
    /// The run goes on from a checkpoint of it.
    case reopened
}

/// An execution on its way into the queue, with the items that were not staged before.
public struct SubmittedExecution: Sendable {
    /// The execution, which waits.
    public var execution: Execution
    /// The last of its items.
    public var items: [Item]
    /// How many were staged before them.
    public var staged: Int

    /// An execution with its items.
    public init(_ execution: Execution, items: [Item], staged: Int = 0) {
        self.execution = execution
        self.items = items
        self.staged = staged
    }
}

/// Which executions of the queue are asked for; parts that are `nil` do not narrow.
public struct ExecutionFilter: Hashable, Sendable {
    /// In one of these statuses.
    public var statuses: Set<Status>?
    /// Submitted under this key.
    public var idempotencyKey: String?
    /// At most so many.
    public var limit: Int?

    /// Every execution of the queue.
    public init(statuses: Set<Status>? = nil, idempotencyKey: String? = nil, limit: Int? = nil) {
        self.statuses = statuses
        self.idempotencyKey = idempotencyKey
        self.limit = limit
    }

    /// Whether `execution` fits, the limit aside.
    public func matches(_ execution: Execution) -> Bool {
        (statuses?.contains(execution.status) ?? true)
            && (idempotencyKey.map { execution.idempotencyKey?.equalsInBytes($0) ?? false } ?? true)
    }
}

/// An outcome on its way into the store, with what must be written in the same transaction.
public struct CommittedOutcome: Sendable {
    /// How the item ended.
    public var outcome: Outcome
    /// The charges of its attempts that are not on record yet.
    public var charges: [Charge]
    /// The output to keep in the item cache.
    public var cached: CacheEntry?

    /// An outcome with its charges.
    public init(_ outcome: Outcome, charges: [Charge] = [], cached: CacheEntry? = nil) {
        self.outcome = outcome
        self.charges = charges
        self.cached = cached
    }
}

/// Whose saved steps are meant.
public struct CheckpointSubject: Hashable, Sendable {
    /// The execution.
    public var executionID: Execution.ID
    /// The processor whose steps they are.
    public var processorID: Identifier
    /// The item.
    public var inputID: String

    /// The item of a processor in an execution.
    public init(executionID: Execution.ID, processorID: Identifier, inputID: String) {
        self.executionID = executionID
        self.processorID = processorID
        self.inputID = inputID
    }

    // Two spellings of an input's name are two inputs here as everywhere.
    public static func == (left: CheckpointSubject, right: CheckpointSubject) -> Bool {
        left.executionID == right.executionID && left.processorID == right.processorID
            && left.inputID.equalsInBytes(right.inputID)
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(executionID)
        hasher.combine(processorID)
        hasher.combine(ExternalID(unchecked: inputID))
    }
}

/// A saved step.
public struct Checkpoint: Hashable, Sendable {
    /// Whose step it is.
    public var subject: CheckpointSubject
    /// The step's name.
    public var step: String
    /// The digest of the item's data when it was saved.
    public var inputDigest: Digest
    /// The definition of the processor that saved it.
    public var definition: Digest
    /// The run that saved it.
    public var runID: Run.ID
    /// The epoch of that run.
    public var epoch: Int
    /// What the step's body returned.
    public var value: JSONValue
    /// When it was saved.
    public var savedAt: Timestamp
    /// What its body would cost without a cache and without anything saved; `nil` when nobody knows.
    public var worth: Money?

    /// A saved step of the given parts.
    public init(
        subject: CheckpointSubject, step: String, inputDigest: Digest, definition: Digest, runID: Run.ID, epoch: Int,
        value: JSONValue, savedAt: Timestamp, worth: Money? = nil
    ) {
        self.subject = subject
        self.step = step
        self.inputDigest = inputDigest
        self.definition = definition
        self.runID = runID
        self.epoch = epoch
        self.value = value
        self.savedAt = savedAt
        self.worth = worth
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

/// Which runs are asked for; parts that are `nil` do not narrow.
public struct RunFilter: Hashable, Sendable {
    /// Of this execution.
    public var executionID: Execution.ID?
    /// Of this processor.
    public var processorID: Identifier?
    /// With a name that begins so.
    public var idPrefix: String?
    /// In one of these statuses.
    public var statuses: Set<Status>?
    /// Begun at this moment or later.
    public var since: Timestamp?
    /// At most so many.
    public var limit: Int?

    /// Every run.
    public init(
        executionID: Execution.ID? = nil, processorID: Identifier? = nil, idPrefix: String? = nil,
        statuses: Set<Status>? = nil, since: Timestamp? = nil, limit: Int? = nil
    ) {
        self.executionID = executionID
        self.processorID = processorID
        self.idPrefix = idPrefix
        self.statuses = statuses
        self.since = since
        self.limit = limit
    }

    /// Whether `run` fits, the limit aside.
    public func matches(_ run: Run) -> Bool {
        (executionID.map { $0 == run.executionID } ?? true) && (processorID.map { $0 == run.processorID } ?? true)
            && (idPrefix.map { run.id.text.utf8.starts(with: $0.utf8) } ?? true)
            && (statuses?.contains(run.status) ?? true) && (since.map { $0 <= run.startedAt } ?? true)
    }
}

/// Which charges are asked for; parts that are `nil` do not narrow.
public struct ChargeFilter: Hashable, Sendable {
    /// Of this run.
    public var runID: Run.ID?
    /// Of this execution.
    public var executionID: Execution.ID?
    /// Of this account.
    public var accountID: ExternalID?
    /// Of this underwriting.
    public var underwritingID: ExternalID?
    /// Of this processor.
    public var processorID: Identifier?
    /// Of this service.
    public var service: String?
    /// Among the first of the ledger: up to this position, see ``Store/ledgerPosition()``.
    public var upTo: Int?
    /// Behind this position of the ledger.
    public var after: Int?
    /// Recorded at this moment or later.
    public var since: Timestamp?
    /// Recorded before this moment.
    public var until: Timestamp?

    /// Every charge.
    public init(
        runID: Run.ID? = nil, executionID: Execution.ID? = nil, accountID: ExternalID? = nil,
        since: Timestamp? = nil, until: Timestamp? = nil
    ) {
        self.runID = runID
        self.executionID = executionID
        self.accountID = accountID
        self.since = since
        self.until = until
    }

    /// Whether `charge` fits, its position aside.
    public func matches(_ charge: Charge) -> Bool {
        (runID.map { $0 == charge.runID } ?? true) && (executionID.map { $0 == charge.executionID } ?? true)
            && (accountID.map { $0 == charge.accountID } ?? true)
            && (underwritingID.map { $0 == charge.underwritingID } ?? true)
            && (processorID.map { $0 == charge.processorID } ?? true)
            && (service.map(charge.service.equalsInBytes) ?? true) && (since.map { $0 <= charge.timestamp } ?? true)
            && (until.map { charge.timestamp < $0 } ?? true)
    }
}

/// Which paid calls are asked for; parts that are `nil` do not narrow.
public struct CallFilter: Hashable, Sendable {
    /// This one.
    public var callID: String?
    /// Of this run.
    public var runID: Run.ID?
    /// Of this execution.
    public var executionID: Execution.ID?
    /// Of this item.
    public var inputID: String?
    /// To this operation of a service.
    public var service: String?
    /// To this operation.
    public var operation: String?
    /// With this key.
    public var callKey: String?
    /// In one of these states.
    public var states: Set<CallRecord.State>?
    /// Whose values are cached under this key.
    public var cacheKey: String?
    /// Of this run or execution, or in doubt and met by it.
    public var billedTo: BillSubject?

    /// Whose bill lists a call.
    public enum BillSubject: Hashable, Sendable {
        /// A run's.
        case run(Run.ID)
        /// That of all runs of an execution.
        case execution(Execution.ID)
    }

    /// Every call.
    public init(
        callID: String? = nil, runID: Run.ID? = nil, executionID: Execution.ID? = nil, inputID: String? = nil,
        service: String? = nil, operation: String? = nil, callKey: String? = nil,
        states: Set<CallRecord.State>? = nil, cacheKey: String? = nil, billedTo: BillSubject? = nil
    ) {
        self.callID = callID
        self.runID = runID
        self.executionID = executionID
        self.inputID = inputID
        self.service = service
        self.operation = operation
        self.callKey = callKey
        self.states = states
        self.cacheKey = cacheKey
        self.billedTo = billedTo
    }

    /// Whether `call` fits, ``billedTo`` aside.
    public func matches(_ call: CallRecord) -> Bool {
        (callID.map { $0 == call.callID } ?? true) && (runID.map { $0 == call.runID } ?? true)
            && (executionID.map { $0 == call.executionID } ?? true)
            && (inputID.map { call.inputID?.equalsInBytes($0) ?? false } ?? true)
            && (service.map(call.service.equalsInBytes) ?? true)
            && (operation.map(call.operation.equalsInBytes) ?? true) && (callKey.map { $0 == call.callKey } ?? true)
            && (states?.contains(call.state) ?? true) && (cacheKey.map { $0 == call.cacheKey } ?? true)
    }
}
