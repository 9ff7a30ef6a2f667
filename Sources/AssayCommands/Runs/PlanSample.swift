import Assay

/// Some inputs of a plan, spread evenly over those that would be worked on, however many these are.
struct PlanSample {
    /// What is known of one of them.
    struct Choice: Sendable {
        let inputID: String
        let low: Money
        let high: Money?
    }

    private let size: Int
    /// Every so many inputs one is kept.
    private var stride = 1
    private var seen = 0
    private var kept: [Choice] = []

    /// A sample of at most `size` inputs.
    init(_ size: Int) { self.size = size }

    /// Takes what would be done with the next input.
    mutating func take(_ entry: Plan.Entry) {
        guard entry.action == .run || entry.action == .resumed, entry.group != .refused else { return }
        defer { seen += 1 }
        guard seen.isMultiple(of: stride) else { return }
        if kept.count == max(1_000, 4 * size) {
            kept = kept.enumerated().filter { $0.offset.isMultiple(of: 2) }.map(\.element)
            stride *= 2
            guard seen.isMultiple(of: stride) else { return }
        }
        kept.append(Choice(inputID: entry.inputID, low: entry.low, high: entry.high))
    }

    /// The inputs that were chosen, in their order.
    var choices: [Choice] {
        guard kept.count > size else { return kept }
        return (0..<size).map { kept[$0 * kept.count / size] }
    }

    /// What working on them costs at least, and at most if that is known, with the base charge `base`.
    func cost(_ base: Money) -> (low: MoneySum, high: MoneySum?) {
        choices.reduce((MoneySum(base), MoneySum(base))) { sum, choice in
            (sum.0 + choice.low, sum.1.flatMap { high in choice.high.map { high + $0 } })
        }
    }
}
