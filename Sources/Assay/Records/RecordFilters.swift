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
