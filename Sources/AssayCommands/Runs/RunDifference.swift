package import Assay

/// The outcome of one item in a run, reduced to what comparisons need.
struct ItemStand: Hashable {
    let status: Status
    let isCarried: Bool
    /// The digest of the output; `nil` without one.
    let output: Digest?
    let cost: Money
    let restored: Int
    let ran: Int

    init(_ outcome: Outcome) throws {
        status = outcome.status
        isCarried = outcome.carried
        output = try outcome.output.map { Digest(of: try $0.json()) }
        cost = outcome.cost
        restored = outcome.steps.count { $0.restored }
        ran = outcome.steps.count - restored
    }

    var jsonValue: JSONValue {
        [
            "status": .string(status.rawValue), "carried": .bool(isCarried),
            "output_digest": JSONValue(text: output?.text),
            "cost": cost.jsonValue, "steps_restored": JSONValue(count: restored), "steps_run": JSONValue(count: ran),
        ]
    }
}

/// An item with different outcomes in two runs.
struct ItemDifference {
    let inputID: String
    let old, new: ItemStand?

    /// Whether the difference is worth showing. The lower cost of a carried item is not.
    var isNotable: Bool {
        guard let old, let new else { return true }
        return old.status != new.status || old.output != new.output || (old.cost != new.cost && !new.isCarried)
    }
}

/// A value of a request that differs.
package struct ValueDifference: Hashable, Sendable {
    /// The keys and indexes on the path to it, joined by dots.
    package let path: String
    /// The values; `nil` if there is none.
    package let old, new: JSONValue?

    /// Returns all differences between two values, down to single values.
    package static func between(_ old: JSONValue?, _ new: JSONValue?, at path: String = "") -> [ValueDifference] {
        func below(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }
        switch (old, new) {
        case _ where old == new: return []
        case (.object(let old)?, .object(let new)?):
            let keys = Set(old.members.map(\.key)).union(new.members.map(\.key))
            return keys.sorted().flatMap { between(old[$0], new[$0], at: below($0)) }
        case (.array(let old)?, .array(let new)?):
            return (0..<max(old.count, new.count)).flatMap { place in
                between(
                    old.indices.contains(place) ? old[place] : nil, new.indices.contains(place) ? new[place] : nil,
                    at: below(name(of: place, old, new)))
            }
        default: return [ValueDifference(path: path, old: old, new: new)]
        }
    }

    /// Returns the name of a list element: a processor's name, or the index of anything else.
    private static func name(of place: Int, _ lists: [JSONValue]...) -> String {
        let names = lists.compactMap { $0.indices.contains(place) ? $0[place]["processor_id"]?.string : nil }
        return names.first ?? "\(place)"
    }
}
