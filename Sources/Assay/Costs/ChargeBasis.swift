extension Charge {
    /// What the engine knows of how an entry came about: why it was charged, and how its amount was found.
    ///
    /// Only the engine writes it. A processor's own words about a charge are its ``Charge/metadata``, in which the names
    /// that ``Basis`` writes are dropped.
    public struct Basis: Hashable, Sendable {
        /// Why something was charged.
        public enum Cause: String, Codable, Sendable, CaseIterable {
            /// A processor started, something was used, or a call was made.
            case used
            /// A value from the cache stood in for work or for a call.
            case cacheHit = "cache_hit"
            /// A call failed and is billed all the same.
            case failure
        }

        /// Who said that a call in doubt had been made.
        public enum Resolution: String, Codable, Sendable, CaseIterable {
            /// The call was made again under its key. Where the service does not honour keys it was carried out twice.
            case repetition = "by repeat"
            /// Someone decided.
            case person = "by person"
            /// The resolver of the service answered.
            case resolver = "by resolver"
            /// The policy of the call counts it as made.
            case policy = "by policy"
        }

        /// Why it was charged.
        public var cause: Cause
        /// When the value that stood in for it was stored.
        public var cachedAt: Timestamp?
        /// How many units, when the amount was worked out of them or more than one was stated.
        public var quantity: Number?
        /// The price of one unit that the amount was worked out of.
        public var unitPrice: Money?
        /// Where the price was found.
        public var priceSource: PriceOrigin?
        /// Who decided about a call that was in doubt; `nil` for every other charge.
        public var resolution: Resolution?

        /// A basis of the given parts.
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

    /// The basis of a charge whose facts lay among its metadata, as they did before there were bases: a hit is known by
    /// what it avoided, which no processor could say. Who decided about a doubt was not noted then.
    package init(metadata: JSONObject, avoidedCost: Money?) {
        self.init(
            avoidedCost != nil ? .cacheHit : metadata["charged_despite_error"] == true ? .failure : .used,
            cachedAt: metadata["cached_at"].flatMap { Timestamp(jsonValue: $0) },
            quantity: metadata["quantity"]?.number,
            unitPrice: metadata["unit_price"].flatMap { Money(jsonValue: $0) },
            priceSource: metadata["price_source"]?.string.flatMap(PriceOrigin.init(rawValue:)))
    }

    /// The basis that ``stored`` wrote; `nil` for anything else.
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
    /// What bills and lists say beside the amount: the processor's metadata, and what the engine knows.
    public var annotations: JSONObject {
        var object = metadata
        if kind == .call || isCacheHit { object["cache_hit"] = .bool(isCacheHit) }
        object["avoided_cost"] = avoidedCost?.jsonValue
        object["cached_at"] = basis.cachedAt?.jsonValue
        object["quantity"] = basis.quantity.map { .number($0) }
        // Of a call the amount itself says it.
        if kind != .call { object["unit_price"] = basis.unitPrice?.jsonValue }
        // A price from a list needs no word; one from the pipeline file, and none at all, do.
        if let source = basis.priceSource, source == .pipeline || source == .none {
            object["price_source"] = .string(source.rawValue)
        }
        if basis.cause == .failure { object["charged_despite_error"] = true }
        object["resolved"] = basis.resolution.map { .string($0.rawValue) }
        return object
    }
}
