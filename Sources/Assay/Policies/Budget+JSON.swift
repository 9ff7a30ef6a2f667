extension Budget {
    /// The budget under the keys of a pipeline file.
    public var jsonValue: JSONValue {
        [
            "name": .string(name), "limit": limit.jsonValue, "scope": .string(scope.rawValue),
            "window": .string(window.rawValue), "mode": .string(mode.rawValue), "warn_at": .number(warnAt),
            "time_zone": .string(timeZone),
            "unpriced": .string(unpriced.rawValue),
        ]
    }

    /// Creates the budget that ``jsonValue`` wrote; `nil` for anything else.
    public init?(jsonValue json: JSONValue) {
        guard let limit = Money(sum: json["limit"]), let name = json["name"]?.string,
            let scope = json["scope"]?.string.flatMap(Scope.init(rawValue:)),
            let window = json["window"]?.string.flatMap(Window.init(rawValue:)),
            let mode = json["mode"]?.string.flatMap(Mode.init(rawValue:)), let warnAt = json["warn_at"]?.number,
            let budget = try? Budget(
                limit, name: name, scope: scope, window: window, mode: mode, warnAt: warnAt,
                timeZone: json["time_zone"]?.string ?? "UTC",
                unpriced: json["unpriced"]?.string.flatMap(Unpriced.init(rawValue:)) ?? .refuse)
        else { return nil }
        self = budget
    }
}

extension BudgetStanding {
    /// The standing as JSON: the budget and how much of it is left.
    public var jsonValue: JSONValue {
        guard case .object(var object) = budget.jsonValue else { return .null }
        object["subject"] = subject.map { .string($0) } ?? .null
        object["spent"] = spent.jsonValue
        object["reserved"] = reserved.jsonValue
        object["in_doubt"] = inDoubt.jsonValue
        object["remaining"] = remaining.jsonValue
        return .object(object)
    }
}
