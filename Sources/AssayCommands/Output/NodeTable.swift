import Assay

/// A table of the nodes of a graph in a run, for people.
struct NodeTable {
    let profile: [NodeMetrics]
    let currency: String

    /// The largest number of rows.
    private static let shown = 20

    /// The table of the nodes that took longest.
    var table: TextTable {
        var table = TextTable([
            .flexible("NODE"), .number("ITEMS"), .number("REUSED"), .number("FAILED"), .number("TIME"),
            .number("MEAN"), .number(currency),
        ])
        for node in profile.prefix(Self.shown) {
            table.rows.append([
                node.processorID.text, node.items.grouped, node.reused > 0 ? node.reused.grouped : "",
                node.errors > 0 ? node.errors.grouped : "", node.total.fine, node.mean.fine,
                node.cost == .zero ? "" : "\(node.cost)",
            ])
        }
        return table
    }

    /// The number of nodes that are not in the table.
    var left: Int { max(0, profile.count - Self.shown) }
}

extension Duration {
    /// The duration in few letters, below a millisecond in microseconds, because many nodes take no longer.
    fileprivate var fine: String {
        self < .milliseconds(1) ? "\(Int(self / .microseconds(1)))µs" : brief
    }
}
