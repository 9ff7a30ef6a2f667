extension Wiring {
    static let maximumNodes = 10_000
    static let maximumPipes = 100_000

    /// Returns the problems, by kind and then by order of insertion.
    func problems() -> [GraphProblem] {
        cycles() + unconnected() + severalConnections() + duplicates() + missingConnections() + limits()
    }

    private func unconnected() -> [GraphProblem] {
        guard nodes.count > 1 else { return [] }
        return nodes.indices.compactMap { node in
            let isAlone =
                outgoing[node].allSatisfy { edges[$0].to == node }
                && incoming[node].allSatisfy { edges[$0].from == node }
            guard isAlone else { return nil }
            let id = nodes[node].id
            return GraphProblem(
                .unconnected, "node '\(id)' is not connected to any other node", node: id,
                fix: "connect it or remove it")
        }
    }

    private func severalConnections() -> [GraphProblem] {
        nodes.indices.flatMap { node in
            ports(of: node).compactMap { port, pipes in
                guard !nodes[node].appending.contains(port) else { return nil }
                var seen: Set<Edge> = []
                let different = pipes.filter { seen.insert(edges[$0]).inserted }
                guard different.count > 1 else { return nil }
                let rest = different.count > 10 ? ", …" : ""
                let sources = different.prefix(10).map { connections[$0].source }.joined(separator: ", ") + rest
                return GraphProblem(
                    .severalConnections,
                    "input '\(port)' of node '\(nodes[node].id)' has \(different.count) connections (\(sources)); "
                        + "set merge: append or use two ports",
                    node: nodes[node].id, connection: different[1], fix: "set merge: append or use two ports")
            }
        }
    }

    private func duplicates() -> [GraphProblem] {
        var uses: [Edge: Int] = [:]
        return edges.indices.compactMap { place in
            uses[edges[place], default: 0] += 1
            guard uses[edges[place]] == 2 else { return nil }
            let connection = connections[place]
            return GraphProblem(
                .duplicateConnection, "connection \(connection) is given twice", node: connection.to,
                connection: place, fix: "remove one of them")
        }
    }

    private func missingConnections() -> [GraphProblem] {
        nodes.indices.flatMap { node -> [GraphProblem] in
            guard !incoming[node].isEmpty, nodes[node].missingInputs == .requireAll else { return [] }
            let id = nodes[node].id
            return ports(of: node).compactMap { port, pipes in
                guard pipes.isEmpty else { return nil }
                return GraphProblem(
                    .missingConnection, "input '\(port)' of node '\(id)' has no connection", node: id,
                    fix: "connect it or set inputs: allow_missing")
            }
        }
    }

    private func limits() -> [GraphProblem] {
        [("nodes", nodes.count, Self.maximumNodes), ("pipes", edges.count, Self.maximumPipes)].compactMap {
            what, count, limit in
            guard count > limit else { return nil }
            return GraphProblem(
                .limit, "graph has \(count) \(what); at most \(limit) are allowed",
                fix: "divide the work among several graphs")
        }
    }

    /// Returns the input ports of a node with the places of the pipes that end there.
    private func ports(of node: Int) -> [(port: Identifier, pipes: [Int])] {
        var pipes = Array(repeating: [Int](), count: nodes[node].inputs.count)
        for pipe in incoming[node] { pipes[edges[pipe].input].append(pipe) }
        return Array(zip(nodes[node].inputs, pipes))
    }
}

// MARK: - Cycles

extension Wiring {
    /// Returns one problem for every set of nodes that wait for each other, and one for every node that waits for
    /// itself.
    private func cycles() -> [GraphProblem] {
        var circles = circularSets().map { set in shortestCycle(from: set.min() ?? 0, in: Set(set)) }
        circles += nodes.indices.filter { node in outgoing[node].contains { edges[$0].to == node } }.map { [$0] }
        return circles.sorted { ($0[0], $0.count) < ($1[0], $1.count) }.map { circle in
            let names = (circle + [circle[0]]).map { nodes[$0].id.text }
            let last = circle[circle.count - 1]
            let back = outgoing[last].first { edges[$0].to == circle[0] }
            return GraphProblem(
                .cycle, "graph contains a cycle: \(Self.shown(names).joined(separator: " -> "))",
                node: nodes[circle[0]].id, connection: back,
                fix: back.map { "remove the connection \(connections[$0])" })
        }
    }

    /// Returns the names of a cycle, without its middle when it is long.
    private static func shown(_ names: [String]) -> [String] {
        names.count > 40 ? names.prefix(20) + ["…"] + names.suffix(20) : names
    }

    /// Returns the shortest path from `start` back to itself within a set of nodes that all lead to each other.
    private func shortestCycle(from start: Int, in set: Set<Int>) -> [Int] {
        var earlier: [Int: Int] = [:]
        var reached = [start]
        var next = 0
        while next < reached.count {
            let node = reached[next]
            next += 1
            for edge in outgoing[node] {
                let target = edges[edge].to
                if target == start, node != start {
                    var circle = [node]
                    while let before = earlier[circle[circle.count - 1]] { circle.append(before) }
                    return circle.reversed()
                }
                guard target != start, set.contains(target), earlier[target] == nil else { continue }
                earlier[target] = node
                reached.append(target)
            }
        }
        return [start]
    }

    /// Returns the sets of two or more nodes that all lead to each other, by Tarjan's algorithm with an explicit stack.
    private func circularSets() -> [[Int]] {
        var sets: [[Int]] = []
        var order = Array(repeating: -1, count: nodes.count)
        var lowest = order
        var isOpen = Array(repeating: false, count: nodes.count)
        var open: [Int] = []
        var path: [(node: Int, nextEdge: Int)] = []
        var count = 0

        func enter(_ node: Int) {
            (order[node], lowest[node]) = (count, count)
            count += 1
            isOpen[node] = true
            open.append(node)
            path.append((node, 0))
        }

        for root in nodes.indices where order[root] < 0 {
            enter(root)
            while let (node, nextEdge) = path.last {
                if nextEdge < outgoing[node].count {
                    path[path.count - 1].nextEdge += 1
                    let target = edges[outgoing[node][nextEdge]].to
                    if order[target] < 0 {
                        enter(target)
                    } else if isOpen[target] {
                        lowest[node] = min(lowest[node], order[target])
                    }
                    continue
                }
                path.removeLast()
                if let above = path.last?.node { lowest[above] = min(lowest[above], lowest[node]) }
                guard lowest[node] == order[node], let start = open.lastIndex(of: node) else { continue }
                let set = Array(open[start...])
                open.removeSubrange(start...)
                for member in set { isOpen[member] = false }
                if set.count > 1 { sets.append(set) }
            }
        }
        return sets
    }
}
