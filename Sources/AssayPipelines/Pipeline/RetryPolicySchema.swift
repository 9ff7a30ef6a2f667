import Assay

/// Reads how often something is tried again.
struct RetryPolicySchema {
    /// The policy that the keys of a `retry` strategy write; `nil` after a finding.
    func policy(_ map: MapReader) -> RetryPolicy? {
        let seconds: (String) -> Double? = { key in
            map[key]?.duration(in: .notNegative, plainSeconds: true).map { $0 / .seconds(1) }
        }
        let multiplier = map["backoff_multiplier"]?.number(in: .between(1, and: 1_000)).flatMap {
            Double($0.description)
        }
        let retryOn = map["retry_on"].map(failures) ?? .retryable
        let retries = map["max_retries"]?.integer(in: .between(0, and: 1_000)) ?? 3
        do {
            return try RetryPolicy(
                maxRetries: retries, initialDelay: seconds("initial_delay") ?? 1, backoffMultiplier: multiplier ?? 2,
                maxDelay: seconds("max_delay") ?? 60, retryOn: retryOn)
        } catch {
            map.value.report(error.message)
            return nil
        }
    }

    private func failures(_ value: ValueReader) -> RetryPolicy.Failures {
        if case .list = value.node.value {
            let codes = value.list()?.compactMap { $0.word("error code", as: ProcessingError.Code.self) } ?? []
            return .codes(Set(codes))
        }
        return value.word("retry_on", of: ["all", "retryable"]) == "all" ? .all : .retryable
    }
}
