public import Logging

/// How a paid call is cached and billed.
public struct CallOptions: Hashable, Sendable {
    /// When a call that failed is billed.
    public enum Billing: String, Codable, Sendable, CaseIterable {
        case onSuccess = "on_success"
        case onAttempt = "on_attempt"
    }

    /// How its value is kept.
    public var cache: CachePolicy
    /// Whether a failed attempt costs something; `nil`: as the run's options say.
    public var billing: Billing?
    /// What becomes of the call when nobody learns how it ended; `nil`: as the run's options say.
    public var doubtPolicy: DoubtPolicy?

    /// Options of the given parts.
    public init(cache: CachePolicy = CachePolicy(), billing: Billing? = nil, doubtPolicy: DoubtPolicy? = nil) {
        self.cache = cache
        self.billing = billing
        self.doubtPolicy = doubtPolicy
    }
}

/// What is known of a charge before prices are looked up.
package struct Usage: Sendable {
    package var service: String
    package var operation: String
    package var quantity: Number
    package var cost: Money?
    package var key: String?
    package var incurred: Bool
    package var metadata: JSONObject
    /// The calls around it.
    package var inside: CallNest

    package init(
        service: String, operation: String, quantity: Number = 1, cost: Money? = nil, key: String? = nil,
        incurred: Bool = false, metadata: JSONObject = [:], inside: CallNest = .none
    ) {
        self.service = service
        self.operation = operation
        self.quantity = quantity
        self.cost = cost
        self.key = key
        self.incurred = incurred
        self.metadata = metadata
        self.inside = inside
    }
}

/// What is known of a paid call before it is looked up.
package struct CallRequest: Sendable {
    package var service: String
    package var operation: String
    package var maximumCost: Money?
    package var key: JSONValue?
    package var options: CallOptions
    /// The calls around it.
    package var inside: CallNest

    package init(
        service: String, operation: String, maximumCost: Money? = nil, key: JSONValue? = nil,
        options: CallOptions = CallOptions(), inside: CallNest = .none
    ) {
        self.service = service
        self.operation = operation
        self.maximumCost = maximumCost
        self.key = key
        self.options = options
        self.inside = inside
    }
}

/// Whether a paid call is needed.
package enum CallDecision: Sendable {
    case hit(JSONValue)
    case proceed(Call)
}

/// How the body of a paid call ended.
package enum CallEnd: Sendable {
    case returned(Payload)
    /// It was made, and there is no value worth keeping.
    case made
    case threw(any Error)
    /// It was not begun.
    case notMade

    /// Whether the service did its work.
    var isMade: Bool {
        switch self {
        case .returned, .made: true
        case .threw, .notMade: false
        }
    }
}
