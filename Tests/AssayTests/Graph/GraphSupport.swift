import Assay
import AssayTesting
import Testing

extension Graph {
    /// A graph `g` of pass-through nodes, wired as the lines say: `a -> b`, `a:left -> b:right`.
    static func wired(
        _ nodes: [String], _ wires: [String] = [], change: (inout Node) -> Void = { _ in }
    ) throws -> Graph {
        let graph = try Graph("g")
        for name in nodes { try graph.add(try Node.passing(name).with(change)) }
        for wire in wires { try graph.wire(wire) }
        return graph
    }

    /// Makes the pipe that `text` writes.
    func wire(_ text: String, capacity: Int = 1_000) throws {
        let ends = text.split(separator: " -> ").map { $0.split(separator: ":").map(String.init) }
        try connect(
            ends[0][0], ends[0].count > 1 ? ends[0][1] : "output", to: ends[1][0],
            ends[1].count > 1 ? ends[1][1] : "input", capacity: capacity)
    }
}

extension Node {
    /// A node that gives what it takes.
    static func passing(
        _ id: String, inputs: [String] = ["input"], outputs: [String] = ["output"]
    ) throws -> Node {
        try Node(id, inputs: inputs, outputs: outputs) { (value: JSONValue) in value }
    }
}

/// The message of the ``ProcessingError`` that `body` throws, with its code.
func refusal<Value>(of body: () throws -> Value) -> String? {
    do {
        _ = try body()
        return nil
    } catch let error as ProcessingError {
        return "\(error.code.rawValue): \(error.message)"
    } catch {
        Issue.record("another kind of error: \(error)")
        return nil
    }
}
