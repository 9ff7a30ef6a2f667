import Assay

/// A run that has ended, for people: what came out, what failed, what it cost.
struct RunSummary {
    let console: Console
    let store: any Store

    /// Items shown at most.
    static let shown = 20

    /// Writes all of it.
    func write(_ report: Report) async throws {
        try console.write(lines: [headline(report)])
        let table = try await outputs(of: report)
        if let table {
            try console.write(lines: [""])
            try console.write(table.table)
            if table.left > 0 {
                try console.write(lines: ["and \(table.left.grouped) more: assay runs items \(report.runID)"])
            }
        }
        if report.counts.failed > 0 {
            var failures = FailureGroups()
            try await store.forEachOutcome(of: report.runID) { outcomes in
                failures.add(outcomes)
                return failures.total < report.counts.failed
            }
            try console.write(lines: [""])
            try console.write(failures.table)
        }
        try console.write(lines: [""] + BillText(report.bill, succeeded: report.counts.succeeded).lines(console.paint))
        guard report.run.lineage.previousRunID != nil else { return }
        let whole = try await Engine(store: store).bill(ofExecution: report.executionID)
        try console.write(lines: ["all runs of the execution so far: \(whole.totalCost) \(whole.currency)"])
    }

    private func headline(_ report: Report) -> String {
        let counts = report.counts
        var parts = ["\(counts.succeeded.grouped) succeeded"]
        for (count, word) in [(counts.failed, "failed"), (counts.skipped, "skipped"), (counts.cancelled, "cancelled")]
        where count > 0 {
            parts.append("\(count.grouped) \(word)")
        }
        let color: Paint.Color =
            switch report.status {
            case .succeeded: .green
            case .partial: .yellow
            default: .red
            }
        let took = report.run.duration.map { " in \($0.brief)" } ?? ""
        return
            "\(report.run.processorID): \(console.paint(report.status.rawValue, color))  "
            + "\(parts.joined(separator: ", ")) of \(counts.total.grouped)\(took)  run \(report.runID)"
    }

    /// The first outputs, and how many items that succeeded are not among them.
    private func outputs(of report: Report) async throws -> (table: TextTable, left: Int)? {
        var factors = FactorTable()
        var plain = OutputTable()
        var items = 0
        try await store.forEachOutcome(of: report.runID, page: 64) { outcomes in
            for outcome in outcomes where outcome.status == .succeeded {
                guard let output = try outcome.output?.json(), items < Self.shown else { break }
                if !factors.add(output, of: outcome.inputID) { plain.add(output, of: outcome) }
                items += 1
            }
            return items < Self.shown
        }
        guard items > 0 else { return nil }
        return (factors.isEmpty ? plain.table : factors.table, report.counts.succeeded - items)
    }
}

/// The factors of bank statements, one row a statement.
struct FactorTable {
    private(set) var table = TextTable([
        .flexible("INPUT"), .text("ACCOUNT"), .text("PERIOD"), .number("OPENING"), .number("CLOSING"),
        .number("DEPOSITS"), .number("AVG DAILY"), .number("DAYS NEG"), .number("LOWEST"),
    ])

    var isEmpty: Bool { table.rows.isEmpty }

    /// Adds the statements of an output.
    ///
    /// - Returns: `false` when the output holds no statements with factors.
    mutating func add(_ output: JSONValue, of inputID: String) -> Bool {
        guard let statements = output["statements"]?.array, statements.contains(where: { $0["factors"] != nil }) else {
            return false
        }
        for statement in statements.prefix(RunSummary.shown) {
            let factors = statement["factors"] ?? .null
            func text(_ keys: String...) -> String {
                for key in keys {
                    if let value = factors[key] ?? statement[key], value != .null { return value.brief }
                }
                return "-"
            }
            table.rows.append([
                inputID, text("account"), Self.period(statement["period"] ?? factors["period"]), text("opening"),
                text("ending_balance", "closing"), text("deposits_total"), text("average_daily_balance"),
                text("days_negative"), text("lowest_daily_balance"),
            ])
        }
        return true
    }

    private static func period(_ value: JSONValue?) -> String {
        guard let days = value?.array, days.count == 2 else { return "-" }
        return days.map { $0.string ?? "?" }.joined(separator: " – ")
    }
}

/// Outputs of any kind, one row an item.
struct OutputTable {
    private(set) var table = TextTable([.flexible("INPUT"), .text("FROM"), .number("COST"), .flexible("OUTPUT")])

    mutating func add(_ output: JSONValue, of outcome: Outcome) {
        let origin = outcome.cached ? "cache" : outcome.carried ? "earlier run" : "work"
        table.rows.append([outcome.inputID, origin, "\(outcome.cost)", output.brief])
    }
}

/// Failures of items that say the same.
struct FailureGroups {
    private struct Kind: Hashable {
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
            let kind = Kind(code: error.code.rawValue, message: error.message)
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
        var table = TextTable([.number("FAILED"), .text("CODE"), .flexible("FIRST"), .flexible("MESSAGE")])
        let sorted = groups.sorted { ($0.value.count, $1.value.order) > ($1.value.count, $0.value.order) }
        for (kind, value) in sorted.prefix(Self.shown) {
            table.rows.append([value.count.grouped, kind.code, value.first, kind.message])
        }
        let rest = others + sorted.dropFirst(Self.shown).reduce(0) { $0 + $1.value.count }
        if rest > 0 { table.rows.append([rest.grouped, "…", "", "other messages"]) }
        return table
    }
}

extension JSONValue {
    /// The value for a cell: texts without quotes, everything else as JSON.
    var brief: String { string ?? json }
}
