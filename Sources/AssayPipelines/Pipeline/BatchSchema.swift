import Assay

/// A reader of the key `batch`: whether and how a run is batched.
struct BatchSchema {
    func batching(_ value: ValueReader) -> Batching? {
        guard let map = value.map() else { return nil }
        let standard = BatchPolicy.standard
        var batching = Batching(
            size: map["size"].flatMap(size), slot: map["slot"]?.text(), isParallel: map["parallel"]?.bool() ?? false)
        // The policy checks whether the three sizes agree. Each size by itself is checked here, at its position.
        let sizes = ["default_batch_size", "max_batch_size", "min_batch_size"].map { map[$0]?.integer() }
        let threshold = map["error_threshold"]?.decimal(places: 18, in: .between(0, and: 1))
        let rule = map["threshold_rule"]?.word("threshold rule", as: BatchPolicy.ThresholdRule.self)
        let retries = map["max_retries"]?.integer(in: .between(0, and: 1_000))
        let base = seconds(map["backoff_base_seconds"])
        let longest = seconds(map["backoff_max_seconds"])
        let retry = map["retry"]?.word("retry", as: BatchPolicy.Scope.self)
        let retryOn = map["retry_on"]?.word("retry_on", as: BatchPolicy.Failures.self)
        let width = map["max_concurrent_batches"]?.integer(in: .atLeast(1))
        let streams = map["enable_streaming"]?.bool()
        let tells = map["enable_instrumentation"]?.bool()
        let complexity = map["complexity"].flatMap(Self.complexity)
        let slots = map["slots"].map(slots)
        let complexities = map["sizes"].map(complexitySizes)
        map.finish()
        do {
            batching.policy = try BatchPolicy(
                defaultBatchSize: sizes[0] ?? standard.defaultBatchSize,
                maxBatchSize: sizes[1] ?? standard.maxBatchSize,
                minBatchSize: sizes[2] ?? standard.minBatchSize, errorThreshold: threshold ?? standard.errorThreshold,
                thresholdRule: rule ?? standard.thresholdRule, maxRetries: retries ?? standard.maxRetries,
                backoffBase: base ?? standard.backoffBase, backoffMax: longest ?? standard.backoffMax,
                retry: retry ?? standard.retry, retryOn: retryOn ?? standard.retryOn,
                maxConcurrentBatches: width ?? standard.maxConcurrentBatches,
                enableStreaming: streams ?? standard.enableStreaming,
                enableInstrumentation: tells ?? standard.enableInstrumentation, complexity: complexity,
                slots: slots ?? standard.slots, sizes: complexities ?? standard.sizes)
            return batching
        } catch {
            value.report(error.message)
            return nil
        }
    }

    /// Returns the complexity of an item's work.
    static func complexity(_ value: ValueReader) -> Complexity? { value.word("complexity", as: Complexity.self) }

    private func size(_ value: ValueReader) -> Int? {
        if case .text("auto") = value.node.value { return nil }
        return value.integer(in: .atLeast(1))
    }

    private func seconds(_ value: ValueReader?) -> Double? {
        value?.duration(in: .notNegative, plainSeconds: true).map { $0 / .seconds(1) }
    }

    private func slots(_ value: ValueReader) -> [String: Complexity] {
        var slots: [String: Complexity] = [:]
        for (slot, _, word) in value.entries() ?? [] { slots[slot] = Self.complexity(word) }
        return slots
    }

    private func complexitySizes(_ value: ValueReader) -> [Complexity: Int] {
        guard let map = value.map() else { return [:] }
        var sizes: [Complexity: Int] = [:]
        for complexity in Complexity.allCases { sizes[complexity] = map[complexity.rawValue]?.integer(in: .atLeast(1)) }
        map.finish()
        return sizes
    }
}
