package import ArgumentParser
import Assay

/// `assay plan`: what a run would do and cost.
package struct PlanCommand: ShellCommand {
    package static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "Show what a run would do with each input, and what that would cost at the prices of now.",
        usage: """
            assay plan PIPELINE [INPUT ...] [options]
            assay plan --processor TYPE INPUT ... [options]
            assay plan --resume RUN [options]
            assay plan --retry RUN [options]
            """,
        discussion: """
            Nothing is extracted, charged or recorded. Costs are shown from the least, if every input succeeds, to \
            the most; where a processor does not tell what it pays for, the most is that of its last run, if it had one.
            """)

    @OptionGroup var what: TargetFlags

    @Option(help: ArgumentHelp("Plan what 'assay resume' would do.", valueName: "run"))
    var resume: String?

    @Option(help: ArgumentHelp("Plan what 'assay retry' would do.", valueName: "run"))
    var retry: String?

    @Option(help: ArgumentHelp("Save the plan for 'assay run --plan'.", valueName: "file"))
    var out: String?

    @OptionGroup var how: RunFlags
    @OptionGroup var store: StoreFlags
    @OptionGroup var output: OutputFlags

    package init() {}

    package func validate() throws {
        guard resume == nil || retry == nil else { throw ValidationError("--resume and --retry exclude each other.") }
    }

    package func run(in shell: Shell) async throws -> ExitStatus {
        let flags = [what.settings, how.settings, store.settings, output.settings]
            .reduce([:]) { $0.merging($1) { $1 } }
        let console = try Console(flags, in: shell)
        let store = try await StoreAccess.readerOrEmpty(console, in: shell)
        defer { StoreAccess.close(store) }
        let file = try await plan(store, console, in: shell)
        if let out { try file.write(to: out, in: shell) }
        try PlanText(file.plan).write(to: console)
        if let out { console.note("to do exactly this: assay run --plan \(out)\(console.settings.storeAgain)") }
        return file.plan.gate == nil ? .success : .failed
    }

    private func plan(_ store: any Store, _ console: Console, in shell: Shell) async throws -> PlanFile {
        if let previous = resume ?? retry {
            guard what.isEmpty else {
                let flag = resume == nil ? "--retry" : "--resume"
                throw CommandFailure.usage("\(flag) names what is run and its inputs; name nothing else")
            }
            let run = try await store.existingRun(previous)
            let file = PlanFile(
                request: run.request, inputs: [], lists: [], scope: run.scope,
                caching: how.saidCaching ?? StoredRequest(run.request).caching,
                resumes: run.id.text, failedOnly: retry != nil, options: PlannedOptions(RunOptions()), plan: .nothing)
            return try await PlannedRun(file: file, path: "").planned(how, store, console, in: shell)
        }
        let (target, named) = try what.target(how, console, in: shell)
        guard out == nil || !named.contains("-") else {
            throw CommandFailure.usage("inputs from '-' cannot be read again, so no plan of them can be saved")
        }
        let items = try what.items(named, of: target, console, in: shell).begun(allowsEmpty: what.allowEmpty)
        let engine = target.engine(store, in: shell)
        return PlanFile(
            request: .object(target.request), inputs: named, lists: what.inputs, excluded: what.exclude,
            scope: target.scope,
            caching: how.caching, options: PlannedOptions(target.options),
            plan: try await target.work.plan(engine, over: items, target.options))
    }
}
