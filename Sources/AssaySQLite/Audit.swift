import Assay
import GRDB

/// An audit of a whole database: pages, rows, keys, and totals that can be computed in two ways.
struct Audit {
    private static let listed = 100

    /// The problems found, as text.
    private(set) var problems: [String] = []

    private let connection: Connection

    init(_ connection: Connection) { self.connection = connection }

    mutating func run() {
        examine("the pages") { try $0.checkPages() }
        examine("the references") { try $0.checkReferences() }
        examine("the keys of charges") { try $0.checkChargeKeys() }
        examine("the paid calls") { try $0.checkCalls() }
        examine("the cached values") { try $0.checkCache() }
        examine("the runs") { try $0.checkRuns() }
        examine("the input lists") { try $0.checkLists() }
        examine("the executions") { try $0.checkExecutions() }
        examine("the events") { try $0.checkEvents() }
        examine("the rows") { try $0.checkSeals() }
        if problems.count > Self.listed {
            problems = problems.prefix(Self.listed) + ["… and \(problems.count - Self.listed) more"]
        }
    }

    /// Runs one part of the audit. A part that cannot be read is a problem and does not stop the other parts.
    private mutating func examine(_ part: String, _ body: (inout Audit) throws -> Void) {
        do { try body(&self) } catch {
            problems.append("\(part) cannot be read: \(ProcessingError.store(error).message)")
        }
    }

    private func texts(_ sql: String) throws -> [String] { try connection.prepare(sql).all { $0.text() } }

    private mutating func checkPages() throws {
        problems += try texts("PRAGMA integrity_check").filter { $0 != "ok" }
    }

    private mutating func checkReferences() throws {
        problems += try texts("PRAGMA foreign_key_check").map { "a row of '\($0)' refers to nothing" }
        problems += try texts(
            """
            SELECT run FROM (SELECT DISTINCT run FROM intakes UNION SELECT DISTINCT run FROM outcomes)
            WHERE run NOT IN (SELECT key FROM runs)
            """
        ).map { "there are items or outcomes of run number \($0), which is not there" }
    }

    /// Checks that lists have the items that they and their runs say, and that the counts of references are right.
    private mutating func checkLists() throws {
        problems += try texts(
            """
            SELECT key FROM lists WHERE count <> (SELECT coalesce(sum(p.count), 0) FROM list_pages p WHERE p.list = key)
            """
        ).map { "input list \($0) does not have the items that it says" }
        problems += try texts(
            """
            SELECT p.place FROM list_pages p LEFT JOIN chunks c ON c.key = p.chunk
            WHERE c.key IS NULL OR p.first + p.count > c.count
            """
        ).map { "the page of an input list at place \($0) has no items" }
        problems += try texts(
            "SELECT key FROM chunks WHERE users <> (SELECT count(*) FROM list_pages WHERE chunk = key)"
        ).map { "the inputs of chunk \($0) are counted wrong" }
        problems += try texts(
            """
            SELECT key FROM lists WHERE users <> (SELECT count(*) FROM run_lists WHERE list = key) + (maker IS NULL)
            """
        ).map { "the runs of input list \($0) are counted wrong" }
        problems += try texts(
            """
            SELECT r.id FROM runs r JOIN run_lists ON run = r.key LEFT JOIN lists l ON l.key = list
            WHERE coalesce(l.count, 0) < (SELECT sum(count) FROM intakes i WHERE i.run = r.key)
            """
        ).map { "the input list of run '\($0)' is too short" }
    }

    /// Checks that a run knows every item that it has an outcome for, and has every outcome that it takes over.
    private mutating func checkIntakes(of run: Run) throws {
        guard let key = try connection.stand(of: run.id)?.key else { return }
        let all = Place.of(0, inRun: key)...Place.of(.max, inRun: key)
        var next = 0
        for intake in try connection.intakes(in: all, ofRun: key) {
            if intake.start != next { problems.append("the items of run '\(run.id)' have a gap at place \(next)") }
            next = intake.places.upperBound
            for (places, source) in intake.carried {
                let count = try connection.statement(
                    """
                    SELECT count(*) FROM outcomes WHERE place BETWEEN ?1 AND ?2 AND status = ?3
                        AND EXISTS (SELECT 1 FROM carries WHERE run = ?4 AND source = ?5)
                    """)
                count.bind(Place.of(source.place, inRun: source.run))
                count.bind(Place.of(source.place + places.count - 1, inRun: source.run))
                count.bind(OutcomeRow.statuses.firstIndex(of: source.status) ?? 0)
                count.bind(key)
                count.bind(source.run)
                guard try count.first({ $0.int() }) != places.count else { continue }
                problems.append(
                    "run '\(run.id)' takes over outcomes from place \(places.lowerBound) that are not there")
            }
        }
        let last = try connection.statement("SELECT max(place) FROM outcomes WHERE place BETWEEN ? AND ?")
        last.bind(all.lowerBound)
        last.bind(all.upperBound)
        guard let place = try last.first({ $0.optionalInteger() }) ?? nil, place & Place.largestIndex >= next else {
            return
        }
        problems.append("the outcome at place \(place) has no item")
    }

    private mutating func checkChargeKeys() throws {
        // Bypasses the index, because it may be wrong.
        problems += try texts(
            "SELECT key FROM charges NOT INDEXED WHERE key IS NOT NULL GROUP BY key HAVING count(*) > 1"
        ).map { "the key '\($0)' was charged more than once" }
    }

    /// Checks calls against charges: a call is settled in one write with its charge, and a late charge finds it
    /// settled.
    private mutating func checkCalls() throws {
        problems += try texts(
            """
            SELECT call_id FROM calls WHERE state = 'settled'
                AND NOT EXISTS (SELECT 1 FROM charges WHERE key = 'call|' || call_id)
            """
        ).map { "call '\($0)' is settled and has no charge" }
        // All keys that begin with "call|", in a form for which an index is used.
        problems += try texts(
            """
            SELECT substr(key, 6) FROM charges WHERE key > 'call|' AND key < 'call}'
                AND NOT EXISTS (SELECT 1 FROM calls WHERE call_id = substr(key, 6) AND state = 'settled')
            """
        ).map { "call '\($0)' was charged and is not settled" }
    }

    private mutating func checkCache() throws {
        problems += try texts(
            "SELECT key FROM cache WHERE cost_id IS NOT NULL AND cost_id NOT IN (SELECT cost_id FROM charges)"
        ).map { "the cached value '\($0)' was paid for by a charge that is not there" }
    }

    private mutating func checkRuns() throws {
        let ids = try connection.prepare("SELECT id FROM runs ORDER BY key").all { $0.text() }
        for id in ids {
            examine("run '\(id)'") { audit in
                guard let id = Identifier(id), let run = try audit.connection.run(id) else { return }
                guard run.status.isTerminal, run.deletedAt == nil else { return }
                try audit.checkIntakes(of: run)
                try audit.checkCounts(of: run)
                try audit.checkCosts(of: run)
            }
        }
    }

    private mutating func checkCounts(of run: Run) throws {
        let counts = try connection.countOutcomes(of: run.id)
        guard counts != run.counts else { return }
        problems.append("run '\(run.id)' says \(run.counts.words), its outcomes say \(counts.words)")
    }

    /// Checks that no outcome costs more than the run's charges for its item. The charges can be more: a call in
    /// progress when its item was abandoned is charged when its answer comes.
    private mutating func checkCosts(of run: Run) throws {
        guard let stand = try connection.stand(of: run.id), let list = stand.list else { return }
        let sums = try connection.statement(
            "SELECT input_id, sum(cost) FROM charges WHERE run_id = ? AND input_id IS NOT NULL GROUP BY input_id")
        sums.bind(run.id.text)
        let charged = Dictionary(
            uniqueKeysWithValues: try sums.all { (Array($0.text().utf8), $0.integer()) })
        let costs = try connection.statement(
            "SELECT place, cost FROM outcomes WHERE place BETWEEN ? AND ? AND cost > 0")
        costs.bind(Place.of(0, inRun: stand.key))
        costs.bind(Place.of(.max, inRun: stand.key))
        let names = ListReader(list, in: connection)
        for (place, cost) in try costs.all({ ($0.integer(), $0.integer()) }) {
            let input = try names.name(at: Int(place & Place.largestIndex))
            let sum = charged[Array(input.utf8)] ?? 0
            guard cost > sum else { continue }
            problems.append(
                "item '\(input)' of run '\(run.id)' says it cost \(Money(billionths: cost)), "
                    + "its charges are \(Money(billionths: sum))")
        }
        let charges = try connection.charges(matching: ChargeFilter(runID: run.id))
        do { _ = try Bill(charges, currency: "", runID: run.id) } catch {
            problems.append("run '\(run.id)' has no bill: \(error.message)")
        }
    }

    private mutating func checkExecutions() throws {
        problems += try texts(
            """
            SELECT e.id FROM executions e JOIN runs r ON r.key =
                (SELECT max(key) FROM runs WHERE execution_id = e.id) WHERE r.status <> e.status
            """
        ).map { "execution '\($0)' does not stand as its last run" }
    }

    private mutating func checkEvents() throws {
        problems += try texts(
            """
            SELECT id FROM runs JOIN (SELECT run, count(*) AS many, max(sequence) AS last FROM events GROUP BY run) e
                ON e.run = runs.key WHERE many <> last
            """
        ).map { "the events of run '\($0)' have gaps" }
    }

    private mutating func checkSeals() throws {
        try connection.forEachSealedRow { problems.append(ProcessingError.store($0).message) }
    }
}

extension Counts {
    fileprivate var words: String {
        "\(total) items, \(succeeded) succeeded, \(failed) failed, \(skipped) skipped, \(cancelled) cancelled"
    }
}

extension Connection {
    /// Reads every row that has a seal and reports its errors.
    fileprivate func forEachSealedRow(_ found: (any Error) -> Void) throws {
        func read(_ sql: String, _ row: (SQLStatement) throws -> Void) throws {
            try prepare(sql).forEach { statement in do { try row(statement) } catch { found(error) } }
        }
        try read(OutcomeRow.selection) { _ = try $0.readOutcome() }
        try read(IntakeRow.selection) { _ = try $0.readIntake() }
        try forEachListRow(read)
        try read("SELECT place, value, seal FROM transformed") { _ = try $0.readTransformed() }
        try read(ChargeRow.selection) { _ = try $0.readCharge() }
        try read(CallRow.selection) { _ = try $0.readCall() }
        try read(PriceRow.selection) { _ = try $0.readPrice() }
        try read(AlertRecord.selection) { _ = try $0.readAlert() }
        try read(FileDigest.selection) { _ = try $0.readFileDigest() }
        try forEachQueueRow(read)
        try forEachAdmission(read)
        try read(CheckpointRow.selection) { row in
            if row.readCheckpoint().checkpoint == nil { throw ProcessingError.damaged("a saved step") }
        }
        try read(NamedCheckpointRow.selection) { row in
            if row.readNamedCheckpoint() == nil { throw ProcessingError.damaged("a named checkpoint") }
        }
        try read(CacheRow.selection) { row in
            if row.readCacheEntry() == nil { throw ProcessingError.damaged("a cached value") }
        }
    }
}
