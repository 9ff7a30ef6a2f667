public import Assay

/// The runners, by their words in files and flags.
public enum RunnerChoice {
    /// The words that name a runner.
    public static let words = ["auto", "process", "sequential", "thread"]

    /// Returns the runner that `word` names.
    ///
    /// - Parameter workers: the number of items at once; `nil`: the number of cores.
    /// - Throws: ``ProcessingError`` with code `configuration` for an unknown word or an invalid number.
    public static func runner(_ word: String, workers: Int? = nil) throws(ProcessingError) -> any Runner {
        switch word {
        case "auto":
            return try AutomaticRunner(maxWorkers: workers, processes: ProcessRunner(maxWorkers: workers))
        case "process": return try ProcessRunner(maxWorkers: workers)
        case "thread": return try ThreadRunner(maxWorkers: workers)
        case "sequential":
            guard workers ?? 1 == 1 else {
                throw ProcessingError(
                    .configuration, "max_workers must be 1 with the sequential runner, found \(workers ?? 1)")
            }
            return .sequential
        default:
            throw ProcessingError(
                .configuration, "unknown runner '\(word)'\(Suggestion(for: word, among: words).ending)")
        }
    }
}
