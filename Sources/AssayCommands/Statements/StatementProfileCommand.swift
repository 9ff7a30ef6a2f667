import ArgumentParser
import Assay
import AssayStatements
import Foundation

/// `assay statements profile`: how a file is read, as a profile to keep.
struct StatementProfileCommand: ShellCommand {
    static let configuration = CommandConfiguration(
        commandName: "profile",
        abstract: "Propose a profile for a CSV file or a workbook, with what each key rests on.",
        discussion:
            "Where the file leaves two readings open, both are shown with the key to choose, and the exit code is 65.")

    @Argument(help: "The file.")
    var file: String

    @Option(help: ArgumentHelp("Where the profile goes; standard output by default.", valueName: "file"))
    var out: String?

    func run(in shell: Shell) async throws -> ExitStatus {
        let console = try Console([:], in: shell)
        guard let content = FileManager.default.contents(atPath: shell.place(of: file)) else {
            throw CommandFailure(.notFound, "\(file) cannot be read; check its name")
        }
        let proposal: ProfileProposal
        do throws(StatementError) { proposal = try ProfileProposal(for: Array(content), name: file.fileName) } catch {
            throw CommandFailure(.invalidData, "\(file): \(error.message)")
        }
        var lines = ["# how \(file.safe) is read"]
        if let doubt = proposal.doubt { lines += ["# \(doubt.safe)", "# keep one of these:"] }
        for reading in proposal.readings { lines += [""] + self.lines(of: reading) }
        if let out {
            let text = lines.joined(separator: "\n") + "\n"
            guard FileManager.default.createFile(atPath: shell.place(of: out), contents: Data(text.utf8)) else {
                throw CommandFailure(
                    .inputOutput, "cannot write \(out); check that its folder is there and may be written")
            }
            console.note("the profile is in \(out.safe)")
        } else {
            try console.write(lines: lines)
        }
        return proposal.doubt == nil ? .success : .invalidData
    }

    private func lines(of reading: ProfileProposal.Reading) -> [String] {
        var lines = reading.statements.flatMap { statement -> [String] in
            let left = statement.leftOut
            let kinds = [
                ("pending", left.pending), ("refused", left.refused), ("balance", left.balance), ("total", left.total),
                ("part", left.part), ("text", left.text),
            ]
            let out = kinds.filter { $0.1 > 0 }.map { "\($0.1) \($0.0)" }.joined(separator: ", ")
            let account = statement.account.map { " of \($0.safe)" } ?? ""
            let balances = "opening \(String.figure(statement.opening)), closing \(String.figure(statement.closing))"
            let entries = statement.entries.prefix(3).map {
                "#   \($0.day.map { "\($0)" } ?? "no date")  \($0.amount)  \($0.text.safe)"
            }
            return [
                "# \(statement.entries.count) entries\(account), left out: \(out.isEmpty ? "none" : out); \(balances)"
            ] + entries
        }
        lines.append("csv:")
        let texts = reading.keys.map { "  \($0.name): \(Self.yaml($0.value))".safe }
        let width = texts.map(\.columns).max() ?? 0
        for (text, key) in zip(texts, reading.keys) {
            lines.append(text + String(repeating: " ", count: width - text.columns) + "  # \(key.evidence.safe)")
        }
        if reading.keys.isEmpty { lines[lines.count - 1] = "csv: {}  # nothing is to be said" }
        return lines
    }

    /// A value as YAML has it.
    private static func yaml(_ value: JSONValue) -> String {
        switch value {
        case .string(let text):
            let isPlain = !text.isEmpty && text.allSatisfy { $0.isASCII && ($0.isLetter || $0 == "_" || $0 == "-") }
            return isPlain && !["true", "false", "null", "yes", "no", "on", "off", "-"].contains(text.lowercased())
                ? text : "'" + text.replacing("'", with: "''") + "'"
        case .array(let elements): return "[" + elements.map { yaml($0) }.joined(separator: ", ") + "]"
        default: return value.json
        }
    }
}

/// `assay statements profiles`: the exports that are known.
struct StatementProfilesCommand: ShellCommand {
    static let configuration = CommandConfiguration(
        commandName: "profiles", abstract: "List the banks' exports that are known by their header.")

    @Argument(help: "The name of one.")
    var name: String?

    @OptionGroup var output: StatementOutputFlags

    func run(in shell: Shell) async throws -> ExitStatus {
        let (console, format) = try output.console(nil, in: shell)
        let shown = BuiltInProfile.all.filter { name == nil || $0.names.contains(name ?? "") }
        if let name, shown.isEmpty {
            throw CommandFailure(
                .notFound, "no built-in profile '\(name)'\(BuiltInProfile.suggestion(for: name))")
        }
        guard format == .table else {
            var rows = ExportRows(
                schema: "assay/statement_profiles/1", list: "profiles",
                keys: ["names", "country", "header", "date_order", "amount_sign", "account_type"])
            rows.rows = shown.map { profile in
                [
                    .array(profile.names.map { .string($0) }), JSONValue(text: profile.country),
                    .array(profile.header.map { .string($0) }), JSONValue(text: profile.profile.dateOrder?.rawValue),
                    JSONValue(text: profile.profile.amountSign?.rawValue),
                    JSONValue(text: profile.profile.accountType?.rawValue),
                ]
            }
            try rows.write(format, to: console)
            return .success
        }
        var table = TextTable([
            .text("PROFILE"), .text("COUNTRY"), .text("DATES"), .text("PLUS IS").dropped(1), .text("TYPE").dropped(2),
            .flexible("HEADER"),
        ])
        table.rows = shown.map { profile in
            let sign = profile.profile.amountSign
            return [
                profile.names.joined(separator: ", "), profile.country ?? "", profile.profile.dateOrder?.rawValue ?? "",
                sign == .card ? "a charge" : sign == .bank ? "money in" : "",
                profile.profile.accountType?.rawValue ?? "",
                profile.header.isEmpty ? "none: extends: \(profile.names[0])" : profile.header.joined(separator: ", "),
            ]
        }
        try console.write(table)
        return .success
    }
}
