/// A drawing of a graph as text in one of several formats; nodes are colored by their status in a run.
///
/// Nodes and pipes are in order of insertion, so equal graphs give equal drawings.
public struct GraphDrawing: Sendable {
    /// The formats of a drawing.
    public enum Format: String, Sendable, CaseIterable {
        case text, mermaid, dot, svg
    }

    let graph: Identifier
    let wiring: Wiring
    let statuses: [Identifier: Status]

    /// Creates a drawing of `graph` as it is now.
    ///
    /// - Parameter statuses: the statuses of its nodes in a run.
    public init(_ graph: Graph, statuses: [Identifier: Status] = [:]) {
        self.graph = graph.id
        wiring = graph.wiring
        self.statuses = statuses
    }

    /// Returns the drawing in `format`.
    ///
    /// - Throws: ``ProcessingError`` with code `graph` for a text or picture of an invalid graph, because they need
    ///   levels.
    public func written(as format: Format) throws(ProcessingError) -> String {
        switch format {
        case .text: try text()
        case .mermaid: mermaid
        case .dot: dot
        case .svg: try svg()
        }
    }

    func levels() throws(ProcessingError) -> [[Int]] {
        let problems = wiring.problems()
        guard problems.isEmpty else { throw ProcessingError(problems, in: graph) }
        return wiring.levels()
    }

    // MARK: Text

    /// Returns the levels with their nodes, then the pipes. With statuses, each node shows its status.
    ///
    /// - Throws: ``ProcessingError`` with code `graph` when the graph is not valid.
    public func text() throws(ProcessingError) -> String {
        func counted(_ count: Int, _ what: String) -> String { "\(count) \(what)\(count == 1 ? "" : "s")" }
        var lines = ["\(graph): \(counted(wiring.nodes.count, "node")), \(counted(wiring.edges.count, "pipe"))"]
        for (number, level) in try levels().enumerated() {
            let names = level.map { node in
                let id = wiring.nodes[node].id
                return statuses[id].map { "\(id) (\($0.rawValue))" } ?? id.text
            }
            lines.append("level \(number): \(names.joined(separator: ", "))")
        }
        lines += wiring.connections.map { "\($0.source) -> \($0.target)" }
        return lines.joined(separator: "\n") + "\n"
    }

    // MARK: Mermaid

    /// The graph as a Mermaid flow chart.
    public var mermaid: String {
        var lines = ["graph TD"]
        for (place, node) in wiring.nodes.enumerated() {
            lines.append("    n\(place)[\"\(Self.mermaidText(node.id.text))\"]")
        }
        for (connection, edge) in zip(wiring.connections, wiring.edges) {
            let label = Self.mermaidText("\(connection.output) → \(connection.input)")
            lines.append("    n\(edge.from) -->|\"\(label)\"| n\(edge.to)")
        }
        for status in Status.allCases {
            let names = wiring.nodes.indices.filter { statuses[wiring.nodes[$0].id] == status }.map { "n\($0)" }
            guard !names.isEmpty else { continue }
            let colours = status.colours
            lines.append("    classDef \(status.rawValue) fill:\(colours.fill),stroke:\(colours.line)")
            lines.append("    class \(names.joined(separator: ",")) \(status.rawValue)")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// Returns `text` escaped for use between quotes in Mermaid.
    static func mermaidText(_ text: String) -> String {
        text.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "#quot;")
    }

    // MARK: DOT

    /// The graph in Graphviz's DOT language.
    public var dot: String {
        // Identifiers contain nothing that needs escaping.
        var lines = [
            "digraph \"\(graph)\" {", "    node [shape=box, style=\"rounded,filled\", fillcolor=\"#ffffff\"];",
        ]
        for node in wiring.nodes {
            let colours = statuses[node.id]?.colours
            let attributes = colours.map { " [fillcolor=\"\($0.fill)\", color=\"\($0.line)\"]" } ?? ""
            lines.append("    \"\(node.id)\"\(attributes);")
        }
        for connection in wiring.connections {
            let label = "\(connection.output) → \(connection.input)"
            lines.append("    \"\(connection.from)\" -> \"\(connection.to)\" [label=\"\(label)\"];")
        }
        return (lines + ["}"]).joined(separator: "\n") + "\n"
    }
}

extension Graph {
    /// Returns a drawing of the graph as it is now.
    ///
    /// - Parameter statuses: the statuses of its nodes in a run.
    public func drawing(statuses: [Identifier: Status] = [:]) -> GraphDrawing { GraphDrawing(self, statuses: statuses) }
}

extension Status {
    /// The colors of a node with this status.
    var colours: (fill: String, line: String) {
        switch self {
        case .pending: ("#f6f8fa", "#8c959f")
        case .running: ("#ddf4ff", "#0969da")
        case .paused: ("#fff8c5", "#9a6700")
        case .succeeded: ("#dafbe1", "#1a7f37")
        case .partial: ("#fff1e5", "#bc4c00")
        case .failed: ("#ffebe9", "#cf222e")
        case .cancelled, .aborted: ("#eaeef2", "#57606a")
        case .skipped: ("#fbefff", "#8250df")
        }
    }
}
