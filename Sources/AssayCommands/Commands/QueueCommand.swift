package import ArgumentParser
import Assay
import AssaySQLite

/// `assay queue`: executions that wait for their turn.
package struct QueueCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "queue", abstract: "Submit executions to the priority queue, work on them, look at them.",
        subcommands: [
            QueueSubmitCommand.self, QueueListCommand.self, QueueStatusCommand.self, QueueShowCommand.self,
            QueueCycleCommand.self, QueueWorkCommand.self, QueuePauseCommand.self, QueueUnpauseCommand.self,
            QueueCancelCommand.self, QueueSkipCommand.self, QueuePriorityCommand.self, QueueRetryCommand.self,
            QueueResumeCommand.self, QueueCopyCommand.self, QueuePruneCommand.self, QueueSnapshotCommand.self,
            QueueRestoreCommand.self,
        ])

    package init() {}
}

/// `assay queue list`: lists executions in the order in which they entered their statuses, and waiting ones in queue
/// order.
package struct QueueListCommand: ShellCommand {
    package static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List executions, those that wait in the order of their turns.")

    @Argument(help: "Only executions of this status.")
    var status: String?

    @OptionGroup var store: StoreFlags
    @OptionGroup var output: OutputFlags

    package init() {}

    package func run(in shell: Shell) async throws -> ExitStatus {
        let console = try Console(store.settings.merging(output.settings) { $1 }, in: shell)
        let wanted = try status.map { try RunsListCommand.status($0) }
        let store = try await StoreAccess.database(console, in: shell)
        defer { StoreAccess.close(store) }
        let stand = QueueStand(
            try await store.queueRecord(), isOwned: try OwnerClient(SQLiteStore.socketName, in: store.folder) != nil,
            now: shell.world.time.now())
        var listing = try Listing(
            console, schema: "assay/executions/1", key: "executions",
            columns: [
                .flexible("EXECUTION"), .flexible("PROCESSOR"), .text("STATUS"), .number("PRIORITY"), .number("RUNS"),
                .text("CREATED"), .number("TOOK"), .flexible("WAITS FOR"),
            ])
        // Read all at once, so that an execution that changes its status meanwhile is neither missed nor listed twice.
        let found = try await store.executions(matching: ExecutionFilter(statuses: wanted.map { [$0] }))
        var byStatus = Dictionary(grouping: found, by: \.status)
        byStatus[.pending]?.sort { ($0.priority, $0.number ?? 0) < ($1.priority, $1.number ?? 0) }
        for execution in Status.allCases.flatMap({ byStatus[$0] ?? [] }) {
            let waits = stand.waits(execution)
            guard case .object(var row) = execution.brief else { continue }
            row["waits_for"] = JSONValue(text: waits)
            try listing.add(
                [
                    execution.id.text, execution.processorID?.text ?? "-", execution.status.rawValue,
                    execution.priorityText, execution.runs.grouped, "\(execution.createdAt)",
                    execution.duration.map(\.brief) ?? "-", waits ?? "-",
                ], json: .object(row))
        }
        try listing.end(nothing: "no executions")
        return .success
    }
}

/// `assay queue status`: counts executions by status.
package struct QueueStatusCommand: ShellCommand {
    package static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Tell how many executions stand where.")

    @OptionGroup var store: StoreFlags
    @OptionGroup var output: OutputFlags

    package init() {}

    package func run(in shell: Shell) async throws -> ExitStatus {
        let console = try Console(store.settings.merging(output.settings) { $1 }, in: shell)
        let store = try await StoreAccess.database(console, in: shell)
        defer { StoreAccess.close(store) }
        let counts = try await store.executionCounts()
        let record = try await store.queueRecord()
        let name = record?["configuration"]?["name"]?.string ?? "engine"
        let isPaused = record?["paused"]?.bool ?? false
        switch console.format {
        case .table:
            try console.write(lines: [counts.text(of: name.safe)])
            if isPaused { console.note("the queue is paused; to let it work: assay queue unpause") }
        case .json, .jsonl:
            try console.write(
                fact: [
                    "schema": "assay/queue/1", "name": .string(name), "paused": .bool(isPaused),
                    "total": JSONValue(count: counts.total), "counts": counts.jsonValue,
                ])
        case .none: break
        }
        return .success
    }
}

/// `assay queue show`: shows everything about an execution.
package struct QueueShowCommand: ShellCommand {
    package static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show everything about an execution, as JSON.")

    @Argument(help: "The execution.")
    var execution: String

    @OptionGroup var store: StoreFlags
    @OptionGroup var output: OutputFlags

    package init() {}

    package func run(in shell: Shell) async throws -> ExitStatus {
        let console = try Console(store.settings.merging(output.settings) { $1 }, in: shell)
        let id = try RunsListCommand.identifier(execution, "the execution")
        let store = try await StoreAccess.database(console, in: shell)
        defer { StoreAccess.close(store) }
        guard let found = try await store.execution(id), found.number != nil,
            case .object(var object) = found.jsonValue
        else {
            throw CommandFailure(
                .notFound, "execution '\(id)' is not in the queue; 'assay queue list' shows those that are")
        }
        object["schema"] = "assay/execution/1"
        if console.format != .none { try console.write(json: JSONValue.object(object).json + "\n") }
        return .success
    }
}
