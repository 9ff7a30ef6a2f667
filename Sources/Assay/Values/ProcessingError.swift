/// A failure of an item or a run, or a misuse of the engine, with the place and what to do about it.
public struct ProcessingError: Error, Sendable {
    /// The kind of a failure; JSON, tables and logs use the raw values.
    public enum Code: String, Codable, Sendable, CaseIterable {
        case prevalidation, transformation, validation, extraction, api, processing, aggregation, cost
        case timeout, cancelled
        case workerCrashed = "worker_crashed"
        case programBroken = "program_broken"
        case `protocol`
        case budgetExhausted = "budget_exhausted"
        case circuitOpen = "circuit_open"
        case unknownStep = "unknown_step"
        case definitionChanged = "definition_changed"
        case inputChanged = "input_changed"
        case denied, interrupted
        case recoveryExhausted = "recovery_exhausted"
        case queueFull = "queue_full"
        case runnerUnavailable = "runner_unavailable"
        case alreadyRunning = "already_running"
        case store, graph
        case pipeFull = "pipe_full"
        case pipeEmpty = "pipe_empty"
        case pipeClosed = "pipe_closed"
        case configuration
        case notFound = "not_found"
        case exists
        case illegalMove = "illegal_move"
    }

    /// The kind of failure.
    public var code: Code
    /// A message that says what happened and what the reader can do about it.
    public var message: String
    /// The phase in which it happened; `nil` before a run exists.
    public var phase: Phase?
    /// The step that was running, or else the stage.
    public var step: String?
    /// The input that failed; `nil` when the whole run failed.
    public var item: ExternalID?
    /// The attempt that failed, from 1.
    public var attempt: Int?
    /// Whether another attempt may help, as the thrower stated or else as the code implies.
    public var retryable: Bool
    /// The shortest time to wait before another attempt, if the callee named one.
    public var retryAfter: Duration?
    /// Whether a paid call that ended with this error may or may not have happened.
    public var outcomeUnknown: Bool
    /// Whether the callee of a paid call did not accept it at all; this says nothing about earlier attempts under its
    /// key.
    package var wasNotTaken = false
    /// The underlying error, as it was thrown.
    public var cause: (any Error)?
    /// The name of the budget that refused.
    package var budget: String?
    /// The type name of the error that user code threw; `nil` to use the code's name.
    package var thrownName: String?

    /// Creates a failure of kind `code`.
    ///
    /// - Parameters:
    ///   - message: what happened and what to do; cut at 8 KiB.
    ///   - retryable: overrides what the code implies.
    public init(
        _ code: Code, _ message: String, retryable: Bool? = nil, retryAfter: Duration? = nil,
        outcomeUnknown: Bool = false, cause: (any Error)? = nil
    ) {
        self.code = code
        self.message = message.cut(toBytes: Self.longestMessage)
        self.retryable = retryable ?? code.isRetryable
        self.retryAfter = retryAfter
        self.outcomeUnknown = outcomeUnknown
        self.cause = cause
    }

    /// The maximum length of a message, in bytes.
    private static let longestMessage = 8_192

    /// The name of the thrown error in the failure record.
    public var exception: String { thrownName ?? code.exception }

    /// Whether a program crashed on the item, and another program may not.
    var isCrashOfProgram: Bool { code == .workerCrashed && retryable }

    /// Creates a failure from `error`. A ``ProcessingError`` and an error that names a code keep it; any other takes
    /// `code`.
    ///
    /// - Parameter secrets: what its text must not show; hidden before any of it is cut off.
    init(wrapping error: any Error, as code: Code, hiding secrets: SecretFilter = .none) {
        if let known = error as? ProcessingError {
            self = known
            // A message of that length may have been cut in the middle of a secret.
            let isCut = known.message.utf8.count > Self.longestMessage - 8
            message = secrets.hiding(known.message, isCut: isCut).cut(toBytes: Self.longestMessage)
            thrownName = known.thrownName.map { secrets.hiding($0) }
        } else if let described = error as? any FailureDescribing {
            self.init(
                described.failureCode ?? code, secrets.hiding(described.message), retryable: described.retryable,
                cause: error)
            thrownName = String(describing: type(of: error))
        } else {
            self.init(code, secrets.hiding(Self.text(of: error)), cause: error)
            thrownName = String(describing: type(of: error))
        }
    }

    private static func text(of error: any Error) -> String {
        switch error {
        case let DecodingError.typeMismatch(_, context), let DecodingError.valueNotFound(_, context),
            let DecodingError.keyNotFound(_, context), let DecodingError.dataCorrupted(context):
            let path = context.codingPath.map(\.stringValue).joined(separator: ".")
            return "data cannot be read" + (path.isEmpty ? "" : " at '\(path)'") + ": \(context.debugDescription)"
        case is CancellationError: return "cancelled"
        default: return String(describing: error)
        }
    }
}

/// An error from user code that describes itself in more detail than its type does.
public protocol FailureDescribing: Error {
    /// The code of the failure; `nil` for the code of its stage.
    var failureCode: ProcessingError.Code? { get }
    /// A message that says what happened and what to do about it.
    var message: String { get }
    /// Whether another attempt may help; `nil` to use what the code implies.
    var retryable: Bool? { get }
}

extension FailureDescribing {
    public var failureCode: ProcessingError.Code? { nil }
    public var retryable: Bool? { nil }
}

extension ProcessingError: CustomStringConvertible {
    /// The code and message, with the item, step and attempt concerned.
    public var description: String {
        var place: [String] = []
        if let item { place.append("item '\(item)'") }
        if let step { place.append("step '\(step)'") }
        if let attempt { place.append("attempt \(attempt)") }
        return "\(code.rawValue): \(message)" + (place.isEmpty ? "" : " (\(place.joined(separator: ", ")))")
    }
}

extension ProcessingError.Code {
    /// Whether another attempt may help when the thrower does not say.
    public var isRetryable: Bool {
        switch self {
        case .extraction, .api, .processing, .timeout, .cancelled, .workerCrashed, .programBroken, .circuitOpen,
            .interrupted, .queueFull, .runnerUnavailable, .alreadyRunning, .store, .pipeFull, .pipeEmpty:
            true
        case .prevalidation, .transformation, .validation, .aggregation, .cost, .protocol, .budgetExhausted,
            .unknownStep, .definitionChanged, .inputChanged, .denied, .recoveryExhausted, .graph, .pipeClosed,
            .configuration, .notFound, .exists, .illegalMove:
            false
        }
    }

    /// The name in failure records: the code in words, followed by `Error`.
    public var exception: String {
        switch self {
        case .aggregation: return "ResultAggregationError"
        case .cost: return "CostCalculationError"
        case .processing: return "ProcessingError"
        case .recoveryExhausted: return "InterruptedError"
        case .pipeFull, .pipeEmpty, .pipeClosed: return "PipeError"
        default:
            let words = rawValue.split(separator: "_").map { $0.prefix(1).uppercased() + $0.dropFirst() }
            return words.joined() + "Error"
        }
    }
}

extension String {
    /// Returns the longest prefix of whole characters that is at most `limit` bytes long.
    package func cut(toBytes limit: Int) -> String {
        guard utf8.count > limit else { return self }
        var end = utf8.index(startIndex, offsetBy: limit)
        while end > startIndex, String.Index(end, within: self) == nil { end = utf8.index(before: end) }
        return String(self[..<end])
    }
}
