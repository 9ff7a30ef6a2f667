/// What a new run of an execution does with steps and outcomes of earlier ones.
public enum RecoveryMode: String, Codable, Sendable, CaseIterable {
    /// Finished items are carried, finished steps return their values.
    case resume
    /// Everything is done again.
    case reprocess
}

/// What to do when the processor differs from the one that saved steps.
public enum ChangePolicy: String, Codable, Sendable, CaseIterable {
    /// Throw `definition_changed`.
    case refuse
    /// Use what was saved.
    case keep
    /// Start over.
    case restart
}

/// What a run does with the cache, of items and of calls.
public enum CacheMode: String, Codable, Sendable, CaseIterable {
    /// As ``RunOptions/itemCache`` and each call say.
    case asConfigured = "as_configured"
    /// Nothing is looked up and nothing stored.
    case off
    /// Nothing is looked up; new values replace those that are there.
    case refresh
}
