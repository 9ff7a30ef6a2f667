package import ArgumentParser

/// The command `assay` with all its subcommands.
package struct AssayCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "assay",
        abstract: "Runs processors over inputs, with an exact ledger of costs and durable resume.",
        discussion: """
            Data goes to the output, messages and progress to the error output. Settings come from flags, then the \
            environment (ASSAY_…), then assay.yaml in the working folder; 'assay config show --origin' lists them.
            """,
        version: "0.1.0",
        subcommands: [
            InitCommand.self, ValidateCommand.self, PlanCommand.self, RunCommand.self, ResumeCommand.self,
            RetryCommand.self, CancelCommand.self, WaitCommand.self, WatchCommand.self, ExplainCommand.self,
            LogsCommand.self, RunsCommand.self, QueueCommand.self, GraphCommand.self, CostsCommand.self,
            CacheCommand.self,
            CheckpointsCommand.self,
            AlertsCommand.self, StatementsCommand.self, StoreCommand.self, ConfigCommand.self,
        ])

    package init() {}

    /// Returns a message about the first word that names no command; `nil` if all words do.
    package static func unknownCommand(in arguments: [String]) -> String? {
        var command: any ParsableCommand.Type = AssayCommand.self
        for word in arguments {
            let subcommands = command.configuration.subcommands
            guard !subcommands.isEmpty, !word.hasPrefix("-"), word != "help" else { return nil }
            guard let next = subcommands.first(where: { $0.configuration.commandName == word }) else {
                let known = subcommands.compactMap { $0.configuration.commandName }
                return "unknown command '\(word.safe)'" + Nearest.ending(for: word, among: known)
            }
            command = next
        }
        return nil
    }
}
