public import Assay

extension SQLiteStore {
    public func cached(_ key: String) async throws -> CacheLookup {
        let found = try read { try $0.cacheEntry(key) }
        // Paying again is better than using damaged data, and the entry must not be checked forever.
        if found == .damaged, isOwner { try await write { try $0.deleteCacheEntry(key) } }
        return found
    }

    public func cacheEntries(
        matching filter: CacheFilter, after key: String?, limit: Int
    ) async throws -> (entries: [CacheEntry], damaged: Int) {
        try await readAside { try $0.cacheEntries(matching: filter, after: key, limit: limit) }
    }

    public func removeCacheEntries(matching filter: CacheFilter) async throws -> Int {
        try await write { try $0.removeCacheEntries(matching: filter) }
    }

    public func useCacheEntry(_ key: String, charge: Charge) async throws {
        let charge = try ChargeRow(charge)
        try await write { connection in
            try connection.countHit(key)
            _ = try connection.record([charge])
        }
    }
}

/// A cache entry with its stored value, and the digest of all its parts except the hits.
struct CacheRow: Sendable {
    static let columns = Columns(
        "key, service, operation, stored_at, expires_at, cost, keyed, cost_id, hits, value, sha256")
    fileprivate static let insertion = "REPLACE INTO cache (\(columns)) VALUES (\(columns.marks))"
    static let selection = "SELECT \(columns) FROM cache"
    fileprivate static let ofKey = selection + " WHERE key = ?"

    var entry: CacheEntry
    var value: [UInt8]
    var sha256: String

    init(_ entry: CacheEntry) throws {
        self.entry = entry
        value = try entry.value.storedBytes("the cached value of \(entry.service)/\(entry.operation)")
        sha256 = Self.digest(of: entry, value)
    }

    fileprivate static func keyed(of entry: CacheEntry) -> JSONValue {
        var object = JSONObject()
        for (key, charge) in entry.keyed.sorted(by: { $0.key < $1.key }) {
            object[key] = [.number(Number(charge.amount.billionths)), charge.step.map { .string($0) } ?? .null]
        }
        return .object(object)
    }

    /// The charges that ``keyed(of:)`` wrote; `nil` for anything else.
    fileprivate static func keyed(in text: String) -> [String: CacheEntry.Keyed]? {
        guard let members = (try? JSONValue(json: text))?.object?.members else { return nil }
        var keyed: [String: CacheEntry.Keyed] = [:]
        for member in members {
            guard let parts = member.value.array, parts.count == 2, let amount = parts[0].number?.integer else {
                return nil
            }
            keyed[member.key] = CacheEntry.Keyed(Money(billionths: Int64(amount)), in: parts[1].string)
        }
        return keyed
    }

    static func digest(of entry: CacheEntry, _ value: [UInt8]) -> String {
        var digest = PartsDigest()
        digest.add(entry.key)
        digest.add(entry.service)
        digest.add(entry.operation)
        digest.add(entry.storedAt.milliseconds)
        digest.add(entry.expiresAt?.milliseconds ?? .max)
        digest.add(entry.cost.billionths)
        digest.add(entry.costID)
        // Rows of before there were any have no digest of them.
        if !entry.keyed.isEmpty { digest.add(keyed(of: entry).json) }
        return digest.hex(with: value)
    }
}

extension Query {
    /// Narrows to the entries that match `filter`.
    fileprivate mutating func add(_ filter: CacheFilter) {
        add("key", filter.key)
        add("service", filter.service)
        add("operation", filter.operation)
        switch filter.age {
        case nil: break
        case .fresh(let moment): add("coalesce(expires_at, \(Int64.max))", ">", moment.milliseconds)
        case .expired(let moment): add("coalesce(expires_at, \(Int64.max))", "<=", moment.milliseconds)
        }
    }
}

extension Connection {
    func store(_ row: CacheRow) throws {
        let entry = row.entry
        let insert = try prepare(CacheRow.insertion)
        insert.bind(entry.key)
        insert.bind(entry.service)
        insert.bind(entry.operation)
        insert.bind(entry.storedAt.milliseconds)
        insert.bind(entry.expiresAt?.milliseconds)
        insert.bind(entry.cost.billionths)
        insert.bind(CacheRow.keyed(of: entry).json)
        insert.bind(entry.costID)
        insert.bind(entry.hits)
        insert.bind(json: row.value)
        insert.bind(row.sha256)
        try insert.run()
    }

    func cacheEntry(_ key: String) throws -> CacheLookup {
        let find = try prepare(CacheRow.ofKey)
        find.bind(key)
        return try find.first { row in row.readCacheEntry().map { .found($0) } ?? .damaged } ?? .missing
    }

    /// Deletes the entry if it is still damaged.
    func deleteCacheEntry(_ key: String) throws {
        guard case .damaged = try cacheEntry(key) else { return }
        let delete = try statement("DELETE FROM cache WHERE key = ?")
        delete.bind(key)
        try delete.run()
    }

    func cacheEntries(
        matching filter: CacheFilter, after key: String?, limit: Int
    ) throws -> (entries: [CacheEntry], damaged: Int) {
        var (entries, damaged, last, isAtEnd) = ([CacheEntry](), 0, key, false)
        while entries.count < limit, !isAtEnd {
            var query = Query(CacheRow.selection)
            query.add(filter)
            query.add("key", ">", last)
            let wanted = min(limit - entries.count, 1_024)
            var found = 0
            try query.forEach("ORDER BY key LIMIT \(wanted)", in: self) { row in
                let (key, entry) = row.readCacheEntryAndKey()
                (last, found) = (key, found + 1)
                if let entry { entries.append(entry) } else { damaged += 1 }
            }
            isAtEnd = found < wanted
        }
        return (entries: entries, damaged: damaged)
    }

    func removeCacheEntries(matching filter: CacheFilter) throws -> Int {
        var query = Query("DELETE FROM cache")
        query.add(filter)
        return try query.run(in: self)
    }

    func countHit(_ key: String) throws {
        let update = try statement("UPDATE cache SET hits = hits + 1 WHERE key = ?")
        update.bind(key)
        try update.run()
    }
}

extension SQLStatement {
    func readCacheEntry() -> CacheEntry? { readCacheEntryAndKey().entry }

    /// Reads the key of this row, and the entry when it is not damaged.
    func readCacheEntryAndKey() -> (key: String, entry: CacheEntry?) {
        let (key, service, operation, storedAt) = (text(), text(), text(), Timestamp(milliseconds: integer()))
        let expiresAt = optionalInteger().map { Timestamp(milliseconds: $0) }
        let (cost, charged, costID, hits) = (Money(billionths: integer()), text(), optionalText(), int())
        let value = Array(text().utf8)
        guard let json = try? JSONValue(json: value), let keyed = CacheRow.keyed(in: charged) else { return (key, nil) }
        let entry = CacheEntry(
            key: key, service: service, operation: operation, value: json, storedAt: storedAt, expiresAt: expiresAt,
            cost: cost,
            keyed: keyed, costID: costID, hits: hits)
        return (key, CacheRow.digest(of: entry, value) == text() ? entry : nil)
    }
}
