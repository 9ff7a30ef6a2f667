public import Assay
import Synchronization

/// How often things were done, by name; its holders share it.
public final class Calls: Sendable {
    private let log = Mutex<[String]>([])

    /// Nothing was done yet.
    public init() {}

    /// Notes that `name` was done and returns how often that is now.
    @discardableResult public func note(_ name: String) -> Int {
        log.withLock { log in
            log.append(name)
            return log.count { $0 == name }
        }
    }

    /// How often `name` was done.
    public subscript(name: String) -> Int { log.withLock { $0.count { $0 == name } } }

    /// How often each of `names` was done.
    public subscript(names: [String]) -> [Int] { names.map { self[$0] } }

    /// Everything that was done, in order.
    public var inOrder: [String] { log.withLock { $0 } }

    /// Forgets everything.
    public func reset() { log.withLock { $0 = [] } }
}

/// What a ``StepProcessor`` throws where it was told to fail.
public struct StepFailure: Error, FailureDescribing {
    /// What happened.
    public let message: String
}

/// A processor of named steps that counts what is called and fails where it is told to.
///
/// Its output is its input, with the value of each step made of the step's name and the value before it.
public struct StepProcessor: Processor {
    public let name: String
    /// The steps in order.
    public let steps: [String]
    /// `transform`, `validate`, `extract`, `aggregate` and the steps, as they are called.
    public let calls: Calls
    private let fault: @Sendable (_ place: String, _ inputID: String, _ attempt: Int) throws -> Void

    /// A processor that asks `fault` in each function and step, before that does anything.
    ///
    /// - Parameter steps: `validation`, `processing` and `extraction` unless told otherwise.
    public init(
        _ name: String = "steps", steps: [String] = ["validation", "processing", "extraction"], calls: Calls = Calls(),
        fault: @escaping @Sendable (_ place: String, _ inputID: String, _ attempt: Int) throws -> Void = { _, _, _ in }
    ) {
        self.name = name
        self.steps = steps
        self.calls = calls
        self.fault = fault
    }

    /// A processor that fails in the step or function `place`, for the items named in `items` or for all.
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
