import Assay

/// A plan for people and programs.
struct PlanText {
    private let plan: Plan
    /// What would be done with each input; `nil` when groups are enough.
    private let rows: PlanRows?

    init(_ plan: Plan, _ rows: PlanRows?) { (self.plan, self.rows) = (plan, rows) }

    /// Whether `format` has a place for each input.
    static func hasRows(_ format: OutputFormat) -> Bool { format == .json || format == .jsonl }

    /// Writes groups of inputs, or each of them, with what would be done and its cost, then the sums.
    func write(to console: Console) throws {
        switch console.format {
        case .json:
            guard let facts = plan.jsonValue.object else { return }
            var text = "{" + facts.members.map { "\(JSONValue.string($0.key).json):\($0.value.json)," }.joined()
            text += "\"inputs\":["
            var isFirst = true
            try rows?.forEach(of: plan) { row in
                text += (isFirst ? "\n" : ",\n") + row.jsonValue.json
                isFirst = false
                guard text.utf8.count > 65_536 else { return }
                try console.write(json: text)
                text = ""
            }
            try console.write(json: text + "\n]}\n")
        case .jsonl:
            try rows?.forEach(of: plan) { try console.write(json: $0.jsonValue.json + "\n") }
            try console.write(json: plan.jsonValue.json + "\n")
        case .table:
            guard plan.inputs > 0 else { return try console.write(lines: sums) }
            if let rows { try write(rows, to: console) } else { try console.write(groups) }
            if let nodes = plan.nodes {
                try console.write(lines: [""])
                try console.write(table(of: nodes))
            }
            try console.write(lines: [""] + sums)
        case .none: break
        }
    }

    private func write(_ rows: PlanRows, to console: Console) throws {
        var listing = try Listing(
            console, schema: "", key: "inputs",
            columns: [
                .path("INPUT"), .text("WHAT"), .number("CALLS"), .number("CACHED"), .number("LEAST"),
                .number("MOST"), .flexible("WHY"),
            ])
        try rows.forEach(of: plan) { try listing.add(cells($0), json: $0.jsonValue) }
        try listing.end(nothing: "")
    }

    private func cells(_ entry: Plan.Entry) -> [String] {
        var why = entry.reason
        if !entry.savedSteps.isEmpty { why += "; saved: " + entry.savedSteps.joined(separator: ", ") }
        return [
            entry.inputID, entry.action.rawValue, entry.calls.map { "\($0)" } ?? "?",
            entry.hits > 0 ? "\(entry.hits)" : "", "\(entry.low)", entry.high.map { "\($0)" } ?? "?", why,
        ]
    }

    /// What becomes of inputs that are treated alike.
    private var groups: TextTable {
        var table = TextTable([
            .text("GROUP"), .number("INPUTS"), .number("SAVED").dropped(0), .number("CALLS"), .number("CACHED"),
            .number("AVOIDED").dropped(1), .number("LEAST"), .number("MOST"), .flexible("WHY"),
        ])
        for group in plan.groups {
            table.rows.append([
                group.kind.rawValue, group.inputs.grouped, group.saved > 0 ? group.saved.grouped : "",
                group.calls.map(\.grouped) ?? "?", group.hits > 0 ? group.hits.grouped : "",
                group.avoided == .zero ? "" : "\(group.avoided)", "\(group.low)", group.high.map { "\($0)" } ?? "?",
                group.reason ?? "several reasons; --items shows them",
            ])
        }
        return table
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
        lines += estimate
        if let gate = plan.gate { lines.append("the run would stop before anything is extracted: \(gate.safe)") }
        return lines + plan.warnings.map(\.safe)
    }

    /// What costs probably come to that nobody tells, and by what.
    private var estimate: [String] {
        guard let estimate = plan.estimate, let expected = plan.expected else { return [] }
        func inputs(_ count: Int, _ what: String) -> String {
            "\(count.grouped) \(what)\(count == 1 ? "input" : "inputs")"
        }
        let run = estimate.runID.text.prefix(8)
        let basis = inputs(estimate.basis, estimate.isSample ? "sampled " : "") + " of run \(run)"
        return [
            "about \(expected.rounded(places: 2)) \(plan.currency), by \(basis) at the prices of now:",
            "an estimate for \(inputs(estimate.inputs, "")), never exact; what the cache answers comes off it",
        ]
    }
}

extension MoneySum {
    /// The sum with so many decimals, half up.
    fileprivate func rounded(places: Int) -> MoneySum {
        let unit = (0..<(9 - places)).reduce(Int128(1)) { value, _ in value * 10 }
        return MoneySum(billionths: (billionths + unit / 2) / unit * unit)
    }
}
