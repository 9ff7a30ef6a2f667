public import Assay

extension SQLiteStore {
    public func commit(_ outcomes: [CommittedOutcome], of run: Run.ID, epoch: Int) async throws -> [Bool] {
        let rows = try outcomes.map(CommittedRow.init)
        return try await write { try $0.commit(rows, of: run, epoch: epoch) }
    }

    public func withdrawOutputs(of run: Run.ID, in places: Range<Int>) async throws {
        try await write { try $0.withdrawOutputs(of: run, in: places) }
    }

    public func reopen(_ places: [Int], of run: Run.ID, epoch: Int) async throws {
        try await write { try $0.reopen(places, of: run, epoch: epoch) }
    }

    public func outcomes(of run: Run.ID, from start: Int, limit: Int) async throws -> [Outcome] {
        try await readAside { try $0.outcomes(of: run, from: start, limit: limit) }
    }
}

/// An outcome with its stored values.
struct OutcomeRow: Sendable {
    static let columns = Columns(
        """
        place, input_id, status, reason, flags, attempts, duration, cost, avoided_cost, output, error, steps, seal
        """)
    fileprivate static let insertion =
        "INSERT INTO outcomes (\(columns)) VALUES (\(columns.marks)) ON CONFLICT (place) DO NOTHING"
    fileprivate static let replacement = "REPLACE INTO outcomes (\(columns)) VALUES (\(columns.marks))"
    static let selection = "SELECT \(columns) FROM outcomes"
    fileprivate static let page = selection + " WHERE place BETWEEN ? AND ? ORDER BY place LIMIT ?"

    var outcome: Outcome
    var output: [UInt8]?
    var error: [UInt8]?
    var steps: [UInt8]?

    init(_ outcome: Outcome) throws {
        self.outcome = outcome
        output = try outcome.output?.storedBytes("the output of item '\(outcome.inputID)'")
        error = try outcome.error?.stored().storedBytes("the failure of item '\(outcome.inputID)'")
        if let passage = outcome.passage {
            steps = try passage.stored(with: outcome.steps).storedBytes("the nodes of item '\(outcome.inputID)'")
        } else if !outcome.steps.isEmpty {
            steps = JSONValue.array(outcome.steps.map(\.stored)).jsonBytes
        }
    }

    fileprivate var flags: Int {
        (outcome.cached ? 1 : 0) | (outcome.carried ? 2 : 0) | (outcome.inputChanged ? 4 : 0) | (outcome.isKept ? 8 : 0)
    }
}

/// An outcome with everything that is written in its transaction.
struct CommittedRow: Sendable {
    var outcome: OutcomeRow
    var charges: [ChargeRow]
    var cached: CacheRow?

    init(_ committed: CommittedOutcome) throws {
        outcome = try OutcomeRow(committed.outcome)
        charges = try committed.charges.map(ChargeRow.init)
        cached = try committed.cached.map(CacheRow.init)
    }
}

extension Connection {
    func commit(_ rows: [CommittedRow], of run: Run.ID, epoch: Int) throws -> [Bool] {
        guard let run = try stand(of: run), run.takesOutcomes(of: epoch) else { return rows.map { _ in false } }
        let insert = try prepare(OutcomeRow.insertion)
        return try rows.map { row in
            insert.bind(row.outcome, at: Place.of(row.outcome.outcome.index, inRun: run.key))
            guard try insert.run() == 1 else { return false }
            _ = try record(row.charges)
            if let cached = row.cached { try store(cached) }
            return true
        }
    }

    func reopen(_ places: [Int], of run: Run.ID, epoch: Int) throws {
        guard let run = try stand(of: run), run.takesOutcomes(of: epoch) else { return }
        let delete = try statement("DELETE FROM outcomes WHERE place = ?")
        for place in places {
            delete.bind(Place.of(place, inRun: run.key))
            try delete.run()
        }
    }

    func withdrawOutputs(of run: Run.ID, in range: Range<Int>) throws {
        guard let key = try stand(of: run)?.key,
            let places = Place.range(from: range.lowerBound, limit: range.count, inRun: key)
        else { return }
        let update = try prepare(OutcomeRow.replacement)
        var start = 0
        while true {
            let page = try outcomes(in: places, from: start, limit: 1_000)
            guard let last = page.last else { return }
            for var outcome in page where outcome.status == .succeeded {
                (outcome.status, outcome.output, outcome.reason) = (.cancelled, nil, .atomic)
                update.bind(try OutcomeRow(outcome), at: Place.of(outcome.index, inRun: key))
                try update.run()
            }
            start = last.index - range.lowerBound + 1
        }
    }

    func outcomes(of run: Run.ID, from start: Int, limit: Int) throws -> [Outcome] {
        guard let key = try stand(of: run)?.key, let places = Place.range(from: start, limit: limit, inRun: key)
        else { return [] }
        return try outcomes(in: places, limit: -1)
    }

    private func outcomes(in places: ClosedRange<Int64>, from start: Int = 0, limit: Int) throws -> [Outcome] {
        let find = try prepare(OutcomeRow.page)
        find.bind(places.lowerBound + Int64(start))
        find.bind(places.upperBound)
        find.bind(limit)
        return try find.all { try $0.readOutcome() }
    }
}

extension SQLStatement {
    fileprivate func bind(_ row: OutcomeRow, at place: Int64) {
        let outcome = row.outcome
        bind(place)
        bind(outcome.inputID)
        bind(outcome.status.rawValue)
        bind(outcome.reason?.rawValue)
        bind(row.flags)
        bind(outcome.attempts)
        bind(outcome.duration.nanoseconds)
        bind(outcome.cost.billionths)
        bind(outcome.avoidedCost.billionths)
        bind(json: row.output)
        bind(json: row.error)
        bind(json: row.steps)
        bindSeal()
    }

    func readOutcome() throws -> Outcome {
        try sealed("an outcome") { row in
            let index = Int(row.integer() & Place.largestIndex)
            let inputID = row.text()
            guard let status = Status(rawValue: row.text()) else { return nil }
            var outcome = Outcome(inputID: inputID, index: index, status: status)
            outcome.reason = row.optionalText().flatMap { Outcome.Reason(rawValue: $0) }
            let flags = row.int()
            (outcome.cached, outcome.carried, outcome.inputChanged) = (flags & 1 != 0, flags & 2 != 0, flags & 4 != 0)
            outcome.isKept = flags & 8 != 0
            outcome.attempts = row.int()
            outcome.duration = .nanoseconds(row.integer())
            // Default values are not set, because an outcome keeps its rare values in separate storage.
            let (cost, avoided) = (Money(billionths: row.integer()), Money(billionths: row.integer()))
            if cost != .zero { outcome.cost = cost }
            if avoided != .zero { outcome.avoidedCost = avoided }
            outcome.output = row.optionalJSONText().map { Payload(jsonText: $0) }
            if let error = try row.optionalJSON() { outcome.error = FailureRecord(stored: error) }
            if let steps = try row.optionalJSON() {
                outcome.passage = Passage(stored: steps)
                outcome.steps = (steps["steps"] ?? steps).array?.compactMap(Outcome.Step.init(stored:)) ?? []
            }
            return outcome
        }
    }
}
