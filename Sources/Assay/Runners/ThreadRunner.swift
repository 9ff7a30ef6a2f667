import Foundation
import Synchronization

/// Works on items concurrently in this program, each worker on a thread of its own, so a processor may block.
public struct ThreadRunner: Runner {
    public let name = "thread"
    public let maxWorkers: Int

    /// A runner of up to `maxWorkers` threads; `nil`: as many as the machine has cores.
    ///
    /// - Throws: ``ProcessingError`` with code `configuration` outside 1 to 1024.
    public init(maxWorkers: Int? = nil) throws(ProcessingError) {
        let maxWorkers = maxWorkers ?? ProcessInfo.processInfo.activeProcessorCount
        guard (1...1_024).contains(maxWorkers) else {
            throw ProcessingError(.configuration, "max_workers must be between 1 and 1024, found \(maxWorkers)")
        }
        self.maxWorkers = maxWorkers
    }

    public func startWorker(for processor: RegisteredProcessor) -> any Worker { ThreadWorker(processor) }
}

/// Works on one item after another, in input order, on one thread that is not the caller's.
public struct SequentialRunner: Runner {
    public let name = "sequential"
    public let maxWorkers = 1

    /// A runner that needs no settings.
    public init() {}

    public func startWorker(for processor: RegisteredProcessor) -> any Worker { ThreadWorker(processor) }
}

/// Chooses a runner when it knows how many items there are: one after another below 10, else threads.
public struct AutomaticRunner: Runner {
    public let name = "auto"
    public let maxWorkers: Int

    /// As many items as are looked at before choosing.
    static let enough = 10

    /// A choice of up to `maxWorkers` at once; `nil`: as many as the machine has cores.
    ///
    /// - Throws: ``ProcessingError`` with code `configuration` outside 1 to 1024.
    public init(maxWorkers: Int? = nil) throws(ProcessingError) {
        self.maxWorkers = try ThreadRunner(maxWorkers: maxWorkers).maxWorkers
    }

    /// The runner for a run of at least `count` items.
    func runner(forAtLeast count: Int) throws(ProcessingError) -> any Runner {
        count < Self.enough ? .sequential : try ThreadRunner(maxWorkers: maxWorkers)
    }

    public func startWorker(for processor: RegisteredProcessor) -> any Worker { ThreadWorker(processor) }
}

extension Runner where Self == SequentialRunner {
    /// One item after another.
    public static var sequential: SequentialRunner { SequentialRunner() }
}

/// A worker that is a thread of this program.
private struct ThreadWorker: Worker {
    private let processor: RegisteredProcessor
    private let thread = WorkerThread()

    init(_ processor: RegisteredProcessor) { self.processor = processor }

    var executor: (any TaskExecutor)? { thread }

    func extract(_ input: Payload, in context: Context) async throws -> Payload {
        try await processor.extract(input, context)
    }

    func retire() { thread.retire() }
}

/// A thread that carries out the parts of the tasks that prefer it, in order, and ends when it is retired.
private final class WorkerThread: TaskExecutor {
    private struct State {
        var jobs: [UnownedJob] = []
        var retired = false
    }

    private let state = Mutex(State())
    private let wake = DispatchSemaphore(value: 0)

    init() {
        let thread = Thread { [self] in loop() }
        thread.name = "assay-worker"
        thread.stackSize = 8 << 20
        thread.start()
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        state.withLock { $0.jobs.append(job) }
        wake.signal()
    }

    func retire() {
        state.withLock { $0.retired = true }
        wake.signal()
    }

    private func loop() {
        while true {
            wake.wait()
            let (jobs, retired) = state.withLock { state in
                defer { state.jobs.removeAll() }
                return (state.jobs, state.retired)
            }
            for job in jobs { job.runSynchronously(on: asUnownedTaskExecutor()) }
            if retired, jobs.isEmpty { return }
        }
    }
}
