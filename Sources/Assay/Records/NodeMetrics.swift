/// What a node of a graph has done in a run.
public struct NodeMetrics: Hashable, Sendable {
    /// The node.
    public let processorID: Identifier
    /// `pending` before its first item, `running` while it works on one; else the worst that became of an item there.
    public var state = Status.pending
    /// How many items it has worked on to their end there, failed ones included.
    public var items = 0
    /// How many items got an output that was saved or cached.
    public var reused = 0
    /// How many items have failed there for good.
    public var errors = 0
    /// The code and the message of the last of these failures.
    public var lastError: String?
    /// How many attempts it has made.
    public var attempts = 0
    /// The time from the first start on an item to its end, waits between attempts included, over all items.
    public var total = Duration.zero
    /// What the run was charged for the items there, and for the node itself.
    public var cost = MoneySum.zero
    /// When it first began with an item.
    public var startedAt: Timestamp?
    /// When it was last done with one; `nil` while it works.
    public var finishedAt: Timestamp?
    /// From its first start until it was last done with an item, or until now while it works.
    public var uptime = Duration.zero
    /// The pipes that lead to it, by their names.
    public var pipes: [String: PipeStatistics] = [:]
    /// How it is run, under the keys of pipeline files.
    public var config = JSONObject()

    /// A node at which nothing has happened.
    public init(_ processorID: Identifier) { self.processorID = processorID }

    /// Adds what it had done before.
    mutating func add(_ before: NodeMetrics) {
        let order: [Status] = [.pending, .skipped, .succeeded, .cancelled, .failed, .running]
        func place(_ status: Status) -> Int { order.firstIndex(of: status) ?? 0 }
        if place(before.state) > place(state), before.state != .running { state = before.state }
        items += before.items
        reused += before.reused
        errors += before.errors
        attempts += before.attempts
        total += before.total
        uptime += before.uptime
        cost += before.cost
        lastError = lastError ?? before.lastError
        startedAt = before.startedAt ?? startedAt
        finishedAt = finishedAt ?? before.finishedAt
    }

    /// The mean time of an item.
    public var mean: Duration { items > 0 ? total / items : .zero }
    /// Items a second since it began.
    public var itemsPerSecond: Double { uptime > .zero ? Double(items) / (uptime / .seconds(1)) : 0 }
    /// The share of its items that have failed.
    public var errorRate: Double { items > 0 ? Double(errors) / Double(items) : 0 }

    /// The metrics as JSON.
    public var jsonValue: JSONValue {
        [
            "processor_id": .string(processorID.text), "state": .string(state.rawValue),
            "uptime_seconds": JSONValue(exactSeconds: uptime), "total_items_processed": JSONValue(items),
            "total_items_reused": JSONValue(reused), "total_processing_time_seconds": JSONValue(exactSeconds: total),
            "attempts": JSONValue(attempts), "error_count": JSONValue(errors), "last_error": JSONValue(lastError),
            "average_processing_time": JSONValue(exactSeconds: mean),
            "throughput_items_per_second": JSONValue(rate: itemsPerSecond, 1),
            "error_rate": JSONValue(rate: errorRate, 1), "cost": cost.jsonValue,
            "pipes": .object(JSONObject(pipes.map { ($0.key, $0.value.jsonValue) })), "config": .object(config),
            "start_time": startedAt?.jsonValue ?? .null, "end_time": finishedAt?.jsonValue ?? .null,
        ]
    }

    /// The metrics that `json` writes; `nil` when a part is missing.
    public init?(json: JSONValue) {
        guard let processor = json["processor_id"]?.string.flatMap({ Identifier($0) }),
            let state = json["state"]?.string.flatMap({ Status(rawValue: $0) }),
            let uptime = json["uptime_seconds"].flatMap({ Duration(exactSeconds: $0) }),
            let total = json["total_processing_time_seconds"].flatMap({ Duration(exactSeconds: $0) }),
            let items = json["total_items_processed"]?.number?.integer,
            let reused = json["total_items_reused"]?.number?.integer,
            let attempts = json["attempts"]?.number?.integer, let errors = json["error_count"]?.number?.integer,
            let cost = MoneySum(jsonValue: json["cost"]), let config = json["config"]?.object,
            let pipes = json["pipes"]?.object
        else { return nil }
        self.init(processor)
        (self.state, self.uptime, self.total) = (state, uptime, total)
        (self.items, self.reused, self.attempts, self.errors) = (items, reused, attempts, errors)
        (self.cost, self.config, lastError) = (cost, config, json["last_error"]?.string)
        startedAt = json["start_time"].flatMap { Timestamp(jsonValue: $0) }
        finishedAt = json["end_time"].flatMap { Timestamp(jsonValue: $0) }
        for pipe in pipes.members { self.pipes[pipe.key] = PipeStatistics(json: pipe.value) }
    }
}

extension JSONValue {
    /// Seconds, to the last digit.
    init(exactSeconds duration: Duration) {
        let (whole, rest) = duration.components
        let billionths = Int128(whole) * 1_000_000_000 + Int128(rest / 1_000_000_000)
        self = .number(Number(unchecked: billionths, -9).reduced)
    }
}

extension Duration {
    /// The time that a number of seconds writes; `nil` for what is no number, or too large.
    init?(exactSeconds json: JSONValue) {
        guard let number = json.number, let seconds = try? Money(sum: number) else { return nil }
        self = .nanoseconds(seconds.billionths)
    }
}
