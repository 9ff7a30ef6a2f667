import Assay
import AssayStatements

/// A run that has ended, for people: what came out, what failed, what it cost.
struct RunSummary {
    let console: Console
    let store: any Store

    /// Rows of outputs shown at most.
    private static let shown = 20

    /// Writes all of it.
    func write(_ report: Report) async throws {
        try console.write(lines: [headline(report)] + (report.batches.map { [Self.line($0)] } ?? []))
        let shownStatements = try await writeStatements(of: report)
        if !shownStatements, let table = try await outputs(of: report) {
            try console.write(lines: [""])
            try console.write(table.table)
            if table.left > 0 {
                try console.write(lines: [
                    "and the rest, with \(table.left.grouped) more inputs: assay runs items \(report.runID)"
                ])
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
        let nodes = NodeTable(profile: report.profile, currency: report.bill.currency)
        if !nodes.profile.isEmpty {
            try console.write(lines: [""])
            try console.write(nodes.table)
            if nodes.left > 0 {
                try console.write(lines: [
                    "and \(nodes.left.grouped) more nodes: assay runs show \(report.runID) -o json"
                ])
            }
        }
        try console.write(lines: [""] + BillText(report.bill, succeeded: report.counts.succeeded).lines(console.paint))
        guard report.run.lineage.previousRunID != nil else { return }
        let whole = try await Engine(store: store).bill(ofExecution: report.executionID)
        try console.write(lines: ["all runs of the execution so far: \(whole.totalCost) \(whole.currency)"])
    }

    /// How the batches of a run ended, in a line.
    private static func line(_ batches: BatchAggregate) -> String {
        let ends = [Status.succeeded, .partial, .failed, .cancelled].compactMap { status in
            let count = batches.batchMetrics.count { $0.status == status }
            return count == 0 ? nil : "\(count.grouped) \(status.rawValue)"
        }
        let retries = batches.batchMetrics.reduce(0) { $0 + $1.retriesUsed }
        return "batches: " + (ends + (retries == 0 ? [] : ["\(retries.grouped) tried again"])).joined(separator: ", ")
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

    /// The most files whose accounts are put together anew; of more, the accounts of the run's summary are shown.
    private static let mostFiles = 500

    /// Writes the accounts and statements of a run that read some; false when it read none.
    private func writeStatements(of report: Report) async throws -> Bool {
        let isSmall = report.counts.succeeded <= Self.mostFiles
        let reports = try await RunStatements.reports(
            of: report.runID, in: store, limit: isSmall ? Self.mostFiles : Self.shown)
        guard !reports.isEmpty else { return false }
        let histories = AccountHistory.histories(of: reports)
        let width = console.columns
        var left = 0
        if isSmall {
            let accounts = AccountTable(Array(histories.prefix(Self.shown)))
            try console.write(lines: [""] + accounts.lines(width: width, console.paint))
            left = histories.count - Self.shown
        } else if let accounts = try? report.summary(as: BankStatements.Accounts.self)?.accounts, !accounts.isEmpty {
            let table = AccountTable(reports: Array(accounts.prefix(Self.shown)))
            try console.write(lines: [""] + table.lines(width: width, console.paint))
            left = accounts.count - Self.shown
        }
        if left > 0 {
            try console.write(lines: ["and \(left.grouped) more accounts: assay statements accounts \(report.runID)"])
        }
        try console.write(lines: [""])
        try console.write(StatementTable(histories, width: width, limit: Self.shown).table)
        let rest = report.counts.succeeded - min(reports.count, Self.shown)
        if rest > 0 {
            try console.write(lines: ["and \(rest.grouped) more files: assay runs items \(report.runID)"])
        }
        try console.write(lines: [
            "", "the report page: assay statements report \(report.runID.text.prefix(8)) --out report.html",
        ])
        return true
    }

    /// The first outputs, and how many items that succeeded are not among them.
    private func outputs(of report: Report) async throws -> (table: TextTable, left: Int)? {
        var plain = OutputTable(isOfGraph: report.run.graphID != nil)
        try await store.forEachOutcome(of: report.runID, page: 64) { outcomes in
            for outcome in outcomes where outcome.status == .succeeded {
                guard let output = try outcome.output?.json(), plain.table.rows.count < Self.shown else { return false }
                plain.add(output, of: outcome)
            }
            return true
        }
        guard !plain.table.rows.isEmpty else { return nil }
        return (plain.table, report.counts.succeeded - plain.table.rows.count)
    }
}
