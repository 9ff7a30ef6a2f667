import Foundation
import Synchronization

/// A runner that works on items concurrently in this program. Each worker has a thread of its own, so a processor may
/// block.
public struct ThreadRunner: Runner {
    public let name = "thread"
    public let maxWorkers: Int

    /// Creates a runner of up to `maxWorkers` threads; `nil`: as many as the machine has cores.
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

/// A runner that works on one item at a time, in input order, on one thread that is not the caller's.
public struct SequentialRunner: Runner {
    public let name = "sequential"
    public let maxWorkers = 1

    /// Creates the runner.
    public init() {}

    public func startWorker(for processor: RegisteredProcessor) -> any Worker { ThreadWorker(processor) }
}

/// A runner that chooses once it knows how many items there are: one at a time below 10; processes, if it was given
/// some that have the processor, for computation and for more than 100; otherwise threads.
public struct AutomaticRunner: Runner {
    public let name = "auto"
    public let maxWorkers: Int

    private var processes: ProcessRunner?

    public var itemsToResolve: Int { processes == nil ? 10 : 101 }

    /// Creates a choice of up to `maxWorkers` at once; `nil`: as many as the machine has cores.
    ///
    /// - Parameter processes: the runner where processes are the better choice; `nil`: threads there, too.
    /// - Throws: ``ProcessingError`` with code `configuration` outside 1 to 1024.
    public init(maxWorkers: Int? = nil, processes: ProcessRunner? = nil) throws(ProcessingError) {
        self.maxWorkers = try ThreadRunner(maxWorkers: maxWorkers).maxWorkers
        self.processes = processes
    }

    public func handing(_ setup: JSONValue) -> AutomaticRunner {
        var runner = self
        runner.processes = processes?.handing(setup)
        return runner
    }

    public func settled() throws -> any Runner { try ThreadRunner(maxWorkers: maxWorkers) }

    public func resolved(forAtLeast count: Int, of processor: RegisteredProcessor) throws -> any Runner {
        if count < 10 { return .sequential }
        let threads = try settled()
        guard let processes, processor.workload != .io, processor.workload == .compute || count > 100 else {
            return threads
        }
        return (try? processes.check(processor)) == nil ? threads : processes
    }

    public func startWorker(for processor: RegisteredProcessor) -> any Worker { ThreadWorker(processor) }
}

extension Runner where Self == SequentialRunner {
    /// A runner that works on one item at a time.
    public static var sequential: SequentialRunner { SequentialRunner() }
}

/// A worker that is a thread of this program.
struct ThreadWorker: Worker {
    private let processor: RegisteredProcessor
    private let thread = WorkerThread()
    private let attempts = Gate()

    init(_ processor: RegisteredProcessor) { self.processor = processor }

    var executor: (any TaskExecutor)? { thread }

    func extract(_ input: Payload, in context: Context) async throws -> Payload {
        guard processor.startsPrograms else { return try await processor.extract(input, context) }
        attempts.begin()
        defer { attempts.end() }
        return try await processor.extract(input, context)
    }

    /// Waits for attempts whose processor starts programs; it ends these when it is cancelled. Nothing else can be
    /// ended.
    func stop() async { if processor.startsPrograms { await attempts.passUncancelled() } }

    func retire() { thread.retire() }
}
