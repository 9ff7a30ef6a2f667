/// What lanes are given to do, and what becomes of it: a list of items, or a graph that items pass through.
///
/// A source decides and files. Workers, time limits, attempts and lanes left behind are those of a ``Workshop``.
protocol WorkSource: Sendable {
    /// What the source has to know of a piece of work besides its item.
    associatedtype Matter: Sendable
    /// What the source has to know of a lane.
    associatedtype Post: Sendable

    /// The run, or the batch of it, that the work is for.
    var session: RunSession { get }
    /// The shortest time after which an attempt may have to be ended.
    var shortestLimit: Duration { get }

    /// Returns what `lane` does next, begun; `nil` when there is nothing for it, which ends the lane.
    ///
    /// It commits what the lane has finished.
    nonisolated(nonsending) func next(
        for lane: Lane<Self>, in workshop: Workshop<Self>, _ generation: Int
    ) async throws -> Job<Self>?

    /// Makes one attempt.
    nonisolated(nonsending) func attempt(
        _ job: inout Job<Self>, in lane: Lane<Self>, _ generation: Int, by worker: any Worker, _ context: Context
    ) async throws -> Payload

    /// Returns whether work that has given an output is to be done once more, from its beginning.
    func startsOver(_ work: Work) -> Bool

    /// Decides what to do after a failed attempt.
    nonisolated(nonsending) func answer(to error: ProcessingError, of job: inout Job<Self>) async -> ErrorAnswer

    /// Records an attempt whose end says nothing about what was tried.
    func withdraw(_ job: inout Job<Self>)

    /// Files how work has ended; the lane keeps the outcomes of items that have ended with it.
    nonisolated(nonsending) func end(_ job: Job<Self>, _ end: WorkEnd, in lane: Lane<Self>) async throws
}

extension WorkSource {
    func startsOver(_ work: Work) -> Bool { false }
    func withdraw(_ job: inout Job<Self>) {}
}

/// A piece of work in a lane, with what its source has to know of it.
struct Job<Source: WorkSource>: Sendable {
    var work: Work
    var matter: Source.Matter
}

/// How a piece of work ends.
enum WorkEnd {
    /// It gave an output.
    case gave(Payload)
    /// It failed for good.
    case failed(ProcessingError, Outcome.Reason?, by: ErrorAnswer)
    /// It was given up, for a reason of its own or because the run was stopped.
    case givenUp(Outcome.Reason?)
}
