/// A step that need not run, and what its body would cost without a cache; `nil` when nobody knows.
struct SavedStep: Sendable {
    let value: JSONValue
    let worth: Money?
    /// The definition that made it, where that is another one than the run's.
    var foreign: Digest?
}

/// What the work on an item comes to, or would without a cache and without anything saved.
struct WorkWorth: Sendable {
    private var sums: [String: MoneySum] = [:]
    /// The steps that were restored and of which nobody knows what they are worth.
    private var unknown: Set<String> = []
    /// The charges with keys, each counted once.
    private(set) var keyed: [String: CacheEntry.Keyed] = [:]

    /// Adds what something in the body of a step came to; `nil`: outside of every step.
    mutating func add(_ amount: Money, in step: String?, key: String?) {
        if let key {
            guard keyed[key] == nil else { return }
            keyed[key] = CacheEntry.Keyed(amount, in: step)
        }
        sums[step ?? "", default: .zero] += amount
    }

    /// Takes note that a step was not run because its value was saved.
    mutating func restore(_ step: String, _ worth: Money?) {
        guard let worth else {
            unknown.insert(step)
            return
        }
        sums[step] = MoneySum(worth)
    }

    /// Forgets a step whose saved value was of no use.
    mutating func forget(_ step: String) {
        sums[step] = nil
        unknown.remove(step)
    }

    /// What the body of a step came to, inner steps included; `nil` when nobody knows, or it is more than an amount can be.
    func sum(inside step: String) -> Money? {
        sum { $0 == step || $0.hasPrefix(step + "/") }
    }

    /// What all of the work came to; `nil` as in ``sum(inside:)``.
    var total: Money? { sum { _ in true } }

    private func sum(where isMeant: (String) -> Bool) -> Money? {
        guard !unknown.contains(where: isMeant) else { return nil }
        return try? sums.reduce(MoneySum.zero) { isMeant($1.key) ? $0 + $1.value : $0 }.money()
    }
}
