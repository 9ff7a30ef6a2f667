/// The loss of a worker in the middle of an attempt. The work of the attempt is lost with it.
package enum WorkerLoss: Error, Sendable {
    /// It ended before it answered, perhaps because of its item.
    ///
    /// - Parameters:
    ///   - end: how, after "worker": `was killed by signal 9`.
    ///   - lastWords: why, in its own words.
    case crashed(_ end: String, lastWords: String?)
    /// It gave no sign of life for this long and was killed.
    case silent(Duration)
    /// There is no worker: it could not be started, or it does not have the processor.
    case unavailable(ProcessingError)

    /// Whether the item may have killed it.
    var isCrash: Bool {
        switch self {
        case .crashed: true
        case .silent, .unavailable: false
        }
    }

    /// Returns the failure of the attempt.
    ///
    /// - Parameter step: the step that was running.
    func error(inStep step: String?) -> ProcessingError {
        switch self {
        case .crashed(let end, let lastWords):
            let place = step.map { "in step '\($0)'" } ?? "before answering"
            return ProcessingError(.workerCrashed, "worker \(end) \(place)\(lastWords.map { ": \($0)" } ?? "")")
        case .silent(let limit): return ProcessingError(.timeout, "no heartbeat for \(limit.secondsText)")
        case .unavailable(let error): return error
        }
    }
}
