/// The record of what has happened so far at the nodes of a graph and in its pipes.
///
/// Moments are on the monotonic clock. Recording costs a few additions and does not read a clock.
struct GraphBook: Sendable {
    fileprivate struct NodeEntry: Sendable {
        var items = 0
        var reused = 0
        var errors = 0
        var skipped = 0
        /// The number of these that were skipped because a value went another way.
        var notRouted = 0
        var cancelled = 0
        var attempts = 0
        var total = Duration.zero
        var cost = MoneySum.zero
        var firstStart: Duration?
        var lastEnd: Duration?
        var lastError: String?
    }

    fileprivate struct PipeEntry: Sendable {
        var items = 0
        var bytes = 0
        var lastPut: Duration?
        var blocked = Duration.zero
        /// The number of values that wait for room, and since when.
        var waiting = (count: 0, since: Duration.zero)
    }

    private let wiring: Wiring
    private let startedAt: Duration
    private let countsBytes: Bool
    private var nodes: [NodeEntry]
    private var pipes: [PipeEntry]

    /// - Parameter countsBytes: whether the lengths of values are recorded.
    init(_ wiring: Wiring, at startedAt: Duration, countsBytes: Bool) {
        self.wiring = wiring
        self.startedAt = startedAt
        self.countsBytes = countsBytes
        nodes = Array(repeating: NodeEntry(), count: wiring.nodes.count)
        pipes = Array(repeating: PipeEntry(), count: wiring.connections.count)
    }

    // MARK: Recording

    /// Records how an item ended at a node.
    mutating func note(_ passage: Passage.Node, at node: Int, _ moment: Duration) {
        nodes[node].attempts += passage.attempts
        switch passage.status {
        case .succeeded where passage.attempts == 0: nodes[node].reused += 1
        case .succeeded, .failed: nodes[node].items += 1
        case .cancelled: nodes[node].cancelled += 1
        default: break
        }
        nodes[node].total += passage.duration
        if passage.cost != .zero { nodes[node].cost += passage.cost }
        let start = moment - passage.duration
        if start < nodes[node].firstStart ?? .seconds(Int64.max) { nodes[node].firstStart = start }
        nodes[node].lastEnd = moment
        guard passage.status == .failed else { return }
        nodes[node].errors += 1
        nodes[node].lastError = passage.error.map { "\($0.code.rawValue): \($0.message)" }
    }

    /// Records that a node is not started on an item.
    mutating func noteSkipped(_ node: Int, _ reason: Outcome.Reason) {
        nodes[node].skipped += 1
        if reason == .notRouted { nodes[node].notRouted += 1 }
    }

    /// Records the values that a node puts into the pipes behind it.
    ///
    /// - Parameter bytes: by output port, the lengths of the values.
    mutating func notePut(_ values: [Payload?], from node: Int, bytes: [Int]?, at moment: Duration) {
        for pipe in wiring.outgoing[node] {
            let port = wiring.edges[pipe].output
            guard values[port] != nil else { continue }
            pipes[pipe].items += 1
            pipes[pipe].lastPut = moment
            if let bytes { pipes[pipe].bytes += bytes[port] }
        }
    }

    /// Records that `count` values wait for room in a pipe from now on.
    mutating func noteBlocked(_ count: Int, before pipe: Int, at moment: Duration) {
        pipes[pipe].blocked += pipes[pipe].time(until: moment)
        pipes[pipe].waiting = (count, moment)
    }

    // MARK: Queries

    /// The moment of a query, on the monotonic clock and as wall time.
    struct Now {
        let uptime: Duration
        let time: Timestamp
        /// Whether nothing more will happen.
        let isOver: Bool

        func time(of moment: Duration) -> Timestamp { time.advanced(by: moment - uptime) }
    }

    /// Returns the statistics of a pipe, except for its taps.
    func statistics(of pipe: Int, _ schedule: GraphSchedule, now: Now) -> PipeStatistics {
        let entry = pipes[pipe]
        var statistics = PipeStatistics(capacity: wiring.connections[pipe].capacity)
        let (size, peak) = schedule.levels.stand(before: wiring.edges[pipe].to)
        statistics.size = size
        // A value that goes through without a wait was in the pipe all the same.
        statistics.peakSize = max(peak, min(entry.items, 1))
        statistics.totalItems = entry.items
        statistics.totalBytes = countsBytes ? entry.bytes : nil
        statistics.lastActivity = entry.lastPut.map(now.time(of:))
        statistics.uptime = .milliseconds((now.uptime - startedAt).milliseconds)
        statistics.blocked = .milliseconds((entry.blocked + entry.time(until: now.uptime)).milliseconds)
        if now.isOver { statistics.state = .closed } else if statistics.isFull { statistics.state = .full }
        return statistics
    }

    /// A node that needs the values of several pipes.
    struct Join: Sendable {
        let node: Identifier
        /// The number of items on which it was begun or already had an output.
        var ran: Int
        /// The number of times it was skipped because one of the values went another way.
        var missed: Int
    }

    /// The joins in order of insertion.
    var joins: [Join] {
        nodes.indices.compactMap { place in
            let (entry, node) = (nodes[place], wiring.nodes[place])
            guard node.isJoin(of: wiring.incoming[place].count) else { return nil }
            return Join(node: node.id, ran: entry.items + entry.reused + entry.cancelled, missed: entry.notRouted)
        }
    }

    /// Returns the metrics of the nodes, the one that took longest first.
    ///
    /// - Parameters:
    ///   - limit: the number of nodes.
    ///   - statistics: by pipe; `nil` to leave pipes and configuration out.
    func metrics(
        _ schedule: GraphSchedule, now: Now, limit: Int, statistics: [PipeStatistics]?
    ) -> [NodeMetrics] {
        let order = nodes.indices.sorted { (nodes[$1].total, $0) < (nodes[$0].total, $1) }
        return order.prefix(limit).map { place in
            let (entry, node) = (nodes[place], wiring.nodes[place])
            let isAtWork = !now.isOver && schedule.isAtWork(place)
            var metrics = NodeMetrics(node.id)
            metrics.state = isAtWork ? .running : entry.state
            (metrics.items, metrics.reused, metrics.attempts) = (entry.items, entry.reused, entry.attempts)
            (metrics.errors, metrics.lastError) = (entry.errors, entry.lastError)
            (metrics.total, metrics.cost) = (entry.total, entry.cost)
            metrics.startedAt = entry.firstStart.map(now.time(of:))
            metrics.finishedAt = isAtWork ? nil : entry.lastEnd.map(now.time(of:))
            if let start = entry.firstStart, let end = isAtWork ? now.uptime : entry.lastEnd {
                metrics.uptime = end - start
            }
            if let statistics {
                for pipe in wiring.incoming[place] {
                    metrics.pipes[wiring.connections[pipe].name] = statistics[pipe]
                }
                metrics.config = node.config
            }
            return metrics
        }
    }
}

extension GraphBook.PipeEntry {
    /// Returns how long values have waited for room since `waiting` was last updated.
    fileprivate func time(until moment: Duration) -> Duration { (moment - waiting.since) * waiting.count }
}

extension GraphBook.NodeEntry {
    /// The worst outcome of an item.
    fileprivate var state: Status {
        if errors > 0 { return .failed }
        if cancelled > 0 { return .cancelled }
        if items + reused > 0 { return .succeeded }
        return skipped > 0 ? .skipped : .pending
    }
}

extension Node {
    /// Its configuration, under the keys of pipeline files.
    fileprivate var config: JSONObject {
        [
            "input_pipes": .array(inputs.map { .string($0.text) }),
            "output_pipes": .array(outputs.map { .string($0.text) }), "concurrency": JSONValue(concurrency),
            "runner": JSONValue(runner?.name), "timeout_ms": JSONValue(timeout),
            "inputs": .string(missingInputs.rawValue), "recovery": JSONValue(recovery?.rawValue),
            "cache": .bool(cache != nil), "max_crashes": JSONValue(maxCrashes),
        ]
    }
}
