/// The result of one item.
public struct Outcome: Sendable {
    /// The reason an item was skipped or cancelled, or what is special about its failure.
    public enum Reason: String, Codable, Sendable, CaseIterable {
        case notReached = "not_reached"
        case preprocessingStopped = "preprocessing_stopped"
        case failurePolicy = "failure_policy"
        case atomic
        case runCancelled = "run_cancelled"
        case runTimeout = "run_timeout"
        case budgetExhausted = "budget_exhausted"
        case definitionChanged = "definition_changed"
        case interrupted
        case poison
        case programBroken = "program_broken"
        case upstreamFailed = "upstream_failed"
        case notRouted = "not_routed"
        case noInput = "no_input"
        case graphHalted = "graph_halted"
    }

    /// The result of one step.
    public struct Step: Hashable, Sendable {
        /// The step's name; `name#2` for its second use, `outer/inner` inside another.
        public var name: String
        /// Whether its value came from a saved step.
        public var restored: Bool
        /// Whether its body threw.
        public var failed = false
        /// The time its body took; zero when restored.
        public var duration: Duration

        /// Creates a step that ended.
        public init(name: String, restored: Bool, failed: Bool = false, duration: Duration) {
            self.name = name
            self.restored = restored
            self.failed = failed
            self.duration = duration
        }
    }

    /// The item's name.
    public var inputID: String
    /// Its place in the run, from 0.
    public var index: Int
    /// `succeeded`, `failed`, `skipped` or `cancelled`.
    public var status: Status
    /// The value that `extract` returned; may be JSON's null.
    public var output: Payload?
    /// The reason it was skipped or cancelled, or what is special about its failure.
    public var reason: Reason?
    /// The time from its first start to its end, including waits between attempts.
    public var duration = Duration.zero
    /// The number of times `extract` was called.
    public var attempts = 0
    /// Whether the output came from the item cache.
    public var cached = false
    /// Whether it was taken over from an earlier run of the execution.
    public var carried = false
    /// Whether its data differs from that of the earlier run, so that it started over.
    public var inputChanged = false
    /// Whether it is, or builds on, the work of another definition of the processor, because `on_change: keep` was
    /// given.
    public var isKept = false
    /// The parts that most outcomes lack, kept apart so that a million plain outcomes stay small.
    private var details: Details?

    private struct DetailValues {
        var error: FailureRecord?
        var cost = Money.zero
        var avoidedCost = Money.zero
        var steps: [Step] = []
        var passage: Passage?
    }

    private final class Details: Sendable {
        let values: DetailValues
        init(_ values: DetailValues) { self.values = values }
    }

    private var values: DetailValues {
        get { details?.values ?? DetailValues() }
        set { details = Details(newValue) }
    }

    /// The failure, if it failed.
    public var error: FailureRecord? {
        get { details?.values.error }
        set { values.error = newValue }
    }
    /// The sum of this run's charges that name the item.
    public var cost: Money {
        get { details?.values.cost ?? .zero }
        set { values.cost = newValue }
    }
    /// The amount that cache hits saved.
    public var avoidedCost: Money {
        get { details?.values.avoidedCost ?? .zero }
        set { values.avoidedCost = newValue }
    }
    /// The steps that it requested.
    public var steps: [Step] {
        get { details?.values.steps ?? [] }
        set { values.steps = newValue }
    }

    /// The results at each node; `nil` outside of graphs.
    public var passage: Passage? {
        get { details?.values.passage }
        set { values.passage = newValue }
    }

    /// Creates the outcome of an item that ended.
    public init(inputID: String, index: Int, status: Status, reason: Reason? = nil) {
        self.inputID = inputID
        self.index = index
        self.status = status
        self.reason = reason
    }

    /// Returns the outcome in a later run of the execution, which does not work on the item again.
    ///
    /// - Parameter isKept: whether it is the work of another definition of the processor.
    public func carriedOver(isKept: Bool) -> Outcome {
        var outcome = Outcome(inputID: inputID, index: index, status: status, reason: reason)
        outcome.output = output
        outcome.error = error
        outcome.carried = true
        outcome.isKept = self.isKept || isKept
        return outcome
    }

    /// The way it was carried, in words for people.
    package var carriedInWords: String { isKept ? "carried under on_change: keep" : "carried" }

    /// Returns the output as `type`.
    ///
    /// - Throws: the error of its ``FailureRecord`` when the item did not succeed, `DecodingError` when the type does
    ///   not fit.
    public func get<Output: Codable & Sendable>(as type: Output.Type = Output.self) throws -> Output {
        guard status == .succeeded, let output else {
            throw error?.processingError
                ?? ProcessingError(.cancelled, "'\(inputID)' is \(status.rawValue): \(reason?.rawValue ?? "no reason")")
        }
        return try output.value(as: type)
    }
}

/// A recorded failure: what happened, where, and the point from which the item can continue.
public struct FailureRecord: Hashable, Sendable {
    /// The item; `nil` for a run's own failure.
    public var inputID: String?
    /// The step that was running, or else the stage.
    public var step: String
    /// The name of the type that was thrown.
    public var exception: String
    /// A message that says what happened and what to do.
    public var message: String
    /// The kind of failure.
    public var code: ProcessingError.Code
    /// The phase in which it happened.
    public var phase: Phase
    /// The attempt, from 1; 0 for a run's own failure.
    public var attempt: Int
    /// Whether another attempt may help.
    public var retryable: Bool
    /// The node of a graph at which it happened; `nil` outside of graphs.
    public var processorID: Identifier?
    /// The point to continue from.
    public var resumePoint: ResumePoint?

    /// Creates a record from the given parts.
    public init(
        inputID: String?, step: String, exception: String, message: String, code: ProcessingError.Code, phase: Phase,
        attempt: Int, retryable: Bool, resumePoint: ResumePoint? = nil
    ) {
        self.inputID = inputID
        self.step = step
        self.exception = exception
        self.message = message
        self.code = code
        self.phase = phase
        self.attempt = attempt
        self.retryable = retryable
        self.resumePoint = resumePoint
    }

    /// The last line of the message that is not empty, which is where a traceback names its error.
    public var lastLine: String { message.lastLine }

    /// The record as an error to throw.
    public var processingError: ProcessingError {
        var error = ProcessingError(code, message, retryable: retryable)
        error.phase = phase
        error.step = step
        error.item = inputID.map { ExternalID(unchecked: $0) }
        error.attempt = attempt
        error.thrownName = exception
        return error
    }
}

/// The point from which a failed item can continue without repeating its finished steps.
public struct ResumePoint: Hashable, Sendable {
    /// A completed step with its value.
    public struct Saved: Hashable, Sendable {
        /// The step's name.
        public var step: String
        /// The value that its body returned.
        public var value: JSONValue
    }

    /// The step that failed; `nil` when the point names none and is ignored.
    public var step: String?
    /// The value that was about to enter the failed step.
    public var data: JSONValue?
    /// The run that failed.
    public var runID: String?
    /// The digest of the item's data at that time.
    public var inputDigest: Digest?
    /// The completed steps in order; `nil` when the point does not list them.
    public var saved: [Saved]?
    /// The name of the type that was thrown.
    public var exception: String?
    /// The message of the failure.
    public var message: String?

    /// Creates a point without any part.
    public init() {}

    func value(of step: String) -> JSONValue? { saved?.last { $0.step.equalsInBytes(step) }?.value }
}
