import Assay

/// What the nodes of a graph did in a run, for people.
struct NodeTable {
    let profile: [NodeMetrics]
    let currency: String

    /// Rows shown at most.
    private static let shown = 20

    /// The nodes that took longest.
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

    /// How many nodes are not in the table.
    var left: Int { max(0, profile.count - Self.shown) }
}

extension Duration {
    /// The duration in few letters, below a millisecond in microseconds: many nodes take no longer.
    fileprivate var fine: String {
        self < .milliseconds(1) ? "\(Int(self / .microseconds(1)))µs" : brief
    }
}
