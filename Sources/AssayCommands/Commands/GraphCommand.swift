package import ArgumentParser
import Assay
import AssayPipelines
import Foundation

/// `assay graph`: draws a graph, and continues its paused runs.
package struct GraphCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "graph", abstract: "Draw a graph, and go on with paused runs of it.",
        subcommands: [GraphShowCommand.self, GraphContinueCommand.self, GraphStepCommand.self])

    package init() {}
}

/// `assay graph show`: draws the nodes and pipes as text, Mermaid, DOT or SVG.
package struct GraphShowCommand: ShellCommand {
    package static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Draw the graph of a pipeline file or of a run, coloured by the run.",
        discussion: "Of a run that is paused, the text also says where, and which breakpoints it has.")

    @Argument(help: ArgumentHelp("The pipeline file, or a run.", valueName: "pipeline|run"))
    var subject: String

    @Option(help: "How it is drawn: text, mermaid, dot or svg.")
    var format = "text"

    @Option(help: "The run whose statuses colour the nodes.")
    var run: String?

    @OptionGroup var store: StoreFlags

    package init() {}

    package func run(in shell: Shell) async throws -> ExitStatus {
        let console = try Console(store.settings, in: shell)
        guard let format = GraphDrawing.Format(rawValue: format) else {
            let words = GraphDrawing.Format.allCases.map(\.rawValue)
            throw CommandFailure.usage("unknown format '\(format)'" + Nearest.ending(for: format, among: words))
        }
        let isFile = [".yaml", ".yml", ".json"].contains { subject.hasSuffix($0) }
        let report = try await report(isFile ? run : subject, console, in: shell)
        let graph: Graph? =
            if let report, !isFile { try graph(of: report.run, console, in: shell) } else { try loaded(in: shell) }
        guard let graph else {
            throw CommandFailure.usage("'\(subject)' runs one processor; there is no graph to draw")
        }
        if let report, report.run.graphID != graph.id {
            throw CommandFailure.usage(
                "run '\(report.runID)' is of \(report.run.processorID), not of graph '\(graph.id)'")
        }
        var lines = try graph.drawing(statuses: report?.nodeStatuses ?? [:]).written(as: format)
            .split(separator: "\n").map(String.init)
        if format == .text, let pause = report?.run.pause {
            lines += PauseText(pause.start, pause.breakpoints).lines
        }
        if format == .text, let report {
            lines += report.missedJoins(of: graph).map { join in
                "\(join.node) ran on no input: one of its own inputs never came for \(join.items.grouped) of them "
                    + "(inputs: require_all)"
            }
        }
        try console.write(lines: lines)
        return .success
    }

    /// Loads the graph of the file.
    private func loaded(in shell: Shell) throws -> Graph? {
        do {
            return try Pipeline.load(
                shell.place(of: subject), registry: shell.registry, environment: shell.environment
            ).graph
        } catch {
            throw CommandFailure.pipeline(error, subject)
        }
    }

    /// Returns the graph that a run was started with.
    private func graph(of run: Assay.Run, _ console: Console, in shell: Shell) throws -> Graph? {
        let target = try StoredRequest(run.request).target(of: run.id, isChanged: false, console, in: shell)
        guard case .graph(let graph, _) = target.work else { return nil }
        return graph
    }

    /// Returns the report of the named run; `nil` without a name.
    private func report(_ name: String?, _ console: Console, in shell: Shell) async throws -> Report? {
        guard let name else { return nil }
        let store = try await StoreAccess.reader(console, in: shell)
        defer { StoreAccess.close(store) }
        return try await Engine(store: store).report(of: store.existingRun(name).id)
    }
}
