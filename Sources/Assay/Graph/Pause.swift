/// Where a run of a graph stands still, kept with the run until somebody lets it go on.
///
/// It has all that another program needs to bring the run back to where it stood: what had been done by then is saved
/// by itself, and what a breakpoint has stopped once does not stop again.
public struct Pause: Hashable, Sendable {
    /// The start that it is paused before.
    public let start: NodeStart
    /// Its breakpoints with what they have counted, in the order in which they were set.
    public let breakpoints: [Breakpoint]
    /// Starts that were let go after a stop and whose nodes have not ended.
    let released: Set<NodeStart.Key>

    /// What a paused run may be told to do.
    public enum Move: String, Sendable, CaseIterable {
        /// Go on to the next hit.
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
        ]
    }

    /// The pause that ``jsonValue`` wrote; `nil` for what it did not.
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
    }
}
