public import Assay

extension SQLiteStore {
    public func append(
        _ items: [StoredItem], settled: [CommittedOutcome], to run: Run.ID, epoch: Int
    ) async throws {
        let rows = try items.map(ItemRow.init)
        let outcomes = try settled.map(CommittedRow.init)
        try await write { connection in
            try connection.append(rows, to: run, epoch: epoch)
            _ = try connection.commit(outcomes, of: run, epoch: epoch)
        }
    }

    public func setTransformed(_ values: [(index: Int, value: Payload)], of run: Run.ID) async throws {
        let rows = try values.map { value in
            (index: value.index, value: try value.value.storedBytes("the transformed value \(value.index)"))
        }
        try await write { try $0.setTransformed(rows, of: run) }
    }

    public func items(of run: Run.ID, from start: Int, limit: Int) async throws -> [StoredItem] {
        try await readAside { try $0.items(of: run, from: start, limit: limit) }
    }
}

/// The keys of a run's rows in tables that are ordered by run and place.
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

/// An item with its stored values.
struct ItemRow: Sendable {
    static let columns = Columns(
        "place, input_id, account_id, underwriting_id, execution_id, data, payload, flags, slot, file, seal")
    fileprivate static let insertion = "INSERT INTO items (\(columns)) VALUES (\(columns.marks))"
    static let selection = "SELECT \(columns) FROM items"
    fileprivate static let page = selection + " WHERE place BETWEEN ? AND ? ORDER BY place"

    var item: Item
    var data: [UInt8]
    var payload: [UInt8]?
    var file: [UInt8]?
    var transformed: [UInt8]?
    var flags: Int

    /// The flag that the slot column is part of the seal; it is not in rows without a slot.
    static let hasSlot = 1 << 5

    init(_ stored: StoredItem) throws {
        item = stored.item
        data = try item.storedData()
        file = item.storedFile
        payload = try item.payload?.storedBytes("the resume point of item '\(stored.item.id)'")
        transformed = try stored.transformed?.storedBytes("the transformed value of item '\(stored.item.id)'")
        let basis = stored.basis.flatMap { ItemBasis.allCases.firstIndex(of: $0) }.map { $0 + 1 } ?? 0
        flags = (stored.inputChanged ? 1 : 0) | (stored.settled ? 2 : 0) | basis << 2
        if item.slot != nil { flags |= Self.hasSlot }
    }
}

extension Connection {
    func append(_ rows: [ItemRow], to run: Run.ID, epoch: Int) throws {
        guard let run = try stand(of: run), run.takesOutcomes(of: epoch) else { return }
        let key = run.key
        let last = try statement("SELECT max(place) FROM items WHERE place BETWEEN ? AND ?")
        last.bind(Place.of(0, inRun: key))
        last.bind(Place.of(.max, inRun: key))
        var place = try last.first { $0.optionalInteger() }?.map { $0 + 1 } ?? Place.of(0, inRun: key)
        let insert = try prepare(ItemRow.insertion)
        for row in rows {
            insert.bind(place)
            insert.bind(row.item.id)
            insert.bind(row.item.accountID)
            insert.bind(row.item.underwritingID)
            insert.bind(row.item.executionID)
            insert.bind(json: row.data)
            insert.bind(json: row.payload)
            insert.bind(row.flags)
            if let slot = row.item.slot { insert.bind(slot) } else { insert.skip() }
            insert.bind(jsonIfThere: row.file)
            insert.bindSeal()
            try insert.run()
            if let transformed = row.transformed { try setTransformed(transformed, at: place) }
            place += 1
        }
    }

    func setTransformed(_ rows: [(index: Int, value: [UInt8])], of run: Run.ID) throws {
        guard let key = try stand(of: run)?.key else { return }
        for row in rows { try setTransformed(row.value, at: Place.of(row.index, inRun: key)) }
    }

    private func setTransformed(_ value: [UInt8], at place: Int64) throws {
        let insert = try statement("INSERT OR REPLACE INTO transformed (place, value, seal) VALUES (?, ?, ?)")
        insert.bind(place)
        insert.bind(json: value)
        insert.bindSeal()
        try insert.run()
    }

    func items(of run: Run.ID, from start: Int, limit: Int) throws -> [StoredItem] {
        guard let key = try stand(of: run)?.key, let places = Place.range(from: start, limit: limit, inRun: key)
        else { return [] }
        let find = try prepare(ItemRow.page)
        find.bind(places.lowerBound)
        find.bind(places.upperBound)
        var items = try find.all { try $0.readItem() }
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

    func readItem() throws -> StoredItem {
        try sealed("an item") { row in
            let index = Int(row.integer() & Place.largestIndex)
            let (id, account, underwriting) = (row.text(), row.optionalText(), row.optionalText())
            let execution = row.optionalText()
            let (data, payload) = (Payload(json: try row.json()), try row.optionalJSON())
            let flags = row.int()
            let slot = flags & ItemRow.hasSlot == 0 ? row.skipped() : row.text()
            let item = Item(
                id, storedData: data, file: try row.jsonIfThere(), accountID: account, underwritingID: underwriting,
                executionID: execution, slot: slot, resumePoint: payload)
            guard let item else { return nil }
            var stored = StoredItem(item, index: index, inputChanged: flags & 1 != 0, settled: flags & 2 != 0)
            let basis = (flags >> 2 & 7) - 1
            stored.basis = ItemBasis.allCases.indices.contains(basis) ? ItemBasis.allCases[basis] : nil
            return stored
        }
    }
}

extension Item {
    /// Returns the stored form of the data; null for an item without data besides its file.
    func storedData() throws -> [UInt8] {
        hasOwnData ? try data.storedBytes("the data of item '\(id)'") : JSONValue.null.jsonBytes
    }

    /// The stored form of the file.
    var storedFile: [UInt8]? {
        guard case .object(var object)? = file?.stored else { return nil }
        if !hasOwnData { object["alone"] = true }
        return JSONValue.object(object).jsonBytes
    }

    /// Creates an item from its stored values; `nil` when its file is damaged.
    init?(
        _ id: String, storedData data: Payload, file: JSONValue?, accountID: String?, underwritingID: String?,
        executionID: String?, slot: String?, resumePoint: JSONValue?
    ) {
        guard let file else {
            self.init(
                id, payload: data, accountID: accountID, underwritingID: underwritingID, executionID: executionID,
                slot: slot, resumePoint: resumePoint)
            return
        }
        guard let found = InputFile(stored: file) else { return nil }
        if file["alone"] == true {
            self.init(
                id, file: found, accountID: accountID, underwritingID: underwritingID, executionID: executionID,
                slot: slot, payload: resumePoint)
        } else {
            self.init(
                id, payload: data, file: found, accountID: accountID, underwritingID: underwritingID,
                executionID: executionID, slot: slot, resumePoint: resumePoint)
        }
    }
}
