/// A graph that a run has taken, and how it is run.
struct GraphWork: Sendable {
    /// The way in which a run that was left in a pause continues from there.
    struct Comeback: Sendable {
        let pause: Pause
        /// The node and the item at which the run is paused.
        let node: Int
        let entry: StoredItem
        let move: Pause.Move
    }

    let graph: Graph
    let wiring: Wiring
    let options: GraphOptions
    let plan: LanePlan
    /// The named checkpoints that keep every output of a node; `nil`: none.
    var checkpoints: Checkpoints?
    /// The output from which the run continues.
    var restored: RestoredOutput?
    /// The pause from which the run continues; `nil` for a new run.
    var comeback: Comeback?

    /// What the session of its run knows of it.
    var terms: RunSession.GraphTerms {
        RunSession.GraphTerms(id: graph.id, nodes: wiring.nodes, comesBack: comeback != nil)
    }
}

/// A saved output that a continued run uses as the output of a node on an input.
struct RestoredOutput: Sendable {
    let checkpoint: NamedCheckpoint
    /// The place of the node.
    let node: Int
    let inputID: String
}
