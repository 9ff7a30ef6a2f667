/// Turns a run into the keys under which its base price is charged; a key is charged once in the life of a store.
public protocol ChargePolicy: Sendable {
    /// The name in price lists and pipeline files.
    var name: String { get }

    /// The keys to charge with their amounts.
    ///
    /// - Throws: anything; the run then goes on with an incomplete bill, or fails under strict costs.
    func charges(for request: ChargeRequest) throws -> [KeyedAmount]
}

/// What a charge policy may look at.
public struct ChargeRequest: Sendable {
    /// The processor that starts.
    public let processorID: Identifier
    /// The execution it works for.
    public let executionID: Execution.ID
    /// The run that begins.
    public let runID: Run.ID
    /// The digests of the inputs, in their order, repetitions included; empty unless the policy asks for them.
    public let inputDigests: [Digest]
    /// The price in force.
    public let basePrice: Money
}

/// An amount and the key under which it is charged at most once.
public struct KeyedAmount: Hashable, Sendable {
    /// Equal keys are charged once.
    public var key: String
    /// How much.
    public var amount: Money

    /// An amount under a key.
    public init(key: String, amount: Money) {
        self.key = key
        self.amount = amount
    }
}

/// The policies that Assay knows by itself.
public enum StandardChargePolicy: String, ChargePolicy, CaseIterable {
    /// Once per execution and processor, however often it is run.
    case perExecution = "per_execution"
    /// Once per run.
    case perRun = "per_run"
    /// Once per execution, processor and distinct input.
    case perInput = "per_input"

    public var name: String { rawValue }

    public func charges(for request: ChargeRequest) -> [KeyedAmount] {
        let prefix = "base|\(request.processorID)|"
        let keys =
            switch self {
            case .perExecution: [prefix + "execution|\(request.executionID)"]
            case .perRun: [prefix + "run|\(request.runID)"]
            case .perInput: request.inputDigests.map { prefix + "input|\(request.executionID)|\($0)" }
            }
        var seen: Set<String> = []
        return keys.filter { seen.insert($0).inserted }.map { KeyedAmount(key: $0, amount: request.basePrice) }
    }
}
