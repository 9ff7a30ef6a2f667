package import ArgumentParser

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
