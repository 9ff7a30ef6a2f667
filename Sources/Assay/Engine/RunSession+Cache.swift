extension RunSession {
    /// Returns the cached value under `key` if it may be used now. A damaged value is reported and counts as a miss.
    func cached(_ key: String, item: String?) async throws -> CacheEntry? {
        switch try await store.cached(key) {
        case .found(let entry):
            if options.caching == .refresh, let since = options.refreshedSince, entry.storedAt < since { return nil }
            return entry.isFresh(at: world.time.now()) ? entry : nil
        case .missing: return nil
        case .damaged:
            emit(.warning, item: item) {
                [
                    "message": .string("the cached value \(key) was damaged and is made again"),
                    "cache_key": .string(key),
                ]
            }
            return nil
        }
    }
}
