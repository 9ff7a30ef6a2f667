extension Plan {
    /// Inputs that are treated alike.
    public struct Group: Hashable, Sendable {
        /// What they have in common.
        public enum Kind: String, Codable, Sendable, CaseIterable {
            /// No earlier run of the execution had them.
            case new
            /// They failed in an earlier run, and are done again.
            case failed = "failed last time"
            /// An earlier run did not finish them.
            case unfinished = "not finished"
            /// Their data is another than in the earlier run.
            case changed = "changed input"
            /// They are done in full although an earlier run had them.
            case restarted = "done again"
            /// The run goes on from a checkpoint of them.
            case reopened = "from a checkpoint"
            /// The item cache has their results.
            case cached
            /// An earlier run finished them.
            case carried
            /// They are left as an earlier run ended them.
            case kept
            /// Another program worked on them than the one that would go on.
            case changedProgram = "changed program"
            /// They cannot be read, and fail.
            case refused
            /// A gate stops the run before.
            case skipped = "not reached"
        }

        /// What they have in common.
        public let kind: Kind
        /// How many they are.
        public internal(set) var inputs = 0
        /// How many go on from saved steps.
        public internal(set) var saved = 0
        /// Paid calls that would be made; `nil` when a processor does not tell.
        public internal(set) var calls: Int? = 0
        /// Paid calls that the cache would answer.
        public internal(set) var hits = 0
        /// What is not paid because the cache has it.
        public internal(set) var avoided = MoneySum.zero
        /// What they cost at least if they succeed.
        public internal(set) var low = MoneySum.zero
        /// The most they cost; `nil` when nobody knows.
        public internal(set) var high: MoneySum? = .zero
        /// The reason that all of them have; `nil` when it is not one.
        public internal(set) var reason: String?

        mutating func add(_ entry: Entry) {
            reason = inputs == 0 || reason == entry.reason ? entry.reason : nil
            inputs += 1
            if !entry.savedSteps.isEmpty { saved += 1 }
            calls = calls.flatMap { sum in entry.calls.map { sum + $0 } }
            hits += entry.hits
            avoided += entry.avoided
            low += entry.low
            high = high.flatMap { sum in entry.high.map { sum + $0 } }
        }
    }

    /// Counts an input.
    mutating func count(_ entry: Entry) {
        counts[entry.action, default: 0] += 1
        change(entry.group) { $0.add(entry) }
    }

    private mutating func change(_ kind: Group.Kind, _ body: (inout Group) -> Void) {
        if let place = groups.firstIndex(where: { $0.kind == kind }) { return body(&groups[place]) }
        var group = Group(kind: kind)
        body(&group)
        groups.append(group)
        groups.sort { $0.kind.place < $1.kind.place }
    }

    /// Records that the run would be refused, since another definition worked on an input.
    mutating func refuse(_ error: ProcessingError, _ entry: inout Entry) {
        (entry.action, entry.group, entry.reason) = (.changedProgram, .changedProgram, error.message)
        (entry.calls, entry.high) = (0, .zero)
        gate = gate ?? error.message
    }

    /// Has every input skipped that is not as an earlier run left it, when a gate stops the run.
    mutating func applyGate() {
        guard gate != nil else { return }
        let reached = groups.filter(\.kind.isReached)
        let rest = inputs - reached.reduce(0) { $0 + $1.inputs }
        groups = reached
        counts = counts.filter(\.key.isReached)
        guard rest > 0 else { return }
        counts[.skipped] = rest
        change(.skipped) { $0.inputs = rest }
    }

    /// What becomes of an input that was told before all of them were known: a gate has it skipped.
    public func settled(_ entry: Entry) -> Entry {
        guard gate != nil, !entry.action.isReached else { return entry }
        var entry = entry
        (entry.action, entry.group) = (.skipped, .skipped)
        (entry.calls, entry.hits, entry.avoided) = (0, 0, .zero)
        (entry.low, entry.high) = (.zero, .zero)
        return entry
    }
}

extension Plan.Action {
    /// Whether it is the same although a gate stops the run.
    fileprivate var isReached: Bool { [.carried, .kept, .changedProgram].contains(self) }
}

extension Plan.Group.Kind {
    fileprivate var isReached: Bool { [.carried, .kept, .changedProgram].contains(self) }

    fileprivate var place: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}

extension History.Verdict {
    /// The group of inputs that are worked on because of it.
    var group: Plan.Group.Kind {
        switch self {
        case .new: .new
        case .again(isReopened: true, _, _): .reopened
        case .again(_, _, let hasFailed): hasFailed ? .failed : .unfinished
        case .afresh(let changed): changed ? .changed : .restarted
        case .settled(let outcome, _): outcome.status == .succeeded ? .carried : .kept
        case .refused: .changedProgram
        }
    }
}
