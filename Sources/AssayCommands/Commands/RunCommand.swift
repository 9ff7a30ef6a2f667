package import ArgumentParser
import Assay

/// `assay run`: a pipeline file, or one processor, over inputs.
package struct RunCommand: ShellCommand {
    package static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Run a pipeline file, or one processor, over inputs.",
        usage: """
            assay run PIPELINE [INPUT ...] [options]
            assay run --processor TYPE INPUT ... [options]
            assay run --plan FILE [options]
            """,
        discussion: """
            An input is a file, a folder (with all its files), a pattern such as 'statements/*.ofx', or '-' for JSON \
            lines on the input: {"input_id": …, "data": …} or {"file": PATH}. Ctrl-C once finishes what is in flight \
            and leaves a run that can be resumed; twice stops at once.
            """)

    @OptionGroup var what: TargetFlags

    @Option(
        help: ArgumentHelp(
            "Do what 'assay plan --out' found, or refuse when anything has changed since.", valueName: "file"))
    var plan: String?

    @Flag(
        name: .customLong("continue"),
        help: "Go on with the newest execution of this file and inputs, carrying what is finished; none: a new one.")
    var continues = false

    @Option(
        help: ArgumentHelp(
            "With --execution, what a changed processor means for finished work: refuse, keep or restart.",
            valueName: "choice"))
    var onChange: String?

    @OptionGroup var breaks: BreakFlags
    @OptionGroup var how: RunFlags
    @OptionGroup var store: StoreFlags
    @OptionGroup var output: OutputFlags

    package init() {}

    package func run(in shell: Shell) async throws -> ExitStatus {
        let flags = [what.settings, how.settings, store.settings, output.settings]
            .reduce([:]) { $0.merging($1) { $1 } }
        let console = try Console(flags, in: shell)
        if let plan {
            guard what.isEmpty, onChange == nil else {
                throw CommandFailure.usage("--plan names what is run and its inputs; name nothing else")
            }
            let (file, rows) = try PlanFile.read(plan, in: shell)
            return try await PlannedRun(file: file, rows: rows, path: plan).conduct(how, console, in: shell)
        }
        var (target, named) = try what.target(how, console, in: shell)
        if let onChange {
            guard continues || target.scope.executionID != nil else {
                throw CommandFailure.usage(
                    "--on-change is about earlier work; say which with --execution or --continue")
            }
            target.options.onChange = try ChangePolicy(flag: onChange)
        }
        try breaks.apply(to: &target.work)
        let work = target.work
        let stop = StopFlag()
        var items = try what.items(named, of: target, stop: stop, console, in: shell)
        target.request["inputs"] = .array((named + what.inputs).map { .string($0) })
        guard !continues || target.scope.executionID == nil else {
            throw CommandFailure.usage("--continue takes the newest execution; --execution names one; give one of them")
        }
        let store = try await StoreAccess.owner(console, in: shell)
        defer { StoreAccess.close(store) }
        if target.scope.executionID == nil, try await lookBack(&target, store, console) {
            items = try what.items(named, of: target, stop: stop, console, in: shell)
        }
        let list = items
        return try await target.conduct(console, stop: stop, store: store, in: shell) { engine, options, watching in
            try await work.run(
                engine, over: list.begun(allowsEmpty: what.allowEmpty), options, watching: watching)
        }
    }

    /// Takes up the newest execution of the same file and inputs, or says that it could be.
    ///
    /// - Returns: whether it was taken up.
    private func lookBack(_ target: inout RunTarget, _ store: any Store, _ console: Console) async throws -> Bool {
        guard let run = try await EarlierRuns(like: target, in: store).newest() else { return false }
        if continues {
            target.scope.executionID = run.executionID
            target.options.scope = target.scope
            return true
        }
        guard run.counts.succeeded > 0, try !console.settings.quiet() else { return false }
        console.note(
            "hint: an earlier run has finished \(run.counts.succeeded.grouped) of these inputs; to carry those that are "
                + "unchanged: --continue, or --execution \(run.executionID)")
        return false
    }
}
