/// What earlier runs of an execution left of each item, looked up in the order in which the items come.
struct History {
    /// What a new run does with an item.
    enum Verdict {
        /// It was never seen before: runs in full.
        case new
        /// It was not finished: runs, and its finished steps return their values.
        case again
        /// It comes with other data, or is to start over: runs in full, and its saved steps are forgotten.
        case afresh(changed: Bool)
        /// It has its outcome: taken over.
        case settled(Outcome)
    }

    private var runs: [EarlierRun]
    private let recovery: RunOptions.Recovery
    private let restarts: Bool
    private let failedOnly: Bool

    /// The history of `processor` in an execution.
    ///
    /// - Parameter failedOnly: whether everything but failed items keeps its outcome.
    /// - Throws: ``ProcessingError`` with code `definition_changed` when the processor differs from the one whose steps
    ///   would be reused, unless `onChange` says what to do then.
    init(
        of processor: RegisteredProcessor, in execution: Execution.ID, recovery: RunOptions.Recovery,
        onChange: RunOptions.DefinitionChange, failedOnly: Bool, store: any Store
    ) async throws {
        let filter = RunFilter(executionID: execution, processorID: processor.name)
        let earlier = try await store.runs(matching: filter)
        let changed = recovery == .resume && earlier.first.map { $0.definition != processor.definition } ?? false
        if changed, onChange == .refuse {
            throw ProcessingError(
                .definitionChanged,
                "processor '\(processor.name)' has another version or parameters than in run '\(earlier[0].id)'; "
                    + "say on_change keep (use what was saved) or restart (do those items in full)")
        }
        restarts = changed && onChange == .restart
        self.recovery = recovery
        self.failedOnly = failedOnly
        runs = earlier.map { EarlierRun($0.id, store: store) }
    }

    /// What to do with `item`; items should come in the order of the earlier run, which makes this a single scan.
    mutating func verdict(on item: Item, by processor: RegisteredProcessor) async throws -> Verdict {
        for index in runs.indices {
            guard let (stored, outcome) = try await runs[index].find(item.id) else { continue }
            let same = try Self.isSame(stored.item.data, item.data, for: processor)
            guard same else { return .afresh(changed: true) }
            if failedOnly, let outcome, outcome.status != .failed { return .settled(outcome.takenOver()) }
            guard recovery == .resume, !restarts else { return .afresh(changed: false) }
            guard let outcome, outcome.status == .succeeded else { return .again }
            return .settled(outcome.takenOver())
        }
        return .new
    }

    private static func isSame(_ earlier: Payload, _ now: Payload, for processor: RegisteredProcessor) throws -> Bool {
        let (earlier, now) = (try earlier.json(), try now.json())
        return earlier == now || processor.digest(of: earlier) == processor.digest(of: now)
    }
}

/// The items of an earlier run, read in pages, with an index that is made once they come in another order.
private struct EarlierRun {
    private let id: Run.ID
    private let store: any Store
    private var page: [(StoredItem, Outcome?)] = []
    private var pageStart = 0
    private var next = 0
    private var places: [ExternalID: Int]?

    init(_ id: Run.ID, store: any Store) {
        self.id = id
        self.store = store
    }

    mutating func find(_ inputID: String) async throws -> (StoredItem, Outcome?)? {
        if places == nil {
            if let entry = try await entry(at: next), entry.0.item.id.equalsInBytes(inputID) {
                next += 1
                return entry
            }
            try await makeIndex()
        }
        guard let place = places?[ExternalID(unchecked: inputID)] else { return nil }
        return try await entry(at: place)
    }

    private mutating func entry(at place: Int) async throws -> (StoredItem, Outcome?)? {
        if !page.indices.contains(place - pageStart) {
            let items = try await store.items(of: id, from: place, limit: 1_024)
            var outcomes: [Int: Outcome] = [:]
            for outcome in try await store.outcomes(of: id, from: place, limit: 1_024) {
                outcomes[outcome.index] = outcome
            }
            page = items.map { ($0, outcomes[$0.index]) }
            pageStart = place
        }
        return page.isEmpty ? nil : page[place - pageStart]
    }

    private mutating func makeIndex() async throws {
        var places: [ExternalID: Int] = [:]
        var start = 0
        while true {
            let items = try await store.items(of: id, from: start, limit: 1_024)
            guard !items.isEmpty else { break }
            for entry in items { places[ExternalID(unchecked: entry.item.id)] = entry.index }
            start += items.count
        }
        self.places = places
    }
}

extension Outcome {
    /// The outcome in a later run that does not work on the item again.
    fileprivate func takenOver() -> Outcome {
        var outcome = Outcome(inputID: inputID, index: index, status: status, reason: reason)
        outcome.output = output
        outcome.error = error
        outcome.carried = true
        return outcome
    }

    /// The outcome of an item that was not finished.
    init(_ entry: StoredItem, _ status: Status, _ reason: Reason?) {
        self.init(inputID: entry.item.id, index: entry.index, status: status, reason: reason)
        inputChanged = entry.inputChanged
    }
}
