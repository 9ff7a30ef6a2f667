import ArgumentParser
import Assay
import AssayPipelines
import AssayStatements
import Foundation

/// `assay statements read`: what files come to, without a store.
struct StatementReadCommand: ShellCommand {
    static let configuration = CommandConfiguration(
        commandName: "read", abstract: "Show what files come to; nothing is stored.")

    @Argument(help: "The files.")
    var files: [String]

    @Option(help: ArgumentHelp("The format of the files; found out from each by default.", valueName: "format"))
    var format: String?

    @Option(
        help: ArgumentHelp(
            "How CSV files and workbooks are written, as 'statements profile' proposes it.", valueName: "file"))
    var profile: String?

    @OptionGroup var output: StatementOutputFlags

    func run(in shell: Shell) async throws -> ExitStatus {
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
        if let profile { reader.csv = try Self.profiles(in: profile, shell) }
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

    private static func profiles(in file: String, _ shell: Shell) throws -> CSVProfiles {
        guard let content = FileManager.default.contents(atPath: shell.place(of: file)) else {
            throw CommandFailure(.notFound, "\(file) cannot be read; check its name")
        }
        let document = try ConfigurationDocument(Array(content), as: .yaml, file: file)
        try document.findings.check()
        let json = document.root.json
        do throws(SettingsError) { return try CSVProfiles(settings: json["csv"] ?? json) } catch {
            throw CommandFailure(.invalidData, error.findings.map { "\(file): \($0.message)" }.joined(separator: "\n"))
        }
    }
}
