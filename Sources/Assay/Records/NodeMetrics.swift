/// The metrics of a node of a graph in a run.
public struct NodeMetrics: Hashable, Sendable {
    /// The node.
    public let processorID: Identifier
    /// `pending` before its first item, `running` while it works on one; otherwise the worst status of an item there.
    public var state = Status.pending
    /// The number of items that it has finished, failed ones included.
    public var items = 0
    /// The number of items that got an output that was saved or cached.
    public var reused = 0
    /// The number of items that have failed there for good.
    public var errors = 0
    /// The code and message of the last of these failures.
    public var lastError: String?
    /// The number of attempts it has made.
    public var attempts = 0
    /// The time from the first start on an item to its end, including waits between attempts, over all items.
    public var total = Duration.zero
    /// The amount that the run was charged for the items there, and for the node itself.
    public var cost = MoneySum.zero
    /// The time it first began an item.
    public var startedAt: Timestamp?
    /// The time it last finished an item; `nil` while it works.
    public var finishedAt: Timestamp?
    /// The time from its first start until it last finished an item, or until now while it works.
    public var uptime = Duration.zero
    /// The pipes that lead to it, by name.
    public var pipes: [String: PipeStatistics] = [:]
    /// The settings with which it is run, under the keys of pipeline files.
    public var config = JSONObject()

    /// Creates the metrics of a node at which nothing has happened.
    public init(_ processorID: Identifier) { self.processorID = processorID }

    /// Adds what the node had done before.
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

    /// The mean time per item.
    public var mean: Duration { items > 0 ? total / items : .zero }
    /// The items per second since it began.
    public var itemsPerSecond: Double { uptime > .zero ? Double(items) / (uptime / .seconds(1)) : 0 }
    /// The share of its items that failed.
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

    /// Creates the metrics that `json` writes; `nil` when a part is missing.
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
    /// Creates a number of seconds, exact to the nanosecond.
    init(exactSeconds duration: Duration) {
        let (whole, rest) = duration.components
        let billionths = Int128(whole) * 1_000_000_000 + Int128(rest / 1_000_000_000)
        self = .number(Number(unchecked: billionths, -9).reduced)
    }
}

extension Duration {
    /// Creates the duration that a number of seconds writes; `nil` for what is not a number, or too large.
    init?(exactSeconds json: JSONValue) {
        guard let number = json.number, let seconds = try? Money(sum: number) else { return nil }
        self = .nanoseconds(seconds.billionths)
    }
}
