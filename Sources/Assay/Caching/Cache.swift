/// Who shares a cached value.
public enum CacheScope: String, Codable, Sendable, CaseIterable {
    case account, underwriting, execution, global
}

/// How results are kept for later.
public struct CachePolicy: Hashable, Sendable {
    /// Who shares them.
    public var scope: CacheScope
    /// How long they are good; `nil`: for ever.
    public var ttl: Duration?
    /// Whether look-ups are skipped and values replaced.
    public var refresh: Bool

    /// A policy of the given parts.
    public init(scope: CacheScope = .account, ttl: Duration? = nil, refresh: Bool = false) {
        self.scope = scope
        self.ttl = ttl
        self.refresh = refresh
    }
}

/// A value that was paid for once.
public struct CacheEntry: Hashable, Sendable {
    /// What it is filed under: 64 hex digits over scope, subject and parameters.
    public var key: String
    /// The service and operation, or the processor and `extract`, for lists and statistics.
    public var service: String
    /// The operation.
    public var operation: String
    /// The value.
    public var value: JSONValue
    /// When it was stored.
    public var storedAt: Timestamp
    /// From when on it is no longer used; `nil`: never.
    public var expiresAt: Timestamp?
    /// What it is worth: what it would cost to make it without a cache and without anything saved.
    public var cost: Money
    /// The charges with keys in that, by their keys: a use of the entry does not avoid those that are on record.
    public var keyed: [String: Keyed]
    /// The charge of that cost.
    public var costID: String?
    /// How often it was used since.
    public var hits: Int

    /// An entry of the given parts.
    public init(
        key: String, service: String, operation: String, value: JSONValue, storedAt: Timestamp,
        expiresAt: Timestamp? = nil, cost: Money, keyed: [String: Keyed] = [:], costID: String? = nil, hits: Int = 0
    ) {
        self.key = key
        self.service = service
        self.operation = operation
        self.value = value
        self.storedAt = storedAt
        self.expiresAt = expiresAt
        self.cost = cost
        self.keyed = keyed
        self.costID = costID
        self.hits = hits
    }

    /// A charge with a key, as a part of what an entry is worth.
    public struct Keyed: Hashable, Sendable {
        /// What it came to.
        public var amount: Money
        /// The step in whose body it was made; `nil`: in none.
        public var step: String?

        /// A charge of the given parts.
        public init(_ amount: Money, in step: String?) {
            (self.amount, self.step) = (amount, step)
        }
    }

    /// Whether it may be used at `moment`: while its age is below its time to live.
    public func isFresh(at moment: Timestamp) -> Bool { expiresAt.map { moment < $0 } ?? true }
}

/// The key under which a value is filed.
enum CacheKey {
    /// The key of a paid call.
    static func call(
        service: String, operation: String, parameters: JSONValue, scope: CacheScope, of run: Run, for owner: Scope
    ) -> String {
        key(["call", .string(service), .string(operation), .string(Digest(of: parameters).text)], scope, run, owner)
    }

    /// The key of a processor's output for an input.
    ///
    /// - Parameters:
    ///   - input: the digest of what `extract` is given.
    ///   - run: the run, with the name and definition of the processor.
    static func item(input: Digest, scope: CacheScope, of run: Run, for owner: Scope) -> String {
        let parts: [JSONValue] = [
            "item", .string(run.processorID.text), .string(run.definition.text), .string(input.text),
        ]
        return key(parts, scope, run, owner)
    }

    private static func key(_ parts: [JSONValue], _ scope: CacheScope, _ run: Run, _ owned: Scope) -> String {
        let owner: String? =
            switch scope {
            case .account: owned.accountID?.text
            case .underwriting: owned.underwritingID?.text
            case .execution: run.executionID.text
            case .global: nil
            }
        let full = JSONValue.array(parts + [.string(scope.rawValue), owner.map { .string($0) } ?? .null])
        return Digest.hex(of: full.jsonBytes)
    }
}
