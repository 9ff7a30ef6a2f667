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
    /// How many bytes of JSON these were.
    public internal(set) var totalBytes = 0
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
    public var bytesPerSecond: Double { perSecond(totalBytes) }
    /// The share of its room that is taken.
    public var utilization: Double { Double(size) / Double(maxSize) }

    private func perSecond(_ count: Int) -> Double { uptime > .zero ? Double(count) / (uptime / .seconds(1)) : 0 }

    mutating func noteValue(_ bytes: Int, at moment: Timestamp) {
        size += 1
        peakSize = max(peakSize, size)
        totalItems += 1
        totalBytes += bytes
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
            "total_bytes": JSONValue(totalBytes), "active_taps": JSONValue(activeTaps),
            "last_activity": lastActivity?.jsonValue ?? .null,
            "uptime_seconds": JSONValue(rate: uptime / .seconds(1), 1),
            "items_per_second": JSONValue(rate: itemsPerSecond, 1),
            "bytes_per_second": JSONValue(rate: bytesPerSecond, 1),
            "current_utilization": JSONValue(rate: utilization, 1), "blocked_ms": JSONValue(blocked),
        ]
    }
}
