/// Halts the run at the first failure it is asked about.
public struct HaltStrategy: ErrorStrategy {
    /// How long nodes in flight may go on.
    public let cleanupTimeout: Duration
    /// Whether no strategy after this one is asked.
    public let isFinal: Bool
    /// Where it was set, for messages: `pipeline.yaml:12`.
    package var setAt: String?
    private let cleanUp: (@Sendable (NodeFailure) async throws -> Void)?

    /// A strategy that halts.
    ///
    /// - Parameters:
    ///   - cleanupTimeout: how long nodes in flight may go on, and `cleanUp` as well.
    ///   - isFinal: whether no strategy after this one is asked.
    ///   - cleanUp: called once when this has halted a run.
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
