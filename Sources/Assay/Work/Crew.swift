import Synchronization

/// The workers of a run, started when there is work for them, lent to one lane at a time, and released when the run
/// ends.
///
/// Batches come and go; workers stay. Where a worker is a process, all batches in progress share as many as the runner
/// has. Threads cost little, so each batch has as many.
final class Crew: Sendable {
    private struct State {
        var idle: [any Worker] = []
        /// The number of workers, lent or idle.
        var size = 0
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    private let runner: any Runner
    private let processor: RegisteredProcessor
    private let limit: Int
    private let state = Mutex(State())

    init(of runner: any Runner, for processor: RegisteredProcessor) {
        self.runner = runner
        self.processor = processor
        limit = runner.sharesWorkers || processor.startsPrograms ? runner.maxWorkers : .max
    }

    private enum Answer {
        case idle(any Worker)
        case start
        case wait
        case none
    }

    /// Lends a worker to a lane, which returns or dismisses it.
    ///
    /// - Parameter waits: whether to wait when all are lent; otherwise returns `nil` then.
    /// - Throws: what the runner throws when it cannot start one.
    func worker(waits: Bool) async throws -> (any Worker)? {
        while true {
            let answer: Answer = state.withLock { state in
                if let worker = state.idle.popLast() { return .idle(worker) }
                guard state.size < limit else { return waits ? .wait : .none }
                state.size += 1
                return .start
            }
            switch answer {
            case .idle(let worker): return worker
            case .none: return nil
            case .wait: await waitForChange()
            case .start:
                do { return try await runner.startWorker(for: processor) } catch {
                    leave()
                    throw error
                }
            }
        }
    }

    private func waitForChange() async {
        await withCheckedContinuation { continuation in
            let hasChanged = state.withLock { state in
                guard state.idle.isEmpty, state.size >= limit else { return true }
                state.waiters.append(continuation)
                return false
            }
            if hasChanged { continuation.resume() }
        }
    }

    /// Returns to the crew a worker that has nothing more to do.
    func takeBack(_ worker: any Worker) {
        let waiter = state.withLock { state in
            state.idle.append(worker)
            return state.waiters.isEmpty ? nil : state.waiters.removeFirst()
        }
        waiter?.resume()
    }

    /// Releases a worker that may still be busy with work that no one waits for.
    func dismiss(_ worker: any Worker) {
        worker.retire()
        leave()
    }

    private func leave() {
        let waiter = state.withLock { state in
            state.size -= 1
            return state.waiters.isEmpty ? nil : state.waiters.removeFirst()
        }
        waiter?.resume()
    }

    /// Releases all workers that are not lent. Their borrowers dismiss the others.
    func dismissIdle() {
        let idle = state.withLock { state in
            defer { state.idle = [] }
            state.size -= state.idle.count
            return state.idle
        }
        for worker in idle { worker.retire() }
    }
}
