import Foundation

/// A runner that works on items in separate processes: this program, started again.
///
/// A trap, a crash or a kill ends the attempt at one item and nothing else. ``WorkerProcess/serveIfAsked(_:)`` must
/// find the processor by its name, and its values cross as JSON of up to 16 MiB.
public struct ProcessRunner: Runner {
    public let name = "process"
    public let maxWorkers: Int
    public let sharesWorkers = true
    public let servesOneProcessor = true

    private var pool: WorkerPool
    private let time: any TimeSource
    private let servesItself: Bool

    /// Creates a runner of up to `maxWorkers` processes; `nil`: as many as the machine has cores.
    ///
    /// - Parameters:
    ///   - setup: the value from which the worker makes its processor.
    ///   - executable: the program to start, which must serve as a worker at once; `nil`: this one.
    ///   - arguments: the arguments of that program; `nil`: what ``WorkerProcess`` looks for.
    ///   - heartbeatTimeout: the longest silence of a worker, which sends its own heartbeats, before it is killed.
    ///   - time: the clock of the pool's circuit breaker.
    ///   - output: receives each line that a worker prints; `nil`: this program's standard error.
    /// - Throws: ``ProcessingError`` with code `configuration` outside 1 to 1024, or for a heartbeat that is not above
    ///   0.
    public init(
        maxWorkers: Int? = nil, setup: JSONValue = .null, executable: String? = nil, arguments: [String]? = nil,
        heartbeatTimeout: Duration = .seconds(60), time: any TimeSource = World.system.time,
        output: (@Sendable (String) -> Void)? = nil
    ) throws(ProcessingError) {
        self.maxWorkers = try ThreadRunner(maxWorkers: maxWorkers).maxWorkers
        guard heartbeatTimeout > .zero else {
            throw ProcessingError(
                .configuration, "heartbeat_timeout must be greater than 0, found \(heartbeatTimeout.secondsText)")
        }
        servesItself = executable == nil
        self.time = time
        let launch = WorkerLaunch(
            executable: executable ?? Self.thisProgram, arguments: arguments ?? [WorkerProcess.argument], setup: setup,
            heartbeatTimeout: heartbeatTimeout, output: output ?? WorkerOutput.toStandardError)
        pool = WorkerPool(launch: launch, time: time)
    }

    /// Returns the same runner, whose workers make their processor from `setup`.
    public func handing(_ setup: JSONValue) -> ProcessRunner {
        var copy = self
        copy.pool = WorkerPool(launch: pool.launch.handing(setup), time: time)
        return copy
    }

    public func check(_ processor: RegisteredProcessor) throws {
        guard servesItself, !processor.startsPrograms else { return }
        let served = try WorkerProcess.processor(processor.name.text, setup: pool.launch.setup)
        guard served.sharedDefinition == processor.sharedDefinition else {
            throw ProcessingError(
                .configuration,
                "worker processes would make '\(processor.name)' with another version or other parameters")
        }
    }

    public func startWorker(for processor: RegisteredProcessor) -> any Worker {
        processor.startsPrograms ? ThreadWorker(processor) : ProcessWorker(processor, in: pool)
    }

    #if os(Linux)
        // The very file that runs, even if it has been replaced since.
        private static let thisProgram = "/proc/self/exe"
    #else
        private static let thisProgram = Bundle.main.executablePath ?? CommandLine.arguments[0]
    #endif
}
