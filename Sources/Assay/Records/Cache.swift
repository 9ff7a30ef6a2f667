/// The scope within which a cached value is shared.
public enum CacheScope: String, Codable, Sendable, CaseIterable {
    case account, underwriting, execution, global
}

/// A policy for keeping results for later.
public struct CachePolicy: Hashable, Sendable {
    /// The scope within which they are shared.
    public var scope: CacheScope
    /// The time they stay valid; `nil` for no limit.
    public var ttl: Duration?
    /// Whether look-ups are skipped and values are replaced.
    public var refresh: Bool

    /// Creates a policy from the given parts.
    public init(scope: CacheScope = .account, ttl: Duration? = nil, refresh: Bool = false) {
        self.scope = scope
        self.ttl = ttl
        self.refresh = refresh
    }
}

/// A value that was paid for once.
public struct CacheEntry: Hashable, Sendable {
    /// The key it is filed under: 64 hex digits over scope, subject and parameters.
    public var key: String
    /// The service, or the processor, for lists and statistics.
    public var service: String
    /// The operation, or `extract` for the output of a processor.
    public var operation: String
    /// The value.
    public var value: JSONValue
    /// The time it was stored.
    public var storedAt: Timestamp
    /// The time from which it is no longer used; `nil` for never.
    public var expiresAt: Timestamp?
    /// The worth of the value: the cost of making it without a cache and without anything saved.
    public var cost: Money
    /// The charges with keys in that, by their keys: a use of the entry does not avoid those that are on record.
    public var keyed: [String: Keyed]
    /// The name of the charge of that cost.
    public var costID: String?
    /// The number of times it was used since.
    public var hits: Int

    /// Creates an entry from the given parts.
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

    /// Returns whether it may be used at `moment`, which is while its age is below its time to live.
    public func isFresh(at moment: Timestamp) -> Bool { expiresAt.map { moment < $0 } ?? true }
}

/// The key under which a value is filed.
enum CacheKey {
    /// Returns the key of a paid call.
    static func call(
        service: String, operation: String, parameters: JSONValue, scope: CacheScope, of run: Run, for owner: Scope
    ) -> String {
        key(["call", .string(service), .string(operation), .string(Digest(of: parameters).text)], scope, run, owner)
    }

    /// Returns the key of a processor's output for an input.
    ///
    /// - Parameters:
    ///   - input: the digest of the input of `extract`.
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
