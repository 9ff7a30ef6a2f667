/// One entry of the ledger; it never changes once it is recorded.
public struct Charge: Hashable, Sendable {
    /// The cause of a charge.
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
    /// The key; equal keys are recorded once in the life of a store. `nil` is recorded every time.
    public var key: String?
    /// The cause of the charge.
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
    /// The service that was used; `processor` for base charges.
    public var service: String
    /// The operation that was used; the processor for base charges.
    public var operation: String
    /// The amount.
    public var cost: Money
    /// The time it was recorded.
    public var timestamp: Timestamp
    /// The amount that a cache hit saved.
    public var avoidedCost: Money?
    /// The reason for the charge and the source of its amount; only the engine sets it.
    public var basis: Basis
    /// The processor's own notes on it, without the names that belong to the engine.
    public let metadata: JSONObject
    /// The account of the run or item.
    public var accountID: ExternalID?
    /// The underwriting of the run or item.
    public var underwritingID: ExternalID?

    /// Creates an entry from the given parts.
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

    /// Whether it represents a value that was found in the cache.
    public var isCacheHit: Bool { basis.cause == .cacheHit }
}

/// The work that a charge is for.
struct ChargedWork {
    let runID: Run.ID
    let executionID: Execution.ID
    let processorID: Identifier
    let inputID: String?
    let itemIndex: Int?
    let step: String?
    let accountID: ExternalID?
    let underwritingID: ExternalID?

    /// The work of a run, or on one of its items.
    ///
    /// - Parameter scope: the scope of the item; `nil`: that of the run.
    init(of run: Run, inputID: String? = nil, itemIndex: Int? = nil, step: String? = nil, scope: Scope? = nil) {
        (runID, executionID, processorID) = (run.id, run.executionID, run.processorID)
        (self.inputID, self.itemIndex, self.step) = (inputID, itemIndex, step)
        let scope = scope ?? run.scope
        (accountID, underwritingID) = (scope.accountID, scope.underwritingID)
    }

    /// The work that made a call which `run` pays for, although another execution may have made it first.
    init(of call: CallRecord, paidBy run: Run, for inputID: String?) {
        (runID, executionID, processorID) = (run.id, run.executionID, run.processorID)
        (self.inputID, itemIndex, step) = (inputID, call.itemIndex, call.step)
        (accountID, underwritingID) = (call.accountID, call.underwritingID)
    }

    /// The work that made a call.
    init(of call: CallRecord) {
        (runID, executionID, processorID) = (call.runID, call.executionID, call.processorID)
        (inputID, itemIndex, step) = (call.inputID, call.itemIndex, call.step)
        (accountID, underwritingID) = (call.accountID, call.underwritingID)
    }
}

extension Charge {
    /// Creates an entry for `work`.
    init(
        _ kind: Kind, _ costID: String, key: String?, for work: ChargedWork, of service: String, _ operation: String,
        _ cost: Money, at moment: Timestamp, _ basis: Basis, avoiding avoidedCost: Money? = nil,
        metadata: JSONObject = [:]
    ) {
        self.init(
            costID: costID, key: key, kind: kind, runID: work.runID, executionID: work.executionID,
            processorID: work.processorID, inputID: work.inputID, itemIndex: work.itemIndex, step: work.step,
            service: service, operation: operation, cost: cost, timestamp: moment, avoidedCost: avoidedCost,
            basis: basis, metadata: metadata, accountID: work.accountID, underwritingID: work.underwritingID)
    }
}
