/// The plan of where the nodes of a graph run: which of them share lanes, and how many lanes there may be.
struct LanePlan: Sendable {
    private(set) var teams: [GraphSchedule.Team] = []
    private(set) var pools: [Int] = []
    private(set) var crews: [Crew] = []
    /// The runner of nodes that have none of their own.
    let runner: any Runner

    /// Creates the plan for `nodes`.
    ///
    /// - Parameter runner: the shared runner of nodes that have none of their own; `nil`: threads.
    /// - Throws: what a runner throws that cannot run its node.
    init(_ nodes: [Node], runner: (any Runner)?) throws {
        let places = nodes.reduce(0) { min(1_024, $0 + ($1.runner == nil ? $1.concurrency : 0)) }
        let common = try runner?.settled() ?? ThreadRunner(maxWorkers: max(1, places))
        self.runner = common
        let rest = nodes.indices.filter { nodes[$0].runner == nil }
        for place in nodes.indices {
            guard let own = try nodes[place].runner?.settled() else { continue }
            try own.check(nodes[place].processor)
            addTeam([place], of: nodes, on: own, pool: addPool(min(own.maxWorkers, nodes[place].concurrency)))
        }
        let pool = addPool(common.maxWorkers)
        if common.servesOneProcessor {
            for place in rest {
                try common.check(nodes[place].processor)
                addTeam([place], of: nodes, on: common, pool: pool)
            }
            if rest.isEmpty, teams.isEmpty { addTeam([], of: nodes, on: common, pool: pool) }
        } else {
            for place in rest { try common.check(nodes[place].processor) }
            addTeam(rest, of: nodes, on: common, pool: pool)
        }
    }

    private mutating func addPool(_ limit: Int) -> Int {
        pools.append(limit)
        return pools.count - 1
    }

    private mutating func addTeam(_ places: [Int], of nodes: [Node], on runner: any Runner, pool: Int) {
        teams.append(GraphSchedule.Team(nodes: places, pool: pool))
        crews.append(Crew(of: runner, for: RegisteredProcessor(serving: places.map { nodes[$0] })))
    }

    /// Releases all idle workers.
    func dismiss() { for crew in crews { crew.dismissIdle() } }
}
