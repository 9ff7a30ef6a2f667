package import ArgumentParser
import Assay

/// `assay config`: settings.
package struct ConfigCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "config", abstract: "Look at settings.", subcommands: [ConfigShowCommand.self])

    package init() {}
}

/// `assay config show`: shows every setting and its origin.
package struct ConfigShowCommand: ShellCommand {
    package static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show every setting that is in force.")

    @Flag(help: "Show where each value comes from.")
    var origin = false

    @OptionGroup var store: StoreFlags
    @OptionGroup var output: OutputFlags

    package init() {}

    package func run(in shell: Shell) async throws -> ExitStatus {
        let console = try Console(store.settings.merging(output.settings) { $1 }, in: shell)
        var listing = try Listing(
            console, schema: "assay/settings/1", key: "settings",
            columns: [.text("SETTING"), .flexible("VALUE")] + (origin ? [.flexible("ORIGIN")] : []))
        for key in Settings.Key.allCases {
            let setting = console.settings[key]
            let from = setting.map { "\($0.origin)" } ?? "not set"
            try listing.add(
                [key.rawValue, setting?.text ?? "-"] + (origin ? [from] : []),
                json: ["name": .string(key.rawValue), "value": JSONValue(text: setting?.text), "origin": .string(from)])
        }
        try listing.end(nothing: "")
        return .success
    }
}
