/// That a run goes in batches, and how.
public struct Batching: Sendable {
    /// Sizes, thresholds and retries.
    public var policy: BatchPolicy
    /// The size asked for; `nil`: that of the slot, the complexity or the policy.
    public var size: Int?
    /// The slot that items without one of their own belong to.
    public var slot: String?
    /// Whether ``BatchPolicy/maxConcurrentBatches`` are in progress at once; otherwise one after another.
    public var isParallel: Bool

    /// Batches as the parts say.
    public init(policy: BatchPolicy = .standard, size: Int? = nil, slot: String? = nil, isParallel: Bool = false) {
        self.policy = policy
        self.size = size
        self.slot = slot
        self.isParallel = isParallel
    }

    /// How many batches may be in progress.
    var width: Int { isParallel ? policy.maxConcurrentBatches : 1 }

    /// The size of a batch of `processor` whose items are of `slot`.
    func size(of processor: RegisteredProcessor, slot: String?) throws(ProcessingError) -> Int {
        // A graph has batches as small as the most complex of its nodes wants them.
        let complexity = processor.nodeComplexities.min { policy.size(of: $0) < policy.size(of: $1) }
        return try policy.size(
            explicit: size, slot: slot ?? self.slot, complexity: complexity ?? processor.complexity)
    }
}
