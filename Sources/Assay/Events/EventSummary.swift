/// What an engine's recorded events add up to.
public struct EventSummary: Hashable, Sendable {
    /// What is known of a processor from its events.
    public enum ProcessorStatus: String, Codable, Sendable {
        case running, completed, failed
    }

    /// How long events have been recorded.
    public let uptime: Duration
    /// How many were recorded, those that the ring has dropped included.
    public let totalEvents: Int
    /// How many of each kind.
    public let eventsByType: [Event.Kind: Int]
    /// How many of each processor.
    public let eventsByProcessor: [Identifier: Int]
    /// How each processor stands.
    public let processorStatuses: [Identifier: ProcessorStatus]
    /// How many were recorded per second in the last minute.
    public let recentEventsPerSecond: Double
    /// How many taps are attached to the pipes of graphs that run.
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

    /// The processors at work.
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
    /// So many thousandths.
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
