public import Assay

extension SQLiteStore {
    public func append(_ events: [Event]) async throws {
        let rows = try events.compactMap(EventRow.init)
        guard !rows.isEmpty else { return }
        try await write { try $0.append(rows) }
    }

    public func events(of run: Run.ID, after sequence: Int, limit: Int) async throws -> [Event] {
        try await readAside { try $0.events(of: run, after: sequence, limit: limit) }
    }
}

/// A recorded event of a run with its stored data.
struct EventRow: Sendable {
    var event: Event
    var runID: Run.ID
    var sequence: Int
    var data: [UInt8]

    /// Creates the row of an event; `nil` for an event that is not recorded.
    init?(_ event: Event) throws {
        guard let runID = event.runID, let sequence = event.sequence else { return nil }
        self.event = event
        self.runID = runID
        self.sequence = sequence
        data = try JSONValue.object(event.data).storedBytes("the data of event '\(event.eventID)'")
    }
}

extension Connection {
    func append(_ rows: [EventRow]) throws {
        let insert = try statement(
            """
            INSERT INTO events (place, kind, timestamp, execution_id, processor_id, graph_id, input_id, data)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (place) DO NOTHING
            """)
        var known: (run: Run.ID, key: Int64?)?
        for row in rows {
            if known?.run != row.runID { known = (row.runID, try stand(of: row.runID)?.key) }
            guard let key = known?.key else { continue }
            insert.bind(Place.of(row.sequence, inRun: key))
            insert.bind(row.event.kind.rawValue)
            insert.bind(row.event.timestamp.milliseconds)
            insert.bind(row.event.executionID?.text)
            insert.bind(row.event.processorID?.text)
            insert.bind(row.event.graphID?.text)
            insert.bind(row.event.inputID)
            insert.bind(json: row.data)
            try insert.run()
        }
    }

    func events(of run: Run.ID, after sequence: Int, limit: Int) throws -> [Event] {
        guard let key = try stand(of: run)?.key,
            let places = Place.range(from: max(0, sequence + 1), limit: .max, inRun: key)
        else { return [] }
        let find = try statement(
            """
            SELECT place, kind, timestamp, execution_id, processor_id, graph_id, input_id, data FROM events
            WHERE place BETWEEN ? AND ? ORDER BY place LIMIT ?
            """)
        find.bind(places.lowerBound)
        find.bind(places.upperBound)
        find.bind(limit)
        return try find.all { try $0.readEvent(of: run) }
    }
}

extension SQLStatement {
    fileprivate func readEvent(of run: Run.ID) throws -> Event {
        let sequence = Int(integer() & Place.largestIndex)
        guard let kind = Event.Kind(rawValue: text()) else { throw ProcessingError.damaged("an event of run '\(run)'") }
        let timestamp = Timestamp(milliseconds: integer())
        let (execution, processor) = (optionalText(), optionalText())
        let graph = optionalText()
        let inputID = optionalText()
        guard let data = try? json().object else { throw ProcessingError.damaged("an event of run '\(run)'") }
        var event = Event(
            kind, sequence: sequence, timestamp: timestamp, runID: run,
            executionID: execution.flatMap { Identifier($0) }, processorID: processor.flatMap { Identifier($0) },
            inputID: inputID, data: data)
        event.graphID = graph.flatMap { Identifier($0) }
        return event
    }
}
