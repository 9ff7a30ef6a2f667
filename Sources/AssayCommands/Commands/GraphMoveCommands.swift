package import ArgumentParser
import Assay
import AssaySQLite

/// `assay graph continue`: lets a paused run go on.
package struct GraphContinueCommand: ShellCommand {
    package static let configuration = CommandConfiguration(
        commandName: "continue", abstract: "Let a paused run go on to the next hit of a breakpoint.",
        discussion: """
            The program that holds the run is told; when there is none any more, this one goes on with it and exits as \
            'assay run' does.
            """)

    @Flag(help: "Remove its breakpoints first, so that it goes on to its end.")
    var toEnd = false

    @OptionGroup var paused: PausedRunFlags

    package init() {}

    package func run(in shell: Shell) async throws -> ExitStatus {
        try await paused.move(.goOn, toEnd: toEnd, in: shell)
    }
}

/// `assay graph step`: lets a paused run go on by one node.
package struct GraphStepCommand: ShellCommand {
    package static let configuration = CommandConfiguration(
        commandName: "step",
        abstract: "Run the node that a run is paused before, and pause again before the next start.",
        discussion: "As 'assay graph continue' otherwise.")

    @OptionGroup var paused: PausedRunFlags

    package init() {}

    package func run(in shell: Shell) async throws -> ExitStatus {
        try await paused.move(.step, toEnd: false, in: shell)
    }
}

/// The run that is to go on, and how the commands that let it are told to work.
package struct PausedRunFlags: ParsableArguments {
    @Argument(help: "The run: its name, how it begins, or 'last'.")
    var run: String

    @OptionGroup var how: RunFlags
    @OptionGroup var store: StoreFlags
    @OptionGroup var output: OutputFlags

    package init() {}

    func move(_ move: Pause.Move, toEnd: Bool, in shell: Shell) async throws -> ExitStatus {
        let flags = how.settings.merging(store.settings) { $1 }.merging(output.settings) { $1 }
        return try await PausedRun(name: run, console: Console(flags, in: shell), shell: shell)
            .move(move, toEnd: toEnd, how)
    }
}

/// A run that stands still at a breakpoint, held by another program or by none.
private struct PausedRun {
    let name: String
    let console: Console
    let shell: Shell

    func move(_ move: Pause.Move, toEnd: Bool, _ how: RunFlags) async throws -> ExitStatus {
        let (run, folder) = try await find()
        if let client = try OwnerClient(SQLiteStore.socketName, in: folder) {
            guard how.isEmpty else {
                throw CommandFailure.usage(
                    "another program holds the run and goes on with it as it was begun; leave out how it is to be done")
            }
            return try await ask(client, run.id, move, toEnd: toEnd)
        }
        let store = try await StoreAccess.existing(console, in: shell)
        defer { StoreAccess.close(store) }
        // It may have gone on, or have been cancelled, since it was looked for.
        let paused = try await store.existingRun(run.id.text)
        guard paused.status == .paused else { throw Self.notPaused(paused) }
        let request = StoredRequest(paused.request)
        var target = try request.target(of: paused.id, isChanged: false, console, in: shell)
        try target.apply(console.settings, earlier: request.flags)
        request.goOn(&target.options, caching: how.saidCaching, since: paused.startedAt)
        // An execution of a queue says itself what its runs make of earlier ones.
        if let again = try await store.execution(paused.executionID)?.again, again != Execution.Again() {
            (target.options.recovery, target.options.onChange) = (again.recovery, again.onChange)
        }
        let work = target.work
        return try await target.conduct(console, stop: StopFlag(), store: store, in: shell) {
            engine, options, watching in
            try await work.goOn(paused.id, engine, options, by: move, toEnd: toEnd, watching: watching)
        }
    }

    private func find() async throws -> (run: Run, folder: String) {
        let store = try await StoreAccess.database(console, in: shell)
        defer { StoreAccess.close(store) }
        let run = try await store.existingRun(name)
        guard run.status == .paused || run.status == .running else { throw Self.notPaused(run) }
        return (run, store.folder)
    }

    private static func notPaused(_ run: Run) -> CommandFailure {
        let canResume = run.isListed && [.failed, .partial, .cancelled].contains(run.status)
        return CommandFailure(
            .failed,
            "run '\(run.id)' is \(run.status.rawValue), not paused"
                + (canResume ? "; to go on: assay resume \(run.id)" : ""))
    }

    /// Tells the program that holds the run.
    private func ask(
        _ client: OwnerClient, _ run: Assay.Run.ID, _ move: Pause.Move, toEnd: Bool
    ) async throws -> ExitStatus {
        try client.ask(.move(run, move, toEnd: toEnd))
        for try await answer in client.answers {
            switch answer {
            case .done:
                console.note(
                    move == .step
                        ? "run \(run) goes on by one node" : "run \(run) goes on; to see it: assay watch \(run)")
                return .success
            case .failed(let status, let message): throw CommandFailure(status, message)
            case .notInProgress:
                throw CommandFailure(.unavailable, "the program that owns the store does not hold run '\(run)'")
            case .refused(let reason):
                throw CommandFailure(.unavailable, "the program that holds the run says: \(reason)")
            case .ended, .progress, .goesOn, .stopping: continue
            }
        }
        throw CommandFailure(.unavailable, "the program that holds the run has gone; try again")
    }
}
