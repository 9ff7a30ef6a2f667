// Batches in the JSON that reports, lines and events share.

extension BatchMetrics {
    /// The metrics as JSON.
    public var jsonValue: JSONValue {
        [
            "batch_id": .string(batchID), "batch_index": JSONValue(batchIndex), "batch_size": JSONValue(counts.total),
            "status": .string(status.rawValue), "start_time": startedAt.jsonValue, "end_time": finishedAt.jsonValue,
            "execution_time_ms": JSONValue(duration), "successful_items": JSONValue(counts.succeeded),
            "failed_items": JSONValue(counts.failed), "skipped_items": JSONValue(counts.skipped),
            "cancelled_items": JSONValue(counts.cancelled), "retries_used": JSONValue(retriesUsed),
            "attempts": .array(attempts.map(\.jsonValue)), "error_messages": .array(errorMessages.map { .string($0) }),
            "limit": JSONValue(limit),
        ]
    }
}

extension BatchMetrics.Attempt {
    /// The attempt as JSON.
    public var jsonValue: JSONValue {
        [
            "attempt": JSONValue(number), "execution_time_ms": JSONValue(duration),
            "failed_items": JSONValue(failedItems), "error_messages": .array(errorMessages.map { .string($0) }),
        ]
    }
}

extension BatchError {
    /// The failure as JSON.
    public var jsonValue: JSONValue {
        [
            "batch_id": .string(batchID), "batch_index": JSONValue(batchIndex), "item_index": JSONValue(itemIndex),
            "input_id": JSONValue(record.inputID), "error_type": .string(record.exception),
            "error_message": .string(record.message), "code": .string(record.code.rawValue),
            "retryable": .bool(record.retryable),
        ]
    }
}

extension BatchResult {
    /// Returns the batch as JSON, its outcomes included.
    ///
    /// - Throws: an encoding error of an output.
    public func jsonValue() throws -> JSONValue {
        [
            "batch_id": .string(batchID), "batch_index": JSONValue(batchIndex), "status": .string(status.rawValue),
            "outcomes": .array(try outcomes.map { try $0.jsonValue() }), "metrics": metrics.jsonValue,
            "errors": .array(errors.map(\.jsonValue)), "cost_breakdown": bill.jsonValue,
        ]
    }
}

extension BatchAggregate {
    /// Returns the sums as JSON.
    ///
    /// - Parameter results: the outcomes that provide the outputs when the sums did not keep them.
    /// - Throws: an encoding error of an output.
    public func jsonValue(results outcomes: [Outcome] = []) throws -> JSONValue {
        let results =
            try resultsAsJSON()
            ?? outcomes.filter { $0.status == .succeeded }.map { try $0.output?.json() ?? .null }
        return [
            "total_batches": JSONValue(totalBatches), "total_items": JSONValue(counts.total),
            "successful_items": JSONValue(counts.succeeded), "failed_items": JSONValue(counts.failed),
            "skipped_items": JSONValue(counts.skipped), "cancelled_items": JSONValue(counts.cancelled),
            "results": .array(results), "errors": .array(errors.map(\.jsonValue)),
            "execution_time_ms": JSONValue(duration), "summed_time_ms": JSONValue(summedTime),
            "batch_metrics": .array(batchMetrics.map(\.jsonValue)),
            "success_rate": JSONValue(rate: Double(counts.succeeded), Double(counts.total)),
        ]
    }
}
