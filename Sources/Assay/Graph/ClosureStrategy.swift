/// A strategy made of a function.
public struct ClosureStrategy: ErrorStrategy {
    private let body: @Sendable (NodeFailure) async throws -> ErrorAnswer

    /// Creates a strategy that answers with the result of `body`.
    public init(_ body: @escaping @Sendable (NodeFailure) async throws -> ErrorAnswer) { self.body = body }

    public func answer(to failure: NodeFailure) async throws -> ErrorAnswer { try await body(failure) }
}
