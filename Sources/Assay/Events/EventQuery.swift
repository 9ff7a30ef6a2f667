public import Logging

/// Which of the newest events are asked for; parts that are `nil` do not narrow.
public struct EventQuery: Hashable, Sendable {
    /// Of these kinds.
    public var kinds: Set<Event.Kind>?
    /// Of this processor.
    public var processorID: Identifier?
    /// Of this level and above.
    public var level: Logger.Level?
    /// Of this run.
    public var runID: Run.ID?
    /// At most so many of the newest.
    public var limit: Int

    /// The newest events.
    public init(
        kinds: Set<Event.Kind>? = nil, processorID: Identifier? = nil, level: Logger.Level? = nil,
        runID: Run.ID? = nil, limit: Int = 100
    ) {
        self.kinds = kinds
        self.processorID = processorID
        self.level = level
        self.runID = runID
        self.limit = limit
    }

    /// Whether `event` fits, the limit aside.
    public func matches(_ event: Event) -> Bool {
        (kinds?.contains(event.kind) ?? true) && (processorID.map { $0 == event.processorID } ?? true)
            && (level.map { $0 <= event.level } ?? true) && (runID.map { $0 == event.runID } ?? true)
    }
}

extension EventStream {
    /// The newest recorded events that fit `query`, oldest first.
    public func latest(_ query: EventQuery) -> [Event] {
        latest(.max).lazy.reversed().filter(query.matches).prefix(max(0, query.limit)).reversed()
    }

    /// The newest recorded events as text: `json`, one array, or `jsonl`, one line each.
    ///
    /// - Throws: ``ProcessingError`` with code `configuration` for another word.
    public func export(as format: String, _ query: EventQuery = EventQuery(limit: .max)) throws(ProcessingError)
        -> String
    {
        let events = latest(query).map(\.jsonValue)
        switch format {
        case "json": return JSONValue.array(events).json
        case "jsonl": return events.map { $0.json + "\n" }.joined()
        default:
            throw ProcessingError(.configuration, "unknown export format \(format.quoted); known: json, jsonl")
        }
    }
}
