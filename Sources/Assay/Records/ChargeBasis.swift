extension Charge {
    /// The engine's knowledge of how an entry came about: why it was charged, and how its amount was found.
    ///
    /// Only the engine writes it. A processor's own notes on a charge are its ``Charge/metadata``, from which the names
    /// that ``Basis`` writes are dropped.
    public struct Basis: Hashable, Sendable {
        /// The reason for a charge.
        public enum Cause: String, Codable, Sendable, CaseIterable {
            /// A processor started, something was used, or a call was made.
            case used
            /// A value from the cache replaced work or a call.
            case cacheHit = "cache_hit"
            /// A call failed and is billed nevertheless.
            case failure
        }

        /// The source of the decision that a call in doubt had been made.
        public enum Resolution: String, Codable, Sendable, CaseIterable {
            /// The call was made again under its key. If the service does not honor keys, it was performed twice.
            case repetition = "by repeat"
            /// A person decided.
            case person = "by person"
            /// The resolver of the service answered.
            case resolver = "by resolver"
            /// The policy of the call counts it as made.
            case policy = "by policy"
        }

        /// The reason for the charge.
        public var cause: Cause
        /// The time the cached value was stored.
        public var cachedAt: Timestamp?
        /// The number of units, when the amount was computed from units or more than one was stated.
        public var quantity: Number?
        /// The price of one unit from which the amount was computed.
        public var unitPrice: Money?
        /// The place where the price was found.
        public var priceSource: PriceOrigin?
        /// The source of the decision on a call that was in doubt; `nil` for every other charge.
        public var resolution: Resolution?

        /// Creates a basis from the given parts.
        public init(
            _ cause: Cause = .used, cachedAt: Timestamp? = nil, quantity: Number? = nil, unitPrice: Money? = nil,
            priceSource: PriceOrigin? = nil, resolution: Resolution? = nil
        ) {
            self.cause = cause
            self.cachedAt = cachedAt
            self.quantity = quantity
            self.unitPrice = unitPrice
            self.priceSource = priceSource
            self.resolution = resolution
        }
    }
}

extension Charge.Basis {
    /// The names in the metadata of bills that only the engine writes.
    static let names: Set<String> = [
        "avoided_cost", "cache_hit", "cached_at", "charged_despite_error", "price_source", "quantity", "resolved",
        "unit_price",
    ]

    /// The basis as a store keeps it.
    package var stored: JSONValue {
        var object: JSONObject = [:]
        if cause != .used { object["cause"] = .string(cause.rawValue) }
        object["cached_at"] = cachedAt.map { .number(Number($0.milliseconds)) }
        object["quantity"] = quantity.map { .number($0) }
        object["unit_price"] = unitPrice?.jsonValue
        object["price_source"] = priceSource.map { .string($0.rawValue) }
        object["resolution"] = resolution.map { .string($0.rawValue) }
        return .object(object)
    }

    /// Creates the basis that ``stored`` wrote; `nil` for anything else.
    package init?(stored json: JSONValue) {
        guard case .object(let object) = json else { return nil }
        self.init()
        for member in object.members {
            let word = member.value.string
            switch member.key {
            case "cause":
                guard let known = word.flatMap(Cause.init(rawValue:)) else { return nil }
                cause = known
            case "cached_at":
                guard let moment = member.value.number?.integer else { return nil }
                cachedAt = Timestamp(milliseconds: Int64(moment))
            case "quantity":
                guard let number = member.value.number else { return nil }
                quantity = number
            case "unit_price":
                guard let price = Money(jsonValue: member.value) else { return nil }
                unitPrice = price
            case "price_source":
                guard let known = word.flatMap(PriceOrigin.init(rawValue:)) else { return nil }
                priceSource = known
            case "resolution":
                guard let known = word.flatMap(Resolution.init(rawValue:)) else { return nil }
                resolution = known
            default: return nil
            }
        }
    }
}

extension Charge {
    /// The notes that bills and lists show beside the amount: the processor's metadata, and what the engine knows.
    public var annotations: JSONObject {
        var object = metadata
        if kind == .call || isCacheHit { object["cache_hit"] = .bool(isCacheHit) }
        object["avoided_cost"] = avoidedCost?.jsonValue
        object["cached_at"] = basis.cachedAt?.jsonValue
        object["quantity"] = basis.quantity.map { .number($0) }
        // The amount of a call says it already.
        if kind != .call { object["unit_price"] = basis.unitPrice?.jsonValue }
        // A price from a list needs no note; a price from the pipeline file, or no price, does.
        if let source = basis.priceSource, source == .pipeline || source == .none {
            object["price_source"] = .string(source.rawValue)
        }
        if basis.cause == .failure { object["charged_despite_error"] = true }
        object["resolved"] = basis.resolution.map { .string($0.rawValue) }
        return object
    }
}
