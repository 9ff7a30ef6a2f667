/// The work on one item in a lane; in a graph, at one of its nodes.
struct Work: Sendable {
    /// The item; in a graph with the node's input.
    let entry: StoredItem
    /// The session of the work: the run's, its batch's, or its node's.
    let session: RunSession
    /// The desk that serves the requests of its processor.
    let desk: ItemDesk
    /// The moment when it was first started.
    let startedAt: Duration
    /// The number of attempts that were made before its batch was retried.
    var earlierAttempts = 0
    /// The number of the attempt, from 1.
    var attempt = 1
    /// The number of crashes it caused.
    var crashes = 0

    /// The number of the attempt, counted over all tries of its batch.
    var attempts: Int { earlierAttempts + attempt }
    /// The input of `extract`.
    var input: Payload { entry.transformed ?? entry.item.data }
}
