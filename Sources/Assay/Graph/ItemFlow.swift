/// One item on its way through a graph: what has come through each pipe, and what became of each node.
///
/// It decides and does nothing: it is told how nodes ended, and answers which of them can start and which cannot any
/// more. What it answers does not depend on the order in which it is told.
struct ItemFlow: Sendable {
    /// What has come through a pipe.
    enum Arrival: Sendable {
        /// Nothing yet.
        case pending
        /// A value.
        case value(Payload)
        /// Nothing, and nothing will: because of a failure, or because it went another way.
        case nothing(isFailure: Bool)
    }

    /// What became of a node.
    enum End: Sendable {
        /// It gave these values, by output port.
        case gave([Payload?])
        /// It failed for good.
        case failed
        /// It was not started.
        case skipped(Outcome.Reason)
    }

    /// What can be said of nodes once another one has ended.
    struct Consequences: Sendable {
        /// Those whose inputs are there.
        var ready: [Int] = []
        /// Those that will not be started, with the reason.
        var skipped: [(node: Int, reason: Outcome.Reason)] = []
    }

    private(set) var arrivals: [Arrival]
    /// For each node how many pipes have not said anything yet.
    private var missing: [Int32]
    private(set) var results: [(node: Int, port: Int, value: Payload)] = []
    private(set) var lacking: Set<Int> = []
    /// How many nodes have not ended.
    private(set) var unfinished: Int

    init(_ wiring: Wiring) {
        arrivals = Array(repeating: .pending, count: wiring.edges.count)
        missing = wiring.incoming.map { Int32($0.count) }
        unfinished = wiring.nodes.count
    }

    /// Takes note of how a node ended, and of all that follows from it at once.
    mutating func end(_ node: Int, _ end: End, in wiring: Wiring, results ports: [[Int]]) -> Consequences {
        var consequences = Consequences()
        var skipped = settle(node, end, in: wiring, results: ports, &consequences)
        while let (node, reason) = skipped.popLast() {
            skipped += settle(node, .skipped(reason), in: wiring, results: ports, &consequences)
        }
        return consequences
    }

    /// Takes note of how one node ended.
    ///
    /// - Returns: those that will not be started, of which note is to be taken next.
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

    /// Why a node is not started although nothing more comes to it; `nil` when it is.
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

    /// Takes out what a node is given, which nobody else needs any more.
    mutating func takeInput(of node: Int, in wiring: Wiring) -> [Payload?] {
        wiring.incoming[node].map { pipe in
            guard case .value(let value) = arrivals[pipe] else { return nil }
            arrivals[pipe] = .pending
            return value
        }
    }

    /// The values of the result ports by their names.
    func resultMap(in wiring: Wiring) throws -> Payload {
        var map = JSONObject()
        for (node, port, value) in results { map[wiring.resultName(node, port)] = try value.json() }
        return Payload(json: .object(map))
    }

    /// The failed nodes that results are lacking because of, out of those that failed or were skipped for a failure.
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
