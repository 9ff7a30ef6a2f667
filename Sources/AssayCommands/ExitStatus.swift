package import Assay
import AssayPipelines

/// What the program tells the one who started it.
package enum ExitStatus: Int32, Sendable {
    /// Every item succeeded, or there was nothing to complain about.
    case success = 0
    /// The run failed, was cancelled or ran out of its time.
    case failed = 1
    /// Some items failed.
    case partial = 2
    /// A budget stopped the run.
    case budget = 3
    /// A breakpoint paused the run, and nobody was there to let it go on.
    case paused = 4
    /// The command was used wrongly.
    case usage = 64
    /// The pipeline file or an input file is invalid, or what is asked contradicts what is on record.
    case invalidData = 65
    /// An input, run or file was not found.
    case notFound = 66
    /// The store, a file or an output failed.
    case inputOutput = 74
    /// A service was not reachable.
    case unavailable = 75
    /// The time was over before the end of what was waited for; as `timeout` of the system says it.
    case timedOut = 124
    /// Ended because its terminal was closed.
    case hungUp = 129
    /// Ended by Ctrl-C.
    case interrupted = 130
    /// Ended by SIGTERM.
    case terminated = 143

    /// How a run that ended is told.
    ///
    /// - Parameter signal: what asked the run to stop, if something did.
    package init(_ run: Run, stoppedBy signal: StopSignal? = nil) {
        switch (signal, run.status) {
        case (let signal?, _) where signal != .cancel: self = signal.status
        case (_, .succeeded): self = .success
        case (_, .paused): self = .paused
        case (_, _) where run.error?.code == .budgetExhausted: self = .budget
        case (_, .partial): self = .partial
        default: self = .failed
        }
    }

    /// How a failure that ended the command is told.
    package init(_ code: ProcessingError.Code) {
        switch code {
        case .configuration, .exists, .definitionChanged: self = .invalidData
        case .notFound: self = .notFound
        case .store: self = .inputOutput
        case .runnerUnavailable, .queueFull, .circuitOpen, .api: self = .unavailable
        case .budgetExhausted: self = .budget
        default: self = .failed
        }
    }
}

/// A failure of a command: what is said about it and how the program ends.
package struct CommandFailure: Error, Sendable {
    /// How the program ends.
    package let status: ExitStatus
    /// What happened and what to do about it.
    package let message: String

    /// A failure that is told as `message`.
    package init(_ status: ExitStatus, _ message: String) {
        self.status = status
        self.message = message
    }

    /// Any error as a failure of a command.
    package init(_ error: any Error) {
        switch error {
        case let failure as CommandFailure: self = failure
        case let error as ProcessingError:
            self.init(ExitStatus(error.code), error.findings.isEmpty ? "\(error)" : error.message)
        case let error as SinkError: self.init(.inputOutput, "cannot write the output: \(error)")
        default: self.init(.failed, "\(error)")
        }
    }
}

// What ends a list of inputs is filed with the run.
extension CommandFailure: FailureDescribing {
    package var failureCode: ProcessingError.Code? {
        switch status {
        case .usage, .invalidData: .configuration
        case .notFound: .notFound
        // What is not the data's fault is that somebody stopped the reading.
        case .interrupted, .terminated, .failed: .cancelled
        default: nil
        }
    }
}

extension CommandFailure {
    /// The command was used wrongly.
    package static func usage(_ message: String) -> CommandFailure { CommandFailure(.usage, message) }
}
