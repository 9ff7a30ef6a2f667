public import Assay

/// A store whose writes fail when a test says so; the base store does everything else.
public final class FaultyStore: Store {
    /// A write that is about to happen.
    public enum Write: Sendable {
        case begin(Run)
        case append(Intake)
        case setTransformed
        case commit([CommittedOutcome])
        case withdraw
        case reopen([Int])
        case update(Run)
        case deleteContents(Run.ID)
        case save(Checkpoint)
        case dropCheckpoints(CheckpointSubject)
        case keep(NamedCheckpoint)
        case removeNamedCheckpoint(Identifier)
        case record([Charge])
        case file(CallRecord)
        case noteDoubt(String)
        case useCacheEntry(String)
        case removeCacheEntries(CacheFilter)
        case addPrice(PriceSubject)
        case events([Event])
        case logLines([LogLine])
        case alert(AlertRecord)
        case fileDigests([FileDigest])
        case submit([SubmittedExecution])
        case extend(InputList.ID)
        case replace(Execution)
        case remove([Execution.ID])
        case queueRecord
        case admit(String)
    }

    private let base: any Store
    private let fault: @Sendable (Write) async throws -> Void
    private let aftermath: @Sendable (Write) async throws -> Void
    private let reading: @Sendable (Execution.ID) async throws -> Void

    /// Creates a store that calls `fault` before each write. If it throws, its error is thrown and nothing is written.
    /// While it waits, the write waits.
    ///
    /// - Parameters:
    ///   - aftermath: called after each write. If it throws, its error is thrown although everything was written, as
    ///     when a program dies before it learns of the write.
    ///   - reading: called before an execution is read.
    public init(
        _ base: any Store = MemoryStore(), aftermath: @escaping @Sendable (Write) async throws -> Void = { _ in },
        reading: @escaping @Sendable (Execution.ID) async throws -> Void = { _ in },
        _ fault: @escaping @Sendable (Write) async throws -> Void
    ) {
        self.base = base
        self.reading = reading
        self.fault = fault
        self.aftermath = aftermath
    }

    private nonisolated(nonsending) func write<Value>(
        _ write: Write, _ body: nonisolated(nonsending) () async throws -> Value
    ) async throws -> Value {
        try await fault(write)
        let value = try await body()
        try await aftermath(write)
        return value
    }

    public var currency: String { base.currency }
    /// The setting of the base store.
    public var keepsJSON: Bool { base.keepsJSON }
    public var definitionKey: [UInt8] { base.definitionKey }

    public func begin(_ run: Run, asSubmitted: Bool) async throws {
        try await write(.begin(run)) { try await base.begin(run, asSubmitted: asSubmitted) }
    }

    public func append(_ intake: Intake, to run: Run.ID, epoch: Int) async throws {
        if !intake.settled.isEmpty { try await fault(.commit(intake.settled)) }
        try await write(.append(intake)) { try await base.append(intake, to: run, epoch: epoch) }
    }

    public func list(of run: Run.ID) async throws -> InputList? { try await base.list(of: run) }

    public func items(of list: InputList.ID, from start: Int, limit: Int) async throws -> [Item] {
        try await base.items(of: list, from: start, limit: limit)
    }

    public func setTransformed(_ values: [(index: Int, value: Payload)], of run: Run.ID) async throws {
        try await write(.setTransformed) { try await base.setTransformed(values, of: run) }
    }

    public func items(of run: Run.ID, from start: Int, limit: Int) async throws -> [StoredItem] {
        try await base.items(of: run, from: start, limit: limit)
    }

    public func commit(_ outcomes: [CommittedOutcome], of run: Run.ID, epoch: Int) async throws -> [Bool] {
        try await write(.commit(outcomes)) { try await base.commit(outcomes, of: run, epoch: epoch) }
    }

    public func withdrawOutputs(of run: Run.ID, in places: Range<Int>) async throws {
        try await write(.withdraw) { try await base.withdrawOutputs(of: run, in: places) }
    }

    public func reopen(_ places: [Int], of run: Run.ID, epoch: Int) async throws {
        try await write(.reopen(places)) { try await base.reopen(places, of: run, epoch: epoch) }
    }

    public func release(_ places: Range<Int>, of run: Run.ID) async { await base.release(places, of: run) }

    public func outcomes(of run: Run.ID, from start: Int, limit: Int) async throws -> [Outcome] {
        try await base.outcomes(of: run, from: start, limit: limit)
    }

    public func update(_ run: Run) async throws {
        try await write(.update(run)) { try await base.update(run) }
    }

    public func deleteContents(of run: Run.ID, at moment: Timestamp) async throws -> Bool {
        try await write(.deleteContents(run)) { try await base.deleteContents(of: run, at: moment) }
    }

    public func run(_ id: Run.ID) async throws -> Run? { try await base.run(id) }

    public func execution(_ id: Execution.ID) async throws -> Execution? {
        try await reading(id)
        return try await base.execution(id)
    }

    public func runs(matching filter: RunFilter) async throws -> [Run] { try await base.runs(matching: filter) }

    public func save(_ checkpoint: Checkpoint, charges: [Charge], cached: CacheEntry?) async throws {
        try await write(.save(checkpoint)) { try await base.save(checkpoint, charges: charges, cached: cached) }
    }

    public func checkpoints(of item: CheckpointSubject) async throws -> (saved: [Checkpoint], damaged: [String]) {
        try await base.checkpoints(of: item)
    }

    public func dropCheckpoints(of item: CheckpointSubject) async throws {
        try await write(.dropCheckpoints(item)) { try await base.dropCheckpoints(of: item) }
    }

    public func keep(_ checkpoint: NamedCheckpoint, atMost limit: Int) async throws {
        try await write(.keep(checkpoint)) { try await base.keep(checkpoint, atMost: limit) }
    }

    public func checkpointSummaries(of processor: Identifier?) async throws -> [NamedCheckpoint.Summary] {
        try await base.checkpointSummaries(of: processor)
    }

    public func namedCheckpoint(_ id: Identifier) async throws -> NamedCheckpoint? {
        try await base.namedCheckpoint(id)
    }

    public func removeNamedCheckpoint(_ id: Identifier) async throws -> Bool {
        try await write(.removeNamedCheckpoint(id)) { try await base.removeNamedCheckpoint(id) }
    }

    public func record(_ charges: [Charge]) async throws -> [Charge] {
        try await write(.record(charges)) { try await base.record(charges) }
    }

    public func charges(matching filter: ChargeFilter) async throws -> [Charge] {
        try await base.charges(matching: filter)
    }

    @discardableResult
    public func file(
        _ call: CallRecord, charge: Charge?, cached: CacheEntry?
    ) async throws -> (isFiled: Bool, isCharged: Bool) {
        try await write(.file(call)) { try await base.file(call, charge: charge, cached: cached) }
    }

    public func note(doubt callID: String, metBy run: Run.ID, of execution: Execution.ID) async throws {
        try await write(.noteDoubt(callID)) { try await base.note(doubt: callID, metBy: run, of: execution) }
    }

    public func ledgerPosition() async throws -> Int { try await base.ledgerPosition() }

    public func total(matching filter: ChargeFilter) async throws -> MoneySum {
        try await base.total(matching: filter)
    }

    public func recordedKeys(among keys: [String]) async throws -> Set<String> {
        try await base.recordedKeys(among: keys)
    }

    public func calls(matching filter: CallFilter) async throws -> [CallRecord] {
        try await base.calls(matching: filter)
    }

    public func cached(_ key: String) async throws -> CacheLookup { try await base.cached(key) }

    public func cacheEntries(
        matching filter: CacheFilter, after key: String?, limit: Int
    ) async throws -> (entries: [CacheEntry], damaged: Int) {
        try await base.cacheEntries(matching: filter, after: key, limit: limit)
    }

    public func removeCacheEntries(matching filter: CacheFilter) async throws -> Int {
        try await write(.removeCacheEntries(filter)) { try await base.removeCacheEntries(matching: filter) }
    }

    public func useCacheEntry(_ key: String, charge: Charge) async throws {
        try await write(.useCacheEntry(key)) { try await base.useCacheEntry(key, charge: charge) }
    }

    public func add(_ price: Price, for subject: PriceSubject, at moment: Timestamp) async throws {
        try await write(.addPrice(subject)) { try await base.add(price, for: subject, at: moment) }
    }

    public func prices() async throws -> PriceList { try await base.prices() }

    public func append(_ events: [Event]) async throws {
        try await write(.events(events)) { try await base.append(events) }
    }

    public func append(_ lines: [LogLine], keeping limits: LogLimits) async throws {
        try await write(.logLines(lines)) { try await base.append(lines, keeping: limits) }
    }

    public func logLines(matching filter: LogFilter, limit: Int) async throws -> [LogLine] {
        try await base.logLines(matching: filter, limit: limit)
    }

    public func events(of run: Run.ID, after sequence: Int, limit: Int) async throws -> [Event] {
        try await base.events(of: run, after: sequence, limit: limit)
    }

    public func submit(_ executions: [SubmittedExecution]) async throws -> [Execution] {
        try await write(.submit(executions)) { try await base.submit(executions) }
    }

    public func append(_ items: [Item], to list: InputList.ID) async throws {
        try await write(.extend(list)) { try await base.append(items, to: list) }
    }

    public func discard(_ list: InputList.ID) async throws { try await base.discard(list) }

    public func executions(matching filter: ExecutionFilter) async throws -> [Execution] {
        try await base.executions(matching: filter)
    }

    public func replace(_ execution: Execution, standingAt status: Status) async throws -> Bool {
        try await write(.replace(execution)) { try await base.replace(execution, standingAt: status) }
    }

    public func remove(_ executions: [Execution.ID]) async throws -> Int {
        try await write(.remove(executions)) { try await base.remove(executions) }
    }

    public func fileDigests(of paths: [String]) async throws -> [String: FileDigest] {
        try await base.fileDigests(of: paths)
    }

    public func save(_ digests: [FileDigest]) async throws {
        try await write(.fileDigests(digests)) { try await base.save(digests) }
    }

    public func add(_ alert: AlertRecord) async throws {
        try await write(.alert(alert)) { try await base.add(alert) }
    }

    public func alerts() async throws -> [AlertRecord] { try await base.alerts() }

    public func queueRecord() async throws -> JSONValue? { try await base.queueRecord() }

    public func setQueueRecord(_ record: JSONValue) async throws {
        try await write(.queueRecord) { try await base.setQueueRecord(record) }
    }

    public func admissions(under rate: String) async throws -> [Timestamp] {
        try await base.admissions(under: rate)
    }

    public func admit(
        under rate: String, at moment: Timestamp, forgettingBefore horizon: Timestamp
    ) async throws {
        try await write(.admit(rate)) { try await base.admit(under: rate, at: moment, forgettingBefore: horizon) }
    }
}
