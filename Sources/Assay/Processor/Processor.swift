/// Work that turns one input into one output.
///
/// A run transforms and validates every input first, in order; then extracts each; then aggregates once. Only
/// ``extract(_:in:)`` is given to a ``Runner``: it alone may be called concurrently, elsewhere, or again after a
/// failure, so it must stand being called more than once for one input. Work whose failure must stop everything
/// belongs in `transform` and `validate`; work that fails for one input alone belongs in `extract`.
public protocol Processor<Input, Output>: Sendable {
    /// What it works on.
    associatedtype Input: Codable & Sendable
    /// What it makes of one input.
    associatedtype Output: Codable & Sendable
    /// What it makes of all outputs.
    associatedtype Summary: Codable & Sendable = [Output]

    /// The stable name under which runs, charges and cached outputs are filed; an ``Identifier``.
    var name: String { get }

    /// Whether ``transform(_:in:)`` does anything; `false` spares keeping a second copy of every input.
    var transforms: Bool { get }

    /// Brings an input into the form the other functions expect. A failure stops the run before any extraction.
    func transform(_ input: Input, in context: Context) async throws -> Input

    /// Refuses a transformed input by throwing. A failure stops the run before any extraction.
    func validate(_ input: Input, in context: Context) async throws

    /// The work on one input. A failure is that input's outcome and does not disturb the others.
    func extract(_ input: Input, in context: Context) async throws -> Output

    /// What extracting `input`, transformed and validated, will pay for if nothing is saved or cached; `nil` when that
    /// cannot be told. Plans ask for it; it must not do anything else, and its context refuses what costs.
    func expectedCosts(of input: Input, in context: Context) async throws -> [ExpectedCost]?

    /// The most that extracting any input will pay for, without knowing which; `nil` when that depends on the input.
    ///
    /// Plans of graphs ask for it where an input is known only when the nodes before have run. Calls of costs that are
    /// told here should have no key.
    var costsOfAnyInput: [ExpectedCost]? { get }

    /// Makes one summary of all outputs, which come in the order of the inputs; called once, when every input has
    /// succeeded.
    func aggregate(_ outputs: Outputs<Output>, in context: Context) async throws -> Summary
}

extension Processor {
    /// Assumed.
    public var transforms: Bool { true }

    /// The input as it is.
    public func transform(_ input: Input, in context: Context) async throws -> Input { input }

    /// Accepts every input.
    public func validate(_ input: Input, in context: Context) async throws {}

    /// Those of any input.
    public func expectedCosts(of input: Input, in context: Context) async throws -> [ExpectedCost]? { costsOfAnyInput }

    /// Cannot be told.
    public var costsOfAnyInput: [ExpectedCost]? { nil }
}

extension Processor where Summary == [Output] {
    /// The list of outputs in the order of the inputs.
    public func aggregate(_ outputs: Outputs<Output>, in context: Context) async throws -> [Output] {
        try await outputs.all()
    }
}

extension Processor {
    /// All outputs merged into one; of equal keys the later input's value counts.
    public func aggregate<Value>(
        _ outputs: Outputs<Output>, in context: Context
    ) async throws -> Summary where Output == [String: Value], Summary == Output {
        var merged: [String: Value] = [:]
        for try await output in outputs { merged.merge(output) { _, later in later } }
        return merged
    }
}

/// What is known to have no checks of its own, so that they need not be called.
protocol AcceptsEveryInput {}

/// A processor made of a name and a function.
public struct ClosureProcessor<Input: Codable & Sendable, Output: Codable & Sendable>: Processor, AcceptsEveryInput {
    public let name: String
    public let transforms = false
    public let costsOfAnyInput: [ExpectedCost]?
    private let body: @Sendable (Input, Context) async throws -> Output

    /// A processor that extracts with `body` and accepts every input.
    public init(_ name: String, _ body: @escaping @Sendable (Input, Context) async throws -> Output) {
        self.name = name
        costsOfAnyInput = nil
        self.body = body
    }

    /// A processor that extracts with `body`, which cannot ask for anything that costs.
    init(_ name: String, free body: @escaping @Sendable (Input) async throws -> Output) {
        self.name = name
        costsOfAnyInput = []
        self.body = { input, _ in try await body(input) }
    }

    public func extract(_ input: Input, in context: Context) async throws -> Output { try await body(input, context) }
}
