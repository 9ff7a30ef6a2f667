import Logging

// The records of a run in the JSON that reports, files and stores share; keys and shapes are as documented.

extension JSONValue {
    /// Creates JSON from `text`, or null.
    init(_ text: String?) { self = text.map { .string($0) } ?? .null }
    /// Creates a whole number.
    init(_ number: Int) { self = .number(Number(number)) }
    /// Creates a number of whole milliseconds.
    init(_ duration: Duration) { self = .number(Number(duration.milliseconds)) }
    /// Creates a ratio with at most three decimals.
    init(rate numerator: Double, _ denominator: Double) {
        let thousandths = denominator > 0 ? (numerator / denominator * 1_000).rounded() : 0
        let number = Number(unchecked: Int128(thousandths.isFinite ? min(thousandths, 1e15) : 0), -3)
        let reduced = number.reduced
        self = .number(reduced.exponent >= 0 ? Number(unchecked: number.coefficient / 100, -1) : reduced)
    }
}

extension ResumePoint {
    /// The point as the `payload` of a failure record.
    public var jsonValue: JSONValue {
        let saved: [JSONValue] = (saved ?? []).map { ["step": .string($0.step), "value": $0.value] }
        return [
            "step": JSONValue(step), "exception": JSONValue(exception), "message": JSONValue(message),
            "data": data ?? .null, "run_id": JSONValue(runID), "input_digest": JSONValue(inputDigest?.text),
            "saved": .array(saved),
        ]
    }

    /// Creates the point that `json` writes; every part may be missing.
    ///
    /// - Throws: ``ProcessingError`` with code `prevalidation` when it is not a map.
    public init(json: JSONValue) throws(ProcessingError) {
        guard let object = json.object else {
            throw ProcessingError(.prevalidation, "payload must be a map, found \(json.kind)")
        }
        self.init()
        step = object["step"]?.string
        data = object["data"]
        runID = object["run_id"]?.string
        inputDigest = object["input_digest"]?.string.flatMap { Digest($0) }
        exception = object["exception"]?.string
        message = object["message"]?.string
        saved = object["saved"]?.array?.compactMap { entry in
            guard let step = entry["step"]?.string, let value = entry["value"] else { return nil }
            return Saved(step: step, value: value)
        }
    }
}

extension ResumePoint {
    /// Creates the point that `item` returns with; `nil` when it has none that names a step.
    init?(of item: Item) {
        guard let payload = item.payload, let point = try? ResumePoint(json: payload), point.step != nil else {
            return nil
        }
        self = point
    }
}

extension FailureRecord {
    /// The record as JSON.
    public var jsonValue: JSONValue {
        var object: JSONObject = [
            "input_id": JSONValue(inputID), "success": false, "step": .string(step),
            "exception": .string(exception), "message": .string(message), "code": .string(code.rawValue),
            "phase": .string(phase.rawValue), "attempt": JSONValue(attempt), "retryable": .bool(retryable),
            "payload": resumePoint?.jsonValue ?? .null,
        ]
        object["processor_id"] = processorID.map { .string($0.text) }
        return .object(object)
    }

    /// Creates the record that `json` writes; `nil` when a part is missing.
    public init?(json: JSONValue) {
        guard let step = json["step"]?.string, let exception = json["exception"]?.string,
            let message = json["message"]?.string,
            let code = json["code"]?.string.flatMap({ ProcessingError.Code(rawValue: $0) }),
            let phase = json["phase"]?.string.flatMap({ Phase(rawValue: $0) }),
            let attempt = json["attempt"]?.number?.integer, let retryable = json["retryable"]?.bool
        else { return nil }
        let payload = json["payload"].flatMap { $0.object == nil ? nil : try? ResumePoint(json: $0) }
        self.init(
            inputID: json["input_id"]?.string, step: step, exception: exception, message: message, code: code,
            phase: phase, attempt: attempt, retryable: retryable, resumePoint: payload)
        processorID = json["processor_id"]?.string.flatMap { Identifier($0) }
    }
}

extension Outcome.Step {
    /// The step as JSON.
    public var jsonValue: JSONValue {
        ["step": .string(name), "restored": .bool(restored), "duration_ms": JSONValue(duration)]
    }
}

extension Outcome {
    /// Returns the outcome as an entry of a report's `outcomes`.
    ///
    /// - Throws: an encoding error of the output.
    public func jsonValue() throws -> JSONValue {
        var object: JSONObject = [
            "input_id": .string(inputID), "index": JSONValue(index), "status": .string(status.rawValue),
            "output": try output?.json() ?? .null, "error": error?.jsonValue ?? .null,
            "reason": JSONValue(reason?.rawValue), "cost": cost.jsonValue, "avoided_cost": avoidedCost.jsonValue,
            "duration_ms": JSONValue(duration), "attempts": JSONValue(attempts), "cached": .bool(cached),
            "carried": .bool(carried), "input_changed": .bool(inputChanged),
            "on_change": isKept ? .string(ChangePolicy.keep.rawValue) : .null,
            "steps": .array(steps.map(\.jsonValue)),
        ]
        guard let passage else { return .object(object) }
        object["nodes"] = .object(JSONObject(passage.nodes.map { ($0.id.text, $0.jsonValue) }))
        object["absorbed_errors"] = .array(passage.absorbed.map(\.jsonValue))
        return .object(object)
    }
}

extension Passage.Node {
    /// The result at the node as JSON.
    public var jsonValue: JSONValue {
        [
            "status": .string(status.rawValue), "attempts": JSONValue(attempts), "duration_ms": JSONValue(duration),
            "cost": cost.jsonValue, "reason": JSONValue(reason?.rawValue), "error": error?.jsonValue ?? .null,
        ]
    }
}

extension Lineage {
    /// The lineage as a report's `context`.
    public var jsonValue: JSONValue {
        [
            "parent_run_id": .string(parentRunID.text), "previous_run_id": JSONValue(previousRunID?.text),
            "retry_count": JSONValue(retryCount), "last_error_step": JSONValue(lastErrorStep),
            "execution_metadata": .object(metadata),
        ]
    }
}

extension Counts {
    /// The counts as JSON.
    public var jsonValue: JSONValue {
        [
            "total": JSONValue(total), "succeeded": JSONValue(succeeded), "failed": JSONValue(failed),
            "skipped": JSONValue(skipped), "cancelled": JSONValue(cancelled),
        ]
    }
}

extension RunMetrics {
    /// Returns the metrics of a run as JSON.
    public func jsonValue(of run: Run) -> JSONValue {
        let counts = run.counts
        let lookups = cacheHits + cacheMisses
        let finished = counts.succeeded + counts.failed
        let steps: [JSONValue] = steps.map { step in
            [
                "step": .string(step.name), "calls": JSONValue(step.calls), "restored": JSONValue(step.restored),
                "failures": JSONValue(step.failures), "total_ms": JSONValue(step.total),
                "mean_ms": JSONValue(rate: Double(step.total.milliseconds), Double(step.calls)),
                "max_ms": JSONValue(step.longest),
            ]
        }
        var object: JSONObject = [
            "success_rate": JSONValue(rate: Double(counts.succeeded), Double(counts.total)),
            "retry_rate": JSONValue(rate: Double(retriedItems), Double(counts.total)),
            "throughput_items_per_second": JSONValue(
                rate: Double(finished), (run.duration ?? .zero) / .seconds(1)),
            "runner": .string(run.runner), "cache_hits": JSONValue(cacheHits), "cache_misses": JSONValue(cacheMisses),
            "cache_hit_rate": JSONValue(rate: Double(cacheHits), Double(lookups)),
            "avoided_cost": avoidedCost.jsonValue, "steps": .array(steps),
        ]
        if run.graphID != nil { object["nodes"] = .array(nodes.map(\.jsonValue)) }
        return .object(object)
    }
}

extension Run {
    /// The run as a report without its outcomes and its bill; `deleted_at` is present only when outcomes were deleted.
    public var jsonValue: JSONValue {
        get throws {
            var object: JSONObject = [
                "run_id": .string(id.text), "execution_id": .string(executionID.text),
                graphID == nil ? "processor_id" : "graph_id": .string(processorID.text),
                "account_id": JSONValue(scope.accountID?.text),
                "underwriting_id": JSONValue(scope.underwritingID?.text), "runner": .string(runner),
                "status": .string(status.rawValue), "success": .bool(status == .succeeded),
                "summary": try summary?.json() ?? .null, "counts": counts.jsonValue, "context": lineage.jsonValue,
                "metrics": (metrics ?? RunMetrics()).jsonValue(of: self), "started_at": startedAt.jsonValue,
                "finished_at": finishedAt?.jsonValue ?? .null, "duration_ms": JSONValue(duration ?? .zero),
                "error": error?.jsonValue ?? .null,
            ]
            object["deleted_at"] = deletedAt?.jsonValue
            return .object(object)
        }
    }
}

extension Report {
    /// Returns the report as JSON, outcomes included.
    ///
    /// - Throws: an encoding error of an output or the summary.
    public func jsonValue() throws -> JSONValue {
        guard case .object(var object) = try run.jsonValue else { return .null }
        object["schema"] = "assay/report/1"
        object["outcomes"] = .array(try outcomes.map { try $0.jsonValue() })
        object["payloads"] = resumePoints.map { .array($0.map { $0?.jsonValue ?? .null }) } ?? .null
        object["cost_breakdown"] = bill.jsonValue
        object["batches"] = try batches?.jsonValue(results: outcomes)
        return .object(object)
    }
}

extension Event {
    /// The event as JSON.
    public var jsonValue: JSONValue {
        [
            "schema": "assay/event/1", "event_id": .string(eventID),
            "sequence": sequence.map { JSONValue($0) } ?? .null,
            "event_type": .string(kind.rawValue), "level": .string(level.rawValue), "timestamp": timestamp.jsonValue,
            "processor_id": JSONValue(processorID?.text), "graph_id": JSONValue(graphID?.text),
            "run_id": JSONValue(runID?.text),
            "execution_id": JSONValue(executionID?.text), "input_id": JSONValue(inputID), "data": .object(data),
        ]
    }
}
