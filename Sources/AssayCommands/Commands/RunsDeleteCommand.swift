package import ArgumentParser
import Assay

/// `assay runs delete`: deletes the items, outcomes and events of runs.
package struct RunsDeleteCommand: ShellCommand {
    package static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Delete the items, outcomes and events of runs that have ended.",
        discussion: """
            Without --yes it only says what it would delete. The runs stay in the list, and charges and calls are never \
            deleted: the ledger only grows. Runs that a resume still needs are kept.
            """)

    @Argument(help: "One run.")
    var run: String?

    @Option(help: ArgumentHelp("All runs that ended longer ago than this, for example 30d.", valueName: "duration"))
    var olderThan: String?

    @Flag(help: "Delete.")
    var yes = false

    @Flag(help: "Delete also the last run of an execution that is not finished; it cannot be resumed then.")
    var force = false

    @OptionGroup var store: StoreFlags
    @OptionGroup var output: OutputFlags

    package init() {}

    package func validate() throws {
        guard (run == nil) != (olderThan == nil) else {
            throw ValidationError("Name a run, or say which with --older-than.")
        }
    }

    package func run(in shell: Shell) async throws -> ExitStatus {
        let console = try Console(store.settings.merging(output.settings) { $1 }, in: shell)
        let store = try await StoreAccess.existing(console, in: shell)
        defer { StoreAccess.close(store) }
        let engine = Engine(store: store, world: shell.world)
        let runs = try await chosen(in: store, shell)
        var listing = try Listing(
            console, schema: "assay/deletion/1", key: "runs", facts: ["deleted": .bool(yes)],
            columns: [.flexible("RUN"), .text("STATUS"), .number("ITEMS"), .text("STARTED"), .flexible("WHAT")])
        var kept = 0
        for run in runs {
            let reason = try await engine.reasonToKeep(run, force: force)
            if reason == nil, yes { try await engine.delete(run.id, force: force) }
            kept += reason == nil ? 0 : 1
            let what = reason.map { "kept: \($0)" } ?? (yes ? "deleted" : "would be deleted")
            try listing.add(
                [run.id.text, run.status.rawValue, run.counts.total.grouped, "\(run.startedAt)", what],
                json: [
                    "run_id": .string(run.id.text), "items": JSONValue(count: run.counts.total),
                    "deleted": .bool(reason == nil && yes), "reason": JSONValue(text: reason),
                ])
        }
        try listing.end(nothing: "no runs ended that long ago")
        if kept < runs.count, !yes { console.note("nothing was deleted; say --yes to do it") }
        return kept < runs.count ? (yes ? .success : .usage) : (runs.isEmpty ? .success : .failed)
    }

    /// Returns the chosen runs, oldest first: an older run can be deleted only while a newer one exists.
    private func chosen(in store: any Store, _ shell: Shell) async throws -> [Run] {
        if let run { return [try await store.existingRun(run)] }
        guard let olderThan, let age = Duration(text: olderThan) else {
            throw CommandFailure.usage("--older-than must be a duration with its unit, for example 30d")
        }
        let limit = shell.world.time.now().advanced(by: .zero - age)
        return try await store.runs(matching: RunFilter()).reversed().filter { run in
            run.status.isTerminal && run.deletedAt == nil && (run.finishedAt ?? run.startedAt) < limit
        }
    }
}
