/// The loss of a worker in the middle of an attempt. The work of the attempt is lost with it.
enum WorkerLoss: Error {
    /// It died, because of its work or because something else killed it.
    case died(ChildProcess.Exit, lastWords: String?)
    /// It sent invalid data and was killed.
    case babbled(FrameFault)
    /// It gave no sign of life for this long and was killed.
    case silent(Duration)
    /// There is no worker: it could not be started, or it does not have the processor.
    case unavailable(ProcessingError)

    /// Whether the item may have killed it.
    var isCrash: Bool {
        switch self {
        case .died, .babbled: true
        case .silent, .unavailable: false
        }
    }

    /// Returns the failure of the attempt.
    ///
    /// - Parameter step: the step that was running.
    func error(inStep step: String?) -> ProcessingError {
        let place = step.map { "in step '\($0)'" } ?? "before answering"
        switch self {
        case .died(let exit, let lastWords):
            let ending = lastWords.map { ": \($0)" } ?? ""
            return ProcessingError(.workerCrashed, "worker \(exit) \(place)\(ending)")
        case .babbled(let fault):
            return ProcessingError(.workerCrashed, "worker was killed because it sent \(fault), \(place)")
        case .silent(let limit): return ProcessingError(.timeout, "no heartbeat for \(limit.secondsText)")
        case .unavailable(let error): return error
        }
    }
}
