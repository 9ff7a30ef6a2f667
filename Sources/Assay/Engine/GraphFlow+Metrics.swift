import Synchronization

// What a graph at work is asked for and tells about its nodes and pipes.

extension GraphFlow {
    /// Something to be told about a pipe.
    struct PipeNews: Sendable {
        let kind: Event.Kind
        let pipe: Int
        var inputID: String?
        var bytes: Int?
    }

    /// More nodes or pipes than these are not kept with a run: every look at its record would have to read them.
    static let keptAtMost = 1_000

    private func now(isOver: Bool) -> GraphBook.Now {
        GraphBook.Now(uptime: session.world.time.uptime(), time: session.world.time.now(), isOver: isOver)
    }

    /// How the pipes stand, by their names.
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

    /// What the nodes have done so far, the one that took longest first.
    var profile: [NodeMetrics] { metrics(now(isOver: false), limit: wiring.nodes.count, withPipes: true) }

    /// The same at the end, as it is kept with the run.
    var keptProfile: [NodeMetrics] {
        let withPipes = wiring.connections.count <= Self.keptAtMost
        return metrics(now(isOver: true), limit: Self.keptAtMost, withPipes: withPipes)
    }

    /// The joins, with how often they ran and did not.
    var joins: [GraphBook.Join] { state.withLock { $0.book }.joins }

    private func metrics(_ now: GraphBook.Now, limit: Int, withPipes: Bool) -> [NodeMetrics] {
        let (book, schedule) = state.withLock { ($0.book, $0.schedule) }
        let (bases, before) = (session.tally.baseCosts, before)
        let statistics = withPipes ? statistics(book, schedule, now) : nil
        return book.metrics(schedule, now: now, limit: limit, statistics: statistics)
            .map { node in
                var node = node
                // Of a batch they are added for all at once.
                if !session.isBatch, let base = bases[node.processorID] { node.cost += base }
                if let before = before[node.processorID] { node.add(before) }
                return node
            }
    }

    /// Adds what the nodes have done in this batch to what they did in others.
    func addToCourse() {
        course.add(metrics(now(isOver: true), limit: wiring.nodes.count, withPipes: false), joins)
    }

    /// What the nodes had done before the run was left in its pause.
    private var before: [Identifier: NodeMetrics] {
        guard firstMove != nil else { return [:] }
        return Dictionary((session.run.metrics?.nodes ?? []).map { ($0.processorID, $0) }) { $1 }
    }

    // MARK: Telling of pipes

    /// By output port, how long the values are that a node gave; `nil` when nobody wants to know.
    func bytes(of end: ItemFlow.End, from node: Int) -> [Int]? {
        guard case .gave(let values) = end, !wiring.outgoing[node].isEmpty,
            measuresPipes || session.events.wants(.pipeDataFlow)
        else { return nil }
        // What is no JSON has no bytes to count; the node that takes it says so where that matters.
        return values.map { value in value.flatMap { try? $0.json().jsonBytes.count } ?? 0 }
    }

    /// Sends what there is to tell about pipes, in order: a caller that finds another at it leaves its own to that one.
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
    /// Takes note of what has become of pipes, and of what is to be told of it.
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

    /// Takes note of what a node puts into the pipes behind it.
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

    /// What is to be told, for the one who tells it; `nil` when there is nothing or another is at it.
    fileprivate mutating func takeNews() -> [GraphFlow.PipeNews]? {
        guard !tellsNews, !news.isEmpty else { return nil }
        tellsNews = true
        defer { news = [] }
        return news
    }
}

extension RunHandle {
    /// What the nodes of a run of a graph have done so far, the one that took longest first; none for other runs.
    ///
    /// Costs time and memory in proportion to nodes and pipes.
    public var profile: [NodeMetrics] { session.flow?.profile ?? session.tally.metrics.nodes }

    /// How the pipes of a run of a graph stand, by their names; none before it begins and after it has ended.
    ///
    /// What they hold is counted; how many bytes went through them is only when ``GraphOptions/measuresPipes`` says so
    /// or somebody listened to `pipe_data_flow` when the run began.
    public var pipes: [String: PipeStatistics] { session.flow?.pipes ?? [:] }
}
