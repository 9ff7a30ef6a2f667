/// A summary of an engine's recorded events.
public struct EventSummary: Hashable, Sendable {
    /// The status of a processor according to its events.
    public enum ProcessorStatus: String, Codable, Sendable {
        case running, completed, failed
    }

    /// The time since recording began.
    public let uptime: Duration
    /// The number of recorded events, including those that the ring has dropped.
    public let totalEvents: Int
    /// The number of events of each kind.
    public let eventsByType: [Event.Kind: Int]
    /// The number of events of each processor.
    public let eventsByProcessor: [Identifier: Int]
    /// The status of each processor.
    public let processorStatuses: [Identifier: ProcessorStatus]
    /// The average number of events per second in the last minute.
    public let recentEventsPerSecond: Double
    /// The number of taps attached to the pipes of running graphs.
    public let activeTaps: Int

    init(_ tally: EventTally, recent: Int, uptime: Duration, activeTaps: Int) {
        self.activeTaps = activeTaps
        self.uptime = uptime
        totalEvents = tally.total
        eventsByType = tally.byType
        eventsByProcessor = tally.byProcessor
        processorStatuses = tally.statuses
        recentEventsPerSecond = Double(recent) / 60
    }

    /// The running processors.
    public var activeProcessors: [Identifier] {
        processorStatuses.filter { $0.value == .running }.map(\.key).sorted()
    }

    /// The summary as JSON.
    public var jsonValue: JSONValue {
        func object<Key>(_ values: [Key: some Any], _ name: (Key) -> String, _ json: (Key) -> JSONValue) -> JSONValue {
            .object(values.keys.reduce(into: JSONObject()) { $0[name($1)] = json($1) })
        }
        let active = activeProcessors
        return [
            "status": active.isEmpty ? "idle" : "active",
            "uptime_seconds": .number(Number(milliseconds: uptime.milliseconds)),
            "total_events": .number(Number(totalEvents)),
            "events_by_type": object(eventsByType, \.rawValue) { .number(Number(eventsByType[$0] ?? 0)) },
            "events_by_processor": object(eventsByProcessor, \.text) { .number(Number(eventsByProcessor[$0] ?? 0)) },
            "active_processors": .array(active.map { .string($0.text) }),
            "active_taps": .number(Number(activeTaps)),
            "processor_statuses": object(processorStatuses, \.text) {
                .string(processorStatuses[$0]?.rawValue ?? "")
            },
            "recent_events_per_second": .number(
                Number(milliseconds: Int64((recentEventsPerSecond * 1_000).rounded()))),
        ]
    }
}

extension Number {
    /// Creates a number of thousandths.
    fileprivate init(milliseconds: Int64) {
        self = Number(coefficient: Int128(milliseconds), exponent: -3)?.reduced ?? 0
    }
}

/// Counts of recorded events.
struct EventTally: Sendable {
    let startedAt: Duration
    private(set) var total = 0
    private(set) var byType: [Event.Kind: Int] = [:]
    private(set) var byProcessor: [Identifier: Int] = [:]
    private(set) var statuses: [Identifier: EventSummary.ProcessorStatus] = [:]

    init(startedAt: Duration) { self.startedAt = startedAt }

    mutating func add(_ event: Event) {
        total += 1
        byType[event.kind, default: 0] += 1
        guard let processor = event.processorID else { return }
        byProcessor[processor, default: 0] += 1
        switch event.kind {
        case .processorStart, .runStart: statuses[processor] = .running
        case .processorError: statuses[processor] = .failed
        case .processorComplete: statuses[processor] = .completed
        case .runComplete: statuses[processor] = event.data["status"] == "failed" ? .failed : .completed
        default: break
        }
    }
}
