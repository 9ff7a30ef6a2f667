/// A policy that decides what happens to an item at a graph node after a failed attempt.
///
/// Strategies are values: they decide from the failure, its number, and the number of skips they have answered in the
/// run, all of which are in the ``NodeFailure``. The counts live in a ``RunRecovery``, one for each run. A strategy may
/// be asked again about the same failure when another item was skipped in between; its last answer counts.
public protocol ErrorStrategy: Sendable {
    /// Returns what to do. When it throws, the run is halted, or the strategy is ignored if others are asked as well.
    func answer(to failure: NodeFailure) async throws -> ErrorAnswer

    /// The circuit breaker that each node with this strategy gets; `nil` means none.
    var breaker: CircuitBreakerPolicy? { get }

    /// Returns the limit because of which it halts the run after `failure`, and what used it up; `nil` when there is
    /// none to name.
    func limit(after failure: NodeFailure) -> String?

    /// Runs once when an answer of this strategy has halted the run. It is cancelled after the halt's clean-up time.
    func halted(by failure: NodeFailure) async throws
}

extension ErrorStrategy {
    public var breaker: CircuitBreakerPolicy? { nil }
    public func limit(after failure: NodeFailure) -> String? { nil }
    public func halted(by failure: NodeFailure) async throws {}
}

/// A strategy's answer to a failed attempt at a node.
public enum ErrorAnswer: Hashable, Sendable {
    /// The node runs again on the same inputs after this time.
    case retry(after: Duration)
    /// The node has no output for the item, which continues where it can.
    case skip
    /// Nothing more starts in the whole run, which fails.
    case halt(Halt)

    /// The way a run is halted.
    public struct Halt: Hashable, Sendable {
        /// The default time for which nodes in flight may continue before they are cancelled.
        public static let standardCleanupTimeout = Duration.seconds(30)

        /// The clean-up time, if the strategy names one.
        public var namedTimeout: Duration?
        /// Whether strategies after this one are not asked.
        public var isFinal: Bool
        /// The limits because of which the run is halted, and what used them up; `nil` when there are none to name.
        /// Equality ignores it.
        package var limits: String?

        /// The time for which nodes in flight may continue before they are cancelled.
        public var cleanupTimeout: Duration { namedTimeout ?? Self.standardCleanupTimeout }

        /// Creates a halt.
        ///
        /// - Parameter cleanupTimeout: how long nodes in flight may continue; `nil` means the default time.
        public init(cleanupTimeout: Duration? = nil, isFinal: Bool = false) {
            namedTimeout = cleanupTimeout
            self.isFinal = isFinal
        }
    }

    /// A halt with the default settings.
    public static let halt = ErrorAnswer.halt(Halt())

    /// The name of the answer in events: `retry`, `skip`, `halt`.
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
