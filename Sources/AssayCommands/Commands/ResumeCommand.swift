package import ArgumentParser
import Assay

/// `assay resume`: finishes what a run left unfinished.
package struct ResumeCommand: ShellCommand {
    package static let configuration = CommandConfiguration(
        commandName: "resume",
        abstract: "Go on with a run that failed, was cancelled or was left behind.",
        discussion: "Finished items and finished steps are not done again. The new run belongs to the same execution.")

    @Argument(help: ArgumentHelp("The run to go on with.", valueName: "run"))
    var run: String

    @Option(
        help: ArgumentHelp(
            "Change a value of the definition on record, here and for further resumes: timeout=2h, "
                + "runner.max_workers=4, processors.NAME.parameters.KEY=VALUE; may be repeated.",
            valueName: "key=value"))
    var set: [String] = []

    @Option(
        help: ArgumentHelp(
            "A checkpoint of a graph's node to go on from: it is taken as what the node gave, and the nodes behind it "
                + "run again.",
            valueName: "checkpoint"))
    var from: String?

    @OptionGroup var again: AgainFlags
    @OptionGroup var breaks: BreakFlags
    @OptionGroup var how: RunFlags
    @OptionGroup var store: StoreFlags
    @OptionGroup var output: OutputFlags

    package init() {}

    package func validate() throws {
        guard set.isEmpty || again.pipeline == nil else {
            throw ValidationError("--set changes the definition on record; with --pipeline change the file.")
        }
    }

    package func run(in shell: Shell) async throws -> ExitStatus {
        let flags = how.settings.merging(store.settings) { $1 }.merging(output.settings) { $1 }
        return try await again.conduct(
            run, Console(flags, in: shell), how, breaks, changes: set, from: from, failedOnly: false, in: shell)
    }
}

/// `assay retry`: runs the failed items of a run again.
package struct RetryCommand: ShellCommand {
    package static let configuration = CommandConfiguration(
        commandName: "retry",
        abstract: "Run the failed items of a run again.",
        discussion:
            "All other items keep their outcomes. Finished steps are not done again, unless --reprocess is given.")

    @Argument(help: ArgumentHelp("The run whose failed items are meant.", valueName: "run"))
    var run: String

    @Flag(help: "Start each item from its beginning.")
    var reprocess = false

    @OptionGroup var again: AgainFlags
    @OptionGroup var breaks: BreakFlags
    @OptionGroup var how: RunFlags
    @OptionGroup var store: StoreFlags
    @OptionGroup var output: OutputFlags

    package init() {}

    package func run(in shell: Shell) async throws -> ExitStatus {
        let flags = how.settings.merging(store.settings) { $1 }.merging(output.settings) { $1 }
        return try await again.conduct(
            run, Console(flags, in: shell), how, breaks, failedOnly: true, reprocess: reprocess, in: shell)
    }
}

/// Flags of the commands that continue a run on record.
package struct AgainFlags: ParsableArguments {
    @Option(help: "Use this pipeline file in place of the definition on record.")
    var pipeline: String?

    @Option(
        help: ArgumentHelp(
            "What a changed processor means for finished steps: refuse, keep or restart.", valueName: "choice"))
    var onChange: String?

    package init() {}

    /// Runs the work of `run` again.
    func conduct(
        _ run: String, _ console: Console, _ how: RunFlags, _ breaks: BreakFlags, changes: [String] = [],
        from checkpoint: String? = nil, failedOnly: Bool, reprocess: Bool = false, in shell: Shell
    ) async throws -> ExitStatus {
        let store = try await StoreAccess.existing(console, in: shell)
        defer { StoreAccess.close(store) }
        let previous = try await store.existingRun(run)
        guard previous.status != .paused else {
            throw CommandFailure(
                .failed,
                "run '\(previous.id)' is paused; to go on: assay graph continue \(previous.id)  "
                    + "(or end it: assay cancel \(previous.id))")
        }
        var request = StoredRequest(previous.request)
        try request.apply(changes)
        var target =
            if let pipeline {
                try RunTarget(pipeline: pipeline, parameters: [], console, in: shell)
            } else {
                try request.target(of: previous.id, isChanged: !changes.isEmpty, console, in: shell)
            }
        try target.apply(console.settings, earlier: request.flags)
        try breaks.apply(to: &target.work)
        let work = target.work
        target.request["relation"] = .string(reprocess ? "reprocess" : failedOnly ? "retry" : "resume")
        request.repeatCaching(how.saidCaching, in: &target.options, since: previous.startedAt)
        target.options.rehash = how.rehash
        target.options.scope = previous.scope
        if reprocess { target.options.recovery = .reprocess }
        if let onChange { target.options.onChange = try ChangePolicy(flag: onChange) }
        return try await target.conduct(console, stop: StopFlag(), store: store, in: shell) {
            engine, options, watching in
            try await work.resume(
                previous.id, engine, options, from: checkpoint, failedOnly: failedOnly, watching: watching)
        }
    }
}
