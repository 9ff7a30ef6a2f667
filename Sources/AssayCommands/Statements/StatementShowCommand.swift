import ArgumentParser
import Assay
import AssayStatements

/// `assay statements show`: one account.
struct StatementShowCommand: ShellCommand {
    static let configuration = CommandConfiguration(commandName: "show", abstract: "Show all about one account.")

    @Argument(help: "The account: its number, the last characters of it, or its name.")
    var account: String

    @Option(help: "The run; the newest one by default.")
    var run: String?

    @OptionGroup var store: StoreFlags
    @OptionGroup var output: StatementOutputFlags

    func run(in shell: Shell) async throws -> ExitStatus {
        let (console, format) = try output.console(store, in: shell)
        let statements = try await RunStatements.read(run, console, in: shell)
        let found = try statements.accounts(called: account)
        guard let history = found.first, found.count == 1 else {
            let names = found.map { $0.label + ($0.report.currency.map { " (\($0))" } ?? "") }
            throw CommandFailure.usage("several accounts fit '\(account)': \(names.joined(separator: ", "))")
        }
        switch format {
        case .table:
            let text = AccountText(history, cost: statements.bill, width: console.columns)
            try console.write(lines: text.lines(console.paint))
        case .json, .jsonl: try console.write(json: history.json(cost: statements.bill).json + "\n")
        case .csv: try ExportRows.transactions([history]).write(.csv, to: console)
        case .none: break
        }
        return .success
    }
}
