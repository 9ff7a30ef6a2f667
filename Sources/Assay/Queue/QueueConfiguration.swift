/// The configuration of a queue, checked when it is created.
public struct QueueConfiguration: Hashable, Sendable {
    /// The effect of a denial on the rest of a cycle.
    public enum Denial: String, Codable, Sendable, CaseIterable {
        /// The cycle ends.
        case endCycle = "end_cycle"
        /// The cycle continues with the next execution.
        case next
    }

    /// The treatment of an execution whose program died while it ran.
    public enum Restart: String, Codable, Sendable, CaseIterable {
        /// It waits again, and continues where it was.
        case requeue
        /// It fails.
        case fail
    }

    /// The most executions that a cycle starts.
    public let capacity: Int
    /// The time between two cycles in the background.
    public let refreshTime: Duration
    /// The most executions that run at once.
    public let concurrencyLimit: Int
    /// The most executions that may wait.
    public let maxSize: Int
    /// The number of denials at which an execution is aborted.
    public let maxDenials: Int
    /// The place where that was set, for messages: `pipeline.yaml:12`.
    package var maxDenialsSetAt: String? {
        get { place.text }
        set { place.text = newValue }
    }
    private var place = SettingPlace()
    /// The time for which an execution is not asked about after a denial.
    public let denialDelay: Duration
    /// The number of executions whose denials are remembered.
    public let maxDenialTracking: Int
    /// The effect of a denial on the rest of its cycle.
    public let onDenial: Denial
    /// The treatment of an execution whose program died.
    public let onRestart: Restart
    /// The most times that an execution returns to the queue because its program died.
    public let maxRecoveries: Int
    /// The name of the queue in texts.
    public let name: String

    /// Creates a configuration from its parts.
    ///
    /// - Throws: ``ProcessingError`` with code `configuration` for a value out of its limits.
    public init(
        capacity: Int, refreshTime: Duration, concurrencyLimit: Int = 100, maxSize: Int = 1_000, maxDenials: Int = 3,
        denialDelay: Duration = .zero, maxDenialTracking: Int = 10_000, onDenial: Denial = .endCycle,
        onRestart: Restart = .requeue, maxRecoveries: Int = 20, name: String = "engine"
    ) throws(ProcessingError) {
        func need(_ holds: Bool, _ key: String, _ rule: String, _ found: String) throws(ProcessingError) {
            guard !holds else { return }
            throw ProcessingError(.configuration, "\(key) must be \(rule), found \(found)")
        }
        try need((1...10_000).contains(capacity), "queue_capacity", "between 1 and 10000", "\(capacity)")
        try need(
            refreshTime >= .milliseconds(10) && refreshTime <= .seconds(3_600), "capacity_refresh_time",
            "between 0.01 and 3600", refreshTime.secondsText)
        for (key, value, least) in [
            ("concurrency_limit", concurrencyLimit, 1), ("max_queue_size", maxSize, 1),
            ("max_denials", maxDenials, 1), ("max_denial_tracking", maxDenialTracking, 1),
            ("max_recoveries", maxRecoveries, 0),
        ] {
            try need(value >= least, key, "at least \(least)", "\(value)")
        }
        try need(denialDelay >= .zero, "denial_delay", "at least 0", denialDelay.secondsText)
        self.capacity = capacity
        self.refreshTime = refreshTime
        self.concurrencyLimit = concurrencyLimit
        self.maxSize = maxSize
        self.maxDenials = maxDenials
        self.denialDelay = denialDelay
        self.maxDenialTracking = maxDenialTracking
        self.onDenial = onDenial
        self.onRestart = onRestart
        self.maxRecoveries = maxRecoveries
        self.name = name
    }
}

extension QueueConfiguration {
    /// The configuration with the keys of a pipeline file. Times are in seconds.
    public var jsonValue: JSONValue {
        [
            "queue_capacity": JSONValue(capacity), "capacity_refresh_time": JSONValue(seconds: refreshTime),
            "concurrency_limit": JSONValue(concurrencyLimit), "max_queue_size": JSONValue(maxSize),
            "max_denials": JSONValue(maxDenials), "denial_delay": JSONValue(seconds: denialDelay),
            "max_denial_tracking": JSONValue(maxDenialTracking), "on_denial": .string(onDenial.rawValue),
            "on_restart": .string(onRestart.rawValue), "max_recoveries": JSONValue(maxRecoveries),
            "name": .string(name),
        ]
    }

    /// Reads a configuration that ``jsonValue`` wrote.
    ///
    /// - Throws: ``ProcessingError`` with code `configuration` when it is not one, or out of its limits.
    public init(json: JSONValue) throws(ProcessingError) {
        func whole(_ key: String) throws(ProcessingError) -> Int {
            guard let number = json[key]?.number?.integer else {
                throw ProcessingError(.configuration, "\(key) of the queue must be a whole number")
            }
            return number
        }
        func seconds(_ key: String) throws(ProcessingError) -> Duration {
            guard let duration = json[key].flatMap({ Duration(seconds: $0) }) else {
                throw ProcessingError(.configuration, "\(key) of the queue must be a number of seconds")
            }
            return duration
        }
        guard let onDenial = json["on_denial"]?.string.flatMap({ Denial(rawValue: $0) }),
            let onRestart = json["on_restart"]?.string.flatMap({ Restart(rawValue: $0) }),
            let name = json["name"]?.string
        else { throw ProcessingError(.configuration, "the queue needs on_denial, on_restart and name") }
        try self.init(
            capacity: whole("queue_capacity"), refreshTime: seconds("capacity_refresh_time"),
            concurrencyLimit: whole("concurrency_limit"), maxSize: whole("max_queue_size"),
            maxDenials: whole("max_denials"), denialDelay: seconds("denial_delay"),
            maxDenialTracking: whole("max_denial_tracking"), onDenial: onDenial, onRestart: onRestart,
            maxRecoveries: whole("max_recoveries"), name: name)
    }
}

extension JSONValue {
    /// Creates a number of seconds, to the millisecond.
    init(seconds duration: Duration) {
        self = .number(Number(unchecked: Int128(duration.milliseconds), -3).reduced)
    }
}

extension Duration {
    /// Creates a duration from a number of seconds, to the millisecond; `nil` for anything else.
    init?(seconds json: JSONValue) {
        guard let number = json.number, let seconds = Double(number.description),
            abs(seconds) <= 36_500 * 86_400
        else { return nil }
        self = .milliseconds(Int64((seconds * 1_000).rounded()))
    }
}
