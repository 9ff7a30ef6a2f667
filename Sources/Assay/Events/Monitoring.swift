public import Logging

/// Which events of an engine are recorded, and how many are kept at hand.
public struct Monitoring: Hashable, Sendable {
    /// Whether anybody gets any event at all.
    public var isEnabled: Bool
    /// The level from which on events are recorded and logged.
    public var level: Logger.Level
    /// How many of the newest recorded events are kept at hand.
    public var maxEvents: Int

    /// What applies where nothing is said, but for what is given.
    public init(isEnabled: Bool = true, level: Logger.Level = .info, maxEvents: Int = 10_000) {
        self.isEnabled = isEnabled
        self.level = level
        self.maxEvents = maxEvents
    }
}

extension EventStream {
    /// A stream as `monitoring` says.
    public convenience init(
        _ monitoring: Monitoring, logger: Logger = Logger(label: "assay") { _ in SwiftLogNoOpLogHandler() },
        time: any TimeSource = World.system.time
    ) {
        self.init(
            isEnabled: monitoring.isEnabled, level: monitoring.level, capacity: monitoring.maxEvents, logger: logger,
            time: time)
    }
}
