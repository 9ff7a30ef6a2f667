import Synchronization

/// What is handed to a queue: what to do, for whom, and when its turn is.
public struct Submission: Sendable {
    /// Gives the next items, at most `limit`; none at the end.
    public typealias Items = @Sendable (_ limit: Int) async throws -> [Item]

    /// The name of the execution; `nil` for a new one.
    public var executionID: Execution.ID?
    /// A name under which the same may be submitted again without being made again.
    public var idempotencyKey: String?
    /// The processor, or the graph, that works on it.
    public var processorID: Identifier
    /// Whether that is a graph.
    public var isOfGraph = false
    /// The digest of the pipeline's definition as it is written, by which workers know what is theirs; `nil` for what is
    /// known by its name alone.
    public var pipeline: Digest?
    /// Begins to read what it works on.
    public var items: @Sendable () -> Items
    /// For whom it works.
    public var scope = Scope()
    /// What is taken first, the lower the earlier; `nil` for the time of submission in seconds since 1970, so that any
    /// small number goes before it, and ``Execution/lowPriority`` for after all others.
    public var priority: Double?
    /// What the admission policy is shown.
    public var request: JSONObject = [:]
    /// What its runs are made of, for the code that knows processors by name.
    public var runRequest: JSONValue = [:]
    /// The longest each of its runs may take.
    public var timeout: Duration?
    /// Whether what its items emit is delivered while it runs.
    public var isStreaming = false
    /// The moment before which it is not taken.
    public var notBefore: Timestamp?
    /// Whether the files of its items are read anew, whatever is on record of their contents.
    public var rehash = false
    /// What is to be remembered.
    public var metadata: JSONObject = [:]
    /// The files that its processors are made of, by whose contents it is compared with another one under its key.
    package var definitionFiles: [DefinitionFiles.Entry] = []

    /// A processor over items that arrive over time, which can be submitted once; the list may be of any length.
    public init(_ processorID: Identifier, streaming items: @escaping Items) {
        self.processorID = processorID
        self.items = { items }
    }

    /// A processor over items.
    public init(_ processorID: Identifier, over items: [Item]) {
        self.processorID = processorID
        self.items = {
            let position = ListPosition()
            return { limit in Array(items[position.advance(by: limit, upTo: items.count)]) }
        }
    }

    /// A graph over items.
    public init(graph: Identifier, over items: [Item]) {
        self.init(graph, over: items)
        isOfGraph = true
    }

    /// A processor over values, which are named `item_1`, `item_2`, …
    public init(_ processorID: Identifier, over inputs: some Sequence<some Codable & Sendable>) {
        self.init(processorID, over: inputs.enumerated().map { Item("item_\($0 + 1)", $1) })
    }

    /// Checks what can be checked before anything is stored.
    func validate() throws(ProcessingError) {
        func refuse(_ message: String) throws(ProcessingError) -> Never {
            throw ProcessingError(.configuration, message)
        }
        if let priority, !priority.isFinite { try refuse("priority must be a finite number, found \(priority)") }
        if let timeout, timeout < .milliseconds(1) {
            try refuse("timeout must be at least 1 ms, found \(timeout.secondsText)")
        }
        if let idempotencyKey, ExternalID(idempotencyKey) == nil {
            try refuse("idempotency_key must be 1 byte to 1 KiB of text without control characters")
        }
        guard metadata.members.count <= 64 else {
            try refuse("metadata must have at most 64 keys, found \(metadata.members.count)")
        }
        for member in metadata.members where member.value.json.utf8.count > 1_024 {
            try refuse("metadata '\(member.key)' must be at most 1 KiB")
        }
        for (name, object) in [("request", request), ("metadata", metadata)] {
            guard JSONValue.object(object).depth <= Self.deepest else {
                try refuse("\(name) must be nested at most \(Self.deepest) deep")
            }
        }
    }

    /// How deep maps and lists may lie in each other in what is stored beside the work.
    private static let deepest = 16
}

extension Duration {
    /// A number of seconds as a length of time.
    ///
    /// - Throws: ``ProcessingError`` with code `configuration` for what is not greater than 0, not finite or not a
    ///   number.
    public init(timeoutInSeconds seconds: Double) throws(ProcessingError) {
        guard seconds.isFinite, seconds > 0, seconds <= 36_500 * 86_400 else {
            throw ProcessingError(.configuration, "timeout must be greater than 0 and at most 36500d, found \(seconds)")
        }
        self = .seconds(seconds)
    }
}

extension JSONValue {
    fileprivate var depth: Int {
        switch self {
        case .null, .bool, .number, .string: 0
        case .array(let elements): 1 + (elements.map(\.depth).max() ?? 0)
        case .object(let object): 1 + (object.members.map(\.value.depth).max() ?? 0)
        }
    }
}
