extension RunSession {
    /// Returns how many attempts at an item were made before its batch was retried.
    func attemptsBefore(_ index: Int) -> Int { isBatch ? withBatch { $0.beginnings[index]?.attempts ?? 0 } : 0 }

    /// Returns when an item was first started, which may be now, and how many attempts were made before.
    func begin(_ index: Int, at now: Duration) -> (startedAt: Duration, attempts: Int) {
        guard isBatch else { return (now, 0) }
        return withBatch { batch in
            let beginning = batch.beginnings[index] ?? (now, 0)
            batch.beginnings[index] = beginning
            return beginning
        }
    }
}
