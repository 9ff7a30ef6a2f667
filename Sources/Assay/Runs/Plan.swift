/// What a run would do with its inputs, and what that would cost at the prices of now.
///
/// It holds sums and groups, however many inputs there are; each input is told while the plan is made.
public struct Plan: Sendable {
    /// What would be done with an input.
    public enum Action: String, Codable, Sendable, CaseIterable {
        /// Worked on in full.
        case run
        /// Worked on from where an earlier run left it.
        case resumed
        /// Answered from the item cache.
        case cached
        /// Taken over, with its output, from an earlier run.
        case carried
        /// Left as an earlier run ended it.
        case kept
        /// Refused, since its program is another than the one whose results would be used.
        case changedProgram = "changed program"
        /// Not reached, since a gate would stop the run.
        case skipped
    }

    /// What would be done with one input.
    public struct Entry: Hashable, Sendable {
        /// The input.
        public var inputID: String
        /// What would be done with it.
        public var action: Action
        /// The group that it is counted in.
        public var group: Group.Kind
        /// Why.
        public var reason: String
        /// The digest of its data.
        public var digest: Digest
        /// Steps whose saved values would be used.
        public var savedSteps: [String] = []
        /// Paid calls that would be made; `nil` when its processor does not tell.
        public var calls: Int?
        /// Paid calls that the cache would answer.
        public var hits = 0
        /// What is not paid because the cache has it.
        public var avoided = Money.zero
        /// What it costs at least if it succeeds.
        public var low = Money.zero
        /// The most it costs; `nil` when nobody knows.
        public var high: Money?
    }

    /// What would be done at one node of a graph, over all inputs.
    public struct Node: Hashable, Sendable {
        /// The node.
        public var processorID: Identifier
        /// Inputs it works on, if all before it succeeds.
        public var starts = 0
        /// Inputs it may work on besides: whether it does is known only when nodes before it have run.
        public var possibleStarts = 0
        /// Inputs whose saved output would be used.
        public var saved = 0
        /// Inputs that the item cache answers.
        public var cached = 0
        /// Its base charges, as far as they are certain.
        public var base = Money.zero
        /// Its base charges that may come besides; `nil` when nobody knows.
        public var furtherBase: Money? = .zero
        /// Paid calls that would be made; `nil` when its processor does not tell.
        public var calls: Int? = 0
        /// Paid calls that the cache would answer.
        public var hits = 0
        /// What its charges and calls cost at least.
        public var low = Money.zero
        /// The most they cost; `nil` when nobody knows.
        public var high: Money? = .zero
        /// Why its costs are not exact; `nil` when they are.
        public var unknown: String?

        /// Nothing at the node `processorID`.
        public init(_ processorID: Identifier) { self.processorID = processorID }
    }

    /// What inputs probably cost whose processors do not tell it: the mean of inputs of an earlier run, at the prices of
    /// now. Never exact.
    public struct Estimate: Hashable, Sendable {
        /// The run.
        public var runID: Run.ID
        /// Whether that run was made to find out.
        public var isSample: Bool
        /// How many of its inputs the mean is of.
        public var basis: Int
        /// How many inputs of the plan it stands for.
        public var inputs = 0
        /// What these probably cost.
        public var cost = MoneySum.zero
    }

    /// The processor, or the graph.
    public var processorID: Identifier
    /// Its version and parameters.
    public var definition: Digest
    /// The parts of ``definition``, each by a digest, so that it can be said what has changed.
    public var definitionParts: JSONValue = [:]
    /// The execution that the run would belong to; `nil` for a new one.
    public var executionID: Execution.ID?
    /// The runner's name.
    public var runner: String
    /// The currency of all amounts.
    public var currency: String
    /// The base charge; of a graph those that are certain.
    public var base: Money
    /// Base charges of nodes that may come besides; `nil` when nobody knows.
    public var furtherBase: Money? = .zero
    /// Prices that the figures are made of, by processor, or by service and operation.
    public var prices: [String: Money]
    /// The inputs in groups of those that are treated alike, in the order of ``Group/Kind``; none is empty.
    public internal(set) var groups: [Group] = []
    /// How many inputs would be treated in which way.
    public internal(set) var counts: [Action: Int] = [:]
    /// Why the run would be stopped before any extraction; `nil` when it would not.
    public var gate: String?
    /// Budgets that the run may come up against, each in a sentence.
    public var warnings: [String]
    /// The nodes of a graph in order; `nil` for one processor.
    public var nodes: [Node]?
    /// What those inputs probably cost that have no exact figures; `nil` when all have, or no run says it.
    public var estimate: Estimate?

    /// A plan of nothing.
    package static let nothing = Plan(
        processorID: Identifier(unchecked: "none"), definition: Digest(of: .null), executionID: nil, runner: "",
        currency: "USD", base: .zero, prices: [:], gate: nil, warnings: [])

    /// How many inputs there are.
    public var inputs: Int { groups.reduce(0) { $0 + $1.inputs } }

    /// What the run costs at least if all inputs succeed.
    public var low: MoneySum { groups.reduce(MoneySum(base)) { $0 + $1.low } }

    /// The most the run costs; `nil` when nobody knows for some input.
    public var high: MoneySum? {
        guard let furtherBase else { return nil }
        var sum = MoneySum(base) + furtherBase
        for group in groups {
            guard let high = group.high else { return nil }
            sum += high
        }
        return sum
    }

    /// What the run probably costs, where that is only estimated.
    public var expected: MoneySum? { estimate.map { low + $0.cost } }
}
