package import ArgumentParser
import Assay

/// `assay alerts`: which alerts have fired, and which of them nobody has cleared.
package struct AlertsCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "alerts", abstract: "Show which alerts have fired, and clear them.",
        subcommands: [AlertsListCommand.self, AlertsClearCommand.self], defaultSubcommand: AlertsListCommand.self)

    package init() {}
}

/// `assay alerts list`: how alerts stand over all runs, or what fired in one.
package struct AlertsListCommand: ShellCommand {
    package static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Show which alerts have fired, how often, when last, and which are active.",
        discussion: """
            An alert is active from its firing until it is cleared, also when the program that watched has ended. With \
            --run: what fired in that run, from its recorded events.
            """)

    @Option(help: "What fired in this run.")
    var run: String?

    @OptionGroup var store: StoreFlags
    @OptionGroup var output: OutputFlags

    package init() {}

    package func run(in shell: Shell) async throws -> ExitStatus {
        let console = try Console(store.settings.merging(output.settings) { $1 }, in: shell)
        let store = try await StoreAccess.reader(console, in: shell)
        defer { StoreAccess.close(store) }
        if let run {
            try await show(of: try await store.existingRun(run), store, console)
        } else {
            try show(try await store.alerts(), console)
        }
        return .success
    }

    /// How all alerts stand: the active ones first, those that fired last before others.
    private func show(_ alerts: [AlertRecord], _ console: Console) throws {
        var listing = try Listing(
            console, schema: "assay/alerts/1", key: "alerts",
            columns: [
                .flexible("ALERT"), .text("STATE"), .number("FIRED"), .number("SUPPRESSED"), .number("ERRORS"),
                .text("LAST"), .text("EVENT"), .flexible("RUN"), .path("INPUT"),
            ])
        func rank(_ alert: AlertRecord) -> (Int, Int64) {
            (alert.isActive ? 0 : 1, -(alert.last?.firedAt.milliseconds ?? 0))
        }
        // One that only ever was kept back, or cleared, has not fired.
        for alert in alerts.filter({ $0.fired > 0 }).sorted(by: { rank($0) < rank($1) }) {
            try listing.add(
                [
                    alert.name, alert.isActive ? "active" : "cleared", alert.fired.grouped, alert.suppressed.grouped,
                    alert.errors.grouped, alert.last.map { "\($0.firedAt)" } ?? "", alert.last?.kind.rawValue ?? "",
                    alert.last?.runID?.text ?? "", alert.last?.inputID ?? "",
                ], json: alert.jsonValue)
        }
        try listing.end(nothing: "no alert has fired")
    }

    private func show(of run: Run, _ store: any Store, _ console: Console) async throws {
        var listing = try Listing(
            console, schema: "assay/alert_firings/1", key: "firings",
            columns: [.flexible("ALERT"), .text("TIME"), .text("EVENT"), .path("INPUT")])
        var last = 0
        while case let page = try await store.events(of: run.id, after: last, limit: 512),
            let newest = page.last?.sequence
        {
            last = newest
            for event in page where event.kind == .alert {
                guard let name = event.data["alert"]?.string else { continue }
                let kind = event.data["event_type"]?.string
                try listing.add(
                    [name, "\(event.timestamp)", kind ?? "", event.inputID ?? ""],
                    json: [
                        "name": .string(name), "fired_at": event.timestamp.jsonValue,
                        "event_type": JSONValue(text: kind), "run_id": .string(run.id.text),
                        "input_id": JSONValue(text: event.inputID),
                    ])
            }
        }
        try listing.end(nothing: "no alert has fired in run '\(run.id)'")
    }
}

/// `assay alerts clear`: makes alerts inactive.
package struct AlertsClearCommand: ShellCommand {
    package static let configuration = CommandConfiguration(
        commandName: "clear", abstract: "Make alerts inactive until they fire again.",
        discussion: "Also while another program watches; its cooldowns go on as they were.")

    @Argument(help: "The names of the alerts.")
    var names: [String]

    @OptionGroup var store: StoreFlags
    @OptionGroup var output: OutputFlags

    package init() {}

    package func run(in shell: Shell) async throws -> ExitStatus {
        let console = try Console(store.settings.merging(output.settings) { $1 }, in: shell)
        let access = AlertAccess(console: console, shell: shell)
        for name in names {
            guard try await access.clear(name) else {
                throw CommandFailure(.notFound, "no alert '\(name)' has fired; look with: assay alerts")
            }
            console.note("cleared '\(name.safe)'")
        }
        return .success
    }
}
