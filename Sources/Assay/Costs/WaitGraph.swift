/// The paid calls inside of which something is asked for: it has to come before they can end.
package struct CallNest: Hashable, Sendable {
    /// Their numbers, the outer ones first.
    package var calls: [Int] = []
    /// Whether the calls are only known to be open at the same time, as those of a program are.
    package var isAssumed = false

    /// Inside of no call.
    package static let none = CallNest()

    package init(calls: [Int] = [], isAssumed: Bool = false) {
        self.calls = calls
        self.isAssumed = isAssumed
    }

    /// The nest of what is asked for in the body of `call`.
    package func inside(_ call: Int) -> CallNest { CallNest(calls: calls + [call], isAssumed: isAssumed) }
}

/// Who waits for whom: finds the waits that would never end because each is for another of them.
struct WaitGraph {
    /// A wait: for the end of any of some calls, inside of others that cannot end before.
    struct Wait: Hashable, Sendable {
        var inside: CallNest
        var forEndOf: [Int]
    }

    private var waits: [Int: Wait] = [:]

    /// Takes note of a wait, or of what it is for by now.
    mutating func set(_ wait: Wait, as number: Int) { waits[number] = wait }

    mutating func remove(_ number: Int) { waits[number] = nil }

    /// Whether `wait` would never end, since what it is for waits for it.
    ///
    /// - Parameters:
    ///   - number: under which it is noted already, if it is.
    ///   - assuming: whether calls that are only open at the same time count as one inside of the other.
    func isCircular(_ wait: Wait, as number: Int = 0, assuming: Bool) -> Bool {
        guard assuming || !wait.inside.isAssumed else { return false }
        // All waits that are for nothing but calls around such waits: the largest set of which this is true.
        var stuck = waits
        stuck[number] = wait
        while true {
            let held = Set(stuck.values.lazy.filter { assuming || !$0.inside.isAssumed }.flatMap(\.inside.calls))
            let ending = stuck.filter { $0.value.forEndOf.contains { !held.contains($0) } }
            guard !ending.isEmpty else { break }
            for number in ending.keys { stuck[number] = nil }
            guard stuck[number] != nil else { return false }
        }
        // One that only waits for somebody in a circle is not part of it.
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
