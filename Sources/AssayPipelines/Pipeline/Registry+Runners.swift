public import Assay

extension Registry {
    /// Makes a runner of up to `workers` items at once; `nil`: as many as it sees fit.
    ///
    /// - Throws: ``ProcessingError`` with code `configuration` for a number that it cannot have.
    public typealias MakeRunner = @Sendable (_ workers: Int?) throws(ProcessingError) -> any Runner

    /// The runners that every registry has.
    private static let builtInRunners: [String: MakeRunner] = [
        "auto": { (workers) throws(ProcessingError) in
            try AutomaticRunner(maxWorkers: workers, processes: ProcessRunner(maxWorkers: workers))
        },
        "process": { (workers) throws(ProcessingError) in try ProcessRunner(maxWorkers: workers) },
        "thread": { (workers) throws(ProcessingError) in try ThreadRunner(maxWorkers: workers) },
        "sequential": { (workers) throws(ProcessingError) in
            guard workers ?? 1 == 1 else {
                throw ProcessingError(
                    .configuration, "max_workers must be 1 with the sequential runner, found \(workers ?? 1)")
            }
            return SequentialRunner()
        },
    ]

    /// The words that name a runner in files and flags.
    public var runnerWords: [String] { (Array(Self.builtInRunners.keys) + runners.keys).sorted() }

    /// Adds a runner, which files and flags may then name.
    ///
    /// - Throws: ``ProcessingError`` with code `exists` for a name that is taken.
    public mutating func registerRunner(_ word: String, make: @escaping MakeRunner) throws(ProcessingError) {
        guard Self.builtInRunners[word] == nil, runners[word] == nil else {
            throw ProcessingError(.exists, "runner '\(word)' is registered already")
        }
        runners[word] = make
    }

    /// Returns the runner that `word` names.
    ///
    /// - Parameter workers: the number of items at once; `nil`: as many as the runner sees fit.
    /// - Throws: ``ProcessingError`` with code `configuration` for an unknown word or an invalid number.
    public func runner(_ word: String, workers: Int? = nil) throws(ProcessingError) -> any Runner {
        guard let make = Self.builtInRunners[word] ?? runners[word] else {
            throw ProcessingError(
                .configuration, "unknown runner '\(word)'\(Suggestion(for: word, among: runnerWords).ending)")
        }
        return try make(workers)
    }
}
