package import ArgumentParser
import Assay

/// `assay alerts`: which alerts have fired, in the runs that are on record.
package struct AlertsCommand: ShellCommand {
    package static let configuration = CommandConfiguration(
        commandName: "alerts", abstract: "Show which alerts have fired, how often, and when last.",
        discussion: "Read from the recorded events of the newest runs.")

    @Option(help: "Only this run.")
    var run: String?

    @Option(help: "Look at so many of the newest runs.")
    var limit = 50

    @OptionGroup var store: StoreFlags
    @OptionGroup var output: OutputFlags

    package init() {}

    /// What is on record of an alert.
    private struct Firings {
        var count = 0
        var last: Event
    }

    package func run(in shell: Shell) async throws -> ExitStatus {
        let console = try Console(store.settings.merging(output.settings) { $1 }, in: shell)
        let store = try await StoreAccess.reader(console, in: shell)
        defer { StoreAccess.close(store) }
        let runs =
            if let run { [try await store.existingRun(run)] } else {
                try await store.runs(matching: RunFilter(limit: max(0, limit)))
            }
        var alerts: [String: Firings] = [:]
        for run in runs {
            try await store.forEachEvent(of: run.id) { event in
                guard event.kind == .alert, let name = event.data["alert"]?.string else { return }
                var firings = alerts[name] ?? Firings(last: event)
                firings.count += 1
                if event.timestamp >= firings.last.timestamp { firings.last = event }
                alerts[name] = firings
            }
        }
        try show(alerts, console)
        return .success
    }

    private func show(_ alerts: [String: Firings], _ console: Console) throws {
        var listing = try Listing(
            console, schema: "assay/alerts/1", key: "alerts",
            columns: [
                .flexible("ALERT"), .number("FIRED"), .text("LAST"), .text("EVENT"), .flexible("RUN"),
                .flexible("INPUT"),
            ])
        for (name, firings) in alerts.sorted(by: { $0.value.last.timestamp > $1.value.last.timestamp }) {
            let last = firings.last
            let kind = last.data["event_type"]?.string
            try listing.add(
                [
                    name, firings.count.grouped, "\(last.timestamp)", kind ?? "", last.runID?.text ?? "",
                    last.inputID ?? "",
                ],
                json: [
                    "name": .string(name), "fired": JSONValue(count: firings.count),
                    "last_fired": last.timestamp.jsonValue, "event_type": JSONValue(text: kind),
                    "run_id": JSONValue(text: last.runID?.text), "input_id": JSONValue(text: last.inputID),
                ])
        }
        try listing.end(nothing: "no alert has fired")
    }
}

extension Store {
    /// Hands over the recorded events of a run in their order.
    fileprivate func forEachEvent(of run: Run.ID, _ body: (Event) -> Void) async throws {
        var last = 0
        while case let page = try await events(of: run, after: last, limit: 512), let newest = page.last?.sequence {
            page.forEach(body)
            last = newest
        }
    }
}
