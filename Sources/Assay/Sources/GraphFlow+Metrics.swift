import Synchronization

// Metrics and events of the nodes and pipes of a graph at work.

extension GraphFlow {
    /// A change of a pipe to report.
    struct PipeNews: Sendable {
        let kind: Event.Kind
        let pipe: Int
        var inputID: String?
        var bytes: Int?
    }

    private func now(isOver: Bool) -> GraphBook.Now {
        GraphBook.Now(uptime: session.world.time.uptime(), time: session.world.time.now(), isOver: isOver)
    }

    /// The statistics of the pipes, by name.
    var pipes: [String: PipeStatistics] {
        let (book, schedule) = state.withLock { ($0.book, $0.schedule) }
        let statistics = statistics(book, schedule, now(isOver: false))
        return Dictionary(zip(wiring.connections.map(\.name), statistics)) { first, _ in first }
    }

    private func statistics(_ book: GraphBook, _ schedule: GraphSchedule, _ now: GraphBook.Now) -> [PipeStatistics] {
        let taps = graph.tapCounts
        return wiring.connections.enumerated().map { place, connection in
            var statistics = book.statistics(of: place, schedule, now: now)
            statistics.activeTaps = taps[connection.name] ?? 0
            return statistics
        }
    }

    /// The metrics of the nodes so far, the one that took longest first.
    var profile: [NodeMetrics] { metrics(now(isOver: false), limit: wiring.nodes.count, withPipes: true) }

    /// The metrics of the nodes at the end, as they are kept with the run.
    var keptProfile: [NodeMetrics] {
        let withPipes = wiring.connections.count <= GraphCourse.keptAtMost
        return metrics(now(isOver: true), limit: GraphCourse.keptAtMost, withPipes: withPipes)
    }

    /// The joins, with how often they ran and how often they did not.
    var joins: [GraphBook.Join] { state.withLock { $0.book }.joins }

    private func metrics(_ now: GraphBook.Now, limit: Int, withPipes: Bool) -> [NodeMetrics] {
        let (book, schedule) = state.withLock { ($0.book, $0.schedule) }
        let (bases, before) = (session.tally.baseCosts, before)
        let statistics = withPipes ? statistics(book, schedule, now) : nil
        return book.metrics(schedule, now: now, limit: limit, statistics: statistics)
            .map { node in
                var node = node
                // For a batch, the base prices are added once over all batches.
                if !session.isBatch, let base = bases[node.processorID] { node.cost += base }
                if let before = before[node.processorID] { node.add(before) }
                return node
            }
    }

    /// The metrics of all nodes in this batch, to be added to those of other batches.
    var batchProfile: [NodeMetrics] {
        metrics(now(isOver: true), limit: wiring.nodes.count, withPipes: false)
    }

    /// The metrics of the nodes before the run was left in its pause.
    private var before: [Identifier: NodeMetrics] {
        guard firstMove != nil else { return [:] }
        return Dictionary((session.run.metrics?.nodes ?? []).map { ($0.processorID, $0) }) { $1 }
    }

    // MARK: Events of pipes

    /// Returns, by output port, the lengths of the values that a node gave; `nil` when no one wants to know.
    func bytes(of end: ItemFlow.End, from node: Int) -> [Int]? {
        guard case .gave(let values) = end, !wiring.outgoing[node].isEmpty,
            measuresPipes || session.events.wants(.pipeDataFlow)
        else { return nil }
        // A value that is not JSON has no bytes to count. The node that takes it reports that where it matters.
        return values.map { value in value.flatMap { try? $0.json().jsonBytes.count } ?? 0 }
    }

    /// Sends the pending events of pipes in order. If another caller is sending already, it sends these too.
    func tellOfPipes() {
        while let news = state.withLock({ $0.takeNews() }) {
            for one in news {
                let connection = wiring.connections[one.pipe]
                session.tally.emit(one.kind, item: one.inputID, by: connection.to) {
                    var data: JSONObject = ["pipe": .string(connection.name)]
                    if let bytes = one.bytes { data["size_bytes"] = JSONValue(bytes) }
                    if one.kind == .pipeFull { data["max_size"] = JSONValue(connection.capacity) }
                    return data
                }
            }
            state.withLock { $0.tellsNews = false }
        }
    }
}

extension GraphFlow.State {
    /// Records the changes of pipes, and which of them to report.
    mutating func notePipes(in session: RunSession) {
        guard !schedule.levels.changes.isEmpty else { return }
        let moment = session.world.time.uptime()
        for change in schedule.takePipeChanges() {
            switch change {
            case .filled(let pipe): note(.pipeFull, of: pipe, in: session)
            case .emptied(let pipe): note(.pipeEmpty, of: pipe, in: session)
            case .blocked(let pipe, let waiting): book.noteBlocked(waiting, before: pipe, at: moment)
            }
        }
    }

    private mutating func note(_ kind: Event.Kind, of pipe: Int, in session: RunSession) {
        guard session.events.wants(kind) else { return }
        news.append(GraphFlow.PipeNews(kind: kind, pipe: pipe))
    }

    /// Records the values that a node puts into the pipes behind it.
    mutating func notePut(
        _ values: [Payload?], from node: Int, of inputID: String, bytes: [Int]?, at moment: Duration,
        in flow: GraphFlow
    ) {
        book.notePut(values, from: node, bytes: bytes, at: moment)
        guard let bytes, flow.session.events.wants(.pipeDataFlow) else { return }
        for pipe in flow.wiring.outgoing[node] {
            let port = flow.wiring.edges[pipe].output
            guard values[port] != nil else { continue }
            news.append(
                GraphFlow.PipeNews(kind: .pipeDataFlow, pipe: pipe, inputID: inputID, bytes: bytes[port]))
        }
    }

    /// Returns what to report to the caller that reports it; `nil` when there is nothing or another caller is
    /// reporting.
    fileprivate mutating func takeNews() -> [GraphFlow.PipeNews]? {
        guard !tellsNews, !news.isEmpty else { return nil }
        tellsNews = true
        defer { news = [] }
        return news
    }
}
