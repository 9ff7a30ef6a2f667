extension Plan {
    private static let schema: JSONValue = "assay/plan/2"

    /// The plan as JSON, from which ``init(jsonValue:)`` makes it again; its inputs are told apart from it.
    public var jsonValue: JSONValue {
        var object: JSONObject = [
            "schema": Self.schema, nodes == nil ? "processor_id" : "graph_id": .string(processorID.text),
            "definition": .string(definition.text), "definition_parts": definitionParts,
            "execution_id": executionID.map { .string($0.text) } ?? .null,
            "runner": .string(runner), "currency": .string(currency), "base_cost": base.jsonValue,
            "low": low.jsonValue, "high": high?.jsonValue ?? .null, "expected": expected?.jsonValue ?? .null,
            "estimate": estimate?.jsonValue ?? .null,
            "counts": .object(
                JSONObject(unsorted: Action.allCases.map { .init(key: $0.rawValue, value: JSONValue(counts[$0] ?? 0)) })
                    ?? [:]),
            "groups": .array(groups.map(\.jsonValue)),
            "prices": .object(
                JSONObject(unsorted: prices.map { .init(key: $0.key, value: $0.value.jsonValue) }) ?? [:]),
            "gate": gate.map { .string($0) } ?? .null, "warnings": .array(warnings.map { .string($0) }),
        ]
        if let nodes {
            object["further_base_cost"] = furtherBase?.jsonValue ?? .null
            object["nodes"] = .array(nodes.map(\.jsonValue))
        }
        return .object(object)
    }

    /// The plan that ``jsonValue`` wrote; `nil` for anything else.
    public init?(jsonValue json: JSONValue) {
        guard json["schema"] == Self.schema,
            let processor = (json["processor_id"] ?? json["graph_id"])?.string.flatMap({ Identifier($0) }),
            let definition = json["definition"]?.string.flatMap({ Digest($0) }), let runner = json["runner"]?.string,
            let currency = json["currency"]?.string, let base = Money(sum: json["base_cost"]),
            let prices = json["prices"]?.object, let groups = json["groups"]?.array, let counts = json["counts"]?.object
        else { return nil }
        self.init(
            processorID: processor, definition: definition,
            executionID: json["execution_id"]?.string.flatMap { Identifier($0) }, runner: runner, currency: currency,
            base: base, prices: [:], gate: json["gate"]?.string,
            warnings: json["warnings"]?.array?.compactMap(\.string) ?? [])
        definitionParts = json["definition_parts"] ?? [:]
        for member in prices.members {
            guard let price = Money(jsonValue: member.value) else { return nil }
            self.prices[member.key] = price
        }
        for member in counts.members {
            guard let action = Action(rawValue: member.key), let count = member.value.number?.integer else {
                return nil
            }
            if count > 0 { self.counts[action] = count }
        }
        for group in groups {
            guard let group = Group(jsonValue: group) else { return nil }
            self.groups.append(group)
        }
        if let nodes = json["nodes"]?.array {
            furtherBase = Money(sum: json["further_base_cost"])
            self.nodes = nodes.compactMap { Node(jsonValue: $0) }
            guard self.nodes?.count == nodes.count else { return nil }
        }
        if let estimate = json["estimate"], estimate != .null {
            guard let known = Estimate(jsonValue: estimate) else { return nil }
            self.estimate = known
        }
    }
}

extension Plan.Group {
    /// The group as JSON.
    public var jsonValue: JSONValue {
        [
            "group": .string(kind.rawValue), "inputs": JSONValue(inputs), "saved": JSONValue(saved),
            "calls": calls.map { JSONValue($0) } ?? .null, "cache_hits": JSONValue(hits),
            "avoided_cost": avoided.jsonValue, "low": low.jsonValue, "high": high?.jsonValue ?? .null,
            "reason": reason.map { .string($0) } ?? .null,
        ]
    }

    fileprivate init?(jsonValue json: JSONValue) {
        guard let kind = json["group"]?.string.flatMap(Kind.init), let inputs = json["inputs"]?.number?.integer,
            let low = MoneySum(jsonValue: json["low"]), let avoided = MoneySum(jsonValue: json["avoided_cost"])
        else { return nil }
        self.init(kind: kind)
        (self.inputs, self.low, self.avoided) = (inputs, low, avoided)
        saved = json["saved"]?.number?.integer ?? 0
        calls = json["calls"]?.number?.integer
        hits = json["cache_hits"]?.number?.integer ?? 0
        high = MoneySum(jsonValue: json["high"])
        reason = json["reason"]?.string
    }
}

extension Plan.Estimate {
    /// The estimate as JSON.
    public var jsonValue: JSONValue {
        [
            "run_id": .string(runID.text), "sample": .bool(isSample), "by_inputs": JSONValue(basis),
            "inputs": JSONValue(inputs), "cost": cost.jsonValue,
        ]
    }

    fileprivate init?(jsonValue json: JSONValue) {
        guard let runID = json["run_id"]?.string.flatMap({ Identifier($0) }), let isSample = json["sample"]?.bool,
            let basis = json["by_inputs"]?.number?.integer, let inputs = json["inputs"]?.number?.integer,
            let cost = MoneySum(jsonValue: json["cost"])
        else { return nil }
        self.init(runID: runID, isSample: isSample, basis: basis, inputs: inputs, cost: cost)
    }
}

extension Plan.Node {
    /// What would be done at the node as JSON.
    public var jsonValue: JSONValue {
        [
            "processor_id": .string(processorID.text), "starts": JSONValue(starts),
            "possible_starts": JSONValue(possibleStarts), "saved": JSONValue(saved), "cached": JSONValue(cached),
            "base_cost": base.jsonValue, "further_base_cost": furtherBase?.jsonValue ?? .null,
            "calls": calls.map { JSONValue($0) } ?? .null, "cache_hits": JSONValue(hits), "low": low.jsonValue,
            "high": high?.jsonValue ?? .null, "unknown": unknown.map { .string($0) } ?? .null,
        ]
    }

    fileprivate init?(jsonValue json: JSONValue) {
        guard let processor = json["processor_id"]?.string.flatMap({ Identifier($0) }),
            let base = Money(sum: json["base_cost"]),
            let low = Money(sum: json["low"])
        else { return nil }
        self.init(processor)
        func count(_ key: String) -> Int { json[key]?.number?.integer ?? 0 }
        (starts, possibleStarts, saved, cached) = (
            count("starts"), count("possible_starts"), count("saved"), count("cached")
        )
        (self.base, self.low, hits) = (base, low, count("cache_hits"))
        furtherBase = Money(sum: json["further_base_cost"])
        calls = json["calls"]?.number?.integer
        high = Money(sum: json["high"])
        unknown = json["unknown"]?.string
    }
}

extension Plan.Entry {
    /// The entry as JSON.
    public var jsonValue: JSONValue {
        [
            "input_id": .string(inputID), "action": .string(action.rawValue), "group": .string(group.rawValue),
            "reason": .string(reason),
            "digest": .string(digest.text), "saved_steps": .array(savedSteps.map { .string($0) }),
            "calls": calls.map { JSONValue($0) } ?? .null, "cache_hits": JSONValue(hits),
            "avoided_cost": avoided.jsonValue, "low": low.jsonValue, "high": high?.jsonValue ?? .null,
        ]
    }

    /// The entry that ``jsonValue`` wrote; `nil` for anything else.
    public init?(jsonValue json: JSONValue) {
        guard let inputID = json["input_id"]?.string, let action = json["action"]?.string.flatMap(Plan.Action.init),
            let group = json["group"]?.string.flatMap(Plan.Group.Kind.init),
            let avoided = Money(sum: json["avoided_cost"]),
            let reason = json["reason"]?.string, let digest = json["digest"]?.string.flatMap({ Digest($0) }),
            let low = Money(sum: json["low"])
        else { return nil }
        self.init(inputID: inputID, action: action, group: group, reason: reason, digest: digest)
        savedSteps = json["saved_steps"]?.array?.compactMap(\.string) ?? []
        calls = json["calls"]?.number?.integer
        hits = json["cache_hits"]?.number?.integer ?? 0
        (self.avoided, self.low) = (avoided, low)
        high = Money(sum: json["high"])
    }
}
