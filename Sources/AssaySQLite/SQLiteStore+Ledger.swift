public import Assay

extension SQLiteStore {
    public func record(_ charges: [Charge]) async throws -> [Charge] {
        guard !charges.isEmpty else { return [] }
        let rows = try charges.map(ChargeRow.init)
        let isNew = try await write { try $0.record(rows) }
        return zip(charges, isNew).filter(\.1).map(\.0)
    }

    public func charges(matching filter: ChargeFilter) async throws -> [Charge] {
        try await readAside { try $0.charges(matching: filter) }
    }

    public func ledgerPosition() async throws -> Int {
        try read { try $0.statement("SELECT coalesce(max(seq), 0) FROM charges").first { $0.int() } ?? 0 }
    }

    public func total(matching filter: ChargeFilter) async throws -> MoneySum {
        try await readAside { try $0.total(matching: filter) }
    }

    public func recordedKeys(among keys: [String]) async throws -> Set<String> {
        try read { connection in try Set(keys.filter { try connection.hasCharge($0) }) }
    }

    @discardableResult
    public func file(
        _ call: CallRecord, charge: Charge?, cached: CacheEntry?
    ) async throws -> (isFiled: Bool, isCharged: Bool) {
        let charge = try charge.map(ChargeRow.init)
        let cached = try cached.map(CacheRow.init)
        return try await write { connection in
            let isFiled = try connection.file(call)
            if let cached, isFiled { try connection.store(cached) }
            guard let charge, isFiled || call.keepsWhenRefused(charge.charge) else { return (isFiled, false) }
            return (isFiled, try connection.record([charge]) == [true])
        }
    }

    public func note(doubt callID: String, metBy run: Run.ID, of execution: Execution.ID) async throws {
        try await write { try $0.note(doubt: callID, metBy: run, of: execution) }
    }

    public func calls(matching filter: CallFilter) async throws -> [CallRecord] {
        guard abandoned != nil, filter.states != nil else {
            return try read { connection in
                try readShowing(connection) {
                    try connection.calls(matching: filter)
                } _: { calls, _ in
                    calls.map(\.abandoned)
                }
            }
        }
        var wide = filter
        wide.states = nil
        return try await calls(matching: wide).filter(filter.matches)
    }

    public func add(_ price: Price, for subject: PriceSubject, at moment: Timestamp) async throws {
        try await write { try $0.add(price, for: subject, at: moment) }
    }

    public func prices() async throws -> PriceList {
        try read { [currency] connection in try connection.prices(currency) }
    }
}

/// A charge with its stored metadata.
struct ChargeRow: Sendable {
    static let columns = Columns(
        """
        cost_id, key, kind, run_id, execution_id, processor_id, input_id, item_index, step, service, operation, cost,
        timestamp, avoided_cost, account_id, underwriting_id, metadata, basis, seal
        """)
    fileprivate static let insertion = """
        INSERT INTO charges (\(columns)) VALUES (\(columns.marks))
        ON CONFLICT (key) WHERE key IS NOT NULL DO NOTHING
        """
    static let selection = "SELECT \(columns) FROM charges"

    var charge: Charge
    var metadata: [UInt8]

    init(_ charge: Charge) throws {
        self.charge = charge
        metadata = try JSONValue.object(charge.metadata).storedBytes("the metadata of charge '\(charge.costID)'")
    }
}

/// The stored form of a paid call.
enum CallRow {
    static let columns = Columns(
        """
        call_id, idempotency_key, state, run_id, execution_id, processor_id, input_id, service, operation, call_key,
        maximum_cost, timestamp, item_index, step, account_id, underwriting_id, in_doubt, cache_key, resolution,
        unit_price, billing, time_to_live, is_repeat, attempt, seal
        """)
    fileprivate static let insertion = """
        INSERT INTO calls (\(columns)) VALUES (\(columns.marks))
        ON CONFLICT (call_id) DO UPDATE SET (\(columns)) = (\(columns.marks))
        """
    static let selection = "SELECT \(columns) FROM calls"
}

/// The stored form of a price.
enum PriceRow {
    static let columns = Columns(
        "processor, service, operation, amount, policy, effective_from, entered_at, seal")
    fileprivate static let insertion = "INSERT INTO prices (\(columns)) VALUES (\(columns.marks))"
    static let selection = "SELECT \(columns) FROM prices"
}

extension Connection {
    /// Records the charges whose key is not on record, and returns for each whether it was recorded.
    func record(_ rows: [ChargeRow]) throws -> [Bool] {
        guard !rows.isEmpty else { return [] }
        let insert = try prepare(ChargeRow.insertion)
        return try rows.map { row in
            insert.bind(row)
            return try insert.run() == 1
        }
    }

    func charges(matching filter: ChargeFilter) throws -> [Charge] {
        try Query(charges: filter).all("ORDER BY seq", in: self) { try $0.readCharge() }
    }

    /// Returns the sum, added row by row and not in SQL, so that a damaged amount is detected.
    func total(matching filter: ChargeFilter) throws -> MoneySum {
        var sum = MoneySum.zero
        _ = try Query(charges: filter).all("", in: self) { row in sum += try row.readCharge().cost }
        return sum
    }

    func hasCharge(_ key: String) throws -> Bool {
        let find = try statement("SELECT 1 FROM charges WHERE key = ?")
        find.bind(key)
        return try find.first { $0.int() } != nil
    }

    /// Records a call unless the known state of the call forbids it, and returns whether it was recorded.
    func file(_ call: CallRecord) throws -> Bool {
        let find = try statement("SELECT state, run_id, attempt FROM calls WHERE call_id = ?")
        find.bind(call.callID)
        // A state or run that cannot be read forbids nothing.
        let known = try find.first { row in
            (
                CallRecord.State(rawValue: row.text()), Identifier(row.text()),
                row.optionalText().flatMap { AttemptID(stored: $0) }
            )
        }
        var filed = call
        if case (let state?, let runID?, let opener)? = known {
            guard let following = call.following(state, of: runID, openedBy: opener) else { return false }
            filed = following
        }
        let upsert = try prepare(CallRow.insertion)
        upsert.bind(filed)
        try upsert.run()
        return true
    }

    private static let meetings =
        "SELECT 1 FROM doubts_met WHERE call_id = calls.call_id AND calls.state = 'in_doubt' AND doubts_met."

    func note(doubt callID: String, metBy run: Run.ID, of execution: Execution.ID) throws {
        let insert = try statement(
            """
            INSERT OR IGNORE INTO doubts_met (call_id, run_id, execution_id)
            SELECT call_id, ?2, ?3 FROM calls WHERE call_id = ?1 AND state = 'in_doubt'
            """)
        insert.bind(callID)
        insert.bind(run.text)
        insert.bind(execution.text)
        try insert.run()
    }

    func calls(matching filter: CallFilter) throws -> [CallRecord] {
        var query = Query(CallRow.selection)
        query.add("call_id", filter.callID)
        query.add("run_id", filter.runID?.text)
        query.add("execution_id", filter.executionID?.text)
        query.add("input_id", filter.inputID)
        query.add("service", filter.service)
        query.add("operation", filter.operation)
        query.add("call_key", filter.callKey)
        query.add("state", oneOf: filter.states?.map(\.rawValue))
        query.add("cache_key", filter.cacheKey)
        switch filter.billedTo {
        case .run(let run): query.add("run_id", orMatching: Self.meetings + "run_id", run.text)
        case .execution(let execution):
            query.add("execution_id", orMatching: Self.meetings + "execution_id", execution.text)
        case nil: break
        }
        return try query.all("ORDER BY seq", in: self) { try $0.readCall() }
    }

    func add(_ price: Price, for subject: PriceSubject, at moment: Timestamp) throws {
        let insert = try prepare(PriceRow.insertion)
        switch subject {
        case .processor(let name):
            insert.bind(name)
            insert.bindNull()
            insert.bindNull()
        case .service(let service, let operation):
            insert.bindNull()
            insert.bind(service)
            insert.bind(operation)
        }
        insert.bind(price.amount.billionths)
        insert.bind(price.policy)
        insert.bind(price.effectiveFrom?.milliseconds)
        insert.bind(moment.milliseconds)
        insert.bindSeal()
        try insert.run()
    }

    func prices(_ currency: String) throws -> PriceList {
        let find = try prepare(PriceRow.selection + " ORDER BY seq")
        var prices = PriceList(currency: currency)
        for (price, subject) in try find.all({ try $0.readPrice() }) { prices.add(price, for: subject) }
        return prices
    }
}

extension Query {
    /// Creates a query for charges.
    fileprivate init(charges filter: ChargeFilter) {
        self.init(ChargeRow.selection)
        add("run_id", filter.runID?.text)
        add("execution_id", filter.executionID?.text)
        add("account_id", filter.accountID?.text)
        add("underwriting_id", filter.underwritingID?.text)
        add("processor_id", filter.processorID?.text)
        add("service", filter.service)
        add("seq", "<=", filter.upTo.map { Int64($0) })
        add("seq", ">", filter.after.map { Int64($0) })
        add("timestamp", ">=", filter.since?.milliseconds)
        add("timestamp", "<", filter.until?.milliseconds)
    }
}

extension SQLStatement {
    fileprivate func bind(_ row: ChargeRow) {
        let charge = row.charge
        bind(charge.costID)
        bind(charge.key)
        bind(charge.kind.rawValue)
        bind(charge.runID.text)
        bind(charge.executionID.text)
        bind(charge.processorID.text)
        bind(charge.inputID)
        bind(charge.itemIndex.map { Int64($0) })
        bind(charge.step)
        bind(charge.service)
        bind(charge.operation)
        bind(charge.cost.billionths)
        bind(charge.timestamp.milliseconds)
        bind(charge.avoidedCost?.billionths)
        bind(charge.accountID?.text)
        bind(charge.underwritingID?.text)
        bind(json: row.metadata)
        bind(json: charge.basis.stored.jsonBytes)
        bindSeal()
    }

    func readCharge() throws -> Charge { try sealed("a charge") { try $0.charge() } }

    private func charge() throws -> Charge? {
        let (costID, key) = (text(), optionalText())
        guard let kind = Charge.Kind(rawValue: text()), let run = Identifier(text()),
            let execution = Identifier(text()), let processor = Identifier(text())
        else { return nil }
        let (inputID, index, step) = (optionalText(), optionalInteger(), optionalText())
        let (service, operation) = (text(), text())
        let (cost, timestamp) = (Money(billionths: integer()), Timestamp(milliseconds: integer()))
        let avoided = optionalInteger().map { Money(billionths: $0) }
        let (account, underwriting) = (optionalText(), optionalText())
        let metadata = try json().object ?? JSONObject()
        guard let basis = try Charge.Basis(stored: json()) else { return nil }
        return Charge(
            costID: costID, key: key, kind: kind, runID: run, executionID: execution, processorID: processor,
            inputID: inputID, itemIndex: index.map { Int($0) }, step: step, service: service,
            operation: operation, cost: cost, timestamp: timestamp, avoidedCost: avoided, basis: basis,
            metadata: metadata, accountID: account.flatMap { ExternalID($0) },
            underwritingID: underwriting.flatMap { ExternalID($0) })
    }

    fileprivate func bind(_ call: CallRecord) {
        bind(call.callID)
        bind(call.idempotencyKey)
        bind(call.state.rawValue)
        bind(call.runID.text)
        bind(call.executionID.text)
        bind(call.processorID.text)
        bind(call.inputID)
        bind(call.service)
        bind(call.operation)
        bind(call.callKey)
        bind(call.maximumCost.billionths)
        bind(call.timestamp.milliseconds)
        bind(call.itemIndex.map { Int64($0) })
        bind(call.step)
        bind(call.accountID?.text)
        bind(call.underwritingID?.text)
        bind(call.doubtPolicy.rawValue)
        bind(call.cacheKey)
        bind(call.resolution?.rawValue)
        bind(call.unitPrice?.billionths)
        bind(call.billing.rawValue)
        bind(call.timeToLive?.nanoseconds)
        bind(Int64(call.isRepeat ? 1 : 0))
        bind(call.attempt?.stored)
        bindSeal()
    }

    func readCall() throws -> CallRecord {
        try sealed("a call") { row in
            guard var call = row.unscopedCall() else { return nil }
            (call.itemIndex, call.step) = (row.optionalInteger().map { Int($0) }, row.optionalText())
            call.accountID = row.optionalText().flatMap { ExternalID($0) }
            call.underwritingID = row.optionalText().flatMap { ExternalID($0) }
            guard let policy = DoubtPolicy(rawValue: row.text()) else { return nil }
            (call.doubtPolicy, call.cacheKey) = (policy, row.optionalText())
            if let resolution = row.optionalText() {
                guard let known = Charge.Basis.Resolution(rawValue: resolution) else { return nil }
                call.resolution = known
            }
            call.unitPrice = row.optionalInteger().map { Money(billionths: $0) }
            guard let billing = CallOptions.Billing(rawValue: row.text()) else { return nil }
            call.billing = billing
            call.timeToLive = row.optionalInteger().map { .nanoseconds($0) }
            call.isRepeat = row.integer() != 0
            if let attempt = row.optionalText() {
                guard let known = AttemptID(stored: attempt) else { return nil }
                call.attempt = known
            }
            return call
        }
    }

    /// Reads the columns of a call up to its time.
    private func unscopedCall() -> CallRecord? {
        let (callID, idempotencyKey) = (text(), text())
        guard let state = CallRecord.State(rawValue: text()), let run = Identifier(text()),
            let execution = Identifier(text()), let processor = Identifier(text())
        else { return nil }
        let (inputID, service, operation, callKey) = (optionalText(), text(), text(), text())
        return CallRecord(
            callID: callID, idempotencyKey: idempotencyKey, state: state, runID: run, executionID: execution,
            processorID: processor, inputID: inputID, service: service, operation: operation, callKey: callKey,
            maximumCost: Money(billionths: integer()), timestamp: Timestamp(milliseconds: integer()))
    }

    func readPrice() throws -> (Price, PriceSubject) {
        try sealed("a price") { row in
            let (processor, service, operation) = (row.optionalText(), row.optionalText(), row.optionalText())
            let (amount, policy) = (Money(billionths: row.integer()), row.text())
            let effectiveFrom = row.optionalInteger().map { Timestamp(milliseconds: $0) }
            _ = row.integer()
            let price = Price(amount, policy: policy, effectiveFrom: effectiveFrom)
            if let processor { return (price, .processor(processor)) }
            guard let service, let operation else { return nil }
            return (price, .service(service, operation: operation))
        }
    }
}
