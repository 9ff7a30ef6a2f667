/// A filter for runs; parts that are `nil` do not narrow it.
public struct RunFilter: Hashable, Sendable {
    /// The execution.
    public var executionID: Execution.ID?
    /// The processor.
    public var processorID: Identifier?
    /// The beginning of the run's name.
    public var idPrefix: String?
    /// The statuses, any of which matches.
    public var statuses: Set<Status>?
    /// The earliest time at which the run began.
    public var since: Timestamp?
    /// The maximum number of runs.
    public var limit: Int?

    /// Creates a filter from the given parts; by default it matches every run.
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

    /// Returns whether `run` matches, ignoring the limit.
    public func matches(_ run: Run) -> Bool {
        (executionID.map { $0 == run.executionID } ?? true) && (processorID.map { $0 == run.processorID } ?? true)
            && (idPrefix.map { run.id.text.utf8.starts(with: $0.utf8) } ?? true)
            && (statuses?.contains(run.status) ?? true) && (since.map { $0 <= run.startedAt } ?? true)
    }
}

/// A filter for charges; parts that are `nil` do not narrow it.
public struct ChargeFilter: Hashable, Sendable {
    /// The run.
    public var runID: Run.ID?
    /// The execution.
    public var executionID: Execution.ID?
    /// The account.
    public var accountID: ExternalID?
    /// The underwriting.
    public var underwritingID: ExternalID?
    /// The processor.
    public var processorID: Identifier?
    /// The service.
    public var service: String?
    /// The last position in the ledger that matches, see ``Store/ledgerPosition()``.
    public var upTo: Int?
    /// Only charges after this position in the ledger.
    public var after: Int?
    /// The earliest time of recording.
    public var since: Timestamp?
    /// The time before which the charge was recorded.
    public var until: Timestamp?

    /// Creates a filter from the given parts; by default it matches every charge.
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

    /// Returns whether `charge` matches, ignoring its position.
    public func matches(_ charge: Charge) -> Bool {
        (runID.map { $0 == charge.runID } ?? true) && (executionID.map { $0 == charge.executionID } ?? true)
            && (accountID.map { $0 == charge.accountID } ?? true)
            && (underwritingID.map { $0 == charge.underwritingID } ?? true)
            && (processorID.map { $0 == charge.processorID } ?? true)
            && (service.map(charge.service.equalsInBytes) ?? true) && (since.map { $0 <= charge.timestamp } ?? true)
            && (until.map { charge.timestamp < $0 } ?? true)
    }
}

/// A filter for paid calls; parts that are `nil` do not narrow it.
public struct CallFilter: Hashable, Sendable {
    /// The call's name.
    public var callID: String?
    /// The run.
    public var runID: Run.ID?
    /// The execution.
    public var executionID: Execution.ID?
    /// The item.
    public var inputID: String?
    /// The service that is called.
    public var service: String?
    /// The operation that is called.
    public var operation: String?
    /// The digest of the call's key.
    public var callKey: String?
    /// The states, any of which matches.
    public var states: Set<CallRecord.State>?
    /// The key under which the cache keeps the call's value.
    public var cacheKey: String?
    /// The run or execution that the call belongs to, or that met the call in doubt.
    public var billedTo: BillSubject?

    /// The subject of a bill that lists a call.
    public enum BillSubject: Hashable, Sendable {
        /// One run.
        case run(Run.ID)
        /// All runs of an execution.
        case execution(Execution.ID)
    }

    /// Creates a filter from the given parts; by default it matches every call.
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

    /// Returns whether `call` matches, ignoring ``billedTo``.
    public func matches(_ call: CallRecord) -> Bool {
        (callID.map { $0 == call.callID } ?? true) && (runID.map { $0 == call.runID } ?? true)
            && (executionID.map { $0 == call.executionID } ?? true)
            && (inputID.map { call.inputID?.equalsInBytes($0) ?? false } ?? true)
            && (service.map(call.service.equalsInBytes) ?? true)
            && (operation.map(call.operation.equalsInBytes) ?? true) && (callKey.map { $0 == call.callKey } ?? true)
            && (states?.contains(call.state) ?? true) && (cacheKey.map { $0 == call.cacheKey } ?? true)
    }
}
