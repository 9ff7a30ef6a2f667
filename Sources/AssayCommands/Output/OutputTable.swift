import Assay

/// Outputs of any kind, one row an item.
struct OutputTable {
    private(set) var table = TextTable([.path("INPUT"), .text("FROM"), .number("COST"), .flexible("OUTPUT")])

    /// Whether outputs are of a graph, which names the nodes that gave them.
    let isOfGraph: Bool

    init(isOfGraph: Bool) { self.isOfGraph = isOfGraph }

    mutating func add(_ output: JSONValue, of outcome: Outcome) {
        // One node alone is no question, and its name would take the place of what it says.
        let only = isOfGraph && output.object?.members.count == 1 ? output.object?.members.first?.value : nil
        let origin =
            outcome.cached
            ? "cache" : outcome.carried ? outcome.isKept ? "earlier run, on_change: keep" : "earlier run" : "work"
        table.rows.append([outcome.inputID, origin, "\(outcome.cost)", (only ?? output).brief.cut(to: 2_000)])
    }
}

extension String {
    /// The first `limit` characters, and a sign that there are more: nobody reads megabytes in a cell.
    fileprivate func cut(to limit: Int) -> String {
        guard let end = index(startIndex, offsetBy: limit, limitedBy: endIndex), end != endIndex else { return self }
        return self[..<end] + "…"
    }
}

extension JSONValue {
    /// The value for a cell: texts without quotes, everything else as JSON.
    var brief: String { string ?? json }
}
