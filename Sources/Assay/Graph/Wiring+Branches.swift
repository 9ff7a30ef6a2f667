// Joins of branches of which an item takes only one.

extension Wiring {
    /// Nodes that run only on items for which another node gives several of its outputs, which it may not do.
    ///
    /// Only the first such join behind a branch is named, not what stands behind it. Of a graph without other problems.
    func branchedJoins() -> [GraphProblem] {
        let branches = nodes.indices.filter { node in Set(outgoing[node].map { edges[$0].output }).count > 1 }
        guard !branches.isEmpty else { return [] }
        var needs = BranchNeeds(branches.map { (node: $0, outputs: nodes[$0].outputs.count) })
        var found: [GraphProblem] = []
        for level in levels() {
            for node in level {
                let pipes = incoming[node].map { needs.behind(edges[$0]) }
                needs.set(of: node, to: nodes[node].missingInputs == .requireAll ? .all(pipes) : .common(pipes))
                guard nodes[node].missingInputs == .requireAll, let conflict = needs.conflict(at: node, among: pipes)
                else { continue }
                found.append(problem(of: node, behind: conflict.branch, conflict.outputs))
            }
        }
        return found.sorted { (place(of: $0.node?.text ?? "") ?? 0) < (place(of: $1.node?.text ?? "") ?? 0) }
    }

    private func problem(of node: Int, behind branch: Int, _ outputs: [Int]) -> GraphProblem {
        let (id, router) = (nodes[node].id, nodes[branch].id)
        let shown = outputs.prefix(10).map { "'\(nodes[branch].outputs[$0])'" }.joined(separator: ", ")
        return GraphProblem(
            .branchedJoin,
            "node '\(id)' runs only on items for which '\(router)' gives all of \(shown), behind which its inputs "
                + "stand; where '\(router)' takes one way only, set inputs: allow_missing",
            node: id, fix: "set inputs: allow_missing")
    }
}

/// Which outputs of branching nodes each node needs before it can run, as sets of bits.
private struct BranchNeeds {
    typealias Bits = [UInt64]

    /// How the needs of the pipes that lead to a node make its own.
    enum Sum {
        case all([Bits])
        case common([Bits])
    }

    private var needs: [Int: Bits] = [:]
    /// For each branching node the bit of its first output.
    private var firstBits: [Int: Int] = [:]
    /// For each bit the branching node.
    private var owners: [Int] = []
    private let words: Int

    init(_ branches: [(node: Int, outputs: Int)]) {
        for (node, outputs) in branches {
            firstBits[node] = owners.count
            owners += repeatElement(node, count: outputs)
        }
        words = (owners.count + 63) / 64
    }

    /// What must have been given before a value comes through a pipe.
    func behind(_ edge: Wiring.Edge) -> Bits {
        var bits = needs[edge.from] ?? Bits(repeating: 0, count: words)
        if let first = firstBits[edge.from] { bits[(first + edge.output) / 64] |= 1 << ((first + edge.output) % 64) }
        return bits
    }

    mutating func set(of node: Int, to sum: Sum) {
        switch sum {
        case .all(let pipes): needs[node] = Self.joined(pipes, words, |)
        case .common(let pipes): needs[node] = Self.joined(pipes, words, &)
        }
    }

    private static func joined(_ pipes: [Bits], _ words: Int, _ join: (UInt64, UInt64) -> UInt64) -> Bits {
        guard var sum = pipes.first else { return Bits(repeating: 0, count: words) }
        for pipe in pipes.dropFirst() { for word in 0..<words { sum[word] = join(sum[word], pipe[word]) } }
        return sum
    }

    /// The first branching node of which the pipes of a node need different outputs, and none of them several.
    func conflict(at node: Int, among pipes: [Bits]) -> (branch: Int, outputs: [Int])? {
        guard pipes.count > 1, let all = needs[node] else { return nil }
        for (branch, outputs) in outputs(in: all) where outputs.count > 1 {
            let isOfOne = pipes.contains { pipe in outputs.count { Self.has($0 + (firstBits[branch] ?? 0), pipe) } > 1 }
            if !isOfOne { return (branch, outputs) }
        }
        return nil
    }

    private static func has(_ bit: Int, _ bits: Bits) -> Bool { bits[bit / 64] & (1 << (bit % 64)) != 0 }

    /// The outputs in a set, by their nodes.
    private func outputs(in bits: Bits) -> [(branch: Int, outputs: [Int])] {
        var found: [(branch: Int, outputs: [Int])] = []
        for word in 0..<words {
            var rest = bits[word]
            while rest != 0 {
                let bit = word * 64 + rest.trailingZeroBitCount
                rest &= rest - 1
                let branch = owners[bit]
                if found.last?.branch != branch { found.append((branch, [])) }
                found[found.count - 1].outputs.append(bit - (firstBits[branch] ?? 0))
            }
        }
        return found
    }
}
