package import Assay

/// Reads error strategies of graphs and their nodes.
package struct StrategySchema {
    package init() {}

    private static let words = ["circuit_breaker", "composite", "halt", "retry", "skip"]

    /// Key `error_strategy`; `nil` after a finding.
    package func strategy(_ value: ValueReader) -> (any ErrorStrategy)? {
        guard let map = value.map() else { return nil }
        guard let word = map.required("type")?.word("error strategy", of: Self.words) else { return nil }
        defer { map.finish() }
        do {
            switch word {
            case "skip": return try SkipStrategy(maxSkips: map["max_skips"]?.integer(in: .atLeast(0)))
            case "retry": return RetryPolicySchema().policy(map).map { RetryStrategy($0) }
            case "halt":
                let timeout = map["cleanup_timeout"]?.duration(in: .notNegative, plainSeconds: true)
                return try HaltStrategy(
                    cleanupTimeout: timeout ?? ErrorAnswer.Halt.standardCleanupTimeout,
                    isFinal: map["final"]?.bool() ?? false)
            case "circuit_breaker": return SpendingSchema().breakerPolicy(map).map { BreakerStrategy($0) }
            default:
                let order = map["strategy_order"]?.word("strategy order", as: CompositeStrategy.Order.self)
                guard let strategies = map.required("strategies"), let parts = strategies.list() else { return nil }
                let read = parts.map(strategy)
                guard read.allSatisfy({ $0 != nil }) else { return nil }
                do { return try CompositeStrategy(read.compactMap(\.self), order: order ?? .sequential) } catch {
                    strategies.report(error.message)
                    return nil
                }
            }
        } catch {
            value.report((error as? ProcessingError)?.message ?? "\(error)")
            return nil
        }
    }
}
