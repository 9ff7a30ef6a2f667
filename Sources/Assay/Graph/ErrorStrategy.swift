/// Decides what becomes of an item at a node of a graph where an attempt has failed.
///
/// Strategies are values: they decide from the failure, its number and the skips they have answered in the run, all
/// of which a ``NodeFailure`` tells. What is counted lives in a ``RunRecovery``, one of each run. A strategy may be
/// asked again about the same failure when another item was skipped in between, and its last answer counts.
public protocol ErrorStrategy: Sendable {
    /// What is to be done; one that throws has the run halted, or is passed over where others are asked as well.
    func answer(to failure: NodeFailure) async throws -> ErrorAnswer

    /// The circuit breaker that each node with this strategy gets; `nil`: none.
    var breaker: CircuitBreakerPolicy? { get }

    /// The limit for which it halts the run after `failure`, with what used it up; `nil` when there is none to name.
    func limit(after failure: NodeFailure) -> String?

    /// Called once when an answer of this strategy has halted the run, and cancelled after the clean-up time of it.
    func halted(by failure: NodeFailure) async throws
}

extension ErrorStrategy {
    public var breaker: CircuitBreakerPolicy? { nil }
    public func limit(after failure: NodeFailure) -> String? { nil }
    public func halted(by failure: NodeFailure) async throws {}
}

/// What becomes of an item at a node where an attempt has failed.
public enum ErrorAnswer: Hashable, Sendable {
    /// The node runs again on the same inputs after this time.
    case retry(after: Duration)
    /// The node has no output for the item, which goes on where it can.
    case skip
    /// Nothing further starts in the whole run, which fails.
    case halt(Halt)

    /// How a run is halted.
    public struct Halt: Hashable, Sendable {
        /// How long nodes in flight may go on before they are cancelled.
        public static let standardCleanupTimeout = Duration.seconds(30)

        /// The time to clean up, where the strategy names one.
        public var namedTimeout: Duration?
        /// Whether no strategy after this one is asked.
        public var isFinal: Bool
        /// The limits for which the run is halted, and what used them up; `nil` when there are none to name. Said of
        /// the answer, and no part of it.
        package var limits: String?

        /// How long nodes in flight may go on before they are cancelled.
        public var cleanupTimeout: Duration { namedTimeout ?? Self.standardCleanupTimeout }

        /// A halt.
        ///
        /// - Parameter cleanupTimeout: how long nodes in flight may go on; `nil`: as long as is usual.
        public init(cleanupTimeout: Duration? = nil, isFinal: Bool = false) {
            namedTimeout = cleanupTimeout
            self.isFinal = isFinal
        }
    }

    /// The run is halted as is usual.
    public static let halt = ErrorAnswer.halt(Halt())

    /// The answer in the words of events: `retry`, `skip`, `halt`.
    public var name: String {
        switch self {
        case .retry: "retry"
        case .skip: "skip"
        case .halt: "halt"
        }
    }
}

extension ErrorAnswer.Halt {
    public static func == (one: Self, other: Self) -> Bool {
        (one.namedTimeout, one.isFinal) == (other.namedTimeout, other.isFinal)
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(namedTimeout)
        hasher.combine(isFinal)
    }
}
