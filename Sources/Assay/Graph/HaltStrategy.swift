/// A strategy that halts the run at the first failure it is asked about.
public struct HaltStrategy: ErrorStrategy {
    /// The time for which nodes in flight may continue.
    public let cleanupTimeout: Duration
    /// Whether strategies after this one are not asked.
    public let isFinal: Bool
    /// The place of the setting for messages: `pipeline.yaml:12`.
    package var setAt: String?
    private let cleanUp: (@Sendable (NodeFailure) async throws -> Void)?

    /// Creates a strategy that halts.
    ///
    /// - Parameters:
    ///   - cleanupTimeout: how long nodes in flight may continue, and how long `cleanUp` may run.
    ///   - isFinal: whether strategies after this one are not asked.
    ///   - cleanUp: called once when this strategy has halted a run.
    /// - Throws: ``ProcessingError`` with code `configuration` for a negative time.
    public init(
        cleanupTimeout: Duration = ErrorAnswer.Halt.standardCleanupTimeout, isFinal: Bool = false,
        cleanUp: (@Sendable (NodeFailure) async throws -> Void)? = nil
    ) throws(ProcessingError) {
        guard cleanupTimeout >= .zero else {
            throw ProcessingError(
                .configuration, "cleanup_timeout must be at least 0, found \(cleanupTimeout.secondsText)")
        }
        self.cleanupTimeout = cleanupTimeout
        self.isFinal = isFinal
        self.cleanUp = cleanUp
    }

    public func answer(to failure: NodeFailure) -> ErrorAnswer {
        .halt(ErrorAnswer.Halt(cleanupTimeout: cleanupTimeout, isFinal: isFinal))
    }

    public func limit(after failure: NodeFailure) -> String? {
        Limit("error_strategy: halt", of: failure.owner, setAt: setAt).description + " allows no failure"
    }

    public func halted(by failure: NodeFailure) async throws { try await cleanUp?(failure) }
}
