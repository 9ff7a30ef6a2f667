package import ArgumentParser
import Assay
import AssayPipelines
import AssaySQLite

/// `assay queue work`: works on executions until stopped.
package struct QueueWorkCommand: ShellCommand {
    package static let configuration = CommandConfiguration(
        commandName: "work", abstract: "Work on executions of pipelines as their 'queue' says.",
        usage: "assay queue work [--pipeline FILE ...] [FOLDER] [--until-empty] [options]",
        discussion: """
            Executions of other pipelines wait; 'assay queue list' says for what. Exits with 2 when an execution was \
            aborted because it was denied too often. \
            Ctrl-C once lets what runs end; twice gives it up, to go on where it was. Submissions, cancellations and \
            pauses from other terminals are carried out meanwhile.
            """)

    @Option(help: ArgumentHelp("A pipeline file; may be repeated.", valueName: "file"))
    var pipeline: [String] = []

    @Argument(help: "A folder whose pipeline files are worked with when none is named; by default this one.")
    var folder: String?

    @Flag(help: "End when nothing of these pipelines waits any more.")
    var untilEmpty = false

    @OptionGroup var how: RunFlags
    @OptionGroup var store: StoreFlags
    @OptionGroup var output: OutputFlags

    package init() {}

    package func run(in shell: Shell) async throws -> ExitStatus {
        let flags = [how.settings, store.settings, output.settings].reduce([:]) { $0.merging($1) { $1 } }
        let worker = try QueueWorker(pipeline, folder: folder, how, Console(flags, in: shell), in: shell)
        return try await worker.conduct { queue, stop in
            await withTaskGroup(of: Void.self) { group in
                if untilEmpty {
                    group.addTask {
                        await queue.joinThroughPauses()
                        queue.stop()
                    }
                }
                do { try await queue.work() } catch { stop.fail(error) }
                group.cancelAll()
            }
        }
    }
}

/// `assay queue cycle`: runs one cycle by hand.
package struct QueueCycleCommand: ShellCommand {
    package static let configuration = CommandConfiguration(
        commandName: "cycle", abstract: "Start what one cycle of the queue may start, and wait until it has ended.")

    @Option(help: ArgumentHelp("A pipeline file; may be repeated.", valueName: "file"))
    var pipeline: [String] = []

    @Argument(help: "A folder whose pipeline files are worked with when none is named; by default this one.")
    var folder: String?

    @OptionGroup var how: RunFlags
    @OptionGroup var store: StoreFlags
    @OptionGroup var output: OutputFlags

    package init() {}

    package func run(in shell: Shell) async throws -> ExitStatus {
        let flags = [how.settings, store.settings, output.settings].reduce([:]) { $0.merging($1) { $1 } }
        let worker = try QueueWorker(pipeline, folder: folder, how, Console(flags, in: shell), in: shell)
        return try await worker.conduct { queue, stop in
            do {
                let started = try await queue.cycle()
                worker.console.note("\(started.grouped) executions started")
            } catch { stop.fail(error) }
        }
    }
}
