/// A policy that turns a run into the keys of its base price; each key is charged once in the life of a store.
public protocol ChargePolicy: Sendable {
    /// The name in price lists and pipeline files.
    var name: String { get }

    /// Returns the keys to charge, with their amounts.
    ///
    /// - Throws: any error; the run then continues with an incomplete bill, or fails under strict costs.
    func charges(for request: ChargeRequest) throws -> [KeyedAmount]
}

/// The facts that a charge policy can use.
public struct ChargeRequest: Sendable {
    /// The processor that starts.
    public let processorID: Identifier
    /// The execution that it works for.
    public let executionID: Execution.ID
    /// The run that begins.
    public let runID: Run.ID
    /// The digests of the inputs, in order and with repetitions; empty unless the policy asks for them.
    public let inputDigests: [Digest]
    /// The price in force.
    public let basePrice: Money
}

/// An amount and the key under which it is charged at most once.
public struct KeyedAmount: Hashable, Sendable {
    /// The key; equal keys are charged once.
    public var key: String
    /// The amount to charge.
    public var amount: Money

    /// Creates an amount under a key.
    public init(key: String, amount: Money) {
        self.key = key
        self.amount = amount
    }
}

/// The charge policies that Assay provides.
public enum StandardChargePolicy: String, ChargePolicy, CaseIterable {
    /// Once per execution and processor, however often the processor runs.
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
