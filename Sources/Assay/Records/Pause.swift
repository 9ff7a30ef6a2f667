/// The point at which a run of a graph is paused, kept with the run until someone lets it continue.
///
/// It has all that another program needs to bring the run back to that point. Work that was done by then is saved
/// separately, and a start that a breakpoint has stopped once is not stopped again.
public struct Pause: Hashable, Sendable {
    /// The start before which it is paused.
    public let start: NodeStart
    /// Its breakpoints with their counts, in the order in which they were set.
    public internal(set) var breakpoints: [Breakpoint]
    /// The starts that were released after a stop and whose nodes have not ended.
    let released: Set<NodeStart.Key>
    /// The failures of nodes on items that are in flight; they are not repeated.
    var failures: [Failure] = []
    /// The number of items that error strategies have skipped.
    var skips: [StrategyPlace: StrategySkips] = [:]

    /// A node's failure for good on an item.
    struct Failure: Hashable, Sendable {
        let key: NodeStart.Key
        let attempts: Int
        let reason: Outcome.Reason?
        let error: FailureRecord?

        init(of node: Passage.Node, on inputID: String) {
            key = NodeStart.Key(processorID: node.id, inputID: ExternalID(unchecked: inputID))
            (attempts, reason, error) = (node.attempts, node.reason, node.error)
        }
    }

    /// A command to a paused run.
    public enum Move: String, Sendable, CaseIterable {
        /// Continue to the next hit.
        case goOn = "continue"
        /// Run the node it is paused before, and pause again before the next start.
        case step
    }

    init(before start: NodeStart, breakpoints: [Breakpoint], released: Set<NodeStart.Key>) {
        self.start = start
        self.breakpoints = breakpoints
        self.released = released
    }
}

extension Pause {
    /// The pause as stores and reports show it.
    public var jsonValue: JSONValue {
        [
            "processor_id": .string(start.processorID.text), "input_id": .string(start.inputID),
            "attempt": JSONValue(start.attempt), "value": start.value,
            "breakpoints": .array(breakpoints.map(\.jsonValue)),
            "released": .array(
                released.map { [.string($0.processorID.text), .string($0.inputID.text)] }
                    .sorted { "\($0)" < "\($1)" }),
            "failures": .array(failures.map(\.jsonValue)),
            "skips": .array(
                skips.map { place, skips in
                    [
                        JSONValue(place.node?.text), .array(place.path.map { JSONValue($0) }), JSONValue(skips.count),
                        .array(skips.items.map { .string($0) }),
                    ]
                }.sorted { "\($0)" < "\($1)" }),
        ]
    }

    /// Creates the pause that ``jsonValue`` wrote; `nil` for anything else.
    public init?(json: JSONValue) {
        guard let node = json["processor_id"]?.string.flatMap({ Identifier($0) }),
            let inputID = json["input_id"]?.string, let attempt = json["attempt"]?.number?.integer,
            let value = json["value"], let listed = json["breakpoints"]?.array, let pairs = json["released"]?.array
        else { return nil }
        var breakpoints: [Breakpoint] = []
        for one in listed {
            guard let breakpoint = Breakpoint(json: one) else { return nil }
            breakpoints.append(breakpoint)
        }
        var released: Set<NodeStart.Key> = []
        for pair in pairs {
            guard let parts = pair.array?.compactMap(\.string), parts.count == 2, let node = Identifier(parts[0])
            else { return nil }
            released.insert(NodeStart.Key(processorID: node, inputID: ExternalID(unchecked: parts[1])))
        }
        self.init(
            before: NodeStart(node, inputID: inputID, attempt: attempt, value: value), breakpoints: breakpoints,
            released: released)
        failures = json["failures"]?.array?.compactMap { Failure(json: $0) } ?? []
        for skip in json["skips"]?.array ?? [] {
            guard let parts = skip.array, parts.count >= 3, let path = parts[1].array?.compactMap(\.number?.integer),
                let count = parts[2].number?.integer
            else { return nil }
            let items = parts.count > 3 ? parts[3].array?.compactMap(\.string) ?? [] : []
            let place = StrategyPlace(node: parts[0].string.flatMap { Identifier($0) }, path: path)
            skips[place] = StrategySkips(count: count, items: items)
        }
    }
}

extension Pause.Failure {
    fileprivate var jsonValue: JSONValue {
        [
            "processor_id": .string(key.processorID.text), "input_id": .string(key.inputID.text),
            "attempts": JSONValue(attempts), "reason": JSONValue(reason?.rawValue), "error": error?.jsonValue ?? .null,
        ]
    }

    fileprivate init?(json: JSONValue) {
        guard let node = json["processor_id"]?.string.flatMap({ Identifier($0) }),
            let inputID = json["input_id"]?.string, let attempts = json["attempts"]?.number?.integer
        else { return nil }
        key = NodeStart.Key(processorID: node, inputID: ExternalID(unchecked: inputID))
        self.attempts = attempts
        reason = json["reason"]?.string.flatMap { Outcome.Reason(rawValue: $0) }
        error = json["error"].flatMap { FailureRecord(json: $0) }
    }
}
