import Assay
import AssayPipelines

/// The request that a run on record was started with, as a later run may change it.
struct StoredRequest {
    private(set) var members: JSONObject

    /// Creates the request of a run on record.
    init(_ request: JSONValue) { members = request.object ?? [:] }

    /// Creates the request to file with a run that is about to begin, including the options that hold only for that
    /// run.
    init(_ request: JSONObject, _ options: RunOptions) {
        members = request
        let standard = RunOptions()
        func word(_ word: String, unless isStandard: Bool) -> JSONValue? { isStandard ? nil : .string(word) }
        members["recovery"] = word(options.recovery.rawValue, unless: options.recovery == standard.recovery)
        members["on_change"] = word(options.onChange.rawValue, unless: options.onChange == standard.onChange)
        members["caching"] = word(options.caching.rawValue, unless: options.caching == standard.caching)
        members["refreshed_since"] = options.caching == .refresh ? options.refreshedSince?.jsonValue : nil
    }

    /// The cache mode in the request.
    var caching: CacheMode {
        members["caching"]?.string.flatMap { CacheMode(rawValue: $0) } ?? .asConfigured
    }

    /// Applies the cache mode with which the work was begun, unless `said` gives another one.
    ///
    /// - Parameter begun: the time at which the work was begun.
    func repeatCaching(_ said: CacheMode?, in options: inout RunOptions, since begun: Timestamp?) {
        options.caching = said ?? caching
        guard options.caching == .refresh, said == nil else { return }
        options.refreshedSince = members["refreshed_since"].flatMap { Timestamp(jsonValue: $0) } ?? begun
    }

    /// Applies the options with which the same run was begun; the cache mode in `said` wins.
    func goOn(_ options: inout RunOptions, caching said: CacheMode?, since begun: Timestamp) {
        if let recovery = members["recovery"]?.string.flatMap({ RecoveryMode(rawValue: $0) }) {
            options.recovery = recovery
        }
        if let change = members["on_change"]?.string.flatMap({ ChangePolicy(rawValue: $0) }) {
            options.onChange = change
        }
        repeatCaching(said, in: &options, since: begun)
    }

    /// The flags of the run.
    var flags: JSONValue? { members["flags"] }

    /// Applies changes written as `key.key=value`, and drops flags and parameters that would hide them.
    ///
    /// - Throws: ``CommandFailure`` for a change that cannot be applied.
    mutating func apply(_ texts: [String]) throws {
        for text in texts {
            do {
                let change = try DefinitionChange(text)
                try apply(change)
            } catch let error as ProcessingError {
                throw CommandFailure.usage("--set: \(error.message)")
            }
        }
    }

    private mutating func apply(_ change: DefinitionChange) throws {
        let parameter = parameter(of: change)
        if let parameter { drop(parameter) }
        if let type = members["processor_type"]?.string {
            guard let parameter, parameter.name == type else {
                throw CommandFailure.usage(
                    "--set: the run has no pipeline; only processors.\(type).parameters.KEY can be set")
            }
            let text = JSONValue.string("\(type).\(parameter.key)=\(change.value.json)")
            members["parameters"] = .array((members["parameters"]?.array ?? []) + [text])
            return
        }
        guard var definition = members["definition"] else { return }
        let flags = hidden(by: change)
        // Further keys refer to the runner that a flag named.
        if change.path.count > 1, change.path[0] == "runner", let word = members["flags"]?["runner"] {
            definition = try DefinitionChange("runner.type=\(word.string ?? "")").applied(to: definition)
        }
        members["definition"] = try change.applied(to: definition)
        guard case .object(var given)? = members["flags"] else { return }
        for key in flags { given[key.rawValue] = nil }
        members["flags"] = .object(given)
    }

    /// Returns the processor and the parameter that a change is about.
    private func parameter(of change: DefinitionChange) -> (name: String, key: String)? {
        guard change.path.first == "processors", let at = change.path.lastIndex(of: "parameters"), at > 1,
            at + 1 < change.path.count
        else { return nil }
        return (change.path[1..<at].joined(separator: "."), change.path[at + 1])
    }

    /// Drops a parameter from the command line, which would override the definition.
    private mutating func drop(_ parameter: (name: String, key: String)) {
        let given = members["parameters"]?.array ?? []
        members["parameters"] = .array(
            given.filter { text in
                guard let written = text.string.flatMap({ try? ParameterOverride($0) }) else { return true }
                return (written.processorID, written.key) != parameter
            })
    }

    /// Returns the flags that would override a change.
    private func hidden(by change: DefinitionChange) -> [Settings.Key] {
        let path = change.path
        if path.contains("parameters") { return [] }
        switch (path[0], path.last) {
        case ("runner", _): return [.runner, .workers]
        case ("on_failure", _): return [.onFailure]
        case ("budget", _): return [.budget]
        case ("batch", "slot"): return [.slot]
        case ("batch", _): return [.batchSize]
        case ("error_strategy", _): return [.retries]
        case ("processors", "timeout"): return [.timeout]
        case ("processors", _) where path.contains("runner"): return [.runner, .workers]
        case ("processors", _) where path.contains("error_strategy"): return [.retries]
        default: return []
        }
    }

    /// Returns the target that the request describes now.
    ///
    /// - Parameter isChanged: whether to report errors as results of a change.
    func target(of run: Run.ID, isChanged: Bool, _ console: Console, in shell: Shell) throws -> RunTarget {
        do { return try RunTarget(request: .object(members), named: "run '\(run)'", console, in: shell) } catch let
            error
            as ProcessingError where isChanged && !error.findings.isEmpty
        {
            // Positions in the stored definition would lead nowhere.
            let findings = error.findings.map(\.message).joined(separator: "; ")
            throw CommandFailure.usage("--set makes a definition that is refused: \(findings)")
        }
    }
}
