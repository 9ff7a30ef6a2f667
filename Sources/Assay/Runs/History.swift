/// What earlier runs of an execution left of each item, looked up in the order in which the items come.
struct History {
    /// What a new run does with an item.
    enum Verdict {
        /// It was never seen before: runs in full.
        case new
        /// It was not finished, or is to go on from a checkpoint: runs, and its finished steps return their values.
        case again(isReopened: Bool, hasKilled: Bool, hasFailed: Bool)
        /// It comes with other data, or is to start over: runs in full, and its saved steps are forgotten.
        case afresh(changed: Bool)
        /// It has its outcome, at a place of an earlier run: taken over.
        case settled(Outcome, Intake.Carried)
        /// Another definition worked on it, and nobody said what that means; only plans come to it.
        case refused(ProcessingError)

        /// The reason in one word.
        var basis: ItemBasis {
            switch self {
            case .new: .new
            case .again(let isReopened, _, _): isReopened ? .reopened : .unfinished
            case .afresh(let changed): changed ? .changed : .restarted
            case .settled(let outcome, _): outcome.status == .succeeded ? .finished : .notFailed
            case .refused: .restarted
            }
        }
    }

    private var runs: [EarlierRun]
    private let keepsLists: Bool
    private let name: Identifier
    private let definition: Definition
    private let recovery: RecoveryMode
    private let onChange: ChangePolicy
    private let failedOnly: Bool
    private let isPlan: Bool
    /// Why the run would be refused, in a plan of it.
    private(set) var refusal: ProcessingError?
    /// The item that runs again whatever became of it.
    var reopened: String?
    /// The list that had the last item of ``verdict(on:at:by:)`` at the same place, if one did.
    private(set) var kept: Intake.Kept?
    private var submission: SubmittedList?

    /// The history of `processor` in an execution.
    ///
    /// - Parameters:
    ///   - former: the name under which earlier runs had the processor, if it had another one.
    ///   - failedOnly: whether everything but failed items keeps its outcome.
    ///   - isPlan: whether a changed processor is told of item by item, and refused by nobody.
    /// - Throws: ``ProcessingError`` with code `not_found` when what the last run did was deleted, `definition_changed` when the processor differs from the one whose steps
    ///   would be reused, unless `onChange` says what to do then.
    init(
        of processor: RegisteredProcessor, formerly former: Identifier?, in execution: Execution.ID,
        recovery: RecoveryMode, onChange: ChangePolicy, failedOnly: Bool, isPlan: Bool,
        store: any Store
    ) async throws {
        let all = try await store.runs(matching: RunFilter(executionID: execution)).filter(\.isAccepted)
        let earlier = all.filter { $0.processorID == processor.name || $0.processorID == former }
        if recovery == .resume || failedOnly, let last = earlier.first, last.deletedAt != nil {
            throw ProcessingError.deleted(last.id)
        }
        let definition = processor.definition(in: store)
        self.definition = definition
        name = processor.name
        if recovery == .resume, onChange == .refuse, earlier.isEmpty, processor.type != nil,
            let same = all.first(where: { $0.definition == definition.digest })
        {
            throw ProcessingError.renamed(same, processor.name)
        }
        if recovery == .resume || failedOnly, onChange == .refuse, let last = earlier.first,
            last.definition != definition.digest
        {
            let refusal = ProcessingError.definitionChanged(processor.name, definition, since: last)
            guard isPlan else { throw refusal }
            self.refusal = refusal
        }
        self.recovery = recovery
        self.onChange = onChange
        self.failedOnly = failedOnly
        self.isPlan = isPlan
        runs = earlier.map { EarlierRun($0, store: store) }
        keepsLists = store.keepsJSON && !isPlan
    }

    /// Looks for items on the list that the execution was submitted with as well.
    mutating func consult(_ list: InputList.ID, in store: any Store) {
        if keepsLists { submission = SubmittedList(list, store) }
    }

    /// What to do with `item` at `place`; items should come in the order of the earlier run, which makes this a single
    /// scan.
    mutating func verdict(
        on item: Item, at place: Int, by processor: RegisteredProcessor
    ) async throws -> Verdict {
        kept = nil
        if try await submission?.item(at: place)?.isIdentical(to: item) == true { kept = .submission }
        // The last run that had the item says how it stands.
        for index in runs.indices {
            guard let (stored, outcome) = try await runs[index].find(item.id) else { continue }
            let isIdentical = try keepsLists && stored.item.isIdentical(to: item)
            if isIdentical, stored.index == place, kept == nil { kept = .run(runs[index].run.id) }
            guard try isIdentical || Self.isSame(stored.item, item, for: processor) else {
                // A batch that prevalidation refused has left no mark.
                if outcome?.wasRefused == true { continue }
                return .afresh(changed: true)
            }
            let isReopened = reopened.map(item.id.equalsInBytes) ?? false
            guard failedOnly || recovery == .resume else { return .afresh(changed: false) }
            let run = runs[index].run
            let isOther = run.definition != definition.digest || run.processorID != name
            if isOther {
                switch onChange {
                case .keep: break
                case .restart: return .afresh(changed: false)
                case .refuse:
                    let refusal = ProcessingError.definitionChanged(processor.name, definition, since: run)
                    guard isPlan else { throw refusal }
                    return .refused(refusal)
                }
            }
            if let outcome, failedOnly, !outcome.isRetried, !isReopened {
                // What a run that was given up did not finish was to run in it.
                let isLeft = run.isGivenUp && outcome.status == .cancelled && !outcome.carried
                if !isLeft { return .settled(outcome, from: run, at: stored.index, to: place, isOther: isOther) }
            }
            guard recovery == .resume else { return .afresh(changed: false) }
            guard let outcome, outcome.status == .succeeded, !isReopened else {
                return .again(
                    isReopened: isReopened, hasKilled: outcome?.hasKilled == true,
                    hasFailed: outcome?.status == .failed)
            }
            return .settled(outcome, from: run, at: stored.index, to: place, isOther: isOther)
        }
        return .new
    }

    /// The definition under which a run is filed that uses what the last one left: mixed of both where that was made by
    /// another one, so that its continuation has to say once more what that means.
    var filedDefinition: Digest {
        guard onChange == .keep, failedOnly || recovery == .resume, let last = runs.first?.run,
            last.definition != definition.digest || last.processorID != name
        else { return definition.digest }
        return definition.digest.mixed(with: last.definition)
    }

    private static func isSame(_ earlier: Item, _ now: Item, for processor: RegisteredProcessor) throws -> Bool {
        if earlier.file != nil || now.file != nil {
            // What could not be read then has no content that could be the same.
            guard earlier.file?.digest != nil, now.file?.digest != nil else { return false }
            return try processor.digest(of: earlier) == processor.digest(of: now)
        }
        let (old, new) = (try earlier.data.json(), try now.data.json())
        return old == new || processor.digest(of: old) == processor.digest(of: new)
    }
}

/// The items of an earlier run, read in pages, with an index that is made once they come in another order.
private struct EarlierRun {
    let run: Run
    private let store: any Store
    private var pages: [Int: [(StoredItem, Outcome?)]] = [:]
    private var next = 0
    private var places: [ExternalID: Int]?

    private static let pageSize = 1_024
    /// Enough for lists that come in another order not to fetch a page for every item.
    private static let pagesKept = 64

    init(_ run: Run, store: any Store) {
        self.run = run
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
        let start = place - place % Self.pageSize
        if pages[start] == nil {
            let items = try await store.items(of: run.id, from: start, limit: Self.pageSize)
            var outcomes: [Int: Outcome] = [:]
            for outcome in try await store.outcomes(of: run.id, from: start, limit: Self.pageSize) {
                outcomes[outcome.index] = outcome
            }
            if pages.count >= (places == nil ? 1 : Self.pagesKept) { pages = [:] }
            pages[start] = items.map { ($0, outcomes[$0.index]) }
        }
        guard let page = pages[start], page.indices.contains(place - start) else { return nil }
        return page[place - start]
    }

    private mutating func makeIndex() async throws {
        var places: [ExternalID: Int] = [:]
        var start = 0
        while true {
            let items = try await store.items(of: run.id, from: start, limit: Self.pageSize)
            guard !items.isEmpty else { break }
            for entry in items { places[ExternalID(unchecked: entry.item.id)] = entry.index }
            start += items.count
        }
        self.places = places
    }
}

/// The items that an execution was submitted with, read in pages.
private struct SubmittedList {
    private let list: InputList.ID
    private let store: any Store
    private var page: [Item] = []
    private var start = 0

    init(_ list: InputList.ID, _ store: any Store) { (self.list, self.store) = (list, store) }

    mutating func item(at place: Int) async throws -> Item? {
        if !(start..<start + page.count).contains(place) {
            (start, page) = (place, try await store.items(of: list, from: place, limit: 1_024))
        }
        return page.first == nil ? nil : page[place - start]
    }
}

extension History.Verdict {
    /// The verdict on an item whose outcome is at `place` of an earlier run.
    fileprivate static func settled(
        _ outcome: Outcome, from run: Run, at place: Int, to index: Int, isOther: Bool
    ) -> Self {
        let carried = Intake.Carried(
            index: index, runID: run.id, place: place, status: outcome.status, isKept: outcome.isKept || isOther)
        return .settled(outcome.carriedOver(isKept: isOther), carried)
    }
}

extension Outcome {
    /// Whether a retry runs the item again: it failed, or its program never came to it.
    fileprivate var isRetried: Bool { status == .failed || status == .cancelled && reason == .programBroken }

    /// Whether nothing was done for it because its list, or its batch, was refused or stopped in a gate.
    fileprivate var wasRefused: Bool { status == .skipped || error?.step == Stage.prevalidation.rawValue }

    /// The outcome of an item that was not finished.
    init(_ entry: StoredItem, _ status: Status, _ reason: Reason?) {
        self.init(inputID: entry.item.id, index: entry.index, status: status, reason: reason)
        inputChanged = entry.inputChanged
    }
}

extension ProcessingError {
    /// The refusal to go on with what `run` left, under another name.
    static func renamed(_ run: Run, _ name: Identifier) -> ProcessingError {
        ProcessingError(
            .definitionChanged,
            "run '\(run.id)' is of '\(run.processorID)', which is called '\(name)' now; give it its name again, or say "
                + "on_change keep (use what was saved) or restart (do everything in full)")
    }

    /// The refusal to go on with what `run` left, with a processor that is another now.
    static func definitionChanged(
        _ processor: Identifier, _ definition: Definition, since run: Run
    ) -> ProcessingError {
        let differences = definition.differences(from: run.definitionParts)
        let what =
            if !differences.isEmpty {
                differences.prefix(10).joined(separator: ", ")
            } else if definition.parts == run.definitionParts {
                "that run went on with what another one had saved"
            } else {
                "it is another one"
            }
        return ProcessingError(
            .definitionChanged,
            "'\(processor)' is not what it was in run '\(run.id)': \(what); "
                + "say on_change keep (use what was saved) or restart (do those items in full)")
    }
}

extension ItemBasis {
    /// Whether what was saved of the item is of no use.
    var startsOver: Bool { self == .changed || self == .restarted }

    /// The reason for people.
    var words: String {
        switch self {
        case .new: "no earlier run of the execution had it"
        case .unfinished: "an earlier run did not finish it"
        case .changed: "its data is another than in the earlier run"
        case .restarted: "everything is done again"
        case .finished: "an earlier run finished it"
        case .notFailed: "only failed inputs run again"
        case .reopened: "the run goes on from a checkpoint of it"
        }
    }
}
