extension GraphDrawing {
    /// Dimensions of the picture in pixels.
    private enum Measure {
        static let height = 36, rowStep = 92, margin = 24, gap = 28, letter = 8, padding = 16
    }

    private struct Box {
        let x, y, width: Int
        var middle: Int { x + width / 2 }
    }

    /// Returns the graph as a picture with one row per level, from top to bottom.
    ///
    /// - Throws: ``ProcessingError`` with code `graph` when the graph is not valid.
    public func svg() throws(ProcessingError) -> String {
        let rows = try levels()
        let (boxes, width) = boxes(in: rows)
        let height = 2 * Measure.margin + Measure.height + max(0, rows.count - 1) * Measure.rowStep
        var lines = [
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"\(width)\" height=\"\(height)\" viewBox=\"0 0 \(width) \(height)\" font-family=\"monospace\" font-size=\"13\">",
            "<title>\(graph)</title>",
            "<defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" orient=\"auto\"><path d=\"M0 0L8 4L0 8z\" fill=\"#57606a\"/></marker></defs>",
        ]
        for (connection, edge) in zip(wiring.connections, wiring.edges) {
            lines.append(
                line(from: boxes[edge.from], to: boxes[edge.to], title: "\(connection.source) → \(connection.target)"))
        }
        for (node, box) in zip(wiring.nodes, boxes) { lines.append(drawn(node, in: box)) }
        return (lines + ["</svg>"]).joined(separator: "\n") + "\n"
    }

    /// Returns the box of each node, by its place, and the width of the picture.
    private func boxes(in rows: [[Int]]) -> ([Box], width: Int) {
        func width(_ node: Int) -> Int { wiring.nodes[node].id.text.utf8.count * Measure.letter + 2 * Measure.padding }
        func width(_ row: [Int]) -> Int { row.reduce((row.count - 1) * Measure.gap) { $0 + width($1) } }
        let widest = rows.map { width($0) }.max() ?? 0
        var boxes = Array(repeating: Box(x: 0, y: 0, width: 0), count: wiring.nodes.count)
        for (number, row) in rows.enumerated() {
            var x = Measure.margin + (widest - width(row)) / 2
            for node in row {
                boxes[node] = Box(x: x, y: Measure.margin + number * Measure.rowStep, width: width(node))
                x += width(node) + Measure.gap
            }
        }
        return (boxes, widest + 2 * Measure.margin)
    }

    private func drawn(_ node: Node, in box: Box) -> String {
        let colours = statuses[node.id]?.colours ?? ("#ffffff", "#24292f")
        let status = statuses[node.id].map { "<title>\($0.rawValue)</title>" } ?? ""
        return
            "<g>\(status)<rect x=\"\(box.x)\" y=\"\(box.y)\" width=\"\(box.width)\" height=\"\(Measure.height)\" rx=\"6\" fill=\"\(colours.0)\" stroke=\"\(colours.1)\"/>"
            + "<text x=\"\(box.middle)\" y=\"\(box.y + Measure.height / 2 + 5)\" text-anchor=\"middle\">\(node.id)</text></g>"
    }

    private func line(from: Box, to: Box, title: String) -> String {
        let (start, end) = (from.y + Measure.height, to.y)
        let bend = (start + end) / 2
        return
            "<path d=\"M\(from.middle) \(start)C\(from.middle) \(bend) \(to.middle) \(bend) \(to.middle) \(end)\" fill=\"none\" stroke=\"#57606a\" marker-end=\"url(#tip)\"><title>\(title)</title></path>"
    }
}
