import ArgumentParser
import AssayStatements

/// A command that lists something about the accounts of a run, as a table or for other programs.
protocol AccountListing: ShellCommand {
    /// Which accounts, where from and how.
    var flags: AccountListingFlags { get }

    /// The table, in at most `width` columns.
    func lines(_ accounts: [AccountHistory], width: Int?, _ paint: Paint) -> [String]
    /// The same with every figure.
    func export(_ accounts: [AccountHistory]) -> ExportRows
}

/// Flags of the commands that list something about accounts.
struct AccountListingFlags: ParsableArguments {
    @OptionGroup var choice: StatementChoice
    @OptionGroup var store: StoreFlags
    @OptionGroup var output: StatementOutputFlags
}

extension AccountListing {
    package func run(in shell: Shell) async throws -> ExitStatus {
        let (console, format) = try flags.output.console(flags.store, in: shell)
        let statements = try await RunStatements.read(flags.choice.run, console, in: shell)
        let accounts = try statements.accounts(called: flags.choice.account)
        if format == .table {
            try console.write(lines: lines(accounts, width: console.columns, console.paint))
        } else {
            try export(accounts).write(format, to: console)
        }
        return .success
    }
}

/// `assay statements accounts`: the figures of each account.
struct StatementAccountsCommand: AccountListing {
    static let configuration = CommandConfiguration(
        commandName: "accounts", abstract: "Show the figures of each account, with its balance check and flags.")

    @OptionGroup var flags: AccountListingFlags

    func lines(_ accounts: [AccountHistory], width: Int?, _ paint: Paint) -> [String] {
        AccountTable(accounts).lines(width: width, paint)
    }

    func export(_ accounts: [AccountHistory]) -> ExportRows { .accounts(accounts) }
}

/// `assay statements months`: the figures of each account by month.
struct StatementMonthsCommand: AccountListing {
    static let configuration = CommandConfiguration(
        commandName: "months", abstract: "Show the figures of each account by month.")

    @OptionGroup var flags: AccountListingFlags

    func lines(_ accounts: [AccountHistory], width: Int?, _ paint: Paint) -> [String] {
        MonthTable(accounts, width: width).table.lines(width: width, paint: paint)
    }

    func export(_ accounts: [AccountHistory]) -> ExportRows { .months(accounts) }
}

/// `assay statements transactions`: every entry with what it is and why.
struct StatementTransactionsCommand: AccountListing {
    static let configuration = CommandConfiguration(
        commandName: "transactions", abstract: "Show every entry, with what it is and why.")

    @OptionGroup var flags: AccountListingFlags

    func lines(_ accounts: [AccountHistory], width: Int?, _ paint: Paint) -> [String] {
        EntryTable(accounts, width: width).table.lines(width: width, paint: paint)
    }

    func export(_ accounts: [AccountHistory]) -> ExportRows { .transactions(accounts) }
}
