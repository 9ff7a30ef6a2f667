package import ArgumentParser
import Assay
import Foundation

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
            Nothing is extracted, charged or recorded, but for what --sample works on. Costs are shown from the least, \
            if every input succeeds, to the most; where a processor does not tell what it pays for, they are estimated \
            from its last run, if it had one, or from a sample, at the prices of now.
            """)

    @OptionGroup var what: TargetFlags

    @Option(help: ArgumentHelp("Plan what 'assay resume' would do.", valueName: "run"))
    var resume: String?

    @Option(help: ArgumentHelp("Plan what 'assay retry' would do.", valueName: "run"))
    var retry: String?

    @Option(help: ArgumentHelp("Save the plan for 'assay run --plan'.", valueName: "file"))
    var out: String?

    @Flag(help: "Show each input, not only groups of them.")
    var items = false

    @Option(
        help: ArgumentHelp(
            "Work on so many inputs first, spread over the list, and estimate from them what nobody tells the cost of.",
            valueName: "number"))
    var sample: Int?

    @Flag(help: "Accept what the sample costs.")
    var yes = false

    @OptionGroup var how: RunFlags
    @OptionGroup var store: StoreFlags
    @OptionGroup var output: OutputFlags

    package init() {}

    package func validate() throws {
        guard resume == nil || retry == nil else { throw ValidationError("--resume and --retry exclude each other.") }
        guard let sample else { return }
        guard sample > 0 else { throw ValidationError("--sample needs a number of inputs.") }
        guard resume == nil, retry == nil else {
            throw ValidationError("--sample is of new work; a resume or a retry has an earlier run to go by.")
        }
    }

    package func run(in shell: Shell) async throws -> ExitStatus {
        let flags = [what.settings, how.settings, store.settings, output.settings]
            .reduce([:]) { $0.merging($1) { $1 } }
        let console = try Console(flags, in: shell)
        let store =
            try await sample == nil
            ? StoreAccess.readerOrEmpty(console, in: shell) : StoreAccess.owner(console, in: shell)
        defer { StoreAccess.close(store) }
        let rows = try out != nil || items || PlanText.hasRows(console.format) ? PlanRows() : nil
        let file = try await plan(store, rows, console, in: shell)
        if let out, let rows { try file.write(rows, to: out, in: shell) }
        try PlanText(file.plan, items || PlanText.hasRows(console.format) ? rows : nil).write(to: console)
        let again = console.settings.storeAgain
        if let out {
            console.note("to do exactly this: assay run --plan \(out)\(again)")
        } else if file.plan.estimate?.isSample == true, let execution = file.plan.executionID {
            console.note("to carry what was sampled: --execution \(execution)\(again)")
        }
        return file.plan.gate == nil ? .success : .failed
    }

    private func plan(
        _ store: any Store, _ rows: PlanRows?, _ console: Console, in shell: Shell
    ) async throws -> PlanFile {
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
            return try await PlannedRun(file: file, rows: nil, path: "").planned(how, store, console, in: shell) {
                try rows?.add($0)
            }
        }
        var (target, named) = try what.target(how, console, in: shell)
        guard !named.contains("-") || out == nil && sample == nil else {
            throw CommandFailure.usage(
                "inputs from '-' cannot be read again, so no plan of them can be \(sample == nil ? "saved" : "sampled")"
            )
        }
        let sampled: Run.ID? =
            if let sample { try await run(sample, of: &target, named, store, console, in: shell) } else { nil }
        let items = try what.items(named, of: target, console, in: shell).begun(allowsEmpty: what.allowEmpty)
        let engine = target.engine(store, in: shell)
        return PlanFile(
            request: .object(target.request), inputs: named, lists: what.inputs, excluded: what.exclude,
            scope: target.scope,
            caching: how.caching, options: PlannedOptions(target.options),
            plan: try await target.work.plan(engine, over: items, target.options, by: sampled) { try rows?.add($0) })
    }

    // MARK: The sample

    /// Works on some inputs, once what that costs is accepted, in the execution that is planned.
    ///
    /// - Returns: their run; `nil` when there is nothing to find out.
    private func run(
        _ size: Int, of target: inout RunTarget, _ named: [String], _ store: any Store, _ console: Console,
        in shell: Shell
    ) async throws -> Run.ID? {
        var sample = PlanSample(size)
        let list = try what.items(named, of: target, console, in: shell).begun(allowsEmpty: what.allowEmpty)
        let plan = try await target.work.plan(target.engine(store, in: shell), over: list, target.options) {
            sample.take($0)
        }
        let chosen = sample.choices.map(\.inputID)
        guard plan.gate == nil, !chosen.isEmpty else { return nil }
        guard plan.groups.contains(where: { $0.calls == nil }) else {
            console.note("nothing is sampled: what each input costs is told by its processor")
            return nil
        }
        try accept(sample.cost(plan.base), of: chosen.count, plan, console, in: shell)
        if target.scope.executionID == nil { target.scope.executionID = shell.world.makeIdentifier() }
        target.options.scope = target.scope
        target.request["inputs"] = .array((named + what.inputs).map { .string($0) })
        let wanted = Set(chosen.compactMap { ExternalID($0) })
        var items: [Item] = []
        for try await item in try what.items(named, of: target, console, in: shell) {
            if let id = ExternalID(item.id), wanted.contains(id) { items.append(item) }
        }
        let part = try InputList([], otherwise: items, scope: target.scope, in: shell)
        let (work, silent) = (target.work, console.silent)
        var run: Run.ID?
        let exit = try await target.conduct(silent, stop: StopFlag(), store: store, in: shell) {
            engine, options, watching in
            let report = try await work.run(engine, over: part, options, watching: watching)
            run = report.runID
            return report
        }
        guard ![.interrupted, .terminated, .hungUp].contains(exit) else {
            throw CommandFailure(exit, "the sample was stopped, so nothing is planned")
        }
        return run
    }

    /// Asks for consent to what a sample costs: `--yes`, or a person at the terminal.
    private func accept(
        _ cost: (low: MoneySum, high: MoneySum?), of count: Int, _ plan: Plan, _ console: Console, in shell: Shell
    ) throws {
        let whole = plan.inputs
        let most = cost.high.map { $0 == cost.low ? "" : " to \($0)" } ?? " to an unknown amount"
        let text =
            "a sample of \(count.grouped) of \(whole.grouped) inputs costs \(cost.low)\(most) \(plan.currency)"
        guard !yes else { return console.note(text) }
        guard console.screen.columns != nil, shell.input.isTerminal else {
            throw CommandFailure.usage("\(text); nothing was run; say --yes to have it worked on")
        }
        console.note("\(text); work on it? [y/N]")
        var answer = LineBuffer()
        while case let bytes = try shell.input.read(4_096), !bytes.isEmpty {
            answer.add(bytes)
            guard let line = try answer.next() else { continue }
            let word = String(decoding: line, as: UTF8.self).trimmingCharacters(in: .whitespaces).lowercased()
            if word == "y" || word == "yes" { return }
            break
        }
        throw CommandFailure(.failed, "the sample was not accepted; nothing was run")
    }
}
