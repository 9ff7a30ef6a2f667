public import Logging

/// A query for the newest events. Parts that are `nil` do not narrow it.
public struct EventQuery: Hashable, Sendable {
    /// Only events of these kinds.
    public var kinds: Set<Event.Kind>?
    /// Only events of this processor.
    public var processorID: Identifier?
    /// Only events of this level and above.
    public var level: Logger.Level?
    /// Only events of this run.
    public var runID: Run.ID?
    /// The maximum number of events; the newest are kept.
    public var limit: Int

    /// Creates a query for the newest events.
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

    /// Returns whether `event` matches, apart from the limit.
    public func matches(_ event: Event) -> Bool {
        (kinds?.contains(event.kind) ?? true) && (processorID.map { $0 == event.processorID } ?? true)
            && (level.map { $0 <= event.level } ?? true) && (runID.map { $0 == event.runID } ?? true)
    }
}

extension EventStream {
    /// Returns the newest recorded events that match `query`, oldest first.
    public func latest(_ query: EventQuery) -> [Event] {
        latest(.max).lazy.reversed().filter(query.matches).prefix(max(0, query.limit)).reversed()
    }

    /// Returns the newest recorded events as text: `json` is one array, `jsonl` one line each.
    ///
    /// - Throws: ``ProcessingError`` with code `configuration` for another format.
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
