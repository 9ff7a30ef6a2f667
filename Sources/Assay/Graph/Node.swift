/// A processor in a graph, with its ports and how it is to be run there.
///
/// The node's `id` is the `processor_id` under which its charges, saved steps, cached outputs and events are filed, so
/// one processor can stand in a graph more than once.
public struct Node: Sendable {
    /// What a node does on an item of which not all of its inputs come.
    public enum Inputs: String, Codable, Sendable, CaseIterable {
        /// It is skipped.
        case requireAll = "require_all"
        /// It works with what there is, if that is anything.
        case allowMissing = "allow_missing"
    }

    /// The node's name in its graph.
    public let id: Identifier
    /// What it does.
    public let processor: RegisteredProcessor
    /// The ports that take values, in order.
    public internal(set) var inputs: [Identifier]
    /// The ports that give values, in order.
    public internal(set) var outputs: [Identifier]

    /// Where it runs; `nil`: where the graph says.
    public var runner: (any Runner)?
    /// How many items it may work on at once.
    public var concurrency = 10
    /// The longest an attempt may take.
    public var timeout = Duration.seconds(3_600)
    /// The longest silence of a processor that beats with `heartbeat`; `nil`: any.
    public var heartbeatTimeout: Duration?
    /// What becomes of its failures; `nil`: as the graph says.
    public var errorStrategy: (any ErrorStrategy)?
    /// What it does with outputs that earlier runs saved; `nil`: what the run does.
    public var recovery: RecoveryMode?
    /// How its outputs are cached; `nil`: not at all.
    public var cache: CachePolicy?
    /// Its base price, before database and price file.
    public var price: Price?
    /// When its calls that fail are billed; `nil`: as the run's options say.
    public var billing: CallOptions.Billing?
    /// What becomes of its calls of unknown outcome; `nil`: as the run's options say.
    public var doubtPolicy: DoubtPolicy?
    /// How many worker processes an item may cost here; 1: no further attempt.
    public var maxCrashes = 3
    /// What it does on an item of which not all of its inputs come.
    public var missingInputs = Inputs.requireAll
    /// The input ports whose value is the list of the values of all their pipes.
    public var appending: Set<Identifier> = []

    /// A node named `id` that runs `processor`.
    ///
    /// - Throws: ``ProcessingError`` with code `configuration` when the name or a port is not an ``Identifier``, a port
    ///   is named twice, or there is none on one of its sides.
    public init(
        _ id: String, _ processor: RegisteredProcessor, inputs: [String] = ["input"], outputs: [String] = ["output"]
    ) throws(ProcessingError) {
        self.id = try Identifier(id, as: "processor_id")
        self.processor = processor
        self.inputs = try Self.ports(inputs, "input", of: id)
        self.outputs = try Self.ports(outputs, "output", of: id)
    }

    /// A node named `id` that runs `processor`, whatever that is called elsewhere.
    ///
    /// - Throws: as ``init(_:_:inputs:outputs:)-(_,RegisteredProcessor,_,_)``.
    public init(
        _ id: String, _ processor: some Processor, inputs: [String] = ["input"], outputs: [String] = ["output"]
    ) throws(ProcessingError) {
        try self.init(id, RegisteredProcessor(processor), inputs: inputs, outputs: outputs)
    }

    /// A node named `id` that is a function, synchronous or not.
    ///
    /// - Throws: as ``init(_:_:inputs:outputs:)-(_,RegisteredProcessor,_,_)``.
    public init<Input: Codable & Sendable, Output: Codable & Sendable>(
        _ id: String, inputs: [String] = ["input"], outputs: [String] = ["output"],
        _ body: @escaping @Sendable (Input) async throws -> Output
    ) throws(ProcessingError) {
        let processor = ClosureProcessor<Input, Output>(try Identifier(id, as: "processor_id").text, free: body)
        try self.init(id, processor, inputs: inputs, outputs: outputs)
    }

    /// A node named `id` that is a function which also takes what a processor may ask for.
    ///
    /// - Throws: as ``init(_:_:inputs:outputs:)-(_,RegisteredProcessor,_,_)``.
    public init<Input: Codable & Sendable, Output: Codable & Sendable>(
        _ id: String, inputs: [String] = ["input"], outputs: [String] = ["output"],
        _ body: @escaping @Sendable (Input, Context) async throws -> Output
    ) throws(ProcessingError) {
        let processor = ClosureProcessor<Input, Output>(try Identifier(id, as: "processor_id").text, body)
        try self.init(id, processor, inputs: inputs, outputs: outputs)
    }

    /// The node with what `change` changes.
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

    /// Whether it needs the values of several pipes.
    func isJoin(of pipes: Int) -> Bool { pipes > 1 && missingInputs == .requireAll }

    /// Throws when a setting is out of its range.
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

    /// The error of a port that the node does not have on one of its sides.
    func unknownPort(_ name: String, _ side: String, _ known: [Identifier]) -> ProcessingError {
        let ending = Suggestion(for: name, among: known.map(\.text)).ending
        return ProcessingError(.graph, "processor '\(id)' has no \(side) \(name.quoted)\(ending)")
    }
}

extension Identifier {
    /// The identifier spelled `text`.
    ///
    /// - Parameter what: what it names, for the message.
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
