package import ArgumentParser
import Assay
import AssaySQLite

/// `assay runs`: runs on record.
package struct RunsCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "runs", abstract: "Look at runs on record, and delete what they did.",
        subcommands: [
            RunsListCommand.self, RunsShowCommand.self, RunsItemsCommand.self, RunsEventsCommand.self,
            RunsLineageCommand.self,
            RunsDiffCommand.self, RunsDeleteCommand.self,
        ])

    package init() {}
}

/// `assay runs list`: lists runs, newest first.
package struct RunsListCommand: ShellCommand {
    package static let configuration = CommandConfiguration(commandName: "list", abstract: "List runs, newest first.")

    @Option(help: "Only runs of this status; may be repeated.")
    var status: [String] = []

    @Option(help: "Only runs of this processor.")
    var processor: String?

    @Option(
        help: ArgumentHelp(
            "Only runs begun since then: 2025-03-01, 2025-03-01T09:00:00Z, or 24h ago as '24h'.", valueName: "time"))
    var since: String?

    @Option(help: "At most so many; 0 for all.")
    var limit = 50

    @OptionGroup var store: StoreFlags
    @OptionGroup var output: OutputFlags

    package init() {}

    package func run(in shell: Shell) async throws -> ExitStatus {
        let console = try Console(store.settings.merging(output.settings) { $1 }, in: shell)
        let filter = RunFilter(
            processorID: try processor.map { try Self.identifier($0, "--processor") },
            statuses: status.isEmpty ? nil : Set(try status.map(Self.status)),
            since: try since.map { try Timestamp(since: $0, "--since", in: shell) }, limit: limit > 0 ? limit : nil)
        let store = try await StoreAccess.database(console, in: shell)
        defer { StoreAccess.close(store) }
        let runs = try await store.runs(matching: filter)
        var listing = try Listing(
            console, schema: "assay/runs/1", key: "runs",
            columns: [
                .text("RUN"), .flexible("PROCESSOR"), .text("STATUS"), .number("ITEMS"), .number("OK"),
                .number("FAILED"), .text("STARTED"), .number("TOOK"),
            ])
        for var run in runs {
            // A run receives its counts when it ends. Until then they come from its outcomes.
            if !run.status.isTerminal { run.counts = try await store.currentCounts(of: run.id) }
            let counts = run.counts
            try listing.add(
                [
                    run.id.text, run.processorID.text, run.status.rawValue, counts.total.grouped,
                    counts.succeeded.grouped, counts.failed.grouped, "\(run.startedAt)",
                    run.duration.map(\.brief) ?? "-",
                ], json: run.row)
        }
        try listing.end(nothing: "no runs")
        return .success
    }

    /// Returns the status that `text` names.
    static func status(_ text: String) throws -> Status {
        guard let status = Status(rawValue: text) else {
            throw CommandFailure.usage(
                "unknown status '\(text)'" + Nearest.ending(for: text, among: Status.allCases.map(\.rawValue)))
        }
        return status
    }

    /// Returns `text` as an identifier.
    static func identifier(_ text: String, _ flag: String) throws -> Identifier {
        guard let identifier = Identifier(text) else {
            throw CommandFailure.usage("\(flag) must be letters, digits, '.', '_' and '-', found '\(text)'")
        }
        return identifier
    }
}

extension Run {
    /// The run as a row of a listing.
    var row: JSONValue {
        get throws {
            guard case .object(var object) = try jsonValue else { return .null }
            for key in ["summary", "metrics"] { object[key] = nil }
            return .object(object)
        }
    }
}

extension Timestamp {
    /// Parses `text` as a moment, or as a duration before now.
    init(since text: String, _ flag: String, in shell: Shell) throws {
        if let ago = Duration(text: text) {
            self = shell.world.time.now().advanced(by: .zero - ago)
        } else if let moment = Timestamp(text) {
            self = moment
        } else {
            throw CommandFailure.usage(
                "\(flag) must be a time such as 2025-03-01 or a duration such as 24h, found '\(text)'")
        }
    }
}
