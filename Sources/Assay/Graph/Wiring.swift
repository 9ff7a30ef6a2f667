/// The nodes of a graph and the pipes between them, identified by their places.
///
/// All analysis of a graph happens here. It takes time and memory in proportion to nodes and pipes, and it does not
/// recurse, so a chain of any length is safe.
struct Wiring: Sendable {
    /// A pipe by the places of its nodes and ports.
    struct Edge: Hashable, Sendable {
        let from, output, to, input: Int
    }

    private(set) var nodes: [Node] = []
    private(set) var connections: [Connection] = []
    /// The pipes as numbers, in the order of ``connections``.
    private(set) var edges: [Edge] = []
    /// The places of the pipes that end at each node, in order of insertion.
    private(set) var incoming: [[Int]] = []
    /// The places of the pipes that begin at each node, in order of insertion.
    private(set) var outgoing: [[Int]] = []
    private var places: [Identifier: Int] = [:]
    private var ports: [PortIndex] = []

    /// Returns the place of the node named `id`.
    func place(of id: String) -> Int? { Identifier(id).flatMap { places[$0] } }

    /// Adds a node. Returns `false` when the name is taken.
    mutating func add(_ node: Node) -> Bool {
        guard places[node.id] == nil else { return false }
        places[node.id] = nodes.count
        nodes.append(node)
        ports.append(PortIndex(node))
        incoming.append([])
        outgoing.append([])
        return true
    }

    mutating func connect(
        _ from: String, _ output: String, to: String, _ input: String, capacity: Int
    ) throws(ProcessingError) -> Connection {
        let (source, target) = (try existing(from), try existing(to))
        guard let outputPlace = ports[source].output(output) else {
            throw nodes[source].unknownPort(output, "output", nodes[source].outputs)
        }
        guard let inputPlace = ports[target].input(input) else {
            throw nodes[target].unknownPort(input, "input", nodes[target].inputs)
        }
        let connection = Connection(
            from: nodes[source].id, output: nodes[source].outputs[outputPlace], to: nodes[target].id,
            input: nodes[target].inputs[inputPlace], capacity: capacity)
        append(connection, Edge(from: source, output: outputPlace, to: target, input: inputPlace))
        return connection
    }

    private mutating func append(_ connection: Connection, _ edge: Edge) {
        outgoing[edge.from].append(edges.count)
        incoming[edge.to].append(edges.count)
        connections.append(connection)
        edges.append(edge)
    }

    private func existing(_ id: String) throws(ProcessingError) -> Int {
        if let place = place(of: id) { return place }
        let ending = Suggestion(for: id, among: nodes.map(\.id.text)).ending
        throw ProcessingError(.graph, "unknown processor \(id.quoted)\(ending)")
    }

    /// Removes a node and its pipes. Returns `false` when there is no node of that name.
    mutating func remove(_ id: String) -> Bool {
        guard let gone = place(of: id) else { return false }
        let kept = nodes.indices.filter { $0 != gone }
        let pipes = zip(connections, edges).filter { $0.1.from != gone && $0.1.to != gone }
        var rest = Wiring()
        for place in kept { _ = rest.add(nodes[place]) }
        func moved(_ place: Int) -> Int { place < gone ? place : place - 1 }
        for (connection, edge) in pipes {
            rest.append(
                connection,
                Edge(from: moved(edge.from), output: edge.output, to: moved(edge.to), input: edge.input))
        }
        self = rest
        return true
    }

    // MARK: Analysis

    /// The nodes without incoming pipes, in order of insertion.
    var sources: [Int] { nodes.indices.filter { incoming[$0].isEmpty } }

    /// Returns the output ports of a node without a pipe, in order.
    func resultPorts(of node: Int) -> [Int] {
        let connected = Set(outgoing[node].map { edges[$0].output })
        return nodes[node].outputs.indices.filter { !connected.contains($0) }
    }

    /// Returns the nodes that pipes lead to from a node, directly or through others. Requires a graph without cycles.
    func descendants(of node: Int) -> [Int] {
        var found: Set<Int> = []
        var next = [node]
        while let node = next.popLast() {
            for edge in outgoing[node] where found.insert(edges[edge].to).inserted { next.append(edges[edge].to) }
        }
        return found.sorted()
    }

    /// Returns the nodes from which pipes lead to `node`, directly or through others.
    func ancestors(of node: Int) -> Set<Int> {
        var found: Set<Int> = []
        var next = [node]
        while let node = next.popLast() {
            for pipe in incoming[node] where found.insert(edges[pipe].from).inserted { next.append(edges[pipe].from) }
        }
        return found
    }

    /// Returns the nodes by distance from the sources, each level in order of insertion. Requires a graph without
    /// cycles.
    func levels() -> [[Int]] {
        var missing = incoming.map(\.count)
        var level = Array(repeating: 0, count: nodes.count)
        var ready = sources
        var next = 0
        while next < ready.count {
            let node = ready[next]
            next += 1
            for edge in outgoing[node] {
                let target = edges[edge].to
                level[target] = max(level[target], level[node] + 1)
                missing[target] -= 1
                if missing[target] == 0 { ready.append(target) }
            }
        }
        var levels = Array(repeating: [Int](), count: (level.max() ?? -1) + 1)
        for node in nodes.indices { levels[level[node]].append(node) }
        return levels
    }
}

/// A map of a node's ports by name, so that lookups stay fast when there are many.
private struct PortIndex: Sendable {
    private let inputs, outputs: [Identifier: Int]

    init(_ node: Node) {
        inputs = Dictionary(uniqueKeysWithValues: node.inputs.enumerated().map { ($0.element, $0.offset) })
        outputs = Dictionary(uniqueKeysWithValues: node.outputs.enumerated().map { ($0.element, $0.offset) })
    }

    func input(_ name: String) -> Int? { Identifier(name).flatMap { inputs[$0] } }
    func output(_ name: String) -> Int? { Identifier(name).flatMap { outputs[$0] } }
}
