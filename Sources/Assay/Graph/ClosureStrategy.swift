/// A strategy that is a function.
public struct ClosureStrategy: ErrorStrategy {
    private let body: @Sendable (NodeFailure) async throws -> ErrorAnswer

    /// A strategy that answers what `body` returns.
    public init(_ body: @escaping @Sendable (NodeFailure) async throws -> ErrorAnswer) { self.body = body }

    public func answer(to failure: NodeFailure) async throws -> ErrorAnswer { try await body(failure) }
}
