/// The paid calls around a request, which must be answered before they can end.
package struct CallNest: Sendable {
    /// Their numbers, outer calls first.
    package var calls: [Int] = []
    /// Whether the calls are only known to be open at the same time, like those of a program.
    package var isAssumed = false
    /// The calls themselves, where this program knows them: the cost of a request is a part of what they are worth.
    var known: [Call] = []

    /// Outside of all calls.
    package static let none = CallNest()

    package init(calls: [Int] = [], isAssumed: Bool = false) {
        self.calls = calls
        self.isAssumed = isAssumed
    }

    /// The nest of requests in the bodies of `calls`, outer calls first.
    init(bodiesOf calls: [Call]) {
        self.calls = calls.map(\.number)
        known = calls
    }

    /// Returns the nest of requests in the body of `call`.
    package func inside(_ call: Int) -> CallNest { CallNest(calls: calls + [call], isAssumed: isAssumed) }
}

/// A graph of waits that finds those which never end because they wait for each other.
struct WaitGraph {
    /// A wait for the end of any of some calls, inside of others that cannot end before.
    struct Wait: Sendable {
        var inside: CallNest
        var forEndOf: [Int]
    }

    private var waits: [Int: Wait] = [:]

    /// Records a wait, or replaces what it waits for.
    mutating func set(_ wait: Wait, as number: Int) { waits[number] = wait }

    mutating func remove(_ number: Int) { waits[number] = nil }

    /// Returns whether `wait` would never end because its target waits for it.
    ///
    /// - Parameters:
    ///   - number: the number under which it is already recorded, if it is.
    ///   - assuming: whether calls that are only open at the same time count as one inside of the other.
    func isCircular(_ wait: Wait, as number: Int = 0, assuming: Bool) -> Bool {
        guard assuming || !wait.inside.isAssumed else { return false }
        // The waits whose targets are all calls around such waits: the largest set for which this is true.
        var stuck = waits
        stuck[number] = wait
        while true {
            let held = Set(stuck.values.lazy.filter { assuming || !$0.inside.isAssumed }.flatMap(\.inside.calls))
            let ending = stuck.filter { $0.value.forEndOf.contains { !held.contains($0) } }
            guard !ending.isEmpty else { break }
            for number in ending.keys { stuck[number] = nil }
            guard stuck[number] != nil else { return false }
        }
        // A wait that only depends on a circle is not part of it.
        var (seen, next): (Set<Int>, [Int]) = ([], wait.forEndOf)
        while let call = next.popLast() {
            guard seen.insert(call).inserted else { continue }
            for (other, found) in stuck where found.inside.calls.contains(call) {
                guard other != number else { return true }
                next += found.forEndOf
            }
        }
        return false
    }
}
