/// The outputs of a run in the order of its inputs, fetched page by page.
///
/// Iterating holds one page at a time, so an aggregation over millions of outputs needs memory for its own result
/// only. It can be iterated more than once.
public struct Outputs<Output: Codable & Sendable>: AsyncSequence, Sendable {
    /// The number of outputs.
    public let count: Int
    /// Returns the outputs from place `start` on, at least one while there are any.
    private let page: @Sendable (_ start: Int) async throws -> [Payload]

    init(count: Int, page: @escaping @Sendable (_ start: Int) async throws -> [Payload]) {
        self.count = count
        self.page = page
    }

    /// Creates outputs that are all in memory.
    public init(_ outputs: [Output]) {
        self.init(count: outputs.count) { start in outputs[start...].map { Payload($0) } }
    }

    /// Returns all outputs at once.
    public func all() async throws -> [Output] {
        var outputs: [Output] = []
        outputs.reserveCapacity(count)
        for try await output in self { outputs.append(output) }
        return outputs
    }

    public func makeAsyncIterator() -> Iterator { Iterator(outputs: self) }

    /// An iterator over the outputs.
    public struct Iterator: AsyncIteratorProtocol {
        let outputs: Outputs
        var buffer: ArraySlice<Payload> = []
        var position = 0

        public mutating func next() async throws -> Output? {
            if buffer.isEmpty {
                guard position < outputs.count else { return nil }
                buffer = try await outputs.page(position)[...]
            }
            guard let payload = buffer.popFirst() else { return nil }
            position += 1
            return try payload.value(as: Output.self)
        }
    }
}
