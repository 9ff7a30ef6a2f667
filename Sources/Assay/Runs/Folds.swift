// Folds take batches as they come and keep none, so they need memory for one batch and their own value.

extension AsyncSequence where Element == BatchResult {
    /// Combines the outputs of succeeded items, batch by batch as they come, in item order within each.
    ///
    /// - Parameter combine: receives the value so far, `nil` at first, and the next output.
    /// - Returns: `nil` when nothing succeeded.
    /// - Throws: what `combine` throws, which cancels the call; `DecodingError` when the type does not fit;
    ///   `CancellationError` when the calling task is cancelled.
    public func fold<Output: Codable & Sendable, Value>(
        _ type: Output.Type = Output.self, _ combine: (Value?, Output) async throws -> Value
    ) async throws -> Value? {
        var value: Value?
        for try await batch in self {
            for outcome in batch.outcomes where outcome.status == .succeeded {
                value = try await combine(value, outcome.get(as: type))
            }
        }
        // The batches of a cancelled call are not the whole.
        try Task.checkCancellation()
        return value
    }

    /// Combines outputs as ``fold(_:_:)`` does, starting with `initial`, which is also the result when nothing
    /// succeeded.
    public func fold<Output: Codable & Sendable, Value>(
        _ type: Output.Type = Output.self, from initial: Value, _ combine: (Value, Output) async throws -> Value
    ) async throws -> Value {
        var value = initial
        for try await batch in self {
            for outcome in batch.outcomes where outcome.status == .succeeded {
                value = try await combine(value, outcome.get(as: type))
            }
        }
        // The batches of a cancelled call are not the whole.
        try Task.checkCancellation()
        return value
    }
}
