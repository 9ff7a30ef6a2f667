import Synchronization

/// A delivery that hands over finished batches, one at a time, and adds them up.
final class BatchDelivery: Sendable {
    private struct State {
        var aggregate: BatchAggregate?
        var held: [BatchResult] = []
        var takerFailure: (any Error)?
        var workFailure: (any Error)?
    }

    private let state: Mutex<State>
    private let turns = Turnstile()
    private let streams: Bool
    private let hand: (@Sendable (BatchResult) async throws -> Void)?

    init(_ options: RunOptions, _ policy: BatchPolicy) {
        streams = policy.enableStreaming
        hand = options.onBatch
        state = Mutex(State(aggregate: options.listsFirst ? BatchAggregate(keepsOutputs: false) : nil))
    }

    /// The sums; `nil` when batches are forgotten once they are handed over.
    var aggregate: BatchAggregate? { state.withLock { $0.aggregate } }

    /// The error with which the taker refused a batch and all later ones.
    var failure: (any Error)? { state.withLock { $0.takerFailure } }

    /// Accepts a finished batch. If batches are streamed, it returns once the taker has the batch.
    func add(_ batch: BatchResult, _ session: RunSession) async {
        state.withLock { state in
            state.aggregate?.add(batch)
            if !streams, hand != nil { state.held.append(batch) }
        }
        if streams { await handOver(batch, session) }
    }

    /// Hands over the batches that were held back until all were finished.
    func finish(_ session: RunSession) async {
        let held = state.withLock { state in
            defer { state.held = [] }
            return state.held
        }
        for batch in held.sorted(by: { $0.batchIndex < $1.batchIndex }) { await handOver(batch, session) }
    }

    /// Records that the run cannot continue, and stops it.
    func fail(_ error: any Error, _ session: RunSession) {
        state.withLock { $0.workFailure = $0.workFailure ?? error }
        session.stop(.init(reason: .runCancelled, drains: true))
    }

    /// Throws the error that kept the run from continuing, if there is one.
    func checkWork() throws { if let error = state.withLock({ $0.workFailure }) { throw error } }

    private func handOver(_ batch: BatchResult, _ session: RunSession) async {
        guard let hand else { return }
        await turns.enterUncancelled()
        defer { turns.leave() }
        guard failure == nil else { return }
        do { try await hand(batch) } catch {
            state.withLock { $0.takerFailure = error }
            session.stop(.init(reason: .runCancelled, drains: false))
        }
    }
}
