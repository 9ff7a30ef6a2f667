/// The settings of a run in batches.
public struct Batching: Sendable {
    /// Sizes, thresholds and retries.
    public var policy: BatchPolicy
    /// The requested size; `nil`: the size of the slot, the complexity or the policy.
    public var size: Int?
    /// The slot of items that name none.
    public var slot: String?
    /// Whether ``BatchPolicy/maxConcurrentBatches`` are in progress at once; otherwise one at a time.
    public var isParallel: Bool

    /// Creates settings from their parts.
    public init(policy: BatchPolicy = .standard, size: Int? = nil, slot: String? = nil, isParallel: Bool = false) {
        self.policy = policy
        self.size = size
        self.slot = slot
        self.isParallel = isParallel
    }

    /// The number of batches that may be in progress.
    var width: Int { isParallel ? policy.maxConcurrentBatches : 1 }

    /// Returns the size of a batch of `processor` whose items are of `slot`.
    func size(of processor: RegisteredProcessor, slot: String?) throws(ProcessingError) -> Int {
        // The node of a graph that wants the smallest batches decides their size.
        let complexity = processor.nodeComplexities.min { policy.size(of: $0) < policy.size(of: $1) }
        return try policy.size(
            explicit: size, slot: slot ?? self.slot, complexity: complexity ?? processor.complexity)
    }
}
