package import ArgumentParser
import Assay

/// `assay watch`: shows how a run stands until it has ended.
package struct WatchCommand: ShellCommand {
    package static let configuration = CommandConfiguration(
        commandName: "watch", abstract: "Show how a run stands until it has ended, and exit as 'assay run' does.",
        discussion: """
            Ctrl-C ends the watching and leaves the run alone. Without a terminal a line is written when something has \
            changed, one a second at most; with -o jsonl every change that is told is an object.
            """)

    @Argument(help: "The run: its name, how it begins, or 'last'.")
    var run: String

    @OptionGroup var store: StoreFlags
    @OptionGroup var output: OutputFlags

    package init() {}

    package func run(in shell: Shell) async throws -> ExitStatus {
        let console = try Console(store.settings.merging(output.settings) { $1 }, in: shell)
        let follower = RunFollower(console: console, shell: shell)
        let time = shell.world.time
        var toldAt: Duration?
        let end = try await follower.follow(run) { block in
            guard let block else { return }
            if console.format == .jsonl { return try console.write(json: block.jsonValue.json + "\n") }
            if let columns = console.screen.columns {
                return console.screen.show(block.lines(width: columns, paint: console.messagePaint))
            }
            let now = time.uptime()
            guard toldAt.map({ now - $0 >= .seconds(1) }) ?? true else { return }
            toldAt = now
            // The bar says in pictures what the numbers say.
            console.screen.say(block.line)
        }
        console.screen.show([])
        try follower.write(end)
        if console.format == .table { follower.tellWhatNext(end) }
        return end.exit
    }
}

extension ProgressBlock {
    /// How the run stands in one line without pictures.
    fileprivate var line: String {
        let ended = counts.succeeded + counts.failed + counts.skipped + counts.cancelled
        return "\(ended.grouped) of \(counts.total.grouped)  \(counts.succeeded.grouped) done  "
            + "\(counts.failed.grouped) failed  \(cost) \(currency)" + waits.map { "  \($0.text)" }.joined()
    }
}
