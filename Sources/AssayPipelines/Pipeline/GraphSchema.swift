import Assay

/// Reads nodes and connections into a graph.
struct GraphSchema {
    let nodes: NodeSchema
    let strategies: StrategySchema

    /// A graph as far as it could be read.
    struct Drawn {
        let graph: Graph
        /// Whether it has all nodes that are meant, so that a reference to another one is wrong.
        var hasAllNodes = true
        /// Whether it has all pipes that are meant.
        var hasAllPipes = true
    }

    /// The graph named `id` of what stands under `processors` and `connections`; `nil` when there is no list of nodes.
    func graph(_ id: Identifier?, processors: ValueReader, connections: ValueReader?) -> Drawn? {
        guard let list = processors.list(), let graph = id.map({ try? Graph($0.text) }) ?? Graph() else { return nil }
        var drawn = Drawn(graph: graph)
        var names = UniqueNames()
        var places: [Identifier: ValueReader] = [:]
        var known: [String?] = []
        // Nodes whose ports are in doubt.
        var unclear: Set<Identifier> = []
        for value in list {
            guard let map = value.map() else {
                drawn.hasAllNodes = false
                continue
            }
            let node = node(map)
            known.append(node.name)
            guard let name = node.name, names.take(name, from: map.required("processor_id") ?? value) else {
                drawn.hasAllNodes = false
                continue
            }
            // Connections to a node with faults of its own are looked at all the same.
            guard var made = node.node ?? placeholder(name, node) else { continue }
            places[made.id] = value
            do { try graph.add(made) } catch {
                value.report((error as? ProcessingError)?.message ?? "\(error)")
                guard let empty = placeholder(name, node) else { continue }
                made = empty
                // Its name is new, so that nothing speaks against it.
                try? graph.add(made)
            }
            if !node.hasClearPorts { unclear.insert(made.id) }
        }
        nodes.reportOverrides(unless: known)
        let before = nodes.findings.count
        let joined = connect(graph, connections, unclear: unclear)
        drawn.hasAllPipes = drawn.hasAllNodes && unclear.isEmpty && nodes.findings.count == before
        // What is wrong with the shape of half a graph says nothing of the whole one.
        guard drawn.hasAllPipes else { return drawn }
        for problem in graph.validate() {
            let place = problem.connection.map { joined[$0] } ?? problem.node.flatMap { places[$0] } ?? processors
            place.report(problem.message)
        }
        for problem in graph.warnings() { (problem.node.flatMap { places[$0] } ?? processors).warn(problem.message) }
        return drawn
    }

    // MARK: Nodes

    private struct Read {
        var name: String?
        var inputs: [String]?
        var outputs: [String]?
        /// Whether its ports, and what is said of them, were read without a finding.
        var hasClearPorts = true
        var node: Node?
    }

    private func node(_ map: MapReader) -> Read {
        let settings = nodes.settings(map)
        let before = nodes.findings.count
        var read = Read(
            name: settings.name, inputs: map["input_pipes"].flatMap(ports), outputs: map["output_pipes"].flatMap(ports))
        let missing = map["inputs"]?.word("inputs", as: Node.Inputs.self)
        let appending = map["merge"].flatMap(merged) ?? []
        read.hasClearPorts = nodes.findings.count == before
        let strategy = map["error_strategy"].flatMap(strategies.strategy)
        map.finish()
        guard read.hasClearPorts, let name = settings.name, let processor = settings.processor else { return read }
        do {
            var node = try Node(name, processor, inputs: read.inputs ?? ["input"], outputs: read.outputs ?? ["output"])
            node.runner = settings.runner
            node.concurrency = settings.concurrency ?? node.concurrency
            node.timeout = settings.timeout ?? node.timeout
            node.heartbeatTimeout = settings.heartbeatTimeout
            node.errorStrategy = strategy
            node.recovery = settings.recovery
            node.cache = settings.cache
            node.price = settings.price
            node.billing = settings.billing
            node.doubtPolicy = settings.doubtPolicy
            node.maxCrashes = settings.maxCrashes ?? node.maxCrashes
            node.missingInputs = missing ?? node.missingInputs
            node.appending = Set(appending)
            read.node = node
        } catch {
            map.value.report(error.message)
        }
        return read
    }

    /// A node that stands for one with faults, so that what refers to it is not reported as well.
    private func placeholder(_ name: String, _ read: Read) -> Node? {
        func some(_ ports: [String]?, _ standard: String) -> [String] {
            ports.map { $0.isEmpty ? [standard] : $0 } ?? [standard]
        }
        return try? Node(name, inputs: some(read.inputs, "input"), outputs: some(read.outputs, "output")) {
            (value: JSONValue) in value
        }
    }

    private func ports(_ value: ValueReader) -> [String]? {
        guard let list = value.list() else { return nil }
        var names = UniqueNames()
        return list.compactMap { port in
            guard let name = port.identifier()?.text, names.take(name, from: port) else { return nil }
            return name
        }
    }

    private func merged(_ value: ValueReader) -> [Identifier] {
        (value.entries() ?? []).compactMap { port, _, word in
            _ = word.word("merge", of: ["append"])
            return Identifier(port)
        }
    }

    // MARK: Connections

    /// Makes the pipes, and returns where each stands in the file.
    ///
    /// - Parameter unclear: the nodes of which nobody knows the ports.
    private func connect(_ graph: Graph, _ value: ValueReader?, unclear: Set<Identifier>) -> [ValueReader] {
        var places: [ValueReader] = []
        let names = graph.nodes.map(\.id.text)
        // Nodes may have thousands of ports, and as many connections.
        var (outputs, inputs): ([Identifier: Set<Identifier>], [Identifier: Set<Identifier>]) = ([:], [:])
        for connection in value?.list() ?? [] {
            guard let map = connection.map() else { continue }
            let (from, output) = (map.required("from_processor"), map.required("from_output"))
            let (to, input) = (map.required("to_processor"), map.required("to_input"))
            let capacity = map["capacity"]?.integer(in: .atLeast(1)) ?? 1_000
            map.finish()
            let place = "\(connection.name): "
            let (source, target) = (node(from, names, in: graph, place), node(to, names, in: graph, place))
            let isUnclear = [source, target].compactMap { $0?.id }.contains(where: unclear.contains)
            guard !isUnclear else { continue }
            let outputPort = source.flatMap { port(output, "output", of: $0, $0.outputs, &outputs, place) }
            let inputPort = target.flatMap { port(input, "input", of: $0, $0.inputs, &inputs, place) }
            guard let source, let target, let outputPort, let inputPort else { continue }
            do {
                try graph.connect(source.id.text, outputPort, to: target.id.text, inputPort, capacity: capacity)
                places.append(connection)
            } catch {
                connection.report(place + ((error as? ProcessingError)?.message ?? "\(error)"))
            }
        }
        return places
    }

    /// The node at one end of a connection; `nil` after a finding.
    private func node(_ value: ValueReader?, _ names: [String], in graph: Graph, _ place: String) -> Node? {
        guard let value, let name = value.text() else { return nil }
        if let node = graph.node(name) { return node }
        value.reportUnknown("processor", among: names, place: place)
        return nil
    }

    /// The port at one end of a connection; `nil` after a finding.
    private func port(
        _ value: ValueReader?, _ side: String, of node: Node, _ ports: [Identifier],
        _ known: inout [Identifier: Set<Identifier>], _ place: String
    ) -> String? {
        guard let value, let name = value.text() else { return nil }
        if known[node.id] == nil { known[node.id] = Set(ports) }
        if let port = Identifier(name), known[node.id]?.contains(port) == true { return name }
        let ending = value.findings.suggestion(for: name, among: ports.map(\.text))
        value.report("\(place)processor '\(node.id)' has no \(side) \(name.quoted)\(ending)")
        return nil
    }
}
