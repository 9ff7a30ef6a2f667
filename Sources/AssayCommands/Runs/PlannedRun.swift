import Assay
import AssayPipelines

/// A run that was planned before: the same things from the same beginnings, or nothing.
struct PlannedRun {
    /// What was planned.
    let file: PlanFile
    /// Where that stands, for messages.
    let path: String

    /// Runs exactly what was planned.
    ///
    /// - Throws: ``CommandFailure`` naming what has changed, when something has.
    func conduct(_ how: RunFlags, _ console: Console, in shell: Shell) async throws -> ExitStatus {
        try checkPipeline(console, in: shell)
        let store = try await StoreAccess.owner(console, in: shell)
        defer { StoreAccess.close(store) }
        let now = try await planned(how, store, console, in: shell)
        var differences = now.options.differences(from: file.options)
        // What both can tell is told once.
        differences += now.plan.differences(from: file.plan).filter { !differences.contains($0) }
        guard differences.isEmpty else {
            throw CommandFailure(
                .invalidData,
                "'\(path)' is no longer what would be done; nothing was run. "
                    + "Plan again, or run without --plan:\n  " + differences.map(\.safe).joined(separator: "\n  "))
        }
        let target = try target(how, console, in: shell)
        let stop = StopFlag()
        if let resumes = file.resumes {
            let previous = try await store.existingRun(resumes)
            return try await target.conduct(console, stop: stop, store: store, in: shell) { engine, options, watching in
                try await target.work.resume(
                    previous.id, engine, options, from: nil, failedOnly: file.failedOnly, watching: watching)
            }
        }
        let items = try items(of: target, stop, console, in: shell)
        return try await target.conduct(console, stop: stop, store: store, in: shell) { engine, options, watching in
            try await target.work.run(engine, over: items, options, watching: watching)
        }
    }

    /// The same, as it would be planned now.
    func planned(_ how: RunFlags, _ store: any Store, _ console: Console, in shell: Shell) async throws -> PlanFile {
        let target = try target(how, console, in: shell)
        let engine = target.engine(store, in: shell)
        var file = file
        file.request = .object(target.request)
        file.options = PlannedOptions(target.options)
        if let resumes = file.resumes {
            let run = try await store.existingRun(resumes)
            file.plan = try await target.work.plan(
                resuming: run.id, engine, target.options, failedOnly: file.failedOnly)
        } else {
            let items = try items(of: target, StopFlag(), console, in: shell)
            file.plan = try await target.work.plan(engine, over: items, target.options)
        }
        return file
    }

    private func target(_ how: RunFlags, _ console: Console, in shell: Shell) throws -> RunTarget {
        var target = try RunTarget(request: file.request, named: "the plan", console, in: shell)
        try target.apply(console.settings, earlier: file.request["flags"])
        if file.resumes != nil { target.request["relation"] = file.failedOnly ? "retry" : "resume" }
        target.options.caching = how.saidCaching ?? file.caching
        target.options.rehash = how.rehash
        target.scope = file.scope
        target.options.scope = file.scope
        return target
    }

    private func items(
        of target: RunTarget, _ stop: StopFlag, _ console: Console, in shell: Shell
    ) throws -> InputList {
        try InputList(
            file.inputs, lists: file.lists, otherwise: target.items, root: StoreAccess.root(console, in: shell),
            excluded: file.excluded, scope: target.scope, stop: stop, in: shell)
    }

    /// The pipeline file must still say what it said, although the plan holds a copy.
    private func checkPipeline(_ console: Console, in shell: Shell) throws {
        guard file.resumes == nil, let pipeline = file.request["pipeline"]?.string else { return }
        let now = try RunTarget(
            pipeline: pipeline, parameters: file.request["parameters"]?.array?.compactMap(\.string) ?? [], console,
            in: shell)
        guard now.request["definition"] == file.request["definition"] else {
            throw CommandFailure(
                .invalidData,
                "'\(path)' is no longer what would be done; nothing was run. "
                    + "Plan again, or run without --plan:\n  the pipeline file '\(pipeline.safe)' is another")
        }
    }
}
