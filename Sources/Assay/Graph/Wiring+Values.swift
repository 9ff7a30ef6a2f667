// Conversion of values on their way into a graph, between its nodes and out of it.

extension Wiring {
    /// Returns the value of an item for each source, in the order of ``sources``; `nil` for a source without a value.
    ///
    /// With one source, the data is the source's value, or holds it under the source's name when that is its only key.
    /// With several sources, the data is a map by source.
    ///
    /// - Throws: ``ProcessingError`` with code `prevalidation` for a key that is not a source, a source without a
    ///   value, and a value for several ports that is not a map of them.
    func feed(_ data: Payload, of item: String) throws -> [Payload?] {
        let sources = sources
        guard sources.count > 1 else {
            guard let source = sources.first else { return [] }
            return [try ports(of: source, given: alone(data, at: source), item)]
        }
        guard let values = try data.json().object else {
            let names = sources.prefix(10).map { nodes[$0].id.text }.joined(separator: ", ")
            throw ProcessingError(
                .prevalidation,
                "data of \(item.quoted) must be a map by source (\(names)), found \(try data.json().kind)")
        }
        let known = Set(sources.map { nodes[$0].id.text })
        if let unknown = values.keys.first(where: { !known.contains($0) }) {
            let ending = Suggestion(for: unknown, among: sources.map { nodes[$0].id.text }).ending
            throw ProcessingError(
                .prevalidation, "data of \(item.quoted) names the unknown source \(unknown.quoted)\(ending)")
        }
        return try sources.map { source in
            let node = nodes[source]
            if let value = values[node.id.text] {
                return try ports(of: source, given: Payload(json: value), item)
            }
            guard node.missingInputs == .requireAll else { return nil }
            throw ProcessingError(.prevalidation, "data of \(item.quoted) has no value for the source '\(node.id)'")
        }
    }

    /// Returns the data of an item for the only source.
    private func alone(_ data: Payload, at source: Int) throws -> Payload {
        guard !data.isScalar, let values = try data.json().object, values.members.count == 1,
            let value = values[nodes[source].id.text]
        else { return data }
        return Payload(json: value)
    }

    /// Returns the value for a source, checked when the source has several ports.
    private func ports(of source: Int, given value: Payload, _ item: String) throws -> Payload {
        let node = nodes[source]
        guard node.inputs.count > 1 else { return value }
        let names = node.inputs.map(\.text)
        guard let values = try value.json().object else {
            throw ProcessingError(
                .prevalidation,
                "data of \(item.quoted) for the source '\(node.id)' must be a map by input (\(names.prefix(10).joined(separator: ", "))), found \(try value.json().kind)"
            )
        }
        let known = Set(names)
        if let unknown = values.keys.first(where: { !known.contains($0) }) {
            throw ProcessingError(
                .prevalidation,
                "data of \(item.quoted) for the source '\(node.id)' names the unknown input \(unknown.quoted)\(Suggestion(for: unknown, among: names).ending)"
            )
        }
        if node.missingInputs == .requireAll, let missing = names.first(where: { values[$0] == nil }) {
            throw ProcessingError(
                .prevalidation,
                "data of \(item.quoted) has no value for input '\(missing)' of the source '\(node.id)'")
        }
        return value
    }

    /// Returns the value of each output port after a node returned `output`; `nil` for a port without a value.
    func route(_ output: Payload, from node: Int) throws -> [Payload?] {
        let ports = nodes[node].outputs
        if nodes[node].processor.givesOutput?(output) == false { return ports.map { _ in nil } }
        guard ports.count > 1, !output.isScalar, let values = try output.json().object, !values.isEmpty,
            values.keys.allSatisfy({ key in ports.contains { $0.text == key } })
        else { return ports.map { _ in output } }
        return ports.map { port in values[port.text].map { Payload(json: $0) } }
    }

    /// Returns the input of a node when nothing more can come: the bare value of its only port, otherwise a map by
    /// port.
    ///
    /// - Parameter values: the values by place among the node's incoming pipes; `nil` for those that never come.
    func input(of node: Int, from values: [Payload?]) throws -> Payload {
        let ports = nodes[node].inputs
        if ports.count == 1, nodes[node].appending.isEmpty {
            return values.lazy.compactMap { $0 }.first ?? Payload(json: .null)
        }
        var arrived = Array(repeating: [Payload](), count: ports.count)
        for (pipe, value) in zip(incoming[node], values) {
            if let value { arrived[edges[pipe].input].append(value) }
        }
        func value(of port: Int) throws -> Payload? {
            guard nodes[node].appending.contains(ports[port]) else { return arrived[port].first }
            guard !arrived[port].isEmpty else { return nil }
            return Payload(json: .array(try arrived[port].map { try $0.json() }))
        }
        if ports.count == 1 { return try value(of: 0) ?? Payload(json: .null) }
        var map = JSONObject()
        for (place, port) in ports.enumerated() { map[port.text] = try value(of: place)?.json() }
        return Payload(json: .object(map))
    }

    /// The wiring as part of the graph's definition: when it changes, saved outputs may mean something else.
    var definition: JSONValue {
        [
            "nodes": .array(
                nodes.map { node in
                    [
                        "processor_id": .string(node.id.text),
                        "inputs": .array(node.inputs.map { .string($0.text) }),
                        "outputs": .array(node.outputs.map { .string($0.text) }),
                        "missing": .string(node.missingInputs.rawValue),
                        "append": .array(node.appending.sorted().map { .string($0.text) }),
                    ]
                }), "pipes": .array(connections.map { .string($0.name) }),
        ]
    }

    /// Returns whether a node's output is needed as JSON, and not just passed unchanged to nodes that take one value.
    func givesJSON(_ node: Int) -> Bool {
        nodes[node].outputs.count > 1 || outgoing[node].isEmpty
            || outgoing[node].contains { pipe in
                let target = nodes[edges[pipe].to]
                return target.inputs.count > 1 || !target.appending.isEmpty
            }
    }

    /// Returns the name of a result: `processor_id:port`.
    func resultName(_ node: Int, _ port: Int) -> String { "\(nodes[node].id):\(nodes[node].outputs[port])" }
}
