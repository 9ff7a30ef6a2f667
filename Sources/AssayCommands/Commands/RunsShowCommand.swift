package import ArgumentParser
import Assay

/// `assay runs show`: shows the report of a run.
package struct RunsShowCommand: ShellCommand {
    package static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show the report of a run as it is on record.")

    @Argument(help: "The run.")
    var run: String

    @OptionGroup var store: StoreFlags
    @OptionGroup var output: OutputFlags

    package init() {}

    package func run(in shell: Shell) async throws -> ExitStatus {
        let console = try Console(store.settings.merging(output.settings) { $1 }, in: shell)
        let store = try await StoreAccess.reader(console, in: shell)
        defer { StoreAccess.close(store) }
        let run = try await store.existingRun(run)
        let report = try await Engine(store: store).report(of: run.id, outcomes: false)
        let writer = RunWriter(console: console, store: store)
        if console.format == .jsonl { try await writer.writeOutcomes(of: run.id) }
        try await writer.write(report)
        if console.format == .table { try console.write(lines: details(of: run)) }
        return .success
    }

    private func details(of run: Run) -> [String] {
        var lines = [
            "",
            "execution \(run.executionID)  runner \(run.runner)  started \(run.startedAt)"
                + (run.finishedAt.map { "  finished \($0)" } ?? ""),
        ]
        if let previous = run.lineage.previousRunID { lines.append("follows run \(previous)") }
        if let deletedAt = run.deletedAt {
            lines.append("its items, outcomes and events were deleted \(deletedAt)")
        } else if run.status.isTerminal, run.status != .succeeded {
            lines.append(
                run.isListed
                    ? "to go on: assay \(run.status == .partial ? "retry" : "resume") \(run.id)"
                    : "it ended while its inputs were read; run the command again with all of them")
        }
        return lines
    }
}
