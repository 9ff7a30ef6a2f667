/// A step that need not run, and what its body would cost without a cache; `nil` when that is unknown.
struct SavedStep: Sendable {
    let value: JSONValue
    let worth: Money?
    /// The definition that made it, if it is not the run's.
    var foreign: Digest?
}

/// The cost of the work on an item as it would be without a cache and without saved steps.
struct WorkWorth: Sendable {
    private var sums: [String: MoneySum] = [:]
    /// The restored steps whose worth is unknown.
    private var unknown: Set<String> = []
    /// The charges with keys, each counted once.
    private(set) var keyed: [String: CacheEntry.Keyed] = [:]

    /// Adds an amount spent in the body of a step; `nil`: outside of every step.
    mutating func add(_ amount: Money, in step: String?, key: String?) {
        if let key {
            guard keyed[key] == nil else { return }
            keyed[key] = CacheEntry.Keyed(amount, in: step)
        }
        sums[step ?? "", default: .zero] += amount
    }

    /// Records that a step was not run because its value was saved.
    mutating func restore(_ step: String, _ worth: Money?) {
        guard let worth else {
            unknown.insert(step)
            return
        }
        sums[step] = MoneySum(worth)
    }

    /// Forgets a step whose saved value could not be used.
    mutating func forget(_ step: String) {
        sums[step] = nil
        unknown.remove(step)
    }

    /// Returns the worth of a step's body, inner steps included; `nil` when it is unknown or exceeds the largest
    /// amount.
    func sum(inside step: String) -> Money? {
        sum { $0 == step || $0.hasPrefix(step + "/") }
    }

    /// The worth of all of the work; `nil` as in ``sum(inside:)``.
    var total: Money? { sum { _ in true } }

    private func sum(where isMeant: (String) -> Bool) -> Money? {
        guard !unknown.contains(where: isMeant) else { return nil }
        return try? sums.reduce(MoneySum.zero) { isMeant($1.key) ? $0 + $1.value : $0 }.money()
    }
}
