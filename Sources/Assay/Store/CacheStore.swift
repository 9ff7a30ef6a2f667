/// The part of a store that holds the cached values of items and calls.
///
/// The rules of ``Store`` hold for each of its functions.
public protocol CacheStore: Sendable {
    /// Returns the cache entry under `key`, fresh or not. The lookup that finds a damaged entry drops it.
    func cached(_ key: String) async throws -> CacheLookup

    /// Returns up to `limit` cached values that match `filter` and come after `key`, in order of their keys.
    ///
    /// Damaged entries are left out and counted. A page with fewer than `limit` entries is the last one.
    func cacheEntries(
        matching filter: CacheFilter, after key: String?, limit: Int
    ) async throws -> (entries: [CacheEntry], damaged: Int)

    /// Removes the cached values that match `filter`, damaged ones included, durable on return.
    ///
    /// - Returns: the number of removed values.
    func removeCacheEntries(matching filter: CacheFilter) async throws -> Int

    /// Counts one use of an entry and records its zero charge.
    func useCacheEntry(_ key: String, charge: Charge) async throws
}

extension CacheStore {
    /// Returns the cache entry under `key`, fresh or not, or `nil` for a damaged one.
    public func cacheEntry(_ key: String) async throws -> CacheEntry? {
        if case .found(let entry) = try await cached(key) { entry } else { nil }
    }

    /// Returns sums over the cached values that match `filter`, by service and operation. Every value is read.
    public func cacheStatistics(
        matching filter: CacheFilter = CacheFilter(), at moment: Timestamp
    ) async throws -> CacheStatistics {
        let page = 256
        var statistics = CacheStatistics()
        var last: String?
        while true {
            let found = try await cacheEntries(matching: filter, after: last, limit: page)
            statistics.damaged += found.damaged
            for entry in found.entries { statistics.add(entry, at: moment) }
            guard found.entries.count == page else { return statistics }
            last = found.entries.last?.key
        }
    }
}

extension CallRecord {
    /// Returns the record to keep when this one arrives for a call that has `state` in the record of `runID`, or `nil`
    /// when it is refused. Implements the rule of ``Store/file(_:charge:cached:)``.
    ///
    /// - Parameter opener: the attempt that has opened it, as far as that is known.
    public func following(_ state: State, of runID: Run.ID, openedBy opener: AttemptID?) -> CallRecord? {
        switch (state, self.state) {
        case (.open, .inDoubt), (.open, .released):
            if let opener, let attempt, attempt != opener { return nil }
        case (.open, _), (.inDoubt, _), (.released, .settled): break
        case (.settled, _), (.released, _): return nil
        }
        var filed = self
        if self.state != .open { (filed.runID, filed.attempt) = (runID, opener) }
        return filed
    }

    /// Returns whether `charge` is recorded although this record was refused.
    public func keepsWhenRefused(_ charge: Charge) -> Bool { state == .settled && charge.key != nil }
}
