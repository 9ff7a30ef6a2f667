/// The choice of what a new run of an execution does with steps and outcomes of earlier runs.
public enum RecoveryMode: String, Codable, Sendable, CaseIterable {
    /// Finished items are carried, and finished steps return their values.
    case resume
    /// Everything is done again.
    case reprocess
}

/// The choice of what to do when the processor differs from the one that saved steps.
public enum ChangePolicy: String, Codable, Sendable, CaseIterable {
    /// Throw `definition_changed`.
    case refuse
    /// Use what was saved.
    case keep
    /// Start over.
    case restart
}

/// The choice of how a run uses the cache, for items and for calls.
public enum CacheMode: String, Codable, Sendable, CaseIterable {
    /// As ``RunOptions/itemCache`` and each call specify.
    case asConfigured = "as_configured"
    /// Nothing is looked up and nothing is stored.
    case off
    /// Nothing is looked up; new values replace existing ones.
    case refresh
}
