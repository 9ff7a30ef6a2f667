import Assay

// The parts of records that are stored as JSON. User values are stored in their own columns or as text inside the JSON,
// because a value may be nested as deeply as JSON text may be.

extension Payload {
    /// Returns the value as JSON text for storage.
    ///
    /// - Throws: ``ProcessingError`` with code `processing` when it cannot be encoded as JSON that can be read again.
    func storedBytes(_ what: @autoclosure () -> String) throws(ProcessingError) -> [UInt8] {
        do {
            // Text from a store was checked when it was written.
            return isJSONText ? try jsonText() : try json().storedBytes(what())
        } catch {
            throw (error as? ProcessingError)
                ?? ProcessingError(
                    .processing, "\(what()) cannot be written as JSON: \(error)", retryable: false, cause: error)
        }
    }
}

extension JSONValue {
    /// Returns the value as JSON text for storage.
    ///
    /// - Throws: ``ProcessingError`` with code `processing` when it is nested too deeply to be read again.
    func storedBytes(_ what: @autoclosure () -> String) throws(ProcessingError) -> [UInt8] {
        guard isNested(atMost: Self.maximumDepth) else {
            throw ProcessingError(
                .processing, "\(what()) is nested more than \(Self.maximumDepth) deep", retryable: false)
        }
        return jsonBytes
    }

    private func isNested(atMost depth: Int) -> Bool {
        switch self {
        case .null, .bool, .number, .string: true
        case .array(let elements): depth > 0 && elements.allSatisfy { $0.isNested(atMost: depth - 1) }
        case .object(let object): depth > 0 && object.members.allSatisfy { $0.value.isNested(atMost: depth - 1) }
        }
    }

    /// Returns a whole number.
    static func whole(_ number: some BinaryInteger & FixedWidthInteger) -> JSONValue { .number(Number(number)) }

    var whole: Int? { number?.integer }

    /// The value that this string contains as JSON.
    fileprivate var unpacked: JSONValue? { string.flatMap { try? JSONValue(json: $0) } }
}

extension JSONObject {
    /// Sets `key` to the JSON text of `value`.
    fileprivate mutating func pack(_ value: JSONValue, as key: String) throws {
        self[key] = .string(String(decoding: try value.storedBytes("'\(key)'"), as: UTF8.self))
    }
}

extension Duration {
    var nanoseconds: Int64 { components.seconds * 1_000_000_000 + components.attoseconds / 1_000_000_000 }
}

extension FailureRecord {
    /// Returns the record in its stored form.
    func stored() throws -> JSONValue {
        guard case .object(var object) = jsonValue else { return .null }
        object["success"] = nil
        object["payload"] = try resumePoint?.stored()
        return .object(object)
    }

    init?(stored: JSONValue) {
        self.init(json: stored)
        resumePoint = stored["payload"].flatMap { ResumePoint(stored: $0) }
    }
}

extension ResumePoint {
    fileprivate func stored() throws -> JSONValue {
        var object = JSONObject()
        object["step"] = step.map { .string($0) }
        object["run_id"] = runID.map { .string($0) }
        object["input_digest"] = inputDigest.map { .string($0.text) }
        object["exception"] = exception.map { .string($0) }
        object["message"] = message.map { .string($0) }
        if let data { try object.pack(data, as: "data") }
        if let saved {
            object["saved"] = .array(
                try saved.map { entry in
                    var saved: JSONObject = ["step": .string(entry.step)]
                    try saved.pack(entry.value, as: "value")
                    return .object(saved)
                })
        }
        return .object(object)
    }

    fileprivate init?(stored: JSONValue) {
        guard var object = stored.object else { return nil }
        object["data"] = object["data"]?.unpacked
        if let saved = object["saved"]?.array {
            object["saved"] = .array(
                saved.map { ["step": $0["step"] ?? .null, "value": $0["value"]?.unpacked ?? .null] })
        }
        try? self.init(json: .object(object))
    }
}

extension Outcome.Step {
    var stored: JSONValue {
        [.string(name), .bool(restored), .bool(failed), .whole(duration.nanoseconds)]
    }

    init?(stored: JSONValue) {
        guard let parts = stored.array, parts.count == 4, let name = parts[0].string, let restored = parts[1].bool,
            let failed = parts[2].bool, let duration = parts[3].whole
        else { return nil }
        self.init(name: name, restored: restored, failed: failed, duration: .nanoseconds(duration))
    }
}

extension RunMetrics {
    fileprivate var stored: JSONValue {
        [
            "retried_items": .whole(retriedItems), "cache_hits": .whole(cacheHits), "cache_misses": .whole(cacheMisses),
            "avoided_cost": avoidedCost.jsonValue, "steps": .array(steps.map(\.stored)),
            "nodes": .array(nodes.map(\.jsonValue)),
        ]
    }

    fileprivate init?(stored: JSONValue) {
        guard let retried = stored["retried_items"]?.whole, let hits = stored["cache_hits"]?.whole,
            let misses = stored["cache_misses"]?.whole, let avoided = MoneySum(jsonValue: stored["avoided_cost"]),
            let steps = stored["steps"]?.array
        else { return nil }
        self.init()
        retriedItems = retried
        cacheHits = hits
        cacheMisses = misses
        avoidedCost = avoided
        self.steps = steps.compactMap(Step.init(stored:))
        nodes = stored["nodes"]?.array?.compactMap { NodeMetrics(json: $0) } ?? []
    }
}

extension RunMetrics.Step {
    fileprivate var stored: JSONValue {
        [
            .string(name), .whole(calls), .whole(restored), .whole(failures), .whole(total.nanoseconds),
            .whole(longest.nanoseconds),
        ]
    }

    fileprivate init?(stored: JSONValue) {
        guard let parts = stored.array, parts.count == 6, let name = parts[0].string else { return nil }
        let numbers = parts.dropFirst().compactMap(\.whole)
        guard numbers.count == 5 else { return nil }
        self.init(name: name)
        (calls, restored, failures) = (numbers[0], numbers[1], numbers[2])
        (total, longest) = (.nanoseconds(numbers[3]), .nanoseconds(numbers[4]))
    }
}

extension Counts {
    fileprivate init?(stored: JSONValue?) {
        guard let total = stored?["total"]?.whole, let succeeded = stored?["succeeded"]?.whole,
            let failed = stored?["failed"]?.whole, let skipped = stored?["skipped"]?.whole,
            let cancelled = stored?["cancelled"]?.whole
        else { return nil }
        self.init(total: total)
        (self.succeeded, self.failed, self.skipped, self.cancelled) = (succeeded, failed, skipped, cancelled)
    }
}

extension Lineage {
    fileprivate func stored() throws -> JSONValue {
        var object: JSONObject = ["parent_run_id": .string(parentRunID.text), "retry_count": .whole(retryCount)]
        object["previous_run_id"] = previousRunID.map { .string($0.text) }
        object["last_error_step"] = lastErrorStep.map { .string($0) }
        try object.pack(.object(metadata), as: "metadata")
        return .object(object)
    }

    fileprivate init?(stored: JSONValue?) {
        guard let parent = stored?["parent_run_id"]?.string.flatMap({ Identifier($0) }),
            let retries = stored?["retry_count"]?.whole, let metadata = stored?["metadata"]?.unpacked?.object
        else { return nil }
        self.init(
            parentRunID: parent, previousRunID: stored?["previous_run_id"]?.string.flatMap { Identifier($0) },
            retryCount: retries, lastErrorStep: stored?["last_error_step"]?.string, metadata: metadata)
    }
}

extension Run {
    /// Returns all parts of the run without a column of their own.
    func record() throws -> [UInt8] {
        var object: JSONObject = [
            "definition": .string(definition.text), "lineage": try lineage.stored(), "runner": .string(runner),
            "counts": counts.jsonValue,
        ]
        object["account_id"] = scope.accountID.map { .string($0.text) }
        object["underwriting_id"] = scope.underwritingID.map { .string($0.text) }
        object["scope_execution_id"] = scope.executionID.map { .string($0.text) }
        object["duration"] = duration.map { .whole($0.nanoseconds) }
        object["error"] = try error?.stored()
        object["metrics"] = metrics?.stored
        object["incomplete_reason"] = incompleteReason.map { .string($0) }
        try object.pack(request, as: "request")
        if definitionParts != [:] { object["definition_parts"] = definitionParts }
        object["is_listed"] = .bool(isListed)
        object["is_refused"] = isAccepted ? nil : true
        object["is_given_up"] = isGivenUp ? true : nil
        if let pause { try object.pack(pause.jsonValue, as: "pause") }
        object["graph_id"] = graphID.map { .string($0.text) }
        object["deleted_at"] = deletedAt.map { .whole($0.milliseconds) }
        return try JSONValue.object(object).storedBytes("run '\(id)'")
    }

    /// Returns the stored summary. It has its own column, because it may be large and is rarely needed.
    func summaryBytes() throws -> [UInt8]? { try summary?.storedBytes("the summary of run '\(id)'") }

    /// Creates a run from its columns and its record.
    init?(
        id: ID?, executionID: Execution.ID?, processorID: Identifier?, status: Status?, epoch: Int,
        startedAt: Timestamp, finishedAt: Timestamp?, record: JSONValue, summary: [UInt8]?
    ) {
        guard let id, let executionID, let processorID, let status,
            let definition = record["definition"]?.string.flatMap({ Digest($0) }),
            let lineage = Lineage(stored: record["lineage"]), let runner = record["runner"]?.string,
            let request = record["request"]?.unpacked, let counts = Counts(stored: record["counts"])
        else { return nil }
        let scope = Scope(
            accountID: record["account_id"]?.string.flatMap { ExternalID($0) },
            underwritingID: record["underwriting_id"]?.string.flatMap { ExternalID($0) },
            executionID: record["scope_execution_id"]?.string.flatMap { Identifier($0) })
        self.init(
            id: id, executionID: executionID, processorID: processorID, definition: definition, scope: scope,
            lineage: lineage, runner: runner, request: request, startedAt: startedAt, epoch: epoch, status: status,
            isListed: record["is_listed"]?.bool ?? false, counts: counts)
        self.finishedAt = finishedAt
        duration = record["duration"]?.whole.map { .nanoseconds($0) }
        error = record["error"].flatMap { FailureRecord(stored: $0) }
        self.summary = summary.map { Payload(jsonText: $0) }
        metrics = record["metrics"].flatMap { RunMetrics(stored: $0) }
        incompleteReason = record["incomplete_reason"]?.string
        definitionParts = record["definition_parts"] ?? [:]
        isAccepted = record["is_refused"]?.bool != true
        isGivenUp = record["is_given_up"]?.bool ?? false
        pause = record["pause"]?.unpacked.flatMap { Pause(json: $0) }
        graphID = record["graph_id"]?.string.flatMap { Identifier($0) }
        deletedAt = record["deleted_at"]?.whole.map { Timestamp(milliseconds: Int64($0)) }
    }
}

extension Execution {
    /// Returns the record of an execution of the queue.
    func record() throws -> [UInt8] {
        guard var object = jsonValue.object else { return [] }
        // These have their own columns or follow from other values.
        for key in ["number", "status", "priority", "idempotency_key", "denials", "retryable", "has_response"] {
            object[key] = nil
        }
        for member in object.members where member.value == .null { object[member.key] = nil }
        object["error"] = try error?.stored()
        try object.pack(runRequest, as: "run_request")
        object["duration"] = duration.map { .whole($0.nanoseconds) }
        if let restoredResponse { try object.pack(restoredResponse, as: "response") }
        return try JSONValue.object(object).storedBytes("execution '\(id)'")
    }

    /// Creates an execution from its columns and its record.
    init?(number: Int, status: Status?, priority: Double, idempotencyKey: String?, record: JSONValue) {
        guard let status, case .object(var object) = record else { return nil }
        object["status"] = .string(status.rawValue)
        object["priority"] = 0
        object["run_request"] = object["run_request"]?.unpacked
        self.init(json: .object(object))
        (self.number, self.priority, self.idempotencyKey) = (number, priority, idempotencyKey)
        error = record["error"].flatMap { FailureRecord(stored: $0) }
        duration = record["duration"]?.whole.map { .nanoseconds($0) }
        restoredResponse = record["response"]?.unpacked
    }
}
