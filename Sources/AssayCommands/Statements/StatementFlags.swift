import ArgumentParser
import Assay

extension ExportFormat: ExpressibleByArgument {}

/// Flags of the commands that show figures of statements.
struct StatementOutputFlags: ParsableArguments {
    @Option(name: [.short, .long], help: "How data is written: table, csv, json, jsonl or none.")
    var output: ExportFormat?

    @Option(help: "When colours are used: auto, always or never.")
    var color: ColorChoice?

    /// Returns the console and the format of the data.
    func console(_ store: StoreFlags?, in shell: Shell) throws -> (Console, ExportFormat) {
        // Other settings do not have CSV, which only these commands write.
        let named = output.flatMap { $0 == .csv ? OutputFormat.table : OutputFormat(rawValue: $0.rawValue) }
        let flags: [Settings.Key: String?] = [.output: named?.rawValue, .color: color?.rawValue]
        let console = try Console((store?.settings ?? [:]).merging(flags) { $1 }, in: shell)
        return (console, output ?? ExportFormat(rawValue: console.format.rawValue) ?? .table)
    }
}

/// The choice of a run and of its accounts.
struct StatementChoice: ParsableArguments {
    @Argument(help: "The run; the newest one by default.")
    var run: String?

    @Option(help: "Only this account: its number, the last characters of it, or its name.")
    var account: String?
}
