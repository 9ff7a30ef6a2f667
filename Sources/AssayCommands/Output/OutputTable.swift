import Assay

/// Outputs of any kind, one row an item.
struct OutputTable {
    private(set) var table = TextTable([.flexible("INPUT"), .text("FROM"), .number("COST"), .flexible("OUTPUT")])

    mutating func add(_ output: JSONValue, of outcome: Outcome) {
        let origin = outcome.cached ? "cache" : outcome.carried ? "earlier run" : "work"
        table.rows.append([outcome.inputID, origin, "\(outcome.cost)", output.brief])
    }
}

extension JSONValue {
    /// The value for a cell: texts without quotes, everything else as JSON.
    var brief: String { string ?? json }
}
