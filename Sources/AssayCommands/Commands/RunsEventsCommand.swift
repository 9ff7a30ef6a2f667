package import ArgumentParser
import Assay

/// `assay runs events`: what happened in a run.
package struct RunsEventsCommand: ShellCommand {
    package static let configuration = CommandConfiguration(
        commandName: "events", abstract: "Show the recorded events of a run in their order.")

    @Argument(help: "The run.")
    var run: String

    @Option(help: ArgumentHelp("Only events after the one of this number.", valueName: "number"))
    var after = 0

    @Option(help: "At most so many; 0 for all.")
    var limit = 0

    @OptionGroup var store: StoreFlags
    @OptionGroup var output: OutputFlags

    package init() {}

    package func run(in shell: Shell) async throws -> ExitStatus {
        let console = try Console(store.settings.merging(output.settings) { $1 }, in: shell)
        let store = try await StoreAccess.reader(console, in: shell)
        defer { StoreAccess.close(store) }
        let run = try await store.existingRun(run)
        var listing = try Listing(
            console, schema: "assay/events/1", key: "events", facts: ["run_id": .string(run.id.text)],
            columns: [
                .number("NO"), .text("TIME"), .text("LEVEL"), .text("EVENT"),
            ] + (run.graphID == nil ? [] : [.text("NODE")]) + [.path("INPUT"), .flexible("DATA")])
        var (last, left) = (after, limit > 0 ? limit : Int.max)
        while left > 0 {
            let events = try await store.events(of: run.id, after: last, limit: min(left, 512))
            guard let newest = events.last?.sequence else { break }
            for event in events {
                try listing.add(
                    [
                        "\(event.sequence ?? 0)", "\(event.timestamp)", "\(event.level)", event.kind.rawValue,
                    ] + (run.graphID == nil ? [] : [event.processorID?.text ?? ""]) + [
                        event.inputID ?? "", event.data.isEmpty ? "" : JSONValue.object(event.data).json,
                    ], json: event.jsonValue)
            }
            (last, left) = (newest, left - events.count)
        }
        try listing.end(nothing: "no events")
        return .success
    }
}
