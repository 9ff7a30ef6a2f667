/// The state of one item in a graph: what each pipe has delivered and how each node has ended.
///
/// It only decides: given the ends of nodes, it returns which nodes can start and which never will. Its answers do not
/// depend on the order of the ends.
struct ItemFlow: Sendable {
    /// The delivery of a pipe.
    enum Arrival: Sendable {
        /// Nothing yet.
        case pending
        /// A value.
        case value(Payload)
        /// Nothing, now or later: because of a failure, or because the item went another way.
        case nothing(isFailure: Bool)
    }

    /// The end of a node.
    enum End: Sendable {
        /// It provided these values, by output port.
        case gave([Payload?])
        /// It failed for good.
        case failed
        /// It was not started.
        case skipped(Outcome.Reason)
    }

    /// The consequences for other nodes once a node has ended.
    struct Consequences: Sendable {
        /// The nodes whose inputs are there.
        var ready: [Int] = []
        /// The nodes that will not be started, with the reason.
        var skipped: [(node: Int, reason: Outcome.Reason)] = []
    }

    private(set) var arrivals: [Arrival]
    /// For each node, the number of pipes that have not delivered anything yet.
    private var missing: [Int32]
    private(set) var results: [(node: Int, port: Int, value: Payload)] = []
    private(set) var lacking: Set<Int> = []
    /// The number of nodes that have not ended.
    private(set) var unfinished: Int

    init(_ wiring: Wiring) {
        arrivals = Array(repeating: .pending, count: wiring.edges.count)
        missing = wiring.incoming.map { Int32($0.count) }
        unfinished = wiring.nodes.count
    }

    /// Records how a node ended, and everything that follows from it at once.
    mutating func end(_ node: Int, _ end: End, in wiring: Wiring, results ports: [[Int]]) -> Consequences {
        var consequences = Consequences()
        var skipped = settle(node, end, in: wiring, results: ports, &consequences)
        while let (node, reason) = skipped.popLast() {
            skipped += settle(node, .skipped(reason), in: wiring, results: ports, &consequences)
        }
        return consequences
    }

    /// Records how one node ended.
    ///
    /// - Returns: the nodes that will not be started, to be recorded next.
    private mutating func settle(
        _ node: Int, _ end: End, in wiring: Wiring, results ports: [[Int]], _ consequences: inout Consequences
    ) -> [(node: Int, reason: Outcome.Reason)] {
        unfinished -= 1
        note(results: ports[node], of: node, end)
        var skipped: [(node: Int, reason: Outcome.Reason)] = []
        for pipe in wiring.outgoing[node] {
            arrivals[pipe] = Self.arrival(at: wiring.edges[pipe].output, after: end)
            let target = wiring.edges[pipe].to
            missing[target] -= 1
            guard missing[target] == 0 else { continue }
            if let reason = reasonToSkip(target, in: wiring) {
                skipped.append((target, reason))
            } else {
                consequences.ready.append(target)
            }
        }
        consequences.skipped += skipped
        return skipped
    }

    private mutating func note(results ports: [Int], of node: Int, _ end: End) {
        switch end {
        case .gave(let values):
            for port in ports { if let value = values[port] { results.append((node, port, value)) } }
        case .failed, .skipped(.upstreamFailed): if !ports.isEmpty { lacking.insert(node) }
        case .skipped: break
        }
    }

    private static func arrival(at port: Int, after end: End) -> Arrival {
        switch end {
        case .gave(let values): values[port].map { .value($0) } ?? .nothing(isFailure: false)
        case .failed: .nothing(isFailure: true)
        case .skipped(let reason): .nothing(isFailure: reason == .upstreamFailed)
        }
    }

    /// Returns why a node with no pending inputs is not started; `nil` when it is started.
    private func reasonToSkip(_ node: Int, in wiring: Wiring) -> Outcome.Reason? {
        var (values, failures, absent) = (0, 0, 0)
        for pipe in wiring.incoming[node] {
            switch arrivals[pipe] {
            case .value: values += 1
            case .nothing(let isFailure):
                absent += 1
                failures += isFailure ? 1 : 0
            case .pending: break
            }
        }
        let starts = wiring.nodes[node].missingInputs == .allowMissing ? values > 0 : absent == 0
        return starts ? nil : failures > 0 ? .upstreamFailed : .notRouted
    }

    /// Removes and returns the inputs of a node, which nothing else needs any longer.
    mutating func takeInput(of node: Int, in wiring: Wiring) -> [Payload?] {
        wiring.incoming[node].map { pipe in
            guard case .value(let value) = arrivals[pipe] else { return nil }
            arrivals[pipe] = .pending
            return value
        }
    }

    /// Returns the values of the result ports by name.
    func resultMap(in wiring: Wiring) throws -> Payload {
        var map = JSONObject()
        for (node, port, value) in results { map[wiring.resultName(node, port)] = try value.json() }
        return Payload(json: .object(map))
    }

    /// Returns the failed nodes because of which results are missing.
    ///
    /// - Parameters:
    ///   - failed: the nodes that failed.
    ///   - isSkipped: whether a node was skipped because of a failure.
    static func responsible(
        for lacking: Set<Int>, among failed: Set<Int>, isSkipped: (Int) -> Bool, in wiring: Wiring
    ) -> Set<Int> {
        var responsible: Set<Int> = []
        var seen = lacking
        var next = Array(lacking)
        while let node = next.popLast() {
            if failed.contains(node) {
                responsible.insert(node)
                continue
            }
            for pipe in wiring.incoming[node] {
                let from = wiring.edges[pipe].from
                if failed.contains(from) || isSkipped(from), seen.insert(from).inserted { next.append(from) }
            }
        }
        return responsible
    }
}
