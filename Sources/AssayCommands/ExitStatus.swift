package import Assay
import AssayPipelines

/// The exit code of the program.
package enum ExitStatus: Int32, Sendable {
    /// Every item succeeded, or there was nothing to report.
    case success = 0
    /// The run failed, was cancelled or timed out.
    case failed = 1
    /// Some items failed.
    case partial = 2
    /// A budget stopped the run.
    case budget = 3
    /// A breakpoint paused the run, and no one was there to continue it.
    case paused = 4
    /// The command was used wrongly.
    case usage = 64
    /// The pipeline file or an input file is invalid, or the request contradicts what is on record.
    case invalidData = 65
    /// An input, run or file was not found.
    case notFound = 66
    /// The store, a file or an output failed.
    case inputOutput = 74
    /// A service was not reachable.
    case unavailable = 75
    /// The time ran out before the awaited end, as with the system's `timeout`.
    case timedOut = 124
    /// The terminal was closed.
    case hungUp = 129
    /// The user pressed Ctrl-C.
    case interrupted = 130
    /// The program received SIGTERM.
    case terminated = 143

    /// Creates the status for a run that has ended.
    ///
    /// - Parameter signal: the signal that asked the run to stop, if any.
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

    /// Creates the status for a failure that ended the command.
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

/// A failure of a command: its message and the exit code.
package struct CommandFailure: Error, Sendable {
    /// The exit code.
    package let status: ExitStatus
    /// The description of the failure and its remedy.
    package let message: String

    /// Creates a failure with `message`.
    package init(_ status: ExitStatus, _ message: String) {
        self.status = status
        self.message = message
    }

    /// Creates a failure from any error.
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

// The run records the failure that ends a list of inputs.
extension CommandFailure: FailureDescribing {
    package var failureCode: ProcessingError.Code? {
        switch status {
        case .usage, .invalidData: .configuration
        case .notFound: .notFound
        // These are not the data's fault: the reading was stopped.
        case .interrupted, .terminated, .failed: .cancelled
        default: nil
        }
    }
}

extension CommandFailure {
    /// Returns a failure for a wrongly used command.
    package static func usage(_ message: String) -> CommandFailure { CommandFailure(.usage, message) }
}
