/// A paid call; its intent is recorded before it is made, its outcome after.
///
/// The record has everything that closing the call takes, so any program that knows its id can close it.
public struct CallRecord: Hashable, Sendable {
    /// The state of a call.
    public enum State: String, Codable, Sendable {
        /// The intent is recorded and nothing else is known.
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
    /// The key for the callee, 64 hex digits; the same before and after a crash, new after a definite failure.
    public var idempotencyKey: String
    /// The state of the call.
    public var state: State
    /// The run that made it last.
    public var runID: Run.ID
    /// The execution it belongs to.
    public var executionID: Execution.ID
    /// The processor that made it.
    public var processorID: Identifier
    /// The item it was for.
    public var inputID: String?
    /// The service that is called.
    public var service: String
    /// The operation that is called.
    public var operation: String
    /// The digest of its key, or of nothing.
    public var callKey: String
    /// The maximum that it may cost.
    public var maximumCost: Money
    /// The price it had when its intent was recorded; `nil` if it had none.
    public var unitPrice: Money?
    /// Whether it is billed although it fails.
    public var billing: CallOptions.Billing
    /// The time for which its value may be used again; `nil` for no limit.
    public var timeToLive: Duration?
    /// Whether an earlier attempt at it, whose outcome is unknown, may have been carried out.
    public var isRepeat: Bool
    /// The time the intent was recorded.
    public var timestamp: Timestamp
    /// The place of the item in the run, which orders bills.
    public var itemIndex: Int?
    /// The step that made it.
    public var step: String?
    /// The account of the run or item.
    public var accountID: ExternalID?
    /// The underwriting of the run or item.
    public var underwritingID: ExternalID?
    /// The policy for the call if no one learns how it ended.
    public var doubtPolicy: DoubtPolicy
    /// The key under which the cache keeps its value and by which other executions recognize it; `nil` if it has no
    /// key.
    public var cacheKey: String?
    /// The source of the decision on how it ended after its outcome was unknown; `nil` if it never was, or still is.
    public var resolution: Charge.Basis.Resolution?

    /// The attempt that opened it last; `nil` when that is unknown.
    public var attempt: AttemptID?

    /// Creates a call from the given parts.
    public init(
        callID: String, idempotencyKey: String, state: State, runID: Run.ID, executionID: Execution.ID,
        processorID: Identifier, inputID: String?, service: String, operation: String, callKey: String,
        maximumCost: Money, timestamp: Timestamp, itemIndex: Int? = nil, step: String? = nil,
        accountID: ExternalID? = nil, underwritingID: ExternalID? = nil, doubtPolicy: DoubtPolicy = .hold,
        cacheKey: String? = nil, resolution: Charge.Basis.Resolution? = nil, unitPrice: Money? = nil,
        billing: CallOptions.Billing = .onSuccess, timeToLive: Duration? = nil, isRepeat: Bool = false,
        attempt: AttemptID? = nil
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
        self.unitPrice = unitPrice
        self.billing = billing
        self.timeToLive = timeToLive
        self.isRepeat = isRepeat
        self.attempt = attempt
    }
}

extension CallRecord {
    /// The key of the one charge that it may have.
    public var chargeKey: String { "call|\(callID)" }
}

/// A policy for a paid call with an unknown outcome.
public enum DoubtPolicy: String, Codable, Sendable, CaseIterable {
    /// It stays in doubt, with its maximum reserved, until the call is made again or someone decides.
    case hold
    /// It counts as made, at its maximum.
    case settle
    /// It counts as not made.
    case release
}
