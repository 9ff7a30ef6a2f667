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
                .flexible("INPUT"), .text("WHAT"), .number("CALLS"), .number("CACHED"), .number("LEAST"),
                .number("MOST"), .flexible("WHY"),
            ])
            for entry in plan.entries { table.rows.append(cells(entry)) }
            if !plan.entries.isEmpty { try console.write(table) }
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

    private var sums: [String] {
        let counts = plan.counts
        let parts = Plan.Action.allCases.compactMap { action in
            counts[action].map { "\($0.grouped) \(action.rawValue)" }
        }
        var lines = ["\(plan.processorID)  \(parts.isEmpty ? "no inputs" : parts.joined(separator: ", "))"]
        let high = plan.high.map { $0 == plan.low ? "" : " to \($0)" } ?? " to an unknown amount"
        lines.append("costs \(plan.low)\(high) \(plan.currency), \(plan.base) of it the base charge")
        if let gate = plan.gate { lines.append("the run would stop before anything is extracted: \(gate.safe)") }
        return lines + plan.warnings.map(\.safe)
    }
}
