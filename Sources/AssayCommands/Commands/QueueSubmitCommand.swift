package import ArgumentParser
import Assay
import AssayPipelines

/// `assay queue submit`: an execution that waits for its turn.
package struct QueueSubmitCommand: ShellCommand {
    package static let configuration = CommandConfiguration(
        commandName: "submit", abstract: "Submit an execution of a pipeline to the queue.",
        usage: "assay queue submit PIPELINE [INPUT ...] [--inputs FILE] [--execution ID] [--priority=P] [options]",
        discussion: "Exits with 75 when too many wait; then nothing was stored.")

    @OptionGroup var what: TargetFlags

    @Option(
        help: ArgumentHelp(
            "high, normal (the default: by time), low, or a number: the lower, the earlier; high is 0.",
            valueName: "priority"))
    var priority: String?

    @Option(help: ArgumentHelp("A name under which the same can be submitted again safely.", valueName: "key"))
    var idempotencyKey: String?

    @Option(
        help: ArgumentHelp("What the admission policy is shown; may be repeated.", valueName: "key=value"))
    var request: [String] = []

    @Option(help: ArgumentHelp("What is to be remembered; may be repeated.", valueName: "key=value"))
    var metadata: [String] = []

    @Option(help: ArgumentHelp("Not before then: 2025-03-01T09:00:00Z.", valueName: "time"))
    var notBefore: String?

    @Option(help: ArgumentHelp("The longest each run of it may take, for example 10m.", valueName: "duration"))
    var runTimeout: String?

    @OptionGroup var how: RunFlags
    @OptionGroup var store: StoreFlags
    @OptionGroup var output: OutputFlags

    package init() {}

    package func run(in shell: Shell) async throws -> ExitStatus {
        let flags = [what.settings, how.settings, store.settings, output.settings]
            .reduce([:]) { $0.merging($1) { $1 } }
        let console = try Console(flags, in: shell)
        guard what.processor == nil else { throw CommandFailure.usage("the queue takes pipeline files only") }
        let (target, named) = try what.target(how, console, in: shell)
        let items = try what.items(named, of: target, console, in: shell).begun(allowsEmpty: what.allowEmpty)
        let submission = try submission(of: target, items)
        let result = try await QueueAccess(console: console, shell: shell).submit(submission, target.queue)
        if console.format == .table {
            try console.write(lines: [result["execution_id"]?.string ?? ""])
            if let before = result["waiting_before"]?.number?.integer {
                console.note(before == 0 ? "next in line" : "\(Int(before).grouped) before it in the line")
            }
        } else {
            try console.write(fact: result)
        }
        return .success
    }

    private func submission(of target: RunTarget, _ items: InputList.Begun) throws -> Submission {
        let reader = ItemReader(items)
        var submission = Submission(target.work.name) { try await reader.next($0) }
        if case .graph = target.work { submission.isOfGraph = true }
        submission.executionID = target.scope.executionID
        submission.pipeline = target.options.pipeline
        submission.scope = target.scope
        submission.priority = try priority.flatMap { try Self.priority($0) }
        submission.idempotencyKey = idempotencyKey
        submission.definitionFiles = target.work.definitionFiles
        submission.request = try Self.members(request, "--request")
        submission.metadata = try Self.members(metadata, "--metadata")
        submission.rehash = how.rehash
        submission.runRequest = .object(StoredRequest(target.request, target.options).members)
        submission.notBefore = try notBefore.map { text in
            guard let moment = Timestamp(text) else {
                throw CommandFailure.usage("--not-before must be a time such as 2025-03-01T09:00:00Z, found '\(text)'")
            }
            return moment
        }
        submission.timeout = try runTimeout.map { text in
            guard let limit = Duration(text: text), limit > .zero else {
                throw CommandFailure.usage(
                    "--run-timeout must be a duration with its unit, for example 10m, found '\(text)'")
            }
            return limit
        }
        return submission
    }

    /// The priority that a word or a number writes; `nil` for that of the time of submission.
    static func priority(_ text: String) throws -> Double? {
        switch text {
        case "high": return 0
        case "normal": return nil
        case "low": return Execution.lowPriority
        default: break
        }
        guard let number = Double(text), number.isFinite else {
            throw CommandFailure.usage(
                "--priority must be high, normal, low or a finite number such as --priority=-3, found '\(text)'")
        }
        return number
    }

    /// What `key=value` texts write; a value that is JSON is taken as such.
    private static func members(_ texts: [String], _ flag: String) throws -> JSONObject {
        var object = JSONObject()
        for text in texts {
            guard let mark = text.firstIndex(of: "="), mark != text.startIndex else {
                throw CommandFailure.usage("\(flag) must be key=value, found '\(text)'")
            }
            let value = String(text[text.index(after: mark)...])
            object[String(text[..<mark])] = (try? JSONValue(json: value)) ?? .string(value)
        }
        return object
    }
}

/// Takes pages of a list, one after another.
private actor ItemReader {
    private var iterator: InputList.AsyncIterator

    init(_ list: InputList.Begun) { iterator = list.makeAsyncIterator() }

    func next(_ limit: Int) throws -> [Item] { try iterator.page(limit) }
}
