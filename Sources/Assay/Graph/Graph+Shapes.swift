// Graphs of common shapes.

extension Graph {
    /// Creates a graph of nodes in a row, each of which takes the output of the one before it.
    ///
    /// - Throws: as ``add(_:)`` and ``connect(_:_:to:_:capacity:)``.
    public static func linear(_ id: String, _ nodes: [Node]) throws -> Graph {
        let graph = try Graph(id)
        for node in nodes { try graph.add(node) }
        for (from, to) in zip(nodes, nodes.dropFirst()) {
            try graph.connect(from.id.text, from.outputs[0].text, to: to.id.text, to.inputs[0].text)
        }
        return graph
    }

    /// Creates a graph of functions in a row, as nodes `step1`, `step2`, …
    ///
    /// - Throws: as ``add(_:)``.
    public static func linear<Value: Codable & Sendable>(
        _ id: String, _ functions: (@Sendable (Value) async throws -> Value)...
    ) throws -> Graph {
        try linear(id, functions.enumerated().map { place, body in try Node("step\(place + 1)", body) })
    }

    /// Creates a graph of a node `source` that passes its input to each branch, and optionally a node that takes their
    /// outputs.
    ///
    /// - Parameter aggregator: gets the ports `input_0`, `input_1`, … in the order of the branches.
    /// - Throws: as ``add(_:)`` and ``connect(_:_:to:_:capacity:)``.
    public static func parallel(_ id: String, branches: [Node], aggregator: Node? = nil) throws -> Graph {
        let graph = try Graph(id)
        try graph.add(try Node("source") { (value: JSONValue) in value })
        for branch in branches {
            try graph.add(branch)
            try graph.connect("source", to: branch.id.text, branch.inputs[0].text)
        }
        guard var aggregator, !branches.isEmpty else { return graph }
        let ports = branches.indices.map { "input_\($0)" }
        aggregator.inputs = try Node.ports(ports, "input", of: aggregator.id.text)
        try graph.add(aggregator)
        for (branch, port) in zip(branches, ports) {
            try graph.connect(branch.id.text, branch.outputs[0].text, to: aggregator.id.text, port)
        }
        return graph
    }

    /// Creates a graph of a node with the outputs `left` and `right`, a branch behind each, and a node that joins them
    /// with inputs of the same names.
    ///
    /// - Throws: as ``add(_:)`` and ``connect(_:_:to:_:capacity:)``.
    public static func diamond(
        _ id: String, splitter: Node, left: Node, right: Node, joiner: Node
    ) throws -> Graph {
        let sides = ["left", "right"]
        var (splitter, joiner) = (splitter, joiner)
        splitter.outputs = try Node.ports(sides, "output", of: splitter.id.text)
        joiner.inputs = try Node.ports(sides, "input", of: joiner.id.text)
        let graph = try Graph(id)
        for node in [splitter, left, right, joiner] { try graph.add(node) }
        for (side, branch) in zip(sides, [left, right]) {
            try graph.connect(splitter.id.text, side, to: branch.id.text, branch.inputs[0].text)
        }
        for (side, branch) in zip(sides, [left, right]) {
            try graph.connect(branch.id.text, branch.outputs[0].text, to: joiner.id.text, side)
        }
        return graph
    }
}
