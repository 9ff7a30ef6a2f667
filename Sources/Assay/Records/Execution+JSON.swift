extension Execution {
    /// Every field of the execution as JSON; unset fields are null.
    public var jsonValue: JSONValue {
        [
            "execution_id": .string(id.text),
            "processor_id": JSONValue(graphID == nil ? processorID?.text : nil), "graph_id": JSONValue(graphID?.text),
            "account_id": JSONValue(scope.accountID?.text), "underwriting_id": JSONValue(scope.underwritingID?.text),
            "scope_execution_id": JSONValue(scope.executionID?.text), "status": .string(status.rawValue),
            "priority": JSONValue(finite: priority),
            "own_priority": ownPriority.map { JSONValue(finite: $0) } ?? .null,
            "number": number.map { JSONValue($0) } ?? .null, "idempotency_key": JSONValue(idempotencyKey),
            "pipeline": JSONValue(pipeline?.text), "waits_for": JSONValue(waitsFor),
            "content": JSONValue(content?.text), "request": .object(request), "run_request": runRequest,
            "timeout_ms": timeout.map { JSONValue($0) } ?? .null, "streaming": .bool(isStreaming),
            "not_before": notBefore?.jsonValue ?? .null, "metadata": .object(metadata),
            "created_at": createdAt.jsonValue, "started_at": startedAt?.jsonValue ?? .null,
            "finished_at": finishedAt?.jsonValue ?? .null, "duration_ms": duration.map { JSONValue($0) } ?? .null,
            "denials": JSONValue(denials.count), "denial_reasons": .array(denials.map { .string($0) }),
            "chunks": JSONValue(chunks), "runs": JSONValue(runs), "recoveries": JSONValue(recoveries),
            "last_run_id": JSONValue(lastRunID?.text), "error": error?.jsonValue ?? .null,
            "retryable": retryable.map { .bool($0) } ?? .null, "reason": JSONValue(reason),
            "has_response": .bool(hasResponse), "failed_only": .bool(again.failedOnly),
            "recovery": .string(again.recovery.rawValue), "on_change": .string(again.onChange.rawValue),
            "cancelling": .bool(isCancelling),
        ]
    }

    /// Whether it has ended with a report.
    public var hasResponse: Bool { status.isTerminal && (lastRunID != nil || restoredResponse != nil) }

    /// Creates the execution that ``jsonValue`` wrote; `nil` for anything else.
    public init?(json: JSONValue) {
        func identifier(_ key: String) -> Identifier? { json[key]?.string.flatMap { Identifier($0) } }
        func external(_ key: String) -> ExternalID? { json[key]?.string.flatMap { ExternalID($0) } }
        func moment(_ key: String) -> Timestamp? { json[key].flatMap { Timestamp(jsonValue: $0) } }
        func number(_ key: String) -> Double? { json[key]?.number.flatMap { Double($0.description) } }
        func length(_ key: String) -> Duration? {
            json[key]?.number?.integer.map { .milliseconds($0) }
        }
        guard let id = identifier("execution_id"), let createdAt = moment("created_at"),
            let status = json["status"]?.string.flatMap({ Status(rawValue: $0) }),
            let priority = number("priority"), priority.isFinite
        else { return nil }
        self.init(
            id: id,
            scope: Scope(
                accountID: external("account_id"), underwritingID: external("underwriting_id"),
                executionID: identifier("scope_execution_id")),
            status: status, createdAt: createdAt)
        self.number = json["number"]?.number?.integer
        graphID = identifier("graph_id")
        processorID = graphID ?? identifier("processor_id")
        self.priority = priority
        ownPriority = number("own_priority")
        pipeline = json["pipeline"]?.string.flatMap { Digest($0) }
        waitsFor = json["waits_for"]?.string
        idempotencyKey = json["idempotency_key"]?.string
        content = json["content"]?.string.flatMap { Digest($0) }
        request = json["request"]?.object ?? [:]
        runRequest = json["run_request"] ?? [:]
        timeout = length("timeout_ms")
        isStreaming = json["streaming"]?.bool ?? false
        notBefore = moment("not_before")
        metadata = json["metadata"]?.object ?? [:]
        (startedAt, finishedAt) = (moment("started_at"), moment("finished_at"))
        duration = length("duration_ms")
        denials = json["denial_reasons"]?.array?.compactMap(\.string) ?? []
        chunks = json["chunks"]?.number?.integer ?? 0
        runs = json["runs"]?.number?.integer ?? 0
        recoveries = json["recoveries"]?.number?.integer ?? 0
        lastRunID = identifier("last_run_id")
        error = json["error"].flatMap { FailureRecord(json: $0) }
        reason = json["reason"]?.string
        again.failedOnly = json["failed_only"]?.bool ?? false
        again.recovery = json["recovery"]?.string.flatMap { RecoveryMode(rawValue: $0) } ?? .resume
        again.onChange = json["on_change"]?.string.flatMap { ChangePolicy(rawValue: $0) } ?? .refuse
        isCancelling = json["cancelling"]?.bool ?? false
    }
}

extension JSONValue {
    /// Creates a finite number with its shortest digits.
    package init(finite number: Double) {
        // Every finite number has digits that JSON can express.
        let text = number == number.rounded() && abs(number) < 1e15 ? "\(Int64(number))" : "\(number)"
        self = Number(text).map { .number($0) } ?? .null
    }
}

extension Item {
    /// Returns the item as a line of JSON writes it.
    ///
    /// - Throws: what its data throws when it cannot be encoded.
    public func jsonValue() throws -> JSONValue {
        var object: JSONObject = ["input_id": .string(id)]
        object["account_id"] = accountID.map { .string($0) }
        object["underwriting_id"] = underwritingID.map { .string($0) }
        object["execution_id"] = executionID.map { .string($0) }
        object["slot"] = slot.map { .string($0) }
        object["payload"] = payload
        object["file"] = file?.jsonValue
        if hasOwnData { object["data"] = try data.json() }
        return .object(object)
    }

    /// Returns the identity of the item, which is equal for two items that are the same work under the same name. A
    /// file counts by its content, not by its path, if it has a digest.
    func identity() throws -> JSONValue {
        guard case .object(var object) = try jsonValue() else { return .null }
        object["file"] = file.map { .string($0.digest?.text ?? $0.path) }
        return .object(object)
    }
}
