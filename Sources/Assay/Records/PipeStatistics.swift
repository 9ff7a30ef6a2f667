/// What has gone through a pipe, and how it stands.
public struct PipeStatistics: Hashable, Sendable {
    /// Where a pipe stands.
    public enum State: String, Codable, Sendable, CaseIterable {
        /// It takes values.
        case open
        /// It takes values again when one has been taken out.
        case full
        /// It takes no more values; those in it can be taken out.
        case closed
        /// It takes no more values; behind those in it there is an error.
        case error
    }

    /// Where the pipe stands.
    public internal(set) var state = State.open
    /// How many values are in it.
    public internal(set) var size = 0
    /// How many it can hold.
    public let maxSize: Int
    /// The most that were in it at once.
    public internal(set) var peakSize = 0
    /// How many values were put in.
    public internal(set) var totalItems = 0
    /// How many bytes of JSON these were; `nil` when nobody wanted to know.
    public internal(set) var totalBytes: Int?
    /// How many taps are attached.
    public internal(set) var activeTaps = 0
    /// When something last went in or out; `nil` when nothing has yet.
    public internal(set) var lastActivity: Timestamp?
    /// How long the pipe has been there.
    public internal(set) var uptime = Duration.zero
    /// How long values waited for room, one after another and side by side.
    public internal(set) var blocked = Duration.zero

    init(capacity: Int) { maxSize = capacity }

    /// Whether there is no room.
    public var isFull: Bool { size >= maxSize }
    /// Values a second since it is there.
    public var itemsPerSecond: Double { perSecond(totalItems) }
    /// Bytes a second since it is there.
    public var bytesPerSecond: Double? { totalBytes.map(perSecond) }
    /// The share of its room that is taken.
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

    /// The statistics that `json` writes; `nil` when a part is missing.
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
