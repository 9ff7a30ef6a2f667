import Synchronization

/// A store that forgets everything when the program ends. Otherwise it behaves like the durable stores.
///
/// Values are kept as they are and never encoded, so a run in memory costs no more than its own work.
public final class MemoryStore: Store {
    public let currency: String
    public let keepsJSON = false
    public let definitionKey: [UInt8] = (0..<32).map { _ in .random(in: 0 ... .max) }
    let state = Mutex(State())
    // Read at every node of a graph, so it has its own lock.
    private let priceList: Mutex<PriceList>
    private let forgetsBatches: Bool
    private let named = MemoryCheckpoints()

    /// A run and its data. A class, so that a commit looks it up once and not once per outcome.
    final class StoredRun {
        var run: Run
        var list: InputList.ID?
        var ownsList = false
        /// The items of the run. They share their values with the list and with other runs that refer to it.
        var items: [StoredItem] = []
        var outcomes: [Outcome?] = []
        var events: [Event] = []
        /// The number of items at the beginning that have been released.
        private(set) var released = 0
        private var waitsForEarlier: [Range<Int>] = []

        init(_ run: Run) { self.run = run }

        /// Returns the range of the lists that holds the items at `places`, clamped to what is there.
        func slots(_ places: Range<Int>) -> Range<Int> {
            (places.lowerBound - released..<places.upperBound - released).clamped(to: outcomes.indices)
        }

        /// Returns the range of a list that holds the `limit` entries from place `start` on, clamped to what is there.
        func slots(_ start: Int, _ limit: Int, _ indices: Range<Int>) -> Range<Int> {
            let (end, overflow) = start.addingReportingOverflow(max(0, limit))
            return (start - released..<max(start, overflow ? .max : end) - released).clamped(to: indices)
        }

        /// Removes items that their run will not read again, once all items before them have been released as well.
        func release(_ places: Range<Int>) {
            waitsForEarlier.append(places)
            while let next = waitsForEarlier.firstIndex(where: { $0.lowerBound == released }) {
                let count = waitsForEarlier.remove(at: next).count
                items.removeFirst(count)
                outcomes.removeFirst(count)
                released += count
            }
        }

        func takesOutcomes(of epoch: Int) -> Bool { run.epoch == epoch && !run.status.isTerminal }
    }

    struct State {
        var executions: [Execution.ID: Execution] = [:]
        var runs: [Run.ID: StoredRun] = [:]
        var order: [Run.ID] = []
        /// The runs of each execution, in the order in which they began.
        var runsOf: [Execution.ID: [Run.ID]] = [:]
        var checkpoints: [CheckpointSubject: [Checkpoint]] = [:]
        var charges: [Charge] = []
        /// Indices of charges by run and execution, so that a bill does not scan all charges.
        var chargesOfRun: [Run.ID: [Int]] = [:]
        var chargesOfExecution: [Execution.ID: [Int]] = [:]
        // Keys are compared byte by byte, as a database does.
        var chargeKeys: Set<ExternalID> = []
        var calls: [CallRecord] = []
        var callPlaces: [String: Int] = [:]
        var callsOfExecution: [Execution.ID: [Int]] = [:]
        /// Indices of the calls whose outcome is unknown.
        var callsInDoubt: Set<Int> = []
        /// The runs that have met a call in doubt, by call ID.
        var meetings: [String: [(run: Run.ID, execution: Execution.ID)]] = [:]
        var cache: [String: CacheEntry] = [:]
        var alerts: [AlertRecord] = []
        var fileDigests: [String: FileDigest] = [:]
        var log = MemoryLog()
        var queue = MemoryQueue()
    }

    /// Creates an empty store.
    ///
    /// - Parameters:
    ///   - currency: the currency of all amounts, three letters.
    ///   - forgetsBatches: whether items and outcomes are removed once a streamed batch has been handed over. A call of
    ///     any length then needs memory only for its batches in progress, but it cannot be resumed.
    public init(currency: String = "USD", forgetsBatches: Bool = false) {
        self.currency = currency
        self.forgetsBatches = forgetsBatches
        priceList = Mutex(PriceList(currency: currency))
    }

    public func begin(_ run: Run, asSubmitted: Bool) async throws {
        try state.withLock { state in
            if !asSubmitted, state.executions[run.executionID]?.number != nil {
                throw ProcessingError.wasSubmitted(run.executionID)
            }
            let standing = state.executions[run.executionID]?.status
            guard standing != .running, standing != .paused else {
                throw ProcessingError.alreadyRunning(run.executionID)
            }
            guard state.runs[run.id] == nil else { throw ProcessingError.runExists(run.id) }
            var execution =
                state.executions[run.executionID]
                ?? Execution(id: run.executionID, scope: run.scope, status: .pending, createdAt: run.startedAt)
            if execution.number != nil { execution = execution.begun(by: run) }
            execution.status = .running
            state.file(execution)
            state.runs[run.id] = StoredRun(run)
            state.order.append(run.id)
            state.runsOf[run.executionID, default: []].append(run.id)
        }
    }

    public func setTransformed(_ values: [(index: Int, value: Payload)], of run: Run.ID) async throws {
        state.withLock { state in
            guard let stored = state.runs[run] else { return }
            for (index, value) in values { stored.items[index - stored.released].transformed = value }
        }
    }

    public func items(of run: Run.ID, from start: Int, limit: Int) async throws -> [StoredItem] {
        state.withLock { state in
            guard let stored = state.runs[run] else { return [] }
            return Array(stored.items[stored.slots(start, limit, stored.items.indices)])
        }
    }

    public func commit(_ outcomes: [CommittedOutcome], of run: Run.ID, epoch: Int) async throws -> [Bool] {
        state.withLock { state in
            guard let stored = state.runs[run], stored.takesOutcomes(of: epoch) else {
                return outcomes.map { _ in false }
            }
            return outcomes.map { state.commit($0, to: stored) }
        }
    }

    public func withdrawOutputs(of run: Run.ID, in places: Range<Int>) async throws {
        state.withLock { state in
            guard let stored = state.runs[run] else { return }
            for place in stored.slots(places) { stored.outcomes[place]?.withdraw() }
        }
    }

    public func reopen(_ places: [Int], of run: Run.ID, epoch: Int) async throws {
        state.withLock { state in
            guard let stored = state.runs[run], stored.takesOutcomes(of: epoch) else { return }
            for place in places { stored.outcomes[place - stored.released] = nil }
        }
    }

    public func release(_ places: Range<Int>, of run: Run.ID) async {
        guard forgetsBatches else { return }
        state.withLock { $0.runs[run]?.release(places) }
    }

    public func outcomes(of run: Run.ID, from start: Int, limit: Int) async throws -> [Outcome] {
        state.withLock { state in
            guard let stored = state.runs[run] else { return [] }
            return stored.outcomes[stored.slots(start, limit, stored.outcomes.indices)].compactMap { $0 }
        }
    }

    public func update(_ run: Run) async throws {
        state.withLock { state in
            guard let stored = state.runs[run.id], !stored.run.status.isTerminal, stored.run.epoch <= run.epoch
            else { return }
            stored.run = run
            guard var execution = state.executions[run.executionID] else { return }
            if execution.number != nil { execution = execution.following(run) } else { execution.status = run.status }
            state.file(execution)
        }
    }

    public func deleteContents(of run: Run.ID, at moment: Timestamp) async throws -> Bool {
        state.withLock { state in
            guard let stored = state.runs[run], stored.run.status.isTerminal, stored.run.deletedAt == nil else {
                return false
            }
            (stored.items, stored.outcomes, stored.events, stored.list) = ([], [], [], nil)
            state.log.remove([run])
            (stored.run.summary, stored.run.deletedAt) = (nil, moment)
            return true
        }
    }

    public func run(_ id: Run.ID) async throws -> Run? { state.withLock { $0.runs[id]?.run } }

    public func execution(_ id: Execution.ID) async throws -> Execution? { state.withLock { $0.executions[id] } }

    public func runs(matching filter: RunFilter) async throws -> [Run] {
        state.withLock { state in
            let known = filter.executionID.map { state.runsOf[$0] ?? [] } ?? state.order
            let found = known.reversed().compactMap { state.runs[$0]?.run }.filter(filter.matches)
            return Array(found.prefix(filter.limit ?? .max))
        }
    }

    public func save(_ checkpoint: Checkpoint, charges: [Charge], cached: CacheEntry?) async throws {
        state.withLock { state in
            guard state.runs[checkpoint.runID]?.run.epoch == checkpoint.epoch else { return }
            var saved = state.checkpoints[checkpoint.subject] ?? []
            saved.removeAll { $0.step == checkpoint.step }
            state.checkpoints[checkpoint.subject] = saved + [checkpoint]
            if let cached { state.cache[cached.key] = cached }
            _ = state.record(charges)
        }
    }

    public func checkpoints(of item: CheckpointSubject) async throws -> (saved: [Checkpoint], damaged: [String]) {
        (saved: state.withLock { $0.checkpoints[item] ?? [] }, damaged: [])
    }

    public func dropCheckpoints(of item: CheckpointSubject) async throws {
        state.withLock { $0.checkpoints[item] = nil }
    }

    public func keep(_ checkpoint: NamedCheckpoint, atMost limit: Int) async throws {
        try named.keep(checkpoint, atMost: limit)
    }

    public func checkpointSummaries(of processor: Identifier?) async throws -> [NamedCheckpoint.Summary] {
        named.checkpointSummaries(of: processor)
    }

    public func namedCheckpoint(_ id: Identifier) async throws -> NamedCheckpoint? { named.namedCheckpoint(id) }

    public func removeNamedCheckpoint(_ id: Identifier) async throws -> Bool { named.removeNamedCheckpoint(id) }

    public func record(_ charges: [Charge]) async throws -> [Charge] {
        state.withLock { $0.record(charges) }
    }

    public func charges(matching filter: ChargeFilter) async throws -> [Charge] {
        state.withLock { state in
            let range = (filter.after ?? 0)..<max(filter.after ?? 0, filter.upTo ?? .max)
            let places =
                filter.runID.map { state.chargesOfRun[$0] ?? [] }
                ?? filter.executionID.map { state.chargesOfExecution[$0] ?? [] }
            guard let places else {
                return state.charges[range.clamped(to: state.charges.indices)].filter(filter.matches)
            }
            return places.filter(range.contains).map { state.charges[$0] }.filter(filter.matches)
        }
    }

    public func ledgerPosition() async throws -> Int { state.withLock { $0.charges.count } }

    public func total(matching filter: ChargeFilter) async throws -> MoneySum {
        try await charges(matching: filter).reduce(.zero) { $0 + $1.cost }
    }

    public func recordedKeys(among keys: [String]) async throws -> Set<String> {
        state.withLock { state in
            Set(keys.filter { state.chargeKeys.contains(ExternalID(unchecked: $0)) })
        }
    }

    @discardableResult
    public func file(
        _ call: CallRecord, charge: Charge?, cached: CacheEntry?
    ) async throws -> (isFiled: Bool, isCharged: Bool) {
        state.withLock { state in
            if let place = state.callPlaces[call.callID] {
                let known = state.calls[place]
                guard let call = call.following(known.state, of: known.runID, openedBy: known.attempt) else {
                    guard let charge, call.keepsWhenRefused(charge) else { return (false, false) }
                    return (false, !state.record([charge]).isEmpty)
                }
                state.calls[place] = call
                state.noteDoubt(at: place)
            } else {
                state.callPlaces[call.callID] = state.calls.count
                state.callsOfExecution[call.executionID, default: []].append(state.calls.count)
                state.calls.append(call)
                state.noteDoubt(at: state.calls.count - 1)
            }
            if let cached { state.cache[cached.key] = cached }
            return (true, !state.record(charge.map { [$0] } ?? []).isEmpty)
        }
    }

    public func calls(matching filter: CallFilter) async throws -> [CallRecord] {
        state.withLock { state in
            let places: [Int]
            if filter.states == [.inDoubt] {
                places = state.callsInDoubt.sorted()
            } else if let execution = filter.executionID {
                places = state.callsOfExecution[execution] ?? []
            } else {
                places = Array(state.calls.indices)
            }
            return places.map { state.calls[$0] }.filter { call in
                filter.matches(call) && (filter.billedTo.map { state.bills(call, to: $0) } ?? true)
            }
        }
    }

    public func note(doubt callID: String, metBy run: Run.ID, of execution: Execution.ID) async throws {
        state.withLock { state in
            guard let place = state.callPlaces[callID], state.calls[place].state == .inDoubt,
                state.meetings[callID]?.contains(where: { $0.run == run }) != true
            else { return }
            state.meetings[callID, default: []].append((run, execution))
        }
    }

    public func cached(_ key: String) async throws -> CacheLookup {
        state.withLock { $0.cache[key].map { .found($0) } ?? .missing }
    }

    public func cacheEntries(
        matching filter: CacheFilter, after key: String?, limit: Int
    ) async throws -> (entries: [CacheEntry], damaged: Int) {
        let found = state.withLock { state in
            state.cache.values.filter { entry in
                filter.matches(entry) && (key.map { $0.utf8.lexicographicallyPrecedes(entry.key.utf8) } ?? true)
            }
        }
        let sorted = found.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
        return (entries: Array(sorted.prefix(max(0, limit))), damaged: 0)
    }

    public func removeCacheEntries(matching filter: CacheFilter) async throws -> Int {
        state.withLock { state in
            let count = state.cache.count
            state.cache = state.cache.filter { !filter.matches($0.value) }
            return count - state.cache.count
        }
    }

    public func useCacheEntry(_ key: String, charge: Charge) async throws {
        state.withLock { state in
            state.cache[key]?.hits += 1
            _ = state.record([charge])
        }
    }

    public func add(_ price: Price, for subject: PriceSubject, at moment: Timestamp) async throws {
        priceList.withLock { $0.add(price, for: subject) }
    }

    public func prices() async throws -> PriceList { priceList.withLock { $0 } }

    public func append(_ events: [Event]) async throws {
        state.withLock { state in
            for event in events {
                if let run = event.runID { state.runs[run]?.events.append(event) }
            }
        }
    }

    public func append(_ lines: [LogLine], keeping limits: LogLimits) async throws {
        state.withLock { state in
            let known = lines.filter { state.runs[$0.runID] != nil }
            state.log.append(known, keeping: limits)
        }
    }

    public func logLines(matching filter: LogFilter, limit: Int) async throws -> [LogLine] {
        state.withLock { $0.log.lines(matching: filter, limit: limit) }
    }

    public func events(of run: Run.ID, after sequence: Int, limit: Int) async throws -> [Event] {
        state.withLock { state in
            Array((state.runs[run]?.events ?? []).drop { ($0.sequence ?? 0) <= sequence }.prefix(limit))
        }
    }
}

extension MemoryStore.State {
    /// Records an outcome unless the item already has one.
    mutating func commit(_ committed: CommittedOutcome, to stored: MemoryStore.StoredRun) -> Bool {
        let index = committed.outcome.index - stored.released
        guard stored.outcomes[index] == nil else { return false }
        stored.outcomes[index] = committed.outcome
        if !committed.charges.isEmpty { _ = record(committed.charges) }
        if let entry = committed.cached { cache[entry.key] = entry }
        return true
    }

    /// Updates the index of calls in doubt.
    fileprivate mutating func noteDoubt(at place: Int) {
        if calls[place].state == .inDoubt { callsInDoubt.insert(place) } else { callsInDoubt.remove(place) }
    }

    /// Returns whether a bill of `subject` lists a call.
    fileprivate func bills(_ call: CallRecord, to subject: CallFilter.BillSubject) -> Bool {
        let meetings = call.state == .inDoubt ? meetings[call.callID] ?? [] : []
        return switch subject {
        case .run(let run): call.runID == run || meetings.contains { $0.run == run }
        case .execution(let execution):
            call.executionID == execution || meetings.contains { $0.execution == execution }
        }
    }

    fileprivate mutating func record(_ charges: [Charge]) -> [Charge] {
        let new = charges.filter { charge in
            charge.key.map { chargeKeys.insert(ExternalID(unchecked: $0)).inserted } ?? true
        }
        for charge in new {
            chargesOfRun[charge.runID, default: []].append(self.charges.count)
            chargesOfExecution[charge.executionID, default: []].append(self.charges.count)
            self.charges.append(charge)
        }
        return new
    }
}

extension Outcome {
    /// Withdraws the output of a success, for a run that keeps no outputs after a failure.
    mutating func withdraw() {
        guard status == .succeeded else { return }
        (status, output, reason) = (.cancelled, nil, .atomic)
    }
}

extension ProcessingError {
    /// Returns the error for a second run of an execution at the same time.
    public static func alreadyRunning(_ execution: Execution.ID) -> ProcessingError {
        ProcessingError(
            .alreadyRunning, "execution '\(execution)' has a run in progress; wait for its end or cancel it first")
    }

    /// Returns the error for a second run with the same name.
    public static func runExists(_ run: Run.ID) -> ProcessingError {
        ProcessingError(.exists, "run '\(run)' is on record already; begin one with a fresh name")
    }
}
