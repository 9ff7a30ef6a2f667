import Assay

/// A plan for people and programs.
struct PlanText {
    private let plan: Plan

    init(_ plan: Plan) { self.plan = plan }

    /// Writes every input with what would be done and its cost, then the sums.
    func write(to console: Console) throws {
        switch console.format {
        case .json: try console.write(json: plan.jsonValue.json + "\n")
        case .jsonl:
            for entry in plan.entries { try console.write(json: entry.jsonValue.json + "\n") }
        case .table:
            var table = TextTable([
                .path("INPUT"), .text("WHAT"), .number("CALLS"), .number("CACHED"), .number("LEAST"),
                .number("MOST"), .flexible("WHY"),
            ])
            for entry in plan.entries { table.rows.append(cells(entry)) }
            if !plan.entries.isEmpty { try console.write(table) }
            if let nodes = plan.nodes, !plan.entries.isEmpty {
                try console.write(lines: [""])
                try console.write(self.table(of: nodes))
            }
            try console.write(lines: (plan.entries.isEmpty ? [] : [""]) + sums)
        case .none: break
        }
    }

    private func cells(_ entry: Plan.Entry) -> [String] {
        var why = entry.reason
        if !entry.savedSteps.isEmpty { why += "; saved: " + entry.savedSteps.joined(separator: ", ") }
        return [
            entry.inputID, entry.action.rawValue, entry.calls.map { "\($0)" } ?? "?",
            entry.hits > 0 ? "\(entry.hits)" : "", "\(entry.low)", entry.high.map { "\($0)" } ?? "?", why,
        ]
    }

    /// What the nodes of a graph would do, over all inputs.
    private func table(of nodes: [Plan.Node]) -> TextTable {
        var table = TextTable([
            .flexible("NODE"), .number("STARTS"), .number("SAVED"), .number("CALLS"), .number("CACHED"),
            .number("BASE"), .number("LEAST"), .number("MOST"), .flexible("WHY"),
        ])
        for node in nodes {
            let most = node.starts + node.possibleStarts
            table.rows.append([
                node.processorID.text, node.possibleStarts == 0 ? "\(most)" : "\(node.starts)-\(most)",
                node.saved > 0 ? "\(node.saved)" : "", node.calls.map { "\($0)" } ?? "?",
                node.hits + node.cached > 0 ? "\(node.hits + node.cached)" : "",
                node.furtherBase == .zero ? "\(node.base)" : span(node.base, most: node.furtherBase),
                "\(node.low)", node.high.map { "\($0)" } ?? "?", node.unknown ?? "",
            ])
        }
        return table
    }

    private func span(_ low: Money, most further: Money?) -> String {
        "\(low)-" + (further.flatMap { try? low.adding($0) }.map { "\($0)" } ?? "?")
    }

    private var sums: [String] {
        let counts = plan.counts
        let parts = Plan.Action.allCases.compactMap { action in
            counts[action].map { "\($0.grouped) \(action.rawValue)" }
        }
        var lines = ["\(plan.processorID)  \(parts.isEmpty ? "no inputs" : parts.joined(separator: ", "))"]
        let high = plan.high.map { $0 == plan.low ? "" : " to \($0)" } ?? " to an unknown amount"
        let base = plan.furtherBase == .zero ? "\(plan.base)" : span(plan.base, most: plan.furtherBase)
        let charges = plan.nodes == nil ? "the base charge" : "base charges"
        lines.append("costs \(plan.low)\(high) \(plan.currency), \(base) of it \(charges)")
        if let gate = plan.gate { lines.append("the run would stop before anything is extracted: \(gate.safe)") }
        return lines + plan.warnings.map(\.safe)
    }
}
