/// A processor in a graph, with its ports and its settings there.
///
/// Charges, saved steps, cached outputs and events of the node are recorded under its `id` as `processor_id`, so one
/// processor can be in a graph more than once.
public struct Node: Sendable {
    /// The handling of items for which some inputs of a node never come.
    public enum Inputs: String, Codable, Sendable, CaseIterable {
        /// The node is skipped.
        case requireAll = "require_all"
        /// The node works with the inputs that have come, if any.
        case allowMissing = "allow_missing"
    }

    /// The node's name in its graph.
    public let id: Identifier
    /// The processor that it runs.
    public let processor: RegisteredProcessor
    /// The input ports, in order.
    public internal(set) var inputs: [Identifier]
    /// The output ports, in order.
    public internal(set) var outputs: [Identifier]

    /// The runner; `nil` means the graph's runner.
    public var runner: (any Runner)?
    /// The maximum number of items it works on at once.
    public var concurrency = 10
    /// The maximum duration of an attempt.
    public var timeout = Duration.seconds(3_600)
    /// The maximum time between calls of `heartbeat`, for a processor that makes them; `nil` means no limit.
    public var heartbeatTimeout: Duration?
    /// The strategy for its failures; `nil` means the graph's strategy.
    public var errorStrategy: (any ErrorStrategy)?
    /// Its use of outputs that earlier runs saved; `nil` means as the run does.
    public var recovery: RecoveryMode?
    /// The caching of its outputs; `nil` means none.
    public var cache: CachePolicy?
    /// Its base price, which takes precedence over database and price file.
    public var price: Price?
    /// The billing of its failed calls; `nil` means as the run's options say.
    public var billing: CallOptions.Billing?
    /// The handling of its calls with an unknown outcome; `nil` means as the run's options say.
    public var doubtPolicy: DoubtPolicy?
    /// The number of worker processes that one item may crash here; 1 allows no further attempt.
    public var maxCrashes = 3
    /// The handling of items for which some of its inputs never come.
    public var missingInputs = Inputs.requireAll
    /// The input ports whose value is a list of the values of all their pipes.
    public var appending: Set<Identifier> = []

    /// Creates a node named `id` that runs `processor`.
    ///
    /// - Throws: ``ProcessingError`` with code `configuration` when the name or a port is not an ``Identifier``, a port
    ///   is named twice, or one of its sides has no port.
    public init(
        _ id: String, _ processor: RegisteredProcessor, inputs: [String] = ["input"], outputs: [String] = ["output"]
    ) throws(ProcessingError) {
        self.id = try Identifier(id, as: "processor_id")
        self.processor = processor
        self.inputs = try Self.ports(inputs, "input", of: id)
        self.outputs = try Self.ports(outputs, "output", of: id)
    }

    /// Creates a node named `id` that runs `processor`, whose own name is ignored.
    ///
    /// - Throws: as ``init(_:_:inputs:outputs:)-(_,RegisteredProcessor,_,_)``.
    public init(
        _ id: String, _ processor: some Processor, inputs: [String] = ["input"], outputs: [String] = ["output"]
    ) throws(ProcessingError) {
        try self.init(id, RegisteredProcessor(processor), inputs: inputs, outputs: outputs)
    }

    /// Creates a node named `id` from a function, synchronous or not.
    ///
    /// - Throws: as ``init(_:_:inputs:outputs:)-(_,RegisteredProcessor,_,_)``.
    public init<Input: Codable & Sendable, Output: Codable & Sendable>(
        _ id: String, inputs: [String] = ["input"], outputs: [String] = ["output"],
        _ body: @escaping @Sendable (Input) async throws -> Output
    ) throws(ProcessingError) {
        let processor = ClosureProcessor<Input, Output>(try Identifier(id, as: "processor_id").text, free: body)
        try self.init(id, processor, inputs: inputs, outputs: outputs)
    }

    /// Creates a node named `id` from a function that also takes a ``Context``.
    ///
    /// - Throws: as ``init(_:_:inputs:outputs:)-(_,RegisteredProcessor,_,_)``.
    public init<Input: Codable & Sendable, Output: Codable & Sendable>(
        _ id: String, inputs: [String] = ["input"], outputs: [String] = ["output"],
        _ body: @escaping @Sendable (Input, Context) async throws -> Output
    ) throws(ProcessingError) {
        let processor = ClosureProcessor<Input, Output>(try Identifier(id, as: "processor_id").text, body)
        try self.init(id, processor, inputs: inputs, outputs: outputs)
    }

    /// Returns a copy of the node, changed by `change`.
    public func with(_ change: (inout Node) -> Void) -> Node {
        var node = self
        change(&node)
        return node
    }

    static func ports(
        _ names: [String], _ side: String, of node: String
    ) throws(ProcessingError) -> [Identifier] {
        guard !names.isEmpty else {
            throw ProcessingError(.configuration, "node '\(node)' needs at least one \(side) port")
        }
        var ports: [Identifier] = []
        var seen: Set<Identifier> = []
        for name in names {
            let port = try Identifier(name, as: "\(side) port")
            guard seen.insert(port).inserted else {
                throw ProcessingError(.configuration, "node '\(node)' has the \(side) port '\(port)' twice")
            }
            ports.append(port)
        }
        return ports
    }

    /// Returns whether it needs the values of several pipes.
    func isJoin(of pipes: Int) -> Bool { pipes > 1 && missingInputs == .requireAll }

    /// Checks that all settings are in range.
    func check() throws(ProcessingError) {
        guard concurrency >= 1 else {
            throw ProcessingError(
                .configuration, "concurrency of node '\(id)' must be at least 1, found \(concurrency)")
        }
        guard maxCrashes >= 1 else {
            throw ProcessingError(.configuration, "max_crashes of node '\(id)' must be at least 1, found \(maxCrashes)")
        }
        for (name, limit) in [("timeout", timeout), ("heartbeat_timeout", heartbeatTimeout)] {
            guard let limit, limit <= .zero else { continue }
            throw ProcessingError(
                .configuration, "\(name) of node '\(id)' must be greater than 0, found \(limit.secondsText)")
        }
        for port in appending.sorted() where !inputs.contains(port) { throw unknownPort(port.text, "input", inputs) }
    }

    /// Returns the error for a port that the node does not have on one of its sides.
    func unknownPort(_ name: String, _ side: String, _ known: [Identifier]) -> ProcessingError {
        let ending = Suggestion(for: name, among: known.map(\.text)).ending
        return ProcessingError(.graph, "processor '\(id)' has no \(side) \(name.quoted)\(ending)")
    }
}

extension Identifier {
    /// Creates the identifier `text`.
    ///
    /// - Parameter what: the thing that it names, for the message.
    /// - Throws: ``ProcessingError`` with code `configuration` for a text that breaks the rule.
    package init(_ text: String, as what: String) throws(ProcessingError) {
        guard let identifier = Identifier(text) else {
            throw ProcessingError(
                .configuration,
                "\(what) \(text.quoted) may only contain letters, digits, '.', '_' and '-', 1 to 128 of them, and not begin with '.'"
            )
        }
        self = identifier
    }
}
