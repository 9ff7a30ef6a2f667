/// One entry of the ledger; never changed once it is recorded.
public struct Charge: Hashable, Sendable {
    /// What caused it.
    public enum Kind: String, Codable, Sendable {
        /// A processor started.
        case base
        /// Something was used.
        case usage
        /// A paid call, or a cache hit in its place.
        case call
    }

    /// The entry's name.
    public var costID: String
    /// Equal keys are recorded once in the life of a store; `nil`: every time.
    public var key: String?
    /// What caused it.
    public var kind: Kind
    /// The run that caused it.
    public var runID: Run.ID
    /// The execution of the run.
    public var executionID: Execution.ID
    /// The processor that was working.
    public var processorID: Identifier
    /// The item it was for.
    public var inputID: String?
    /// The place of the item in the run, which orders bills.
    public var itemIndex: Int?
    /// The step that was running.
    public var step: String?
    /// Whose service was used; `processor` for base charges.
    public var service: String
    /// What of it was used; the processor for base charges.
    public var operation: String
    /// How much.
    public var cost: Money
    /// When it was recorded.
    public var timestamp: Timestamp
    /// What a cache hit saved.
    public var avoidedCost: Money?
    /// Why it was charged and how its amount was found; only the engine says so.
    public var basis: Basis
    /// What the processor noted with it; the engine's own names are not among it.
    public let metadata: JSONObject
    /// The account of the run or item.
    public var accountID: ExternalID?
    /// The underwriting of the run or item.
    public var underwritingID: ExternalID?

    /// An entry of the given parts.
    public init(
        costID: String, key: String? = nil, kind: Kind, runID: Run.ID, executionID: Execution.ID,
        processorID: Identifier, inputID: String? = nil, itemIndex: Int? = nil, step: String? = nil, service: String,
        operation: String, cost: Money, timestamp: Timestamp, avoidedCost: Money? = nil, basis: Basis = Basis(),
        metadata: JSONObject = [:], accountID: ExternalID? = nil, underwritingID: ExternalID? = nil
    ) {
        self.costID = costID
        self.key = key
        self.kind = kind
        self.runID = runID
        self.executionID = executionID
        self.processorID = processorID
        self.inputID = inputID
        self.itemIndex = itemIndex
        self.step = step
        self.service = service
        self.operation = operation
        self.cost = cost
        self.timestamp = timestamp
        self.avoidedCost = avoidedCost
        self.basis = basis
        self.metadata = metadata.removing(Basis.names)
        self.accountID = accountID
        self.underwritingID = underwritingID
    }

    /// Whether it stands for a value that was found in the cache.
    public var isCacheHit: Bool { basis.cause == .cacheHit }
}

/// A paid call: its intent is on record before it is made, its outcome after.
public struct CallRecord: Hashable, Sendable {
    /// Where a call stands.
    public enum State: String, Codable, Sendable {
        /// The intent is on record and nothing else is known.
        case open
        /// It was made and costs something.
        case settled
        /// It was not made or costs nothing.
        case released
        /// It may or may not have been made.
        case inDoubt = "in_doubt"
    }

    /// The call's name.
    public var callID: String
    /// The same before and after a crash, new after a definite failure: 64 hex digits for the callee.
    public var idempotencyKey: String
    /// Where it stands.
    public var state: State
    /// The run that made it last.
    public var runID: Run.ID
    /// The execution it belongs to.
    public var executionID: Execution.ID
    /// The processor that made it.
    public var processorID: Identifier
    /// The item it was for.
    public var inputID: String?
    /// Whose service.
    public var service: String
    /// What of it.
    public var operation: String
    /// The digest of its key, or of nothing.
    public var callKey: String
    /// The most it may cost.
    public var maximumCost: Money
    /// When the intent was written.
    public var timestamp: Timestamp
    /// The place of the item in the run, which orders bills.
    public var itemIndex: Int?
    /// The step that made it.
    public var step: String?
    /// The account of the run or item.
    public var accountID: ExternalID?
    /// The underwriting of the run or item.
    public var underwritingID: ExternalID?
    /// What becomes of it when nobody learns how it ended.
    public var doubtPolicy: DoubtPolicy
    /// The key under which the cache keeps its value, by which other executions know it as theirs; `nil`: it has no key.
    public var cacheKey: String?
    /// Who found out how it ended after its outcome was unknown; `nil`: it never was, or still is.
    public var resolution: Charge.Basis.Resolution?

    /// A call of the given parts.
    public init(
        callID: String, idempotencyKey: String, state: State, runID: Run.ID, executionID: Execution.ID,
        processorID: Identifier, inputID: String?, service: String, operation: String, callKey: String,
        maximumCost: Money, timestamp: Timestamp, itemIndex: Int? = nil, step: String? = nil,
        accountID: ExternalID? = nil, underwritingID: ExternalID? = nil, doubtPolicy: DoubtPolicy = .hold,
        cacheKey: String? = nil, resolution: Charge.Basis.Resolution? = nil
    ) {
        self.callID = callID
        self.idempotencyKey = idempotencyKey
        self.state = state
        self.runID = runID
        self.executionID = executionID
        self.processorID = processorID
        self.inputID = inputID
        self.service = service
        self.operation = operation
        self.callKey = callKey
        self.maximumCost = maximumCost
        self.timestamp = timestamp
        self.itemIndex = itemIndex
        self.step = step
        self.accountID = accountID
        self.underwritingID = underwritingID
        self.doubtPolicy = doubtPolicy
        self.cacheKey = cacheKey
        self.resolution = resolution
    }
}

extension CallRecord {
    /// The key of the one charge that it may have.
    public var chargeKey: String { "call|\(callID)" }
}

/// What becomes of a paid call of unknown outcome.
public enum DoubtPolicy: String, Codable, Sendable, CaseIterable {
    /// It stays in doubt, its maximum reserved, until the call is made again or someone decides.
    case hold
    /// It counts as made, at its maximum.
    case settle
    /// It counts as not made.
    case release
}
