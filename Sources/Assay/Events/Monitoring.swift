public import Logging

/// The settings for which events of an engine are recorded, and how many are kept in memory.
public struct Monitoring: Hashable, Sendable {
    /// Whether any events are recorded and delivered at all.
    public var isEnabled: Bool
    /// The lowest level at which events are recorded and logged.
    public var level: Logger.Level
    /// The number of newest recorded events that are kept in memory.
    public var maxEvents: Int

    /// Creates the default settings, except for the given values.
    public init(isEnabled: Bool = true, level: Logger.Level = .info, maxEvents: Int = 10_000) {
        self.isEnabled = isEnabled
        self.level = level
        self.maxEvents = maxEvents
    }
}

extension EventStream {
    /// Creates a stream with the settings of `monitoring`.
    public convenience init(
        _ monitoring: Monitoring, logger: Logger = Logger(label: "assay") { _ in SwiftLogNoOpLogHandler() },
        time: any TimeSource = World.system.time
    ) {
        self.init(
            isEnabled: monitoring.isEnabled, level: monitoring.level, capacity: monitoring.maxEvents, logger: logger,
            time: time)
    }
}
