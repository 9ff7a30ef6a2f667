import Assay

/// Failures of items with the same code and the same last line, which of a traceback is the one that says what failed.
struct FailureGroups {
    private struct Kind: Hashable {
        /// The node, in a graph.
        let node: String?
        let code: String
        let message: String
    }

    private var groups: [Kind: (count: Int, first: String, order: Int)] = [:]
    private var others = 0
    /// How many failures there are.
    private(set) var total = 0

    /// Kinds that are told apart; a run in which every item fails in its own words stays small in memory.
    private static let limit = 256
    private static let shown = 10

    mutating func add(_ outcomes: [Outcome]) {
        for outcome in outcomes {
            guard let error = outcome.error else { continue }
            total += 1
            let kind = Kind(node: error.processorID?.text, code: error.code.rawValue, message: error.lastLine)
            let order = groups.count
            if groups[kind] != nil || order < Self.limit {
                groups[kind, default: (0, outcome.inputID, order)].count += 1
            } else {
                others += 1
            }
        }
    }

    /// The most frequent kinds, and how many failures are not among them.
    var table: TextTable {
        // Only in graphs it is a question where.
        let hasNodes = groups.keys.contains { $0.node != nil }
        var table = TextTable(
            [.number("FAILED")] + (hasNodes ? [.text("NODE")] : [])
                + [.text("CODE"), .path("FIRST"), .flexible("MESSAGE")])
        let sorted = groups.sorted { ($0.value.count, $1.value.order) > ($1.value.count, $0.value.order) }
        for (kind, value) in sorted.prefix(Self.shown) {
            table.rows.append(
                [value.count.grouped] + (hasNodes ? [kind.node ?? ""] : []) + [kind.code, value.first, kind.message])
        }
        let rest = others + sorted.dropFirst(Self.shown).reduce(0) { $0 + $1.value.count }
        if rest > 0 {
            table.rows.append([rest.grouped] + (hasNodes ? [""] : []) + ["…", "", "other messages"])
        }
        return table
    }
}
