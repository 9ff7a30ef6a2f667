package import ArgumentParser
import Assay
import AssayStatements

/// `assay statements`: what bank statements come to.
package struct StatementsCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "statements", abstract: "Show what bank statements come to.",
        subcommands: [
            StatementAccountsCommand.self, StatementMonthsCommand.self, StatementTransactionsCommand.self,
            StatementShowCommand.self, StatementReportCommand.self, StatementReadCommand.self,
            StatementProfileCommand.self, StatementProfilesCommand.self,
        ])

    package init() {}
}

/// `assay statements accounts`: the figures of each account.
package struct StatementAccountsCommand: ShellCommand {
    package static let configuration = CommandConfiguration(
        commandName: "accounts", abstract: "Show the figures of each account, with its balance check and flags.")

    @OptionGroup var choice: StatementChoice
    @OptionGroup var store: StoreFlags
    @OptionGroup var output: StatementOutputFlags

    package init() {}

    package func run(in shell: Shell) async throws -> ExitStatus {
        let (console, format) = try output.console(store, in: shell)
        let store = try await StoreAccess.reader(console, in: shell)
        defer { StoreAccess.close(store) }
        let accounts = try await RunStatements(of: choice.run, in: store).accounts(called: choice.account)
        guard format == .table else {
            try ExportRows.accounts(accounts).write(format, to: console)
            return .success
        }
        try console.write(lines: AccountTable(accounts).lines(width: console.columns, console.paint))
        return .success
    }
}

/// `assay statements months`: the figures of each account by month.
package struct StatementMonthsCommand: ShellCommand {
    package static let configuration = CommandConfiguration(
        commandName: "months", abstract: "Show the figures of each account by month.")

    @OptionGroup var choice: StatementChoice
    @OptionGroup var store: StoreFlags
    @OptionGroup var output: StatementOutputFlags

    package init() {}

    package func run(in shell: Shell) async throws -> ExitStatus {
        let (console, format) = try output.console(store, in: shell)
        let store = try await StoreAccess.reader(console, in: shell)
        defer { StoreAccess.close(store) }
        let accounts = try await RunStatements(of: choice.run, in: store).accounts(called: choice.account)
        guard format == .table else {
            try ExportRows.months(accounts).write(format, to: console)
            return .success
        }
        try console.write(MonthTable(accounts, width: console.columns).table)
        return .success
    }
}

/// `assay statements transactions`: every entry with what it is and why.
package struct StatementTransactionsCommand: ShellCommand {
    package static let configuration = CommandConfiguration(
        commandName: "transactions", abstract: "Show every entry, with what it is and why.")

    @OptionGroup var choice: StatementChoice
    @OptionGroup var store: StoreFlags
    @OptionGroup var output: StatementOutputFlags

    package init() {}

    package func run(in shell: Shell) async throws -> ExitStatus {
        let (console, format) = try output.console(store, in: shell)
        let store = try await StoreAccess.reader(console, in: shell)
        defer { StoreAccess.close(store) }
        let accounts = try await RunStatements(of: choice.run, in: store).accounts(called: choice.account)
        guard format == .table else {
            try ExportRows.transactions(accounts).write(format, to: console)
            return .success
        }
        try console.write(EntryTable(accounts, width: console.columns).table)
        return .success
    }
}

/// `assay statements show`: one account.
package struct StatementShowCommand: ShellCommand {
    package static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show all about one account.")

    @Argument(help: "The account: its number, the last characters of it, or its name.")
    var account: String

    @Option(help: "The run; the newest one by default.")
    var run: String?

    @OptionGroup var store: StoreFlags
    @OptionGroup var output: StatementOutputFlags

    package init() {}

    package func run(in shell: Shell) async throws -> ExitStatus {
        let (console, format) = try output.console(store, in: shell)
        let store = try await StoreAccess.reader(console, in: shell)
        defer { StoreAccess.close(store) }
        let statements = try await RunStatements(of: run, in: store)
        let found = try statements.accounts(called: account)
        guard let history = found.first, found.count == 1 else {
            let names = found.map { $0.label + ($0.report.currency.map { " (\($0))" } ?? "") }
            throw CommandFailure.usage("several accounts fit '\(account)': \(names.joined(separator: ", "))")
        }
        let bill = try await Engine(store: store).bill(of: statements.run.id)
        switch format {
        case .table: try console.write(lines: AccountText(history, width: console.columns).lines(console.paint))
        case .json, .jsonl: try console.write(json: history.json(cost: bill).json + "\n")
        case .csv: try ExportRows.transactions([history]).write(.csv, to: console)
        case .none: break
        }
        return .success
    }
}
