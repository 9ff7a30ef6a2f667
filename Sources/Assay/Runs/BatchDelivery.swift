import Synchronization

/// A delivery that hands over finished batches, one at a time, and adds them up.
final class BatchDelivery: Sendable {
    private struct State {
        var aggregate: BatchAggregate?
        var held: [BatchResult] = []
        var takerFailure: (any Error)?
        var workFailure: (any Error)?
        var isBusy = false
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state: Mutex<State>
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
        await beginTurn()
        defer { endTurn() }
        guard failure == nil else { return }
        do { try await hand(batch) } catch {
            state.withLock { $0.takerFailure = error }
            session.stop(.init(reason: .runCancelled, drains: false))
        }
    }

    private func beginTurn() async {
        await withCheckedContinuation { continuation in
            let isFree = state.withLock { state in
                if state.isBusy { state.waiting.append(continuation) }
                defer { state.isBusy = true }
                return !state.isBusy
            }
            if isFree { continuation.resume() }
        }
    }

    private func endTurn() {
        let next = state.withLock { state in
            guard state.waiting.isEmpty else { return state.waiting.removeFirst() as CheckedContinuation<Void, Never>? }
            state.isBusy = false
            return nil
        }
        next?.resume()
    }
}
