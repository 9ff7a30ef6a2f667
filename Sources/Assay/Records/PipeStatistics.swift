/// The statistics and state of a pipe.
public struct PipeStatistics: Hashable, Sendable {
    /// The state of a pipe.
    public enum State: String, Codable, Sendable, CaseIterable {
        /// It takes values.
        case open
        /// It takes values again once one has been taken out.
        case full
        /// It takes no more values; those in it can still be taken out.
        case closed
        /// It takes no more values; an error follows those in it.
        case error
    }

    /// The state of the pipe.
    public internal(set) var state = State.open
    /// The number of values in it.
    public internal(set) var size = 0
    /// The number of values it can hold.
    public let maxSize: Int
    /// The largest number of values in it at once.
    public internal(set) var peakSize = 0
    /// The number of values that were put in.
    public internal(set) var totalItems = 0
    /// The number of bytes of JSON in these values; `nil` when bytes are not counted.
    public internal(set) var totalBytes: Int?
    /// The number of attached taps.
    public internal(set) var activeTaps = 0
    /// The time something last went in or out; `nil` when nothing has yet.
    public internal(set) var lastActivity: Timestamp?
    /// The time since the pipe was created.
    public internal(set) var uptime = Duration.zero
    /// The time that values waited for room, summed over all values.
    public internal(set) var blocked = Duration.zero

    init(capacity: Int) { maxSize = capacity }

    /// Whether there is no room.
    public var isFull: Bool { size >= maxSize }
    /// The values per second since it was created.
    public var itemsPerSecond: Double { perSecond(totalItems) }
    /// The bytes per second since it was created.
    public var bytesPerSecond: Double? { totalBytes.map(perSecond) }
    /// The share of its capacity that is in use.
    public var utilization: Double { Double(size) / Double(maxSize) }

    private func perSecond(_ count: Int) -> Double { uptime > .zero ? Double(count) / (uptime / .seconds(1)) : 0 }

    mutating func noteValue(_ bytes: Int, at moment: Timestamp) {
        size += 1
        peakSize = max(peakSize, size)
        totalItems += 1
        totalBytes = (totalBytes ?? 0) + bytes
        lastActivity = moment
        if state == .open, isFull { state = .full }
    }

    mutating func noteTaken(at moment: Timestamp) {
        size -= 1
        lastActivity = moment
        if state == .full { state = .open }
    }

    /// The statistics as JSON.
    public var jsonValue: JSONValue {
        [
            "state": .string(state.rawValue), "size": JSONValue(size), "max_size": JSONValue(maxSize),
            "is_full": .bool(isFull), "peak_size": JSONValue(peakSize), "total_items": JSONValue(totalItems),
            "total_bytes": totalBytes.map { JSONValue($0) } ?? .null, "active_taps": JSONValue(activeTaps),
            "last_activity": lastActivity?.jsonValue ?? .null,
            "uptime_seconds": JSONValue(exactSeconds: uptime),
            "items_per_second": JSONValue(rate: itemsPerSecond, 1),
            "bytes_per_second": bytesPerSecond.map { JSONValue(rate: $0, 1) } ?? .null,
            "current_utilization": JSONValue(rate: utilization, 1), "blocked_ms": JSONValue(blocked),
        ]
    }

    /// Creates the statistics that `json` writes; `nil` when a part is missing.
    init?(json: JSONValue) {
        guard let state = json["state"]?.string.flatMap({ State(rawValue: $0) }),
            let size = json["size"]?.number?.integer, let maxSize = json["max_size"]?.number?.integer,
            let peakSize = json["peak_size"]?.number?.integer, let totalItems = json["total_items"]?.number?.integer,
            let activeTaps = json["active_taps"]?.number?.integer,
            let uptime = json["uptime_seconds"].flatMap({ Duration(exactSeconds: $0) }),
            let blocked = json["blocked_ms"]?.number?.integer
        else { return nil }
        self.init(capacity: maxSize)
        (self.state, self.size, self.peakSize, self.totalItems) = (state, size, peakSize, totalItems)
        (self.activeTaps, self.uptime, self.blocked) = (activeTaps, uptime, .milliseconds(blocked))
        totalBytes = json["total_bytes"]?.number?.integer
        lastActivity = json["last_activity"].flatMap { Timestamp(jsonValue: $0) }
    }
}
