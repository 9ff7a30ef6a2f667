package import ArgumentParser
import Assay
import AssayPipelines
import Foundation

/// `assay graph`: what a graph looks like.
package struct GraphCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "graph", abstract: "Draw the graph of a pipeline file.", subcommands: [GraphShowCommand.self])

    package init() {}
}

/// `assay graph show`: its nodes and pipes as text, Mermaid, DOT or SVG.
package struct GraphShowCommand: ShellCommand {
    package static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Draw the graph of a pipeline file, coloured by a run if one is named.")

    @Argument(help: "The pipeline file.")
    var pipeline: String

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
        let loaded: Pipeline
        do {
            loaded = try Pipeline.load(
                shell.place(of: pipeline), registry: shell.registry, environment: shell.environment)
        } catch {
            throw CommandFailure.pipeline(error, pipeline)
        }
        guard let graph = loaded.graph else {
            throw CommandFailure.usage("'\(pipeline)' runs one processor; there is no graph to draw")
        }
        let drawing = graph.drawing(statuses: try await statuses(console, in: shell))
        try console.write(lines: drawing.written(as: format).split(separator: "\n").map(String.init))
        return .success
    }

    /// Where the nodes stand after the run that is named.
    private func statuses(_ console: Console, in shell: Shell) async throws -> [Identifier: Status] {
        guard let run else { return [:] }
        let store = try await StoreAccess.reader(console, in: shell)
        defer { StoreAccess.close(store) }
        return try await Engine(store: store).report(of: store.existingRun(run).id).nodeStatuses
    }
}
