/// Work that turns one input into one output.
///
/// A run first transforms and validates every input, in order; then it extracts each; then it aggregates once. Only
/// ``extract(_:in:)`` is given to a ``Runner``: it alone may be called concurrently, elsewhere, or again after a
/// failure, so it must tolerate more than one call for one input. Work whose failure must stop everything belongs in
/// `transform` and `validate`. Work that fails for one input alone belongs in `extract`.
public protocol Processor<Input, Output>: Sendable {
    /// The type of its inputs.
    associatedtype Input: Codable & Sendable
    /// The type of its output for one input.
    associatedtype Output: Codable & Sendable
    /// The type of its result for all outputs.
    associatedtype Summary: Codable & Sendable = [Output]

    /// The stable name that runs, charges and cached outputs are recorded under; an ``Identifier``.
    var name: String { get }

    /// Whether ``transform(_:in:)`` does anything; `false` avoids a second copy of every input.
    var transforms: Bool { get }

    /// Converts an input into the form that the other functions expect. A failure stops the run before any extraction.
    func transform(_ input: Input, in context: Context) async throws -> Input

    /// Rejects a transformed input by throwing. A failure stops the run before any extraction.
    func validate(_ input: Input, in context: Context) async throws

    /// Works on one input. A failure is the outcome of that input and does not affect the others.
    func extract(_ input: Input, in context: Context) async throws -> Output

    /// Returns the costs of extracting `input`, transformed and validated, if nothing is saved or cached; `nil` when
    /// they are unknown. Plans call it; it must have no side effects, and its context refuses whatever costs money.
    func expectedCosts(of input: Input, in context: Context) async throws -> [ExpectedCost]?

    /// The highest costs of extracting any input; `nil` when they depend on the input.
    ///
    /// Plans of graphs use it where an input is known only after earlier nodes have run. Calls whose costs are declared
    /// here should have no key.
    var costsOfAnyInput: [ExpectedCost]? { get }

    /// Combines all outputs, in the order of the inputs, into one summary. Called once, when every input has succeeded.
    func aggregate(_ outputs: Outputs<Output>, in context: Context) async throws -> Summary
}

extension Processor {
    /// `true` by default.
    public var transforms: Bool { true }

    /// Returns the input unchanged.
    public func transform(_ input: Input, in context: Context) async throws -> Input { input }

    /// Accepts every input.
    public func validate(_ input: Input, in context: Context) async throws {}

    /// Returns the costs of any input.
    public func expectedCosts(of input: Input, in context: Context) async throws -> [ExpectedCost]? { costsOfAnyInput }

    /// Unknown by default.
    public var costsOfAnyInput: [ExpectedCost]? { nil }
}

extension Processor where Summary == [Output] {
    /// Returns the outputs in the order of the inputs.
    public func aggregate(_ outputs: Outputs<Output>, in context: Context) async throws -> [Output] {
        try await outputs.all()
    }
}

extension Processor {
    /// Merges all outputs into one. For equal keys, the value of the later input wins.
    public func aggregate<Value>(
        _ outputs: Outputs<Output>, in context: Context
    ) async throws -> Summary where Output == [String: Value], Summary == Output {
        var merged: [String: Value] = [:]
        for try await output in outputs { merged.merge(output) { _, later in later } }
        return merged
    }
}

/// A processor without checks of its own, so that they need not be called.
protocol AcceptsEveryInput {}

/// A processor made of a name and a function.
public struct ClosureProcessor<Input: Codable & Sendable, Output: Codable & Sendable>: Processor, AcceptsEveryInput {
    public let name: String
    public let transforms = false
    public let costsOfAnyInput: [ExpectedCost]?
    private let body: @Sendable (Input, Context) async throws -> Output

    /// Creates a processor that extracts with `body` and accepts every input.
    public init(_ name: String, _ body: @escaping @Sendable (Input, Context) async throws -> Output) {
        self.name = name
        costsOfAnyInput = nil
        self.body = body
    }

    /// Creates a processor that extracts with `body`, which has no access to anything that costs money.
    init(_ name: String, free body: @escaping @Sendable (Input) async throws -> Output) {
        self.name = name
        costsOfAnyInput = []
        self.body = { input, _ in try await body(input) }
    }

    public func extract(_ input: Input, in context: Context) async throws -> Output { try await body(input, context) }
}
