public import Assay

extension SQLiteStore {
    public func append(_ intake: Intake, to run: Run.ID, epoch: Int) async throws {
        let rows = try IntakeRows(intake)
        try await write { try $0.append(rows, to: run, epoch: epoch) }
    }

    public func setTransformed(_ values: [(index: Int, value: Payload)], of run: Run.ID) async throws {
        let rows = try values.map { value in
            (index: value.index, value: try value.value.storedBytes("the transformed value \(value.index)"))
        }
        try await write { try $0.setTransformed(rows, of: run) }
    }

    public func items(of run: Run.ID, from start: Int, limit: Int) async throws -> [StoredItem] {
        try await readAside { connection in
            try connection.snapshot { try connection.items(of: run, from: start, limit: limit) }
        }
    }
}

/// The keys of rows in tables that are ordered by run, or list, and place.
enum Place {
    static let largestIndex = Int64(UInt32.max)

    static func of(_ index: Int, inRun key: Int64) -> Int64 { key << 32 | min(Int64(index), largestIndex) }

    /// Returns the range of `limit` keys from place `start` on.
    static func range(from start: Int, limit: Int, inRun key: Int64) -> ClosedRange<Int64>? {
        guard limit > 0, start <= largestIndex else { return nil }
        let (end, overflow) = start.addingReportingOverflow(limit - 1)
        return of(start, inRun: key)...of(overflow ? .max : end, inRun: key)
    }
}

/// The stored form of an intake.
private struct IntakeRows: Sendable {
    /// The items; empty when a list has them already.
    var chunks: InputChunks
    var kept: Intake.Kept?
    var items: [StoredItem]
    var transformed: [(index: Int, value: [UInt8])]
    var settled: [CommittedRow]
    var carried: [Intake.Carried]

    init(_ intake: Intake) throws {
        kept = intake.kept
        items = intake.items
        chunks = try InputChunks(kept == nil ? intake.items.map(\.item) : [])
        transformed = try intake.items.compactMap { entry in
            try entry.transformed.map {
                (entry.index, try $0.storedBytes("the transformed value of item '\(entry.item.id)'"))
            }
        }
        settled = try intake.settled.map(CommittedRow.init)
        carried = intake.carried
    }
}

/// The marks of items that a run took in together.
enum IntakeRow {
    static let columns = Columns("place, count, marks, seal")
    fileprivate static let insertion = "REPLACE INTO intakes (\(columns)) VALUES (\(columns.marks))"
    static let selection = "SELECT \(columns) FROM intakes"
    /// The rows that have an item between two places, in order.
    static let overlapping =
        selection + """
             WHERE place BETWEEN coalesce((SELECT max(place) FROM intakes WHERE place BETWEEN ?1 AND ?2), ?2) AND ?3
            ORDER BY place
            """
}

/// Reads the marks of the items of one run. Items at rising places read each row once.
final class MarkReader {
    let run: Int64
    private let connection: Connection
    private var row: IntakeMarks?

    init(_ run: Int64, in connection: Connection) { (self.run, self.connection) = (run, connection) }

    func mark(at place: Int) throws -> IntakeMark? {
        if row?.places.contains(place) != true { row = try connection.intake(at: place, ofRun: run) }
        guard let row, row.places.contains(place) else { return nil }
        return row.mark(at: place)
    }
}

extension Connection {
    fileprivate func append(_ rows: IntakeRows, to run: Run.ID, epoch: Int) throws {
        guard let stand = try stand(of: run), stand.takesOutcomes(of: epoch) else { return }
        if !rows.items.isEmpty {
            let start = try countItems(ofRun: stand.key)
            try settleList(of: stand, rows, from: start)
            let marks = IntakeMarks(start: start, try self.marks(of: rows, from: start, ofRun: stand.key))
            try write(marks, ofRun: stand.key)
            try setTransformed(rows.transformed, of: run)
        }
        _ = try commit(rows.settled, of: run, epoch: epoch)
    }

    /// Puts further items on the run's list, or makes the run refer to the list that has them.
    private func settleList(of run: RunStand, _ rows: IntakeRows, from start: Int) throws {
        let kept = try kept(rows.kept, of: run.executionID)
        if rows.kept != nil, (kept?.count ?? 0) < start + rows.items.count {
            throw ProcessingError.damaged("an input list of execution '\(run.executionID)'")
        }
        let current = try run.list.flatMap { try list($0) }
        if let kept, current == nil { return try refer(run: run.key, to: kept.key, isNew: false) }
        if let kept, kept.key == current?.key { return }
        var own: ListStand
        if let current, current.maker == run.key {
            own = current
        } else {
            own = try makeList(of: run.executionID, maker: run.key)
            if let current { try append(0..<start, of: current.key, to: &own) }
            try refer(run: run.key, to: own.key, isNew: true)
        }
        if let kept {
            try append(start..<start + rows.items.count, of: kept.key, to: &own)
        } else {
            try append(rows.chunks, to: &own)
        }
    }

    /// Returns the list that an intake names.
    private func kept(_ kept: Intake.Kept?, of execution: String) throws -> ListStand? {
        switch kept {
        case nil: nil
        case .submission: try Identifier(execution).flatMap { try find(Execution.submittedList(of: $0)) }
        case .run(let run): try stand(of: run)?.list.flatMap { try list($0) }
        }
    }

    /// Returns the marks of items. An outcome that the earlier run carried as well is that of the run that wrote it.
    private func marks(of rows: IntakeRows, from start: Int, ofRun key: Int64) throws -> [IntakeMark] {
        var marks = rows.items.map {
            IntakeMark(basis: $0.basis, inputChanged: $0.inputChanged, settled: $0.settled)
        }
        var known: (id: Run.ID, marks: MarkReader)?
        var sources: Set<Int64> = []
        for carried in rows.carried {
            if known?.id != carried.runID {
                known = try stand(of: carried.runID).map { (carried.runID, MarkReader($0.key, in: self)) }
            }
            guard let earlier = known?.marks, marks.indices.contains(carried.index - start) else { continue }
            var source =
                try earlier.mark(at: carried.place)?.source
                ?? IntakeMark.Source(run: earlier.run, place: carried.place, status: carried.status, isKept: false)
            source.isKept = source.isKept || carried.isKept
            marks[carried.index - start].source = source
            sources.insert(source.run)
        }
        let refer = try statement("INSERT OR IGNORE INTO carries (run, source) VALUES (?, ?)")
        for source in sources {
            refer.bind(key)
            refer.bind(source)
            try refer.run()
        }
        return marks
    }

    func write(_ marks: IntakeMarks, ofRun key: Int64) throws {
        let insert = try prepare(IntakeRow.insertion)
        insert.bind(Place.of(marks.start, inRun: key))
        insert.bind(marks.count)
        insert.bind(blob: marks.bytes)
        insert.bindSeal()
        try insert.run()
    }

    func setTransformed(_ rows: [(index: Int, value: [UInt8])], of run: Run.ID) throws {
        guard let key = try stand(of: run)?.key else { return }
        let insert = try statement("INSERT OR REPLACE INTO transformed (place, value, seal) VALUES (?, ?, ?)")
        for row in rows {
            insert.bind(Place.of(row.index, inRun: key))
            insert.bind(json: row.value)
            insert.bindSeal()
            try insert.run()
        }
    }

    /// Returns the number of items that a run has taken in.
    func countItems(ofRun key: Int64) throws -> Int {
        try intake(at: Int(Place.largestIndex), ofRun: key)?.places.upperBound ?? 0
    }

    /// Returns the last marks of a run that begin at `place` or before.
    func intake(at place: Int, ofRun key: Int64) throws -> IntakeMarks? {
        let find = try prepare(IntakeRow.selection + " WHERE place BETWEEN ? AND ? ORDER BY place DESC LIMIT 1")
        find.bind(Place.of(0, inRun: key))
        find.bind(Place.of(place, inRun: key))
        return try find.first { try $0.readIntake() }
    }

    /// Returns the marks of a run with items at `places`, in order.
    func intakes(in places: ClosedRange<Int64>, ofRun key: Int64) throws -> [IntakeMarks] {
        let find = try prepare(IntakeRow.overlapping)
        find.bind(Place.of(0, inRun: key))
        find.bind(places.lowerBound)
        find.bind(places.upperBound)
        return try find.all { try $0.readIntake() }
    }

    func items(of run: Run.ID, from start: Int, limit: Int) throws -> [StoredItem] {
        guard let stand = try stand(of: run), let list = stand.list,
            let places = Place.range(from: start, limit: limit, inRun: stand.key)
        else { return [] }
        let (first, last) = (start, Int(places.upperBound & Place.largestIndex))
        let reader = ListReader(list, in: self)
        var items: [StoredItem] = []
        for intake in try intakes(in: places, ofRun: stand.key) {
            for (place, mark) in zip(intake.places, intake.marks) where place >= first && place <= last {
                guard let item = try reader.item(at: place) else { throw ProcessingError.damaged("an input list") }
                var stored = StoredItem(item, index: place, inputChanged: mark.inputChanged, settled: mark.settled)
                stored.basis = mark.basis
                items.append(stored)
            }
        }
        for (place, value) in try transformed(in: places) {
            let index = Int(place - places.lowerBound)
            if items.indices.contains(index) { items[index].transformed = value }
        }
        return items
    }

    private func transformed(in places: ClosedRange<Int64>) throws -> [(place: Int64, value: Payload)] {
        let find = try statement("SELECT place, value, seal FROM transformed WHERE place BETWEEN ? AND ?")
        find.bind(places.lowerBound)
        find.bind(places.upperBound)
        return try find.all { try $0.readTransformed() }
    }
}

extension SQLStatement {
    func readTransformed() throws -> (place: Int64, value: Payload) {
        try sealed("a transformed value") { row in
            try (place: row.integer(), value: Payload(json: row.json()))
        }
    }

    func readIntake() throws -> IntakeMarks {
        try sealed("a note on the items of a run") { row in
            let (start, count) = (Int(row.integer() & Place.largestIndex), row.int())
            return IntakeMarks(start: start, bytes: row.blob()).flatMap { $0.count == count ? $0 : nil }
        }
    }
}
