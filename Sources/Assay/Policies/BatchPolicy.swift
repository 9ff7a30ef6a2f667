/// How a list is cut into batches, when a batch has failed, and what happens then.
///
/// A value that cannot be built with settings that contradict each other.
public struct BatchPolicy: Hashable, Sendable {
    /// When the share of failed items makes a batch failed.
    public enum ThresholdRule: String, Codable, Sendable, CaseIterable {
        /// Above ``BatchPolicy/errorThreshold``.
        case exceeds
        /// Above it or equal.
        case reaches
    }

    /// What of a failed batch is done again.
    public enum Scope: String, Codable, Sendable, CaseIterable {
        /// Failed items that may be retried, and what was skipped or cancelled because of them.
        case failedItems = "failed_items"
        /// Every item; the new outcomes replace the old ones.
        case wholeBatch = "whole_batch"
    }

    /// Which failures are worth another try of their batch.
    public enum Failures: String, Codable, Sendable, CaseIterable {
        /// Those that say of themselves that another attempt may help.
        case retryable
        /// Every one.
        case all
    }

    /// The size of batches of which nothing is known.
    public let defaultBatchSize: Int
    /// The largest size.
    public let maxBatchSize: Int
    /// The smallest size that slots and complexities give.
    public let minBatchSize: Int
    /// The share of failed items, 0 to 1, that a batch may have.
    public let errorThreshold: Number
    /// What counts as more.
    public let thresholdRule: ThresholdRule
    /// Attempts at a failed batch beyond the first.
    public let maxRetries: Int
    /// Seconds before the first retry; each further wait is twice as long.
    public let backoffBase: Double
    /// The longest wait in seconds.
    public let backoffMax: Double
    /// What a retry does again.
    public let retry: Scope
    /// What is worth a retry.
    public let retryOn: Failures
    /// How many batches the parallel form has in progress.
    public let maxConcurrentBatches: Int
    /// Whether a batch is handed over as soon as it is finished; otherwise all are, sorted, after the last.
    public let enableStreaming: Bool
    /// Whether batches send events; their metrics are kept in any case.
    public let enableInstrumentation: Bool
    /// The complexity of processors that do not say theirs.
    public let complexity: Complexity?
    /// The complexity of each slot; others are moderate.
    public let slots: [String: Complexity]
    /// The size for each complexity; for missing ones it is the standard one.
    public let sizes: [Complexity: Int]

    /// The slots of the sample that a policy has when it is given none.
    public static let sampleSlots: [String: Complexity] = [
        "D1-Q1": .moderate, "D1-Q2": .moderate, "D2-Q1": .moderate,
        "D2-Q3": .complex, "D3-Q1": .complex, "D4-Q2": .complex,
        "D2-Q2": .veryComplex, "D3-Q2": .veryComplex, "D3-Q3": .veryComplex, "D3-Q4": .veryComplex,
        "D3-Q5": .veryComplex, "D4-Q1": .veryComplex, "D5-Q2": .veryComplex,
    ]

    /// All defaults.
    public static let standard = BatchPolicy()

    /// A policy of the given parts.
    ///
    /// - Throws: ``ProcessingError`` with code `configuration` for sizes out of order, a threshold outside 0 to 1, more
    ///   than 1000 retries, seconds that are negative or not finite, or numbers below 1 where there must be one.
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
    /// How many items a batch has, first match wins: the size asked for, at most the largest; that of the slot, where
    /// unknown slots are moderate; that of the complexity; the default.
    ///
    /// - Parameters:
    ///   - explicit: the size asked for.
    ///   - slot: the slot of the items.
    ///   - complexity: what the processor says of itself; `nil`: what the policy says.
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

    /// The size for a complexity, between the smallest and the largest.
    func size(of complexity: Complexity) -> Int {
        max(minBatchSize, min(sizes[complexity] ?? complexity.standardSize, maxBatchSize))
    }

    /// The time to wait before retry `number`, from 1: min(base × 2^(number − 1), longest).
    public func delay(beforeRetry number: Int) -> Duration {
        var seconds = backoffBase
        for _ in 1..<max(number, 1) where seconds < backoffMax { seconds *= 2 }
        // A delay that a clock can hold: about 30 years.
        return .seconds(min(seconds, backoffMax, 1e9))
    }

    /// The verdict on a batch from how its items ended.
    ///
    /// - Parameter isCancelled: whether the batch was cancelled, which counts first.
    public func verdict(on counts: Counts, isCancelled: Bool = false) -> Status {
        if isCancelled { return .cancelled }
        if counts.succeeded == counts.total { return .succeeded }
        if counts.succeeded == 0 { return .failed }
        let order = compare(counts.failed, of: counts.total)
        return order > 0 || (order == 0 && thresholdRule == .reaches) ? .failed : .partial
    }

    /// What broke the threshold of a batch that failed although some of its items succeeded; `nil` for any other.
    ///
    /// - Parameters:
    ///   - last: the failure of its last item that failed.
    ///   - place: where the threshold was set.
    func brokenLimit(_ counts: Counts, _ last: FailureRecord?, setAt place: String?) -> String? {
        guard counts.succeeded > 0, verdict(on: counts) == .failed else { return nil }
        let limit = Limit("error_threshold: \(errorThreshold)", setAt: place)
        let failure = last.map { ", at last \(($0.inputID ?? "").visible): \($0.lastLine)" } ?? ""
        return "\(limit): \(counts.failed) of \(counts.total) inputs of the batch failed\(failure)"
    }

    /// Whether `failed` is below (−1), at (0) or above (1) the threshold × `size`, without dividing.
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
