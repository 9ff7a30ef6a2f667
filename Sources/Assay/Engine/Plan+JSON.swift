extension Plan {
    /// The plan as JSON, from which ``init(jsonValue:)`` makes it again.
    public var jsonValue: JSONValue {
        let counts = counts
        var object: JSONObject = [
            "schema": "assay/plan/1", nodes == nil ? "processor_id" : "graph_id": .string(processorID.text),
            "definition": .string(definition.text), "definition_parts": definitionParts,
            "execution_id": executionID.map { .string($0.text) } ?? .null,
            "runner": .string(runner), "currency": .string(currency), "base_cost": base.jsonValue,
            "low": low.jsonValue, "high": high?.jsonValue ?? .null,
            "counts": .object(
                JSONObject(unsorted: Action.allCases.map { .init(key: $0.rawValue, value: JSONValue(counts[$0] ?? 0)) })
                    ?? [:]),
            "prices": .object(
                JSONObject(unsorted: prices.map { .init(key: $0.key, value: $0.value.jsonValue) }) ?? [:]),
            "gate": gate.map { .string($0) } ?? .null, "warnings": .array(warnings.map { .string($0) }),
            "inputs": .array(entries.map(\.jsonValue)),
        ]
        if let nodes {
            object["further_base_cost"] = furtherBase?.jsonValue ?? .null
            object["nodes"] = .array(nodes.map(\.jsonValue))
        }
        return .object(object)
    }

    /// The plan that ``jsonValue`` wrote; `nil` for anything else.
    public init?(jsonValue json: JSONValue) {
        guard json["schema"] == "assay/plan/1",
            let processor = (json["processor_id"] ?? json["graph_id"])?.string.flatMap({ Identifier($0) }),
            let definition = json["definition"]?.string.flatMap({ Digest($0) }), let runner = json["runner"]?.string,
            let currency = json["currency"]?.string, let base = json["base_cost"].flatMap({ Money(jsonValue: $0) }),
            let prices = json["prices"]?.object, let entries = json["inputs"]?.array
        else { return nil }
        self.init(
            processorID: processor, definition: definition,
            executionID: json["execution_id"]?.string.flatMap { Identifier($0) }, runner: runner, currency: currency,
            base: base, prices: [:], entries: [], gate: json["gate"]?.string,
            warnings: json["warnings"]?.array?.compactMap(\.string) ?? [])
        definitionParts = json["definition_parts"] ?? [:]
        for member in prices.members {
            guard let price = Money(jsonValue: member.value) else { return nil }
            self.prices[member.key] = price
        }
        if let nodes = json["nodes"]?.array {
            furtherBase = json["further_base_cost"].flatMap { Money(jsonValue: $0) }
            self.nodes = nodes.compactMap { Node(jsonValue: $0) }
            guard self.nodes?.count == nodes.count else { return nil }
        }
        for entry in entries {
            guard let entry = Entry(jsonValue: entry) else { return nil }
            self.entries.append(entry)
        }
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
            let base = json["base_cost"].flatMap({ Money(jsonValue: $0) }),
            let low = json["low"].flatMap({ Money(jsonValue: $0) })
        else { return nil }
        self.init(processor)
        func count(_ key: String) -> Int { json[key]?.number?.integer ?? 0 }
        (starts, possibleStarts, saved, cached) = (
            count("starts"), count("possible_starts"), count("saved"), count("cached")
        )
        (self.base, self.low, hits) = (base, low, count("cache_hits"))
        furtherBase = json["further_base_cost"].flatMap { Money(jsonValue: $0) }
        calls = json["calls"]?.number?.integer
        high = json["high"].flatMap { Money(jsonValue: $0) }
        unknown = json["unknown"]?.string
    }
}

extension Plan.Entry {
    /// The entry as JSON.
    public var jsonValue: JSONValue {
        [
            "input_id": .string(inputID), "action": .string(action.rawValue), "reason": .string(reason),
            "digest": .string(digest.text), "saved_steps": .array(savedSteps.map { .string($0) }),
            "calls": calls.map { JSONValue($0) } ?? .null, "cache_hits": JSONValue(hits), "low": low.jsonValue,
            "high": high?.jsonValue ?? .null,
        ]
    }

    fileprivate init?(jsonValue json: JSONValue) {
        guard let inputID = json["input_id"]?.string, let action = json["action"]?.string.flatMap(Plan.Action.init),
            let reason = json["reason"]?.string, let digest = json["digest"]?.string.flatMap({ Digest($0) }),
            let low = json["low"].flatMap({ Money(jsonValue: $0) })
        else { return nil }
        self.init(inputID: inputID, action: action, reason: reason, digest: digest)
        savedSteps = json["saved_steps"]?.array?.compactMap(\.string) ?? []
        calls = json["calls"]?.number?.integer
        hits = json["cache_hits"]?.number?.integer ?? 0
        self.low = low
        high = json["high"].flatMap { Money(jsonValue: $0) }
    }
}
