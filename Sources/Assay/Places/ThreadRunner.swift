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

/// Chooses a runner when it knows how many items there are: one after another below 10, processes for calculation and
/// for more than 100 if it was given some that have the processor, else threads.
public struct AutomaticRunner: Runner {
    public let name = "auto"
    public let maxWorkers: Int

    private var processes: ProcessRunner?

    /// As many items as are looked at before choosing.
    var enough: Int { processes == nil ? 10 : 101 }

    /// A choice of up to `maxWorkers` at once; `nil`: as many as the machine has cores.
    ///
    /// - Parameter processes: what to use where processes are the better choice; `nil`: threads there, too.
    /// - Throws: ``ProcessingError`` with code `configuration` outside 1 to 1024.
    public init(maxWorkers: Int? = nil, processes: ProcessRunner? = nil) throws(ProcessingError) {
        self.maxWorkers = try ThreadRunner(maxWorkers: maxWorkers).maxWorkers
        self.processes = processes
    }

    /// The same choice with workers that make their processor from `setup`.
    package func handing(_ setup: JSONValue) -> AutomaticRunner {
        var runner = self
        runner.processes = processes?.handing(setup)
        return runner
    }

    /// The runner for a run of at least `count` items.
    func runner(forAtLeast count: Int, of processor: RegisteredProcessor) throws(ProcessingError) -> any Runner {
        if count < 10 { return .sequential }
        let threads = try ThreadRunner(maxWorkers: maxWorkers)
        guard let processes, processor.workload != .io, processor.workload == .compute || count > 100 else {
            return threads
        }
        return (try? processes.check(processor)) == nil ? threads : processes
    }

    public func startWorker(for processor: RegisteredProcessor) -> any Worker { ThreadWorker(processor) }
}

extension Runner where Self == SequentialRunner {
    /// One item after another.
    public static var sequential: SequentialRunner { SequentialRunner() }
}

/// A worker that is a thread of this program.
struct ThreadWorker: Worker {
    private let processor: RegisteredProcessor
    private let thread = WorkerThread()
    private let attempts = Attendance()

    init(_ processor: RegisteredProcessor) { self.processor = processor }

    var executor: (any TaskExecutor)? { thread }

    func extract(_ input: Payload, in context: Context) async throws -> Payload {
        guard processor.startsPrograms else { return try await processor.extract(input, context) }
        attempts.begin()
        defer { attempts.end() }
        return try await processor.extract(input, context)
    }

    /// Nothing that could be ended, but for processes that the processor ends itself when it is cancelled.
    func stop() async { if processor.startsPrograms { await attempts.waitForEnd() } }

    func retire() { thread.retire() }
}

/// Whether somebody is at work, and those who wait until nobody is.
private final class Attendance: Sendable {
    private let state = Mutex<(count: Int, waiters: [CheckedContinuation<Void, Never>])>((0, []))

    func begin() { state.withLock { $0.count += 1 } }

    func end() {
        let waiters = state.withLock { state in
            state.count -= 1
            guard state.count == 0 else { return [CheckedContinuation<Void, Never>]() }
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    func waitForEnd() async {
        await withCheckedContinuation { continuation in
            let isOver = state.withLock { state in
                if state.count > 0 { state.waiters.append(continuation) }
                return state.count == 0
            }
            if isOver { continuation.resume() }
        }
    }
}
