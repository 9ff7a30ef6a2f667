package import ArgumentParser
import Assay

/// `assay wait`: waits until a run has ended.
package struct WaitCommand: ShellCommand {
    package static let configuration = CommandConfiguration(
        commandName: "wait", abstract: "Wait until a run has ended, and exit as 'assay run' does.",
        discussion: "Exits with 124 when the time is over before; the run goes on.")

    @Argument(help: "The run: its name, how it begins, or 'last'.")
    var run: String

    @Option(help: ArgumentHelp("The longest to wait, for example 10m.", valueName: "duration"))
    var timeout: String?

    @OptionGroup var store: StoreFlags
    @OptionGroup var output: OutputFlags

    package init() {}

    package func run(in shell: Shell) async throws -> ExitStatus {
        let console = try Console(store.settings.merging(output.settings) { $1 }, in: shell)
        let limit = try timeout.map { text in
            guard let limit = Duration(text: text) else {
                throw CommandFailure.usage(
                    "--timeout must be a duration with its unit, for example 10m, found '\(text)'")
            }
            return limit
        }
        let follower = RunFollower(console: console, shell: shell)
        let end = try await follower.follow(run, atMost: limit)
        try follower.write(end)
        return end.exit
    }
}
