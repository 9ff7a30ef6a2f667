/// The end of a worker in the middle of an attempt; the work of the attempt is gone with it.
enum WorkerLoss: Error {
    /// It died by itself, of its work or by somebody else's hand.
    case died(ChildProcess.Exit, lastWords: String?)
    /// It sent what nobody understands and was killed.
    case babbled(FrameFault)
    /// It gave no sign of life for so long and was killed.
    case silent(Duration)
    /// There is none: it could not be started, or does not have the processor.
    case unavailable(ProcessingError)

    /// Whether the item may have been what killed it.
    var isCrash: Bool {
        switch self {
        case .died, .babbled: true
        case .silent, .unavailable: false
        }
    }

    /// The failure of the attempt.
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
