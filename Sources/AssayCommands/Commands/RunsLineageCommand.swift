package import ArgumentParser
import Assay
import AssaySQLite

/// `assay runs lineage`: shows the runs of an execution and how one led to the next.
package struct RunsLineageCommand: ShellCommand {
    package static let configuration = CommandConfiguration(
        commandName: "lineage",
        abstract: "Show all runs of a run's execution, oldest first, each below the one it follows.")

    @Argument(help: "Any run of the execution.")
    var run: String

    @OptionGroup var store: StoreFlags
    @OptionGroup var output: OutputFlags

    package init() {}

    package func run(in shell: Shell) async throws -> ExitStatus {
        let console = try Console(store.settings.merging(output.settings) { $1 }, in: shell)
        let store = try await StoreAccess.database(console, in: shell)
        defer { StoreAccess.close(store) }
        let named = try await store.existingRun(run)
        let engine = Engine(store: store)
        let whole = try await engine.bill(ofExecution: named.executionID)
        var listing = try Listing(
            console, schema: "assay/lineage/1", key: "runs",
            facts: [
                "execution_id": .string(named.executionID.text), "currency": .string(store.currency),
                "total_cost": whole.totalCost.jsonValue,
            ],
            columns: [
                .flexible("RUN"), .text("HOW"), .text("STATUS"), .number("ITEMS"), .number("OK"), .number("FAILED"),
                .number(store.currency), .text("STARTED"),
            ])
        var depths: [Run.ID: Int] = [:]
        for var run in try await store.runs(matching: RunFilter(executionID: named.executionID)).reversed() {
            if !run.status.isTerminal { run.counts = try await store.currentCounts(of: run.id) }
            let depth = run.lineage.previousRunID.flatMap { depths[$0] }.map { $0 + 1 } ?? 0
            depths[run.id] = depth
            let cost = try await engine.bill(of: run.id).totalCost
            guard case .object(var object) = try run.row else { continue }
            object["relation"] = .string(run.relation)
            object["total_cost"] = cost.jsonValue
            object["request"] = run.request
            let branch = depth == 0 ? "" : String(repeating: "  ", count: depth - 1) + "└ "
            try listing.add(
                [
                    branch + run.id.text, run.relation, run.status.rawValue, run.counts.total.grouped,
                    run.counts.succeeded.grouped, run.counts.failed.grouped, "\(cost)", "\(run.startedAt)",
                ], json: .object(object))
        }
        try listing.end(nothing: "no runs")
        if console.format == .table {
            try console.write(lines: ["execution \(named.executionID): \(whole.totalCost) \(whole.currency)"])
        }
        return .success
    }
}

extension Run {
    /// The origin of the run: `run` if it follows none, else the requested relation, if it is on record.
    fileprivate var relation: String {
        guard lineage.previousRunID != nil else { return "run" }
        return request["relation"]?.string ?? "again"
    }
}
