package import ArgumentParser
import Assay
import AssaySQLite

/// A command that changes something in the queue and shows the result.
protocol QueueChangeCommand: ShellCommand {
    var store: StoreFlags { get }
    var output: OutputFlags { get }

    /// Returns the verb to run.
    func verb(in shell: Shell) throws -> QueueVerb

    /// Returns the result in words.
    func words(_ result: JSONValue) -> String
}

extension QueueChangeCommand {
    package func run(in shell: Shell) async throws -> ExitStatus {
        let console = try Console(store.settings.merging(output.settings) { $1 }, in: shell)
        let result = try await QueueAccess(console: console, shell: shell).carryOut(verb(in: shell))
        if console.format == .table {
            try console.write(lines: [words(result).safe])
        } else {
            try console.write(fact: result)
        }
        return result["cancelled"]?.bool == false ? .failed : .success
    }

    func words(_ result: JSONValue) -> String {
        "execution \(result["execution_id"]?.string ?? "?"): \(result["status"]?.string ?? "?")"
    }

    func identifier(_ text: String) throws -> Execution.ID { try RunsListCommand.identifier(text, "the execution") }
}

/// `assay queue pause`: stops starting executions.
package struct QueuePauseCommand: QueueChangeCommand {
    package static let configuration = CommandConfiguration(
        commandName: "pause", abstract: "Start no further execution, until unpaused; what runs goes on.")

    @OptionGroup var store: StoreFlags
    @OptionGroup var output: OutputFlags

    package init() {}

    func verb(in shell: Shell) -> QueueVerb { .pause }
    func words(_ result: JSONValue) -> String { "the queue is paused" }
}

/// `assay queue unpause`: lets the queue work again.
package struct QueueUnpauseCommand: QueueChangeCommand {
    package static let configuration = CommandConfiguration(
        commandName: "unpause", abstract: "Let a paused queue work again.")

    @OptionGroup var store: StoreFlags
    @OptionGroup var output: OutputFlags

    package init() {}

    func verb(in shell: Shell) -> QueueVerb { .unpause }
    func words(_ result: JSONValue) -> String { "the queue is not paused" }
}

/// `assay queue cancel`: cancels an execution that waits or runs.
package struct QueueCancelCommand: QueueChangeCommand {
    package static let configuration = CommandConfiguration(
        commandName: "cancel", abstract: "Cancel an execution that waits or runs.",
        discussion: "Exits with 1 when it has ended before.")

    @Argument(help: "The execution.")
    var execution: String

    @OptionGroup var store: StoreFlags
    @OptionGroup var output: OutputFlags

    package init() {}

    func verb(in shell: Shell) throws -> QueueVerb { .cancel(try identifier(execution)) }
    func words(_ result: JSONValue) -> String {
        "execution \(execution) " + (result["cancelled"]?.bool == true ? "is cancelled" : "had ended before")
    }
}

/// `assay queue skip`: skips a waiting execution.
package struct QueueSkipCommand: QueueChangeCommand {
    package static let configuration = CommandConfiguration(
        commandName: "skip", abstract: "Leave out an execution that waits.")

    @Argument(help: "The execution.")
    var execution: String

    @Option(help: "Why, for those who look at it later.")
    var reason = "skipped by hand"

    @OptionGroup var store: StoreFlags
    @OptionGroup var output: OutputFlags

    package init() {}

    func verb(in shell: Shell) throws -> QueueVerb { .skip(try identifier(execution), reason: reason) }
}

/// `assay queue priority`: changes the priority of a waiting execution.
package struct QueuePriorityCommand: QueueChangeCommand {
    package static let configuration = CommandConfiguration(
        commandName: "priority", abstract: "Give an execution that waits another priority; the lowest goes first.",
        usage: "assay queue priority EXECUTION --priority=PRIORITY")

    @Argument(help: "The execution.")
    var execution: String

    @Option(help: "high, normal (by time), low, or any number; a negative one is written --priority=-1.")
    var priority: String

    @OptionGroup var store: StoreFlags
    @OptionGroup var output: OutputFlags

    package init() {}

    func verb(in shell: Shell) throws -> QueueVerb {
        .setPriority(try identifier(execution), try QueueSubmitCommand.priority(priority))
    }
    func words(_ result: JSONValue) -> String {
        "execution \(execution) has priority \(priority)"
    }
}

/// `assay queue retry`: runs the failed inputs of an ended execution again.
package struct QueueRetryCommand: QueueChangeCommand {
    package static let configuration = CommandConfiguration(
        commandName: "retry", abstract: "Let the failed inputs of an execution that has ended run again.")

    @Argument(help: "The execution.")
    var execution: String

    @OptionGroup var store: StoreFlags
    @OptionGroup var output: OutputFlags

    package init() {}

    func verb(in shell: Shell) throws -> QueueVerb { .retry(try identifier(execution)) }
}

/// `assay queue resume`: continues an ended execution.
package struct QueueResumeCommand: QueueChangeCommand {
    package static let configuration = CommandConfiguration(
        commandName: "resume", abstract: "Let an execution that has ended go on where it was.")

    @Argument(help: "The execution.")
    var execution: String

    @Flag(help: "Do everything again.")
    var reprocess = false

    @Option(
        help: ArgumentHelp(
            "What a changed processor means for finished steps: refuse, keep or restart.", valueName: "choice"))
    var onChange = "refuse"

    @OptionGroup var store: StoreFlags
    @OptionGroup var output: OutputFlags

    package init() {}

    func verb(in shell: Shell) throws -> QueueVerb {
        let change = try ChangePolicy(flag: onChange)
        return .resume(try identifier(execution), reprocess ? .reprocess : .resume, change)
    }
}

/// `assay queue copy`: submits the same work again as a separate execution.
package struct QueueCopyCommand: QueueChangeCommand {
    package static let configuration = CommandConfiguration(
        commandName: "copy", abstract: "Submit the work of an execution once more, as an execution of its own.",
        discussion: "It pays its base cost again.")

    @Argument(help: "The execution.")
    var execution: String

    @Flag(help: "Take its metadata along.")
    var metadata = false

    @OptionGroup var store: StoreFlags
    @OptionGroup var output: OutputFlags

    package init() {}

    func verb(in shell: Shell) throws -> QueueVerb { .copy(try identifier(execution), keepingMetadata: metadata) }
}

/// `assay queue prune`: forgets executions that have ended.
package struct QueuePruneCommand: QueueChangeCommand {
    package static let configuration = CommandConfiguration(
        commandName: "prune", abstract: "Forget executions that have ended, with all they did but their charges.",
        discussion: "Those that succeeded, partly or not, failed or were aborted, unless statuses are named.")

    @Option(help: "Only executions of this status; may be repeated.")
    var status: [String] = []

    @Option(help: ArgumentHelp("Only executions that ended so long ago, for example 30d.", valueName: "duration"))
    var olderThan: String?

    @OptionGroup var store: StoreFlags
    @OptionGroup var output: OutputFlags

    package init() {}

    func verb(in shell: Shell) throws -> QueueVerb {
        let statuses = try status.map { try RunsListCommand.status($0) }
        let age = try olderThan.map { text in
            guard let age = Duration(text: text) else {
                throw CommandFailure.usage(
                    "--older-than must be a duration with its unit, for example 30d, found '\(text)'")
            }
            return age
        }
        return .prune(statuses.isEmpty ? [.succeeded, .partial, .failed, .aborted] : Set(statuses), olderThan: age)
    }

    func words(_ result: JSONValue) -> String { "\(result["pruned"]?.json ?? "?") executions are forgotten" }
}

/// `assay queue snapshot`: writes everything in the queue as one JSON object.
package struct QueueSnapshotCommand: ShellCommand {
    package static let configuration = CommandConfiguration(
        commandName: "snapshot", abstract: "Write everything in the queue as one JSON object.")

    @OptionGroup var store: StoreFlags
    @OptionGroup var output: OutputFlags

    package init() {}

    package func run(in shell: Shell) async throws -> ExitStatus {
        let console = try Console(store.settings.merging(output.settings) { $1 }, in: shell)
        let store = try await StoreAccess.database(console, in: shell)
        defer { StoreAccess.close(store) }
        let engine = Engine(store: store, prices: PriceList(currency: store.currency), world: shell.world)
        let snapshot = try await ExecutionQueue.snapshot(of: engine)
        if console.format != .none { try console.write(json: snapshot.json + "\n") }
        return .success
    }
}

/// `assay queue restore`: fills an empty queue with a snapshot.
package struct QueueRestoreCommand: ShellCommand {
    package static let configuration = CommandConfiguration(
        commandName: "restore", abstract: "Fill an empty queue with a snapshot.")

    @Argument(help: ArgumentHelp("What 'assay queue snapshot' wrote.", valueName: "file.json"))
    var file: String

    @OptionGroup var store: StoreFlags
    @OptionGroup var output: OutputFlags

    package init() {}

    package func run(in shell: Shell) async throws -> ExitStatus {
        let console = try Console(store.settings.merging(output.settings) { $1 }, in: shell)
        let source = try DescriptorSource(path: shell.place(of: file), name: file)
        var bytes: [UInt8] = []
        while case let more = try source.read(65_536), !more.isEmpty { bytes += more }
        let snapshot: JSONValue
        do { snapshot = try JSONValue(json: bytes) } catch {
            throw CommandFailure(.invalidData, "\(file): not valid JSON: \(error)")
        }
        let store = try await StoreAccess.owner(console, in: shell)
        defer { StoreAccess.close(store) }
        let configuration = try snapshot["configuration"].map { try QueueConfiguration(json: $0) }
        let queue = try await QueueAccess(console: console, shell: shell).queue(store, configuration)
        try await queue.restore(snapshot)
        console.note("\(queue.counts.total.grouped) executions restored")
        return .success
    }
}
