/// A charge before prices are looked up.
package struct Usage: Sendable {
    package var service: String
    package var operation: String
    package var quantity: Number
    package var cost: Money?
    package var key: String?
    package var incurred: Bool
    package var metadata: JSONObject
    /// The full name of the step in whose body it happened; `nil`: in none.
    package var step: String?
    /// The enclosing calls.
    package var inside: CallNest

    package init(
        service: String, operation: String, quantity: Number = 1, cost: Money? = nil, key: String? = nil,
        incurred: Bool = false, metadata: JSONObject = [:], step: String? = nil, inside: CallNest = .none
    ) {
        self.service = service
        self.operation = operation
        self.quantity = quantity
        self.cost = cost
        self.key = key
        self.incurred = incurred
        self.metadata = metadata
        self.step = step
        self.inside = inside
    }
}

/// A paid call before it is looked up.
package struct CallRequest: Sendable {
    package var service: String
    package var operation: String
    package var maximumCost: Money?
    package var key: JSONValue?
    package var options: CallOptions
    /// The full name of the step in whose body it is made; `nil`: in none.
    package var step: String?
    /// The enclosing calls.
    package var inside: CallNest

    package init(
        service: String, operation: String, maximumCost: Money? = nil, key: JSONValue? = nil,
        options: CallOptions = CallOptions(), step: String? = nil, inside: CallNest = .none
    ) {
        self.service = service
        self.operation = operation
        self.maximumCost = maximumCost
        self.key = key
        self.options = options
        self.step = step
        self.inside = inside
    }
}

/// The decision whether a paid call must be made.
package enum CallDecision: Sendable {
    case hit(JSONValue)
    case proceed(Call)
}

/// The end of the body of a paid call.
package enum CallEnd: Sendable {
    case returned(Payload)
    /// The call was made and has no value worth keeping.
    case made
    case threw(any Error)
    /// The call was not begun.
    case notMade

    /// Whether the service did its work.
    var isMade: Bool {
        switch self {
        case .returned, .made: true
        case .threw, .notMade: false
        }
    }
}
