package import ArgumentParser
import Assay

/// `assay costs`: money.
package struct CostsCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "costs", abstract: "Look at the ledger and at prices.",
        subcommands: [
            CostsReportCommand.self, CostsLedgerCommand.self, CostsInDoubtCommand.self, CostsBudgetsCommand.self,
            CostsPricesCommand.self,
        ])

    package init() {}
}

/// Flags that choose charges.
package struct ChargeFlags: ParsableArguments {
    @Option(help: "Only charges of this run.")
    var run: String?

    @Option(help: "Only charges of this execution.")
    var execution: String?

    @Option(help: "Only charges of this account.")
    var account: String?

    @Option(
        help: ArgumentHelp(
            "Only charges since then: 2025-03-01, 2025-03-01T09:00:00Z, or 24h ago as '24h'.", valueName: "time"))
    var since: String?

    @Option(help: ArgumentHelp("Only charges before then.", valueName: "time"))
    var until: String?

    package init() {}

    /// The choice as stores understand it.
    ///
    /// - Throws: ``CommandFailure`` for a run or execution that is not on record.
    func filter(_ store: any Store, in shell: Shell) async throws -> ChargeFilter {
        var filter = ChargeFilter()
        if let run { filter.runID = try await store.existingRun(run).id }
        if let execution {
            guard let id = Identifier(execution), try await store.execution(id) != nil else {
                throw CommandFailure(.notFound, "execution '\(execution)' is not on record")
            }
            filter.executionID = id
        }
        if let account {
            guard let id = ExternalID(account) else { throw CommandFailure.usage("'\(account)' is not an account") }
            filter.accountID = id
        }
        filter.since = try since.map { try Timestamp(since: $0, "--since", in: shell) }
        filter.until = try until.map { try Timestamp(since: $0, "--until", in: shell) }
        return filter
    }
}

/// `assay costs ledger`: the charges themselves.
package struct CostsLedgerCommand: ShellCommand {
    package static let configuration = CommandConfiguration(
        commandName: "ledger", abstract: "List charges in the order in which they were recorded.")

    @OptionGroup var charges: ChargeFlags
    @OptionGroup var store: StoreFlags
    @OptionGroup var output: OutputFlags

    package init() {}

    package func run(in shell: Shell) async throws -> ExitStatus {
        let console = try Console(store.settings.merging(output.settings) { $1 }, in: shell)
        let store = try await StoreAccess.reader(console, in: shell)
        defer { StoreAccess.close(store) }
        var listing = try Listing(
            console, schema: "assay/charges/1", key: "charges", facts: ["currency": .string(store.currency)],
            columns: [
                .text("TIME"), .text("KIND"), .text("SERVICE"), .flexible("OPERATION"), .number(store.currency),
                .path("INPUT"), .flexible("RUN"),
            ])
        for charge in try await store.charges(matching: charges.filter(store, in: shell)) {
            try listing.add(
                [
                    "\(charge.timestamp)", charge.isCacheHit ? "cache hit" : charge.kind.rawValue, charge.service,
                    charge.operation, "\(charge.cost)", charge.inputID ?? "", charge.runID.text,
                ], json: charge.jsonValue)
        }
        try listing.end(nothing: "no charges")
        return .success
    }
}
