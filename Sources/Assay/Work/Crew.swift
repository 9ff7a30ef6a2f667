import Synchronization

/// The workers of a run, started when there is work for them, lent to one lane at a time, and released when the run
/// ends.
///
/// Batches come and go; workers stay. Where a worker is a process, all batches in progress share as many as the runner
/// has. Threads cost little, so each batch has as many.
final class Crew: Sendable {
    private let runner: any Runner
    private let processor: RegisteredProcessor
    /// A place for each worker that may be lent at a time.
    private let places: Turnstile
    private let idle = Mutex<[any Worker]>([])

    init(of runner: any Runner, for processor: RegisteredProcessor) {
        self.runner = runner
        self.processor = processor
        places = Turnstile(
            places: runner.sharesWorkers || processor.startsPrograms ? runner.maxWorkers : .max)
    }

    /// Lends a worker to a lane, which returns or dismisses it.
    ///
    /// - Parameter waits: whether to wait when all are lent; otherwise returns `nil` then.
    /// - Throws: what the runner throws when it cannot start one.
    func worker(waits: Bool) async throws -> (any Worker)? {
        if waits { await places.enterUncancelled() } else if !places.enterIfFree() { return nil }
        if let worker = idle.withLock({ $0.popLast() }) { return worker }
        do { return try await runner.startWorker(for: processor) } catch {
            places.leave()
            throw error
        }
    }

    /// Returns to the crew a worker that has nothing more to do.
    func takeBack(_ worker: any Worker) {
        idle.withLock { $0.append(worker) }
        places.leave()
    }

    /// Releases a worker that may still be busy with work that no one waits for.
    func dismiss(_ worker: any Worker) {
        worker.retire()
        places.leave()
    }

    /// Releases all workers that are not lent. Their borrowers dismiss the others.
    func dismissIdle() {
        let released = idle.withLock { idle in
            defer { idle = [] }
            return idle
        }
        for worker in released { worker.retire() }
    }
}
