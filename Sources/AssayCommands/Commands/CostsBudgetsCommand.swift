package import ArgumentParser
import Assay

/// `assay costs budgets`: shows the standing of a run's budgets.
package struct CostsBudgetsCommand: ShellCommand {
    package static let configuration = CommandConfiguration(
        commandName: "budgets", abstract: "Show how the budgets of a run stand now.",
        discussion: """
            Spent is what the ledger holds in the budget's scope and window; reserved is the most that calls may cost \
            that are being made or whose outcome is unknown. Raise a limit with: assay resume RUN --budget AMOUNT, or \
            --set budget.limit=AMOUNT for one of the pipeline file.
            """)

    @Argument(help: "The run; the newest one with a budget if none is named.")
    var run: String?

    @OptionGroup var store: StoreFlags
    @OptionGroup var output: OutputFlags

    package init() {}

    package func run(in shell: Shell) async throws -> ExitStatus {
        let console = try Console(store.settings.merging(output.settings) { $1 }, in: shell)
        let store = try await StoreAccess.reader(console, in: shell)
        defer { StoreAccess.close(store) }
        let chosen =
            if let run { try await store.existingRun(run) } else {
                try await store.runs(matching: RunFilter(limit: 1_000)).first { !$0.budgets.isEmpty }
            }
        var facts: JSONObject = ["currency": .string(store.currency)]
        facts["run_id"] = chosen.map { .string($0.id.text) } ?? .null
        var listing = try Listing(
            console, schema: "assay/budgets/1", key: "budgets", facts: facts,
            columns: [
                .flexible("BUDGET"), .text("SCOPE"), .flexible("OF"), .text("WINDOW"), .text("MODE"),
                .number("LIMIT"), .number("SPENT"), .number("RESERVED"), .number("LEFT"),
            ])
        if let chosen {
            let engine = Engine(store: store, prices: PriceList(currency: store.currency), world: shell.world)
            for standing in try await engine.standings(of: chosen.budgets, for: chosen) {
                let budget = standing.budget
                try listing.add(
                    [
                        budget.name, budget.scope.rawValue, standing.subject ?? "", budget.window.rawValue,
                        budget.mode.rawValue, "\(budget.limit)", "\(standing.spent)", "\(standing.reserved)",
                        "\(standing.remaining)",
                    ], json: standing.jsonValue)
            }
        }
        try listing.end(nothing: "no budgets")
        return .success
    }
}

extension Run {
    /// The budgets it was started with from the command line.
    var budgets: [Budget] { request["budgets"]?.array?.compactMap(Budget.init(jsonValue:)) ?? [] }
}

extension Budget {
    /// The name of the budget that the flag sets.
    static let ofFlag = "--budget"
}
