/// What a run would do with each of its inputs, and what that would cost at the prices of now.
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
    /// Unit prices that the figures are made of, by service and operation.
    public var prices: [String: Money]
    /// Every input in order.
    public var entries: [Entry]
    /// Why the run would be stopped before any extraction; `nil` when it would not.
    public var gate: String?
    /// Budgets that the run may come up against, each in a sentence.
    public var warnings: [String]
    /// The nodes of a graph in order; `nil` for one processor.
    public var nodes: [Node]?

    /// A plan of nothing.
    package static let nothing = Plan(
        processorID: Identifier(unchecked: "none"), definition: Digest(of: .null), executionID: nil, runner: "",
        currency: "USD", base: .zero, prices: [:], entries: [], gate: nil, warnings: [])

    /// What the run costs at least if all inputs succeed.
    public var low: MoneySum { entries.reduce(MoneySum(base)) { $0 + $1.low } }

    /// The most the run costs; `nil` when nobody knows for some input.
    public var high: MoneySum? {
        guard let furtherBase else { return nil }
        var sum = MoneySum(base) + furtherBase
        for entry in entries {
            guard let high = entry.high else { return nil }
            sum += high
        }
        return sum
    }

    /// How many inputs would be treated in which way.
    public var counts: [Action: Int] { entries.reduce(into: [:]) { $0[$1.action, default: 0] += 1 } }

    /// Takes note that the run would be refused, since another definition worked on an input.
    mutating func refuse(_ error: ProcessingError, _ entry: inout Entry) {
        (entry.action, entry.reason) = (.changedProgram, error.message)
        (entry.calls, entry.high) = (0, .zero)
        gate = gate ?? error.message
    }

    /// Has every input skipped that is not as an earlier run left it: a gate stops the run.
    mutating func skipRest() {
        for place in entries.indices where ![.carried, .kept, .changedProgram].contains(entries[place].action) {
            entries[place].action = .skipped
            (entries[place].calls, entries[place].hits) = (0, 0)
            (entries[place].low, entries[place].high) = (.zero, .zero)
        }
    }

    /// What is different in `other`, each difference in a sentence that names the thing; at most `limit` and a count.
    public func differences(from other: Plan, limit: Int = 10) -> [String] {
        var found: [String] = []
        func compare(_ what: String, _ now: String, _ then: String) {
            if now != then { found.append("\(what) is \(now), was \(then)") }
        }
        compare("the processor", processorID.text, other.processorID.text)
        if definition != other.definition {
            let changes = Definition.differences(of: definitionParts, from: other.definitionParts)
            found += (changes.isEmpty ? ["its definition has changed"] : changes).map { "'\(processorID)': \($0)" }
        }
        compare("the execution", executionID?.text ?? "new", other.executionID?.text ?? "new")
        compare("the runner", runner, other.runner)
        compare("the currency", currency, other.currency)
        compare("the base charge", "\(base)", "\(other.base)")
        compare(
            "the base charge that may come besides", furtherBase.map { "\($0)" } ?? "unknown",
            other.furtherBase.map { "\($0)" } ?? "unknown")
        for name in Set(prices.keys).union(other.prices.keys).sorted() {
            compare(
                "the price of \(name)", prices[name].map { "\($0)" } ?? "none",
                other.prices[name].map { "\($0)" } ?? "none")
        }
        compare("what stops the run", gate ?? "nothing", other.gate ?? "nothing")
        compare("the number of inputs", "\(entries.count)", "\(other.entries.count)")
        for (now, then) in zip(nodes ?? [], other.nodes ?? []) where now != then {
            found.append("what node '\(now.processorID)' would do is otherwise")
        }
        for (now, then) in zip(entries, other.entries) where now != then { found.append(now.difference(from: then)) }
        guard found.count > limit else { return found }
        return found.prefix(limit) + ["and \(found.count - limit) more differences"]
    }
}

extension Plan.Entry {
    fileprivate func difference(from then: Plan.Entry) -> String {
        if !inputID.equalsInBytes(then.inputID) { return "input '\(inputID)' stands in the place of '\(then.inputID)'" }
        if digest != then.digest { return "the data of '\(inputID)' is another" }
        if action != then.action {
            return "'\(inputID)' would be \(action.rawValue) (\(reason)), was \(then.action.rawValue)"
        }
        if low != then.low || high != then.high {
            return "'\(inputID)' would cost \(low) to \(high.map { "\($0)" } ?? "?"), was \(then.low) to "
                + (then.high.map { "\($0)" } ?? "?")
        }
        return "'\(inputID)' would be done otherwise (\(reason)), was \(then.reason)"
    }
}
