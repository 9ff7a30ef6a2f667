import Assay

/// The meaning of error strategies for the items of a single processor.
struct ItemStrategy {
    /// The policy for further attempts.
    var retry: RetryPolicy?
    /// The policy after a failure: skip leaves the item failed and continues, halt stops the run; `nil`: `on_failure`
    /// decides.
    var failure: FailurePolicy?
    /// Whether later strategies are ignored.
    fileprivate var isFinal = false

    /// Creates the strategy in `value`.
    init(_ value: ValueReader) { add(value) }

    /// Adds the strategy in `value` after the earlier ones. The first retry or skip wins, else halt.
    private mutating func add(_ value: ValueReader) {
        guard let map = value.map() else { return }
        let word = map.required("type")?.word("error strategy", of: ["composite", "halt", "retry", "skip"])
        let isReached = !isFinal
        switch word {
        case "retry":
            let policy = StrategySchema.retry(map)
            guard isReached else { break }
            if retry != nil { value.report("only one retry can be used with run_as: processor") }
            retry = policy
        case "skip":
            map["max_skips"]?.report("key 'max_skips' cannot be used with run_as: processor")
            if isReached { (failure, isFinal) = (.collect, true) }
        case "halt":
            map["cleanup_timeout"]?.report("key 'cleanup_timeout' cannot be used with run_as: processor")
            let isFinalHalt = map["final"]?.bool() ?? false
            if isReached { (failure, isFinal) = (.stop, isFinalHalt) }
        case "composite":
            _ = map["strategy_order"]?.word("strategy order", of: ["sequential", "parallel"])
            let strategies = map.required("strategies")
            let parts = strategies?.list()
            if parts?.isEmpty == true { strategies?.report("strategies needs at least one error strategy") }
            for part in parts ?? [] { add(part) }
        default: return
        }
        map.finish()
    }
}
