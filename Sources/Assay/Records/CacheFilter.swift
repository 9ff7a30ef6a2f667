/// A filter for cached values; parts that are `nil` do not narrow it.
public struct CacheFilter: Hashable, Sendable {
    /// The age of a value, which decides whether it may still be used.
    public enum Age: Hashable, Sendable {
        /// The value may be used at that moment.
        case fresh(at: Timestamp)
        /// The value has expired at that moment.
        case expired(at: Timestamp)
    }

    /// The key that values are filed under.
    public var key: String?
    /// The service, or the processor.
    public var service: String?
    /// The operation; `extract` for the output of a processor.
    public var operation: String?
    /// The age.
    public var age: Age?

    /// Creates a filter from the given parts; by default it matches every value.
    public init(key: String? = nil, service: String? = nil, operation: String? = nil, age: Age? = nil) {
        self.key = key
        self.service = service
        self.operation = operation
        self.age = age
    }

    /// Returns a filter for the outputs of a processor.
    public static func processor(_ name: Identifier) -> CacheFilter {
        CacheFilter(service: name.text, operation: extraction)
    }

    /// The operation under which the output of a processor is filed.
    public static let extraction = "extract"

    /// Returns whether `entry` matches.
    public func matches(_ entry: CacheEntry) -> Bool {
        let fitsAge =
            switch age {
            case nil: true
            case .fresh(let moment)?: entry.isFresh(at: moment)
            case .expired(let moment)?: !entry.isFresh(at: moment)
            }
        return fitsAge && (key.map(entry.key.equalsInBytes) ?? true)
            && (service.map(entry.service.equalsInBytes) ?? true)
            && (operation.map(entry.operation.equalsInBytes) ?? true)
    }
}

/// The result of a look-up in the cache.
public enum CacheLookup: Hashable, Sendable {
    /// A value, fresh or not.
    case found(CacheEntry)
    /// No value.
    case missing
    /// An entry that differs from what was written.
    case damaged
}
