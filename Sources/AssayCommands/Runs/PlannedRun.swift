import Assay
import AssayPipelines

/// A run that was planned before: the same things from the same beginnings, or nothing.
struct PlannedRun {
    /// What was planned.
    let file: PlanFile
    /// What was planned for each input, as far as it is on record.
    let rows: SavedRows?
    /// Where that stands, for messages.
    let path: String

    /// Runs exactly what was planned.
    ///
    /// - Throws: ``CommandFailure`` naming what has changed, when something has.
    func conduct(_ how: RunFlags, _ console: Console, in shell: Shell) async throws -> ExitStatus {
        try checkPipeline(console, in: shell)
        let store = try await StoreAccess.owner(console, in: shell)
        defer { StoreAccess.close(store) }
        var comparison = PlanComparison(with: file, rows, path: path)
        let now = try await planned(how, store, console, in: shell) { try comparison.take($0) }
        let differences = try comparison.differences(of: now)
        guard differences.isEmpty else { throw refusal(differences) }
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

    private func refusal(_ differences: [String]) -> CommandFailure {
        CommandFailure(
            .invalidData,
            "'\(path)' is no longer what would be done; nothing was run. "
                + "Plan again, or run without --plan:\n  " + differences.map(\.safe).joined(separator: "\n  "))
    }

    /// The same, as it would be planned now; `each` takes what would be done with each input.
    func planned(
        _ how: RunFlags, _ store: any Store, _ console: Console, in shell: Shell,
        each: (Plan.Entry) async throws -> Void
    ) async throws -> PlanFile {
        let target = try target(how, console, in: shell)
        let engine = target.engine(store, in: shell)
        var file = file
        file.request = .object(target.request)
        file.options = PlannedOptions(target.options)
        if let resumes = file.resumes {
            let run = try await store.existingRun(resumes)
            file.plan = try await target.work.plan(
                resuming: run.id, engine, target.options, failedOnly: file.failedOnly, each: each)
        } else {
            let items = try items(of: target, StopFlag(), console, in: shell)
            let estimate = file.plan.estimate
            file.plan = try await target.work.plan(
                engine, over: items, target.options, by: estimate?.isSample == true ? estimate?.runID : nil, each: each)
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
        let (new, old) = (now.request["definition"] ?? .null, file.request["definition"] ?? .null)
        guard new == old else {
            throw refusal(
                ["the pipeline file '\(pipeline)' is another"] + PipelineDifferences(of: new, from: old).told.prefix(10)
            )
        }
    }
}

/// Holds what would be done now against what was planned, input by input.
struct PlanComparison {
    /// More are only counted.
    private static let most = 10

    private let file: PlanFile
    private var rows: SavedRows?
    private let path: String
    private var found: [String] = []
    private var count = 0
    private var taken = 0

    init(with file: PlanFile, _ rows: SavedRows?, path: String) {
        (self.file, self.rows, self.path) = (file, rows, path)
    }

    /// Takes what would be done with the next input.
    mutating func take(_ entry: Plan.Entry) throws {
        // What is more than was planned is told by the number of inputs.
        guard taken < file.plan.inputs else { return }
        taken += 1
        guard let then = try rows?.next() else { throw broken("fewer") }
        guard let difference = file.plan.settled(entry).difference(from: then) else { return }
        count += 1
        if found.count < Self.most { found.append(difference) }
    }

    private func broken(_ what: String) -> CommandFailure {
        CommandFailure(.invalidData, "\(path): has \(what) rows than its plan has inputs; plan again")
    }

    /// All that is different, once all inputs were taken.
    ///
    /// - Throws: ``CommandFailure`` for a file that has not as many rows as its plan has inputs.
    mutating func differences(of now: PlanFile) throws -> [String] {
        var differences = now.options.differences(from: file.options)
        // What both can tell is told once.
        differences += now.plan.differences(from: file.plan).filter { !differences.contains($0) }
        if taken == file.plan.inputs, try rows?.next() != nil { throw broken("more") }
        differences += found
        if count > found.count { differences.append("and \((count - found.count).grouped) more inputs") }
        return differences
    }
}

/// What differs between two pipeline files, by keys; amounts with what they are, all else, which may be secret, without.
struct PipelineDifferences {
    /// Each in a sentence.
    private(set) var told: [String] = []

    init(of now: JSONValue, from then: JSONValue) { compare(now, then, at: []) }

    private mutating func compare(_ now: JSONValue?, _ then: JSONValue?, at path: [String]) {
        guard now != then else { return }
        if case (.object(let new)?, .object(let old)?) = (now, then) {
            for key in Set(new.keys).union(old.keys).sorted() { compare(new[key], old[key], at: path + [key]) }
        } else if case (.array(let new)?, .array(let old)?) = (now, then), new.count == old.count {
            for (place, (new, old)) in zip(new, old).enumerated() {
                let name = (new["processor_id"] ?? new["name"])?.string ?? "\(place + 1)"
                compare(new, old, at: path + [name])
            }
        } else {
            let name = path.isEmpty ? "it" : path.joined(separator: ".")
            let isAmount = ["prices", "budget"].contains(path.first)
            told.append(
                isAmount ? "\(name) is \(now?.json ?? "none"), was \(then?.json ?? "none")" : "\(name) has changed")
        }
    }
}
