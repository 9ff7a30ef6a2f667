/// Which cached values are asked for; parts that are `nil` do not narrow.
public struct CacheFilter: Hashable, Sendable {
    /// Whether a value may still be used.
    public enum Age: Hashable, Sendable {
        /// It may be used at that moment.
        case fresh(at: Timestamp)
        /// Its time is over at that moment.
        case expired(at: Timestamp)
    }

    /// Filed under this key.
    public var key: String?
    /// Of this service, or of this processor.
    public var service: String?
    /// Of this operation; the output of a processor is filed as `extract`.
    public var operation: String?
    /// Of this age.
    public var age: Age?

    /// Every value.
    public init(key: String? = nil, service: String? = nil, operation: String? = nil, age: Age? = nil) {
        self.key = key
        self.service = service
        self.operation = operation
        self.age = age
    }

    /// The outputs of a processor.
    public static func processor(_ name: Identifier) -> CacheFilter {
        CacheFilter(service: name.text, operation: extraction)
    }

    /// The operation under which the output of a processor is filed.
    public static let extraction = "extract"

    /// Whether `entry` fits.
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

/// What a look-up in the cache found.
public enum CacheLookup: Hashable, Sendable {
    /// A value, fresh or not.
    case found(CacheEntry)
    /// Nothing.
    case missing
    /// An entry that was not as it was written.
    case damaged
}
