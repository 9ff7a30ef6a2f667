// Joins of branches when an item takes only one of them.

extension Wiring {
    /// Returns warnings for nodes that run only on items for which another node gives several of its outputs, which it
    /// need not do.
    ///
    /// Only the first such join behind a branch is reported, not the nodes behind it. Requires a graph without other
    /// problems.
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

/// The outputs of branching nodes that each node needs before it can run, as bit sets.
private struct BranchNeeds {
    typealias Bits = [UInt64]

    /// The way the needs of a node's pipes combine into its own.
    enum Sum {
        case all([Bits])
        case common([Bits])
    }

    private var needs: [Int: Bits] = [:]
    /// The bit of the first output, by branching node.
    private var firstBits: [Int: Int] = [:]
    /// The branching node of each bit.
    private var owners: [Int] = []
    private let words: Int

    init(_ branches: [(node: Int, outputs: Int)]) {
        for (node, outputs) in branches {
            firstBits[node] = owners.count
            owners += repeatElement(node, count: outputs)
        }
        words = (owners.count + 63) / 64
    }

    /// Returns the outputs that are needed before a value comes through a pipe.
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

    /// Returns the first branching node of which the pipes of a node need different outputs, while no single pipe needs
    /// several.
    func conflict(at node: Int, among pipes: [Bits]) -> (branch: Int, outputs: [Int])? {
        guard pipes.count > 1, let all = needs[node] else { return nil }
        for (branch, outputs) in outputs(in: all) where outputs.count > 1 {
            let isOfOne = pipes.contains { pipe in outputs.count { Self.has($0 + (firstBits[branch] ?? 0), pipe) } > 1 }
            if !isOfOne { return (branch, outputs) }
        }
        return nil
    }

    private static func has(_ bit: Int, _ bits: Bits) -> Bool { bits[bit / 64] & (1 << (bit % 64)) != 0 }

    /// Returns the outputs in a set, by node.
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
