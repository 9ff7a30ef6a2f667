public import Assay
import Synchronization

/// A shared log of named calls, which counts them by name.
public final class Calls: Sendable {
    private let log = Mutex<[String]>([])

    /// Creates an empty log.
    public init() {}

    /// Records a call of `name` and returns how many there have been.
    @discardableResult public func note(_ name: String) -> Int {
        log.withLock { log in
            log.append(name)
            return log.count { $0 == name }
        }
    }

    /// The number of calls of `name`.
    public subscript(name: String) -> Int { log.withLock { $0.count { $0 == name } } }

    /// The number of calls of each of `names`.
    public subscript(names: [String]) -> [Int] { names.map { self[$0] } }

    /// All calls, in order.
    public var inOrder: [String] { log.withLock { $0 } }

    /// Removes all calls.
    public func reset() { log.withLock { $0 = [] } }
}

/// The error of a ``StepProcessor`` that was told to fail.
public struct StepFailure: Error, FailureDescribing {
    /// A description of the failure.
    public let message: String
}

/// A processor of named steps that counts its calls and fails where it is told to.
///
/// Its output is its input, wrapped by each step with the step's name.
public struct StepProcessor: Processor {
    public let name: String
    /// The steps in order.
    public let steps: [String]
    /// The calls of `transform`, `validate`, `extract`, `aggregate` and the steps.
    public let calls: Calls
    private let fault: @Sendable (_ place: String, _ inputID: String, _ attempt: Int) throws -> Void

    /// Creates a processor that calls `fault` at the start of each function and step.
    ///
    /// - Parameter steps: the names of the steps, by default `validation`, `processing` and `extraction`.
    public init(
        _ name: String = "steps", steps: [String] = ["validation", "processing", "extraction"], calls: Calls = Calls(),
        fault: @escaping @Sendable (_ place: String, _ inputID: String, _ attempt: Int) throws -> Void = { _, _, _ in }
    ) {
        self.name = name
        self.steps = steps
        self.calls = calls
        self.fault = fault
    }

    /// Creates a processor that fails in the step or function `place`, for the items named in `items` or for all.
    public init(
        _ name: String = "steps", failingAt place: String?, for items: Set<String>? = nil, calls: Calls = Calls()
    ) {
        self.init(name, calls: calls) { current, inputID, _ in
            guard current == place, items?.contains(inputID) ?? true else { return }
            throw StepFailure(message: "\(current) refused")
        }
    }

    private func enter(_ place: String, _ context: Context) throws {
        calls.note(place)
        try fault(place, context.inputID ?? "", context.attempt)
    }

    public func transform(_ input: JSONValue, in context: Context) throws -> JSONValue {
        try enter("transform", context)
        return input
    }

    public func validate(_ input: JSONValue, in context: Context) throws { try enter("validate", context) }

    public func extract(_ input: JSONValue, in context: Context) async throws -> JSONValue {
        try enter("extract", context)
        var value = input
        for step in steps {
            let before = value
            value = try await context.step(step) {
                try enter(step, context)
                return ["made_by": .string(step), "of": before]
            }
        }
        return value
    }

    public func aggregate(_ outputs: Outputs<JSONValue>, in context: Context) async throws -> [JSONValue] {
        try enter("aggregate", context)
        return try await outputs.all()
    }
}
