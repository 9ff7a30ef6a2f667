/// A policy that decides how a list is cut into batches, when a batch has failed, and what happens then.
///
/// A policy with contradictory settings cannot be created.
public struct BatchPolicy: Hashable, Sendable {
    /// A rule for the share of failed items at which a batch has failed.
    public enum ThresholdRule: String, Codable, Sendable, CaseIterable {
        /// Above ``BatchPolicy/errorThreshold``.
        case exceeds
        /// Above or equal to it.
        case reaches
    }

    /// The part of a failed batch that is done again.
    public enum Scope: String, Codable, Sendable, CaseIterable {
        /// Failed items that may be retried, and items that were skipped or cancelled because of them.
        case failedItems = "failed_items"
        /// Every item; the new outcomes replace the old ones.
        case wholeBatch = "whole_batch"
    }

    /// The failures that are worth another try of their batch.
    public enum Failures: String, Codable, Sendable, CaseIterable {
        /// Failures that report themselves as retryable.
        case retryable
        /// All failures.
        case all
    }

    /// The size of batches of which nothing is known.
    public let defaultBatchSize: Int
    /// The maximum size.
    public let maxBatchSize: Int
    /// The minimum size that slots and complexities give.
    public let minBatchSize: Int
    /// The share of failed items, 0 to 1, that a batch may have.
    public let errorThreshold: Number
    /// The rule for when the error threshold is broken.
    public let thresholdRule: ThresholdRule
    /// The maximum number of retries of a failed batch after its first attempt.
    public let maxRetries: Int
    /// The wait before the first retry, in seconds; each further wait is twice as long.
    public let backoffBase: Double
    /// The longest wait, in seconds.
    public let backoffMax: Double
    /// The part of a failed batch that a retry does again.
    public let retry: Scope
    /// The failures that are worth a retry.
    public let retryOn: Failures
    /// The number of batches in progress at once in the parallel form.
    public let maxConcurrentBatches: Int
    /// Whether a batch is delivered as soon as it is finished; otherwise all are delivered, sorted, after the last.
    public let enableStreaming: Bool
    /// Whether batches send events; their metrics are kept in any case.
    public let enableInstrumentation: Bool
    /// The complexity of processors that do not state theirs.
    public let complexity: Complexity?
    /// The complexity of each slot; other slots are moderate.
    public let slots: [String: Complexity]
    /// The size for each complexity; a missing complexity has its standard size.
    public let sizes: [Complexity: Int]

    /// The sample slots of a policy that is given none.
    public static let sampleSlots: [String: Complexity] = [
        "D1-Q1": .moderate, "D1-Q2": .moderate, "D2-Q1": .moderate,
        "D2-Q3": .complex, "D3-Q1": .complex, "D4-Q2": .complex,
        "D2-Q2": .veryComplex, "D3-Q2": .veryComplex, "D3-Q3": .veryComplex, "D3-Q4": .veryComplex,
        "D3-Q5": .veryComplex, "D4-Q1": .veryComplex, "D5-Q2": .veryComplex,
    ]

    /// The policy with all defaults.
    public static let standard = BatchPolicy()

    /// Creates a policy from the given parts.
    ///
    /// - Throws: ``ProcessingError`` with code `configuration` for sizes out of order, a threshold outside 0 to 1, more
    ///   than 1000 retries, seconds that are negative or not finite, or a size or number of concurrent batches below 1.
    public init(
        defaultBatchSize: Int = 10, maxBatchSize: Int = 100, minBatchSize: Int = 1,
        errorThreshold: Number = BatchPolicy.half, thresholdRule: ThresholdRule = .exceeds, maxRetries: Int = 2,
        backoffBase: Double = 1, backoffMax: Double = 60, retry: Scope = .failedItems, retryOn: Failures = .retryable,
        maxConcurrentBatches: Int = 4, enableStreaming: Bool = true, enableInstrumentation: Bool = true,
        complexity: Complexity? = nil, slots: [String: Complexity] = BatchPolicy.sampleSlots,
        sizes: [Complexity: Int] = [:]
    ) throws(ProcessingError) {
        func check(_ holds: Bool, _ rule: String) throws(ProcessingError) {
            guard holds else { throw ProcessingError(.configuration, rule) }
        }
        try check(
            1 <= minBatchSize && minBatchSize <= defaultBatchSize && defaultBatchSize <= maxBatchSize,
            "invalid batch sizes: min \(minBatchSize), default \(defaultBatchSize), max \(maxBatchSize) "
                + "(1 ≤ min ≤ default ≤ max)")
        try check(
            0 <= errorThreshold && errorThreshold <= 1 && errorThreshold.reduced.exponent >= -18,
            "error_threshold must be between 0 and 1, found \(errorThreshold)")
        try check((0...1_000).contains(maxRetries), "max_retries must be between 0 and 1000, found \(maxRetries)")
        for (name, seconds) in [("backoff_base_seconds", backoffBase), ("backoff_max_seconds", backoffMax)] {
            try check(seconds.isFinite && seconds >= 0, "\(name) must be finite and at least 0, found \(seconds)")
        }
        try check(
            maxConcurrentBatches >= 1, "max_concurrent_batches must be at least 1, found \(maxConcurrentBatches)")
        for complexity in Complexity.allCases {
            let size = sizes[complexity] ?? 1
            try check(size >= 1, "the size of \(complexity.rawValue) must be at least 1, found \(size)")
        }
        (self.defaultBatchSize, self.maxBatchSize, self.minBatchSize) = (defaultBatchSize, maxBatchSize, minBatchSize)
        (self.errorThreshold, self.thresholdRule) = (errorThreshold.reduced, thresholdRule)
        (self.maxRetries, self.backoffBase, self.backoffMax) = (maxRetries, backoffBase, backoffMax)
        (self.retry, self.retryOn) = (retry, retryOn)
        self.maxConcurrentBatches = maxConcurrentBatches
        (self.enableStreaming, self.enableInstrumentation) = (enableStreaming, enableInstrumentation)
        (self.complexity, self.slots, self.sizes) = (complexity, slots, sizes)
    }

    private init() {
        (defaultBatchSize, maxBatchSize, minBatchSize) = (10, 100, 1)
        (errorThreshold, thresholdRule) = (Self.half, .exceeds)
        (maxRetries, backoffBase, backoffMax) = (2, 1, 60)
        (retry, retryOn) = (.failedItems, .retryable)
        maxConcurrentBatches = 4
        (enableStreaming, enableInstrumentation) = (true, true)
        (complexity, slots, sizes) = (nil, Self.sampleSlots, [:])
    }

    /// The default of ``errorThreshold``: 0.5.
    public static let half = Number(unchecked: 5, -1)
}

extension BatchPolicy {
    /// Returns the number of items in a batch. The first match wins: the requested size, at most the maximum; the size
    /// of the slot, where unknown slots are moderate; the size of the complexity; the default.
    ///
    /// - Parameters:
    ///   - explicit: the requested size.
    ///   - slot: the slot of the items.
    ///   - complexity: the complexity that the processor states; `nil` for the policy's.
    /// - Throws: ``ProcessingError`` with code `configuration` for an explicit size below 1.
    public func size(
        explicit: Int? = nil, slot: String? = nil, complexity: Complexity? = nil
    ) throws(ProcessingError) -> Int {
        if let explicit {
            guard explicit >= 1 else {
                throw ProcessingError(.configuration, "the batch size must be at least 1, found \(explicit)")
            }
            return min(explicit, maxBatchSize)
        }
        if let slot { return size(of: slots[slot] ?? .moderate) }
        return (complexity ?? self.complexity).map(size) ?? defaultBatchSize
    }

    /// Returns the size for a complexity, between the minimum and the maximum.
    func size(of complexity: Complexity) -> Int {
        max(minBatchSize, min(sizes[complexity] ?? complexity.standardSize, maxBatchSize))
    }

    /// Returns the time to wait before retry `number`, from 1: min(base × 2^(number − 1), longest).
    public func delay(beforeRetry number: Int) -> Duration {
        var seconds = backoffBase
        for _ in 1..<max(number, 1) where seconds < backoffMax { seconds *= 2 }
        // The limit of about 30 years keeps the delay within what a clock can hold.
        return .seconds(min(seconds, backoffMax, 1e9))
    }

    /// Returns the verdict on a batch from how its items ended.
    ///
    /// - Parameter isCancelled: whether the batch was cancelled, which takes precedence.
    public func verdict(on counts: Counts, isCancelled: Bool = false) -> Status {
        if isCancelled { return .cancelled }
        if counts.succeeded == counts.total { return .succeeded }
        if counts.succeeded == 0 { return .failed }
        let order = compare(counts.failed, of: counts.total)
        return order > 0 || (order == 0 && thresholdRule == .reaches) ? .failed : .partial
    }

    /// Returns what broke the threshold of a batch that failed although some of its items succeeded; `nil` for any
    /// other.
    ///
    /// - Parameters:
    ///   - last: the failure of its last failed item.
    ///   - place: where the threshold was set.
    func brokenLimit(_ counts: Counts, _ last: FailureRecord?, setAt place: String?) -> String? {
        guard counts.succeeded > 0, verdict(on: counts) == .failed else { return nil }
        let limit = Limit("error_threshold: \(errorThreshold)", setAt: place)
        let failure = last.map { ", at last \(($0.inputID ?? "").visible): \($0.lastLine)" } ?? ""
        return "\(limit): \(counts.failed) of \(counts.total) inputs of the batch failed\(failure)"
    }

    /// Returns −1, 0 or 1 if `failed` is below, at or above the threshold × `size`, without dividing.
    private func compare(_ failed: Int, of size: Int) -> Int {
        let share = errorThreshold
        let (left, right): (Int128, Int128) =
            if share.exponent >= 0 {
                (Int128(failed), Int128(size) * (share.coefficient == 0 ? 0 : 1))
            } else {
                (Int128(failed).scaled(byPowerOfTen: -share.exponent) ?? .max, Int128(size) * share.coefficient)
            }
        return left < right ? -1 : left == right ? 0 : 1
    }
}
