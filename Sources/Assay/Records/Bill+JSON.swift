extension Charge {
    /// The entry as JSON, with all its parts.
    public var jsonValue: JSONValue {
        guard case .object(var object) = entry else { return .null }
        object["run_id"] = .string(runID.text)
        object["execution_id"] = .string(executionID.text)
        object["kind"] = .string(kind.rawValue)
        object["processor_id"] = .string(processorID.text)
        object["step"] = JSONValue(step)
        object["account_id"] = JSONValue(accountID?.text)
        object["underwriting_id"] = JSONValue(underwritingID?.text)
        return .object(object)
    }

    /// The entry as a bill lists it, without the facts that the bill itself states.
    var entry: JSONValue {
        [
            "cost_id": .string(costID), "service": .string(service), "operation": .string(operation),
            "cost": cost.jsonValue, "timestamp": timestamp.jsonValue, "input_id": JSONValue(inputID),
            "metadata": .object(annotations),
        ]
    }
}

extension CallRecord {
    /// The call as a bill lists it while its outcome is unknown.
    public var jsonValue: JSONValue {
        [
            "call_id": .string(callID), "service": .string(service), "operation": .string(operation),
            "maximum_cost": maximumCost.jsonValue, "idempotency_key": .string(idempotencyKey),
            "input_id": JSONValue(inputID), "timestamp": timestamp.jsonValue,
        ]
    }
}

extension Bill {
    /// The bill as JSON.
    public var jsonValue: JSONValue {
        var services = JSONObject()
        for (service, operations) in byService {
            var lines = JSONObject()
            for (operation, line) in operations {
                lines[operation] = [
                    "count": JSONValue(line.count), "cache_hits": JSONValue(line.cacheHits),
                    "total_cost": line.total.jsonValue, "avoided_cost": line.avoided.jsonValue,
                ]
            }
            services[service] = .object(lines)
        }
        let entries: [JSONValue] = trackedCosts.map { charge in
            guard runID == nil, case .object(var object) = charge.entry else { return charge.entry }
            object["run_id"] = .string(charge.runID.text)
            return .object(object)
        }
        var bill: JSONObject = [
            "run_id": JSONValue(runID?.text), "execution_id": JSONValue(executionID?.text),
            "currency": .string(currency), "base_cost": baseCost.jsonValue, "usage_cost": usageCost.jsonValue,
            "total_cost": totalCost.jsonValue, "avoided_cost": avoidedCost.jsonValue,
            "in_doubt_cost": inDoubtCost.jsonValue, "complete": .bool(incompleteReason == nil),
            "incomplete_reason": JSONValue(incompleteReason), "tracked_costs": .array(entries),
            "in_doubt": .array(inDoubt.map(\.jsonValue)), "by_service": .object(services),
        ]
        if let runs { bill["runs"] = .array(runs.map { .string($0.text) }) }
        return .object(bill)
    }
}
