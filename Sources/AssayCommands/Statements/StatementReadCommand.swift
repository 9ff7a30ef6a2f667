package import ArgumentParser
import Assay
import AssayStatements

/// `assay statements read`: what files come to, without a store.
package struct StatementReadCommand: ShellCommand {
    package static let configuration = CommandConfiguration(
        commandName: "read", abstract: "Show what files come to; nothing is stored.")

    @Argument(help: "The files.")
    var files: [String]

    @Option(help: ArgumentHelp("The format of the files; found out from each by default.", valueName: "format"))
    var format: String?

    @OptionGroup var output: StatementOutputFlags

    package init() {}

    package func run(in shell: Shell) async throws -> ExitStatus {
        let (console, format) = try output.console(nil, in: shell)
        var reader = StatementReader()
        if let name = self.format {
            guard let known = StatementFormat(rawValue: name) else {
                throw CommandFailure.usage(
                    "unknown format '\(name)'"
                        + Nearest.ending(for: name, among: StatementFormat.allCases.map(\.rawValue)))
            }
            reader.format = known
        }
        var (reports, refused) = ([SourcedReport](), 0)
        for file in files {
            do throws(StatementError) {
                let report = try reader.read(path: shell.place(of: file)).report(includeTransactions: true)
                reports.append(SourcedReport(name: file, report: report))
            } catch {
                refused += 1
                console.warn("\(file.safe): \(error.message.safe)")
            }
        }
        let accounts = AccountHistory.histories(of: reports)
        if format == .table, !accounts.isEmpty {
            try console.write(lines: AccountTable(accounts).lines(width: console.columns, console.paint) + [""])
            try console.write(StatementTable(accounts, width: console.columns).table)
        } else {
            try ExportRows.accounts(accounts).write(format, to: console)
        }
        return refused == 0 ? .success : .invalidData
    }
}
