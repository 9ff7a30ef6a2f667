extension Plan {
    /// What is different in `other` besides its inputs, each difference in a sentence that names the thing.
    public func differences(from other: Plan) -> [String] {
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
        for name in Set(prices.keys).union(other.prices.keys).sorted() {
            compare(
                "the price of \(name)", prices[name].map { "\($0)" } ?? "none",
                other.prices[name].map { "\($0)" } ?? "none")
        }
        compare("the base charge", "\(base)", "\(other.base)")
        compare(
            "the base charge that may come besides", furtherBase.map { "\($0)" } ?? "unknown",
            other.furtherBase.map { "\($0)" } ?? "unknown")
        compare("what stops the run", gate ?? "nothing", other.gate ?? "nothing")
        compare("the number of inputs", "\(inputs)", "\(other.inputs)")
        for (now, then) in zip(nodes ?? [], other.nodes ?? []) where now != then {
            found.append("what node '\(now.processorID)' would do is otherwise")
        }
        return found
    }
}

extension Plan.Entry {
    /// What is different in the entry `then`, which stands at the same place; `nil` when nothing is.
    public func difference(from then: Plan.Entry) -> String? {
        guard self != then else { return nil }
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
