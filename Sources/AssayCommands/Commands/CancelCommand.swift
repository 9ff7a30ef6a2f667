package import ArgumentParser
import Assay

/// `assay cancel`: stops a run in another program.
package struct CancelCommand: ShellCommand {
    package static let configuration = CommandConfiguration(
        commandName: "cancel", abstract: "Stop a run in progress, which can be resumed.",
        discussion: """
            Returns when the run has ended and that is in the store. What is in flight may finish, unless --now is given. \
            Exits with 1 when the run had ended before.
            """)

    @Argument(help: "The run: its name, how it begins, or 'last'.")
    var run: String

    @Flag(help: "Give up what is in flight.")
    var now = false

    @OptionGroup var store: StoreFlags
    @OptionGroup var output: OutputFlags

    package init() {}

    package func run(in shell: Shell) async throws -> ExitStatus {
        let console = try Console(store.settings.merging(output.settings) { $1 }, in: shell)
        let follower = RunFollower(console: console, shell: shell)
        let end = try await follower.follow(run, cancelling: !now)
        guard !end.wasOver else {
            throw CommandFailure(.failed, "run '\(end.run.id)' had ended before: \(end.run.status.rawValue)")
        }
        try follower.write(end)
        follower.tellWhatNext(end)
        return .success
    }
}
