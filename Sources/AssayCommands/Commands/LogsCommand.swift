package import ArgumentParser
import Assay
import Logging

/// `assay logs`: shows the output of programs and processors in a run.
package struct LogsCommand: ShellCommand {
    package static let configuration = CommandConfiguration(
        commandName: "logs", abstract: "Show what programs and processors said in a run, by input and node.",
        discussion: """
            It is the error stream of programs, their 'log' lines, and what they print that is no answer. Of each input \
            of a run the newest 64 KiB are kept, of a store the newest 256 MiB.
            """)

    @Argument(help: "The run: its name, how it begins, or 'last'.")
    var run: String

    @Argument(help: "Only what was said about this input.")
    var input: String?

    @Option(help: "Only what this node of a graph said.")
    var node: String?

    @Flag(help: "Go on showing what is said until the run has ended.")
    var follow = false

    @OptionGroup var store: StoreFlags
    @OptionGroup var output: OutputFlags

    package init() {}

    package func run(in shell: Shell) async throws -> ExitStatus {
        let console = try Console(store.settings.merging(output.settings) { $1 }, in: shell)
        let store = try await StoreAccess.reader(console, in: shell)
        let run: Assay.Run
        do {
            defer { StoreAccess.close(store) }
            run = try await store.existingRun(self.run)
            try await check(run, store)
        }
        var lines = LogLines(console, run, input: input, node: try node.map { try Identifier($0, as: "node") })
        try lines.begin()
        try await lines.write(in: shell)
        if follow {
            let follower = RunFollower(console: console, shell: shell)
            _ = try await follower.follow(run.id.text) { _ in try await lines.write(in: shell) }
            try await lines.write(in: shell)
        }
        try lines.end()
        return .success
    }

    /// Refuses an input or a node that the run does not have, because nothing would ever be shown.
    private func check(_ run: Assay.Run, _ store: any Store) async throws {
        // The nodes of a graph are on record once it has ended or was paused.
        let nodes = run.graphID == nil ? [run.processorID] : run.metrics?.nodes.map(\.processorID) ?? []
        if let node, !nodes.isEmpty, !nodes.contains(where: { $0.text == node }) {
            let ending = Nearest.ending(for: node, among: nodes.map(\.text))
            throw CommandFailure(.notFound, "run '\(run.id)' has no node '\(node.safe)'\(ending)")
        }
        guard let input, !follow else { return }
        var start = 0
        while true {
            let items = try await store.items(of: run.id, from: start, limit: 1_024)
            guard !items.isEmpty else { break }
            if items.contains(where: { $0.item.id.utf8.elementsEqual(input.utf8) }) { return }
            start += items.count
        }
        throw CommandFailure(.notFound, "run '\(run.id)' has no input '\(input.safe)'; 'assay runs items' lists them")
    }
}

/// A writer of a run's log lines, as far as they are known.
private struct LogLines {
    private let console: Console
    private let isOfGraph: Bool
    private let runID: Assay.Run.ID
    private var filter: LogFilter
    private var count = 0

    init(_ console: Console, _ run: Assay.Run, input: String?, node: Identifier?) {
        self.console = console
        isOfGraph = run.graphID != nil
        runID = run.id
        filter = LogFilter(runID: run.id, inputID: input, processorID: node)
    }

    func begin() throws {
        guard console.format == .json else { return }
        try console.write(
            json: "{\"schema\":\"assay/logs/1\",\"run_id\":\(JSONValue.string(runID.text).json),\"lines\":[")
    }

    /// Writes the lines filed since the last call.
    mutating func write(in shell: Shell) async throws {
        let store = try await StoreAccess.reader(console, in: shell)
        defer { StoreAccess.close(store) }
        while true {
            let lines = try await store.logLines(matching: filter, limit: 512)
            guard let last = lines.last else { return }
            for line in lines {
                switch console.format {
                case .table: try console.write(lines: text(line))
                case .json: try console.write(json: (count == 0 ? "\n" : ",\n") + line.jsonValue.json)
                case .jsonl: try console.write(json: line.jsonValue.json + "\n")
                case .none: break
                }
                count += 1
            }
            filter.after = last.number
        }
    }

    func end() throws {
        if console.format == .json { try console.write(json: "\n]}\n") }
        if console.format == .table, count == 0 { console.note("nothing was said") }
    }

    /// Returns the line for people: when, where, for which input, and the text with its further lines below it.
    private func text(_ line: LogLine) -> [String] {
        var head = ["\(line.timestamp)"]
        if isOfGraph { head.append(line.processorID.text) }
        if let input = line.inputID { head.append(input.safe + (line.attempt > 1 ? " (attempt \(line.attempt))" : "")) }
        if line.level != .info { head.append("\(line.level)") }
        let texts = line.text.split(separator: "\n", omittingEmptySubsequences: false).map { $0.shown }
        head.append(texts.first ?? "")
        return [head.joined(separator: "  ")] + texts.dropFirst().map { "    " + $0 }
    }
}

extension Substring {
    /// The text with everything escaped that a terminal would interpret, except tabs.
    fileprivate var shown: String {
        split(separator: "\t", omittingEmptySubsequences: false).map { String($0).safe }.joined(separator: "\t")
    }
}
