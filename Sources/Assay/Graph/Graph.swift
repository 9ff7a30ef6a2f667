import Synchronization

/// A graph of processors that are connected port to port; items flow through it.
///
/// A graph may be built and changed at any time except while it runs. It has one run at a time. It may be used from any
/// thread.
public final class Graph: Sendable {
    /// The graph's name.
    public let id: Identifier
    /// The time of its creation.
    public let createdAt: Timestamp

    private let state: Mutex<State>

    struct State {
        var wiring = Wiring()
        var verdict: Verdict?
        var isRunning = false
        /// The taps by pipe, created at the first use.
        var taps: [String: PipeTaps] = [:]
        var executions = GraphDescription.Executions()
    }

    /// The findings about the wiring since its last change.
    struct Verdict {
        let problems: [GraphProblem]
        let levels: [[Int]]
    }

    /// Creates a graph with that name.
    ///
    /// - Throws: ``ProcessingError`` with code `configuration` when the name is not an ``Identifier``.
    public convenience init(_ id: String, world: World = .system) throws(ProcessingError) {
        self.init(try Identifier(id, as: "graph_id"), world: world)
    }

    /// Creates a graph with a generated name.
    public convenience init(world: World = .system) { self.init(world.makeIdentifier(), world: world) }

    init(_ id: Identifier, world: World) {
        self.id = id
        createdAt = world.time.now()
        state = Mutex(State())
    }

    // MARK: Building

    /// Adds a node. O(1).
    ///
    /// - Throws: ``ProcessingError`` with code `exists` when there is one of that name, `configuration` when one of its
    ///   settings is out of its range, `already_running` while the graph runs.
    public func add(_ node: Node) throws {
        try node.check()
        try change { wiring in
            guard wiring.add(node) else {
                throw ProcessingError(.exists, "processor_id '\(node.id)' is already in graph '\(id)'")
            }
        }
    }

    /// Connects a port of one node to a port of another with a pipe. O(1).
    ///
    /// - Parameter capacity: the number of values that may wait in it, at least 1.
    /// - Throws: ``ProcessingError`` with code `graph`, which names an unknown node or port and the nearest match;
    ///   `configuration` for a capacity below 1; `already_running` while the graph runs.
    @discardableResult public func connect(
        _ from: String, _ output: String = "output", to: String, _ input: String = "input", capacity: Int = 1_000
    ) throws -> Connection {
        guard capacity >= 1 else {
            throw ProcessingError(.configuration, "capacity must be at least 1, found \(capacity)")
        }
        return try change { wiring in
            try wiring.connect(from, output, to: to, input, capacity: capacity)
        }
    }

    /// Removes a node and its pipes. O(nodes + pipes).
    ///
    /// - Returns: `false` when there is no node of that name.
    /// - Throws: ``ProcessingError`` with code `already_running` while the graph runs.
    @discardableResult public func remove(_ node: String) throws -> Bool { try change { $0.remove(node) } }

    private func change<Value>(_ body: (inout Wiring) throws -> sending Value) throws -> sending Value {
        try state.withLock { state in
            guard !state.isRunning else {
                throw ProcessingError(.alreadyRunning, "graph '\(id)' is running; change it when its run has ended")
            }
            let value = try body(&state.wiring)
            state.verdict = nil
            return value
        }
    }

    // MARK: Taps

    private let hasTaps = Atomic(false)

    /// Calls `tap` with every value that enters a pipe from now on, also while the graph runs.
    ///
    /// - Parameter pipe: its name, `a:output->b:input`.
    /// - Throws: ``ProcessingError`` with code `graph` when there is no such pipe.
    @discardableResult public func attach(_ tap: @escaping PipeTaps.Tap, to pipe: String) throws -> PipeTaps.ID {
        try taps(of: pipe).attach(tap)
    }

    /// Returns the taps of a pipe, to inspect or detach them.
    ///
    /// - Throws: ``ProcessingError`` with code `graph` when there is no such pipe.
    public func taps(of pipe: String) throws -> PipeTaps {
        try state.withLock { state in
            let known = state.wiring.connections.map(\.name)
            guard known.contains(pipe) else {
                throw ProcessingError(
                    .graph, "there is no pipe \(pipe.quoted)\(Suggestion(for: pipe, among: known).ending)")
            }
            if let taps = state.taps[pipe] { return taps }
            let taps = PipeTaps(pipe: pipe)
            state.taps[pipe] = taps
            hasTaps.store(true, ordering: .releasing)
            return taps
        }
    }

    /// The number of taps by pipe.
    var tapCounts: [String: Int] {
        guard hasTaps.load(ordering: .acquiring) else { return [:] }
        return state.withLock { $0.taps }.mapValues(\.count)
    }

    /// Closes the taps, and returns when they have handled all values put before.
    public func finishTaps() async {
        for taps in state.withLock({ Array($0.taps.values) }) { await taps.finish() }
    }

    /// Sends a value to the taps of a pipe.
    func tell(
        _ pipe: @autoclosure () -> String, _ value: Payload, of inputID: String, at moment: @autoclosure () -> Timestamp
    ) {
        guard hasTaps.load(ordering: .acquiring) else { return }
        let name = pipe()
        guard let taps = state.withLock({ $0.taps[name] }) else { return }
        // A value that is not JSON cannot be shown. The node that takes it reports that where it matters.
        try? taps.put(
            TappedValue(pipe: name, inputID: inputID, value: try value.json(), timestamp: moment()))
    }

    // MARK: Inspecting

    /// The nodes in order of insertion.
    public var nodes: [Node] { wiring.nodes }

    /// The pipes in order of insertion.
    public var connections: [Connection] { wiring.connections }

    /// Returns the node of that name.
    public func node(_ id: String) -> Node? { wiring.place(of: id).map { wiring.nodes[$0] } }

    /// Returns the problems of the graph, by kind and then by order of insertion. Empty when it can run.
    ///
    /// O(nodes + pipes), and O(1) when nothing has changed since the last call.
    public func validate() -> [GraphProblem] { state.withLock { $0.settled().problems } }

    /// Returns the warnings about a valid graph, in order of insertion. Empty for a graph that cannot run.
    ///
    /// It warns about a join with `require_all` behind a branch: when the branching node gives only one of its outputs,
    /// the join is skipped. O(nodes + pipes) for each 64 outputs of branching nodes.
    public func warnings() -> [GraphProblem] {
        guard let (wiring, _) = try? valid() else { return [] }
        return wiring.branchedJoins()
    }

    /// Returns the nodes by distance from the sources: a node of level n + 1 takes its inputs from levels up to n.
    ///
    /// Levels only describe a graph. When it runs, a node starts on an item once its inputs are there.
    ///
    /// - Throws: ``ProcessingError`` with code `graph` when the graph is not valid.
    public func levels() throws(ProcessingError) -> [[Identifier]] {
        let (wiring, levels) = try valid()
        return levels.map { $0.map { wiring.nodes[$0].id } }
    }

    /// A description of the graph in numbers and names.
    public var description: GraphDescription {
        state.withLock { state in
            let settled = state.verdict
            let verdict = state.settled()
            let wiring = state.wiring
            return GraphDescription(
                graphID: id, processors: wiring.nodes.map(\.id), connections: wiring.connections,
                isValidated: settled?.problems.isEmpty == true,
                levels: verdict.problems.isEmpty
                    ? verdict.levels.map { $0.map { wiring.nodes[$0].id } } : nil,
                createdAt: createdAt, executions: state.executions)
        }
    }

    /// The current wiring.
    var wiring: Wiring { state.withLock { $0.wiring } }

    /// Returns the current wiring with its levels.
    ///
    /// - Throws: ``ProcessingError`` with code `graph` when it is not valid.
    func valid() throws(ProcessingError) -> (Wiring, levels: [[Int]]) {
        let (wiring, verdict) = state.withLock { state in
            let verdict = state.settled()
            return (state.wiring, verdict)
        }
        guard verdict.problems.isEmpty else { throw ProcessingError(verdict.problems, in: id) }
        return (wiring, verdict.levels)
    }

    // MARK: Running

    /// Reserves the graph for a run, during which it cannot be changed.
    ///
    /// - Throws: ``ProcessingError`` with code `graph` when it is not valid, `already_running` when a run already uses
    ///   it.
    func begin() throws(ProcessingError) -> Wiring {
        let (wiring, problems, isFree) = state.withLock { state in
            let problems = state.settled().problems
            let isFree = !state.isRunning
            if isFree, problems.isEmpty { state.isRunning = true }
            return (state.wiring, problems, isFree)
        }
        guard isFree else {
            throw ProcessingError(
                .alreadyRunning, "graph '\(id)' is running; build another one to run it at the same time")
        }
        guard problems.isEmpty else { throw ProcessingError(problems, in: id) }
        return wiring
    }

    /// Releases the graph after a run, or after a run that failed to start.
    func end(_ status: Status?) {
        state.withLock { state in
            state.isRunning = false
            if let status { state.executions.count(status) }
        }
    }
}

extension Graph.State {
    /// Returns the findings about the wiring, and computes them first if it has changed.
    mutating func settled() -> Graph.Verdict {
        if let verdict { return verdict }
        let problems = wiring.problems()
        let found = Graph.Verdict(problems: problems, levels: problems.isEmpty ? wiring.levels() : [])
        verdict = found
        return found
    }
}
