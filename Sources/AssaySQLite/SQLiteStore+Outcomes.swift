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
        try await readAside { connection in
            try connection.snapshot { try connection.outcomes(of: run, from: start, limit: limit) }
        }
    }
}

/// An outcome with its stored values. The name of the item is on the list of the run.
struct OutcomeRow: Sendable {
    static let columns = Columns(
        "place, status, flags, reason, attempts, duration, cost, avoided_cost, output, error, steps, seal")
    fileprivate static let insertion =
        "INSERT INTO outcomes (\(columns)) VALUES (\(columns.marks)) ON CONFLICT (place) DO NOTHING"
    fileprivate static let replacement = "REPLACE INTO outcomes (\(columns)) VALUES (\(columns.marks))"
    static let selection = "SELECT \(columns) FROM outcomes"
    fileprivate static let page = selection + " WHERE place BETWEEN ? AND ? ORDER BY place LIMIT ?"

    /// The statuses by their number in the file format. The commonest one takes no space.
    static let statuses: [Status] = [
        .succeeded, .failed, .skipped, .cancelled, .pending, .running, .paused, .partial, .aborted,
    ]

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
        let marks = run.carries ? MarkReader(run.key, in: self) : nil
        return try rows.map { row in
            let index = row.outcome.outcome.index
            guard try marks?.mark(at: index)?.source == nil else { return false }
            insert.bind(row.outcome, at: Place.of(index, inRun: run.key))
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
            if try delete.run() == 0, run.carries { try detach(place, ofRun: run.key) }
        }
    }

    /// Ends the reference of an item to the outcome of an earlier run.
    private func detach(_ place: Int, ofRun key: Int64) throws {
        guard var intake = try intake(at: place, ofRun: key), intake.mark(at: place)?.source != nil else { return }
        intake.detach(at: place)
        try write(intake, ofRun: key)
    }

    func withdrawOutputs(of run: Run.ID, in range: Range<Int>) throws {
        guard let stand = try stand(of: run) else { return }
        let update = try prepare(OutcomeRow.replacement)
        var start = range.lowerBound
        while start < range.upperBound {
            let limit = min(1_000, range.upperBound - start)
            for var outcome in try outcomes(of: run, from: start, limit: limit) where outcome.status == .succeeded {
                if stand.carries { try detach(outcome.index, ofRun: stand.key) }
                (outcome.status, outcome.output, outcome.reason) = (.cancelled, nil, .atomic)
                update.bind(try OutcomeRow(outcome), at: Place.of(outcome.index, inRun: stand.key))
                try update.run()
            }
            start += limit
        }
    }

    func outcomes(of run: Run.ID, from start: Int, limit: Int) throws -> [Outcome] {
        guard let stand = try stand(of: run), let list = stand.list,
            let places = Place.range(from: start, limit: limit, inRun: stand.key)
        else { return [] }
        var outcomes = try outcomes(in: places)
        if stand.carries {
            let own = outcomes.count
            for intake in try intakes(in: places, ofRun: stand.key) {
                try outcomes.append(contentsOf: carried(by: intake, in: places))
            }
            if own > 0, outcomes.count > own { outcomes.sort { $0.index < $1.index } }
        }
        let names = ListReader(list, in: self)
        for place in outcomes.indices { outcomes[place].inputID = try names.name(at: outcomes[place].index) }
        return outcomes
    }

    /// Returns the outcomes of earlier runs that count for items at `places`.
    private func carried(by intake: IntakeMarks, in places: ClosedRange<Int64>) throws -> [Outcome] {
        let first = Int(places.lowerBound & Place.largestIndex)
        let last = Int(places.upperBound & Place.largestIndex)
        return try intake.carried.flatMap { stretch, source -> [Outcome] in
            let (lower, upper) = (max(stretch.lowerBound, first), min(stretch.upperBound - 1, last))
            guard lower <= upper else { return [] }
            let shift = stretch.lowerBound - source.place
            let there = Place.of(lower - shift, inRun: source.run)...Place.of(upper - shift, inRun: source.run)
            return try outcomes(in: there).map { outcome in
                var outcome = outcome.carriedOver(isKept: source.isKept)
                outcome.index += shift
                return outcome
            }
        }
    }

    /// Returns the outcomes that were written at `places`, without the names of their items.
    private func outcomes(in places: ClosedRange<Int64>) throws -> [Outcome] {
        let find = try prepare(OutcomeRow.page)
        find.bind(places.lowerBound)
        find.bind(places.upperBound)
        find.bind(-1)
        return try find.all { try $0.readOutcome() }
    }
}

extension SQLStatement {
    fileprivate func bind(_ row: OutcomeRow, at place: Int64) {
        let outcome = row.outcome
        bind(place)
        bind(OutcomeRow.statuses.firstIndex(of: outcome.status) ?? 0)
        bind(row.flags)
        bind(outcome.reason?.rawValue)
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
            let status = row.int()
            guard OutcomeRow.statuses.indices.contains(status) else { return nil }
            var outcome = Outcome(inputID: "", index: index, status: OutcomeRow.statuses[status])
            let flags = row.int()
            (outcome.cached, outcome.carried, outcome.inputChanged) = (flags & 1 != 0, flags & 2 != 0, flags & 4 != 0)
            outcome.isKept = flags & 8 != 0
            outcome.reason = row.optionalText().flatMap { Outcome.Reason(rawValue: $0) }
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
