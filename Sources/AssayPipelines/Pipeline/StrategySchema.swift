package import Assay

/// A reader of error strategies for nodes of a graph.
package struct StrategySchema {
    let registry: Registry

    /// Creates a reader of the built-in strategies and those of `registry`.
    package init(registry: Registry = .standard) { self.registry = registry }

    static let builtIn = ["circuit_breaker", "composite", "halt", "retry", "skip"]

    /// Returns the strategy in `value`.
    package func strategy(_ value: ValueReader) -> (any ErrorStrategy)? {
        guard let map = value.map() else { return nil }
        let type = map.required("type")
        let known = (Self.builtIn + registry.strategyNames).sorted()
        let strategy: (any ErrorStrategy)?
        switch type?.word("error strategy", of: known) {
        case "skip":
            let most = map["max_skips"]
            strategy = reported(value) {
                var skip = try SkipStrategy(maxSkips: most?.integer(in: .atLeast(0)))
                skip.setAt = (most ?? value).place
                return skip
            }
        case "retry":
            strategy = Self.retry(map).map { policy in
                var retry = RetryStrategy(policy)
                retry.setAt = (map["max_retries"] ?? value).place
                return retry
            }
        case "halt":
            let time = map["cleanup_timeout"]?.duration(in: .notNegative, plainSeconds: true)
            let isFinal = map["final"]?.bool() ?? false
            strategy = reported(value) {
                var halt = try HaltStrategy(
                    cleanupTimeout: time ?? ErrorAnswer.Halt.standardCleanupTimeout, isFinal: isFinal)
                halt.setAt = value.place
                return halt
            }
        case "circuit_breaker":
            strategy = SpendingSchema().breaker(map).map { policy in
                var breaker = BreakerStrategy(policy)
                breaker.setAt = (map["failure_threshold"] ?? value).place
                return breaker
            }
        case "composite":
            let order = map["strategy_order"]?.word("strategy order", as: CompositeStrategy.Order.self)
            let list = map.required("strategies")
            guard let parts = list?.list() else {
                strategy = nil
                break
            }
            let strategies = parts.compactMap(self.strategy)
            // A refused part has its own finding, so the composite adds none.
            guard strategies.count == parts.count else {
                strategy = nil
                break
            }
            strategy = reported(list ?? value) { try CompositeStrategy(strategies, order: order ?? .sequential) }
        case let name?: return registry.strategy(named: name, from: map)
        case nil: return nil
        }
        map.finish()
        return strategy
    }

    private func reported(
        _ value: ValueReader, _ make: () throws -> any ErrorStrategy
    ) -> (any ErrorStrategy)? {
        do { return try make() } catch {
            value.report((error as? ProcessingError)?.message ?? "\(error)")
            return nil
        }
    }

    /// Returns how often and when an attempt is repeated.
    static func retry(_ map: MapReader) -> RetryPolicy? {
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

    private static func failures(_ value: ValueReader) -> RetryPolicy.Failures {
        if case .list = value.node.value {
            let codes = value.list()?.compactMap { $0.word("error code", as: ProcessingError.Code.self) } ?? []
            return .codes(Set(codes))
        }
        return value.word("retry_on", of: ["all", "retryable"]) == "all" ? .all : .retryable
    }
}
