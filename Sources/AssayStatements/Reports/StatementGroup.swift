/// The statements of one account, by period and without duplicates.
struct StatementGroup {
    private(set) var parts: [StatementReport.Part]

    private struct Account: Hashable {
        var account: String
        var currency: String?
    }

    /// Groups statements by account and currency.
    static func groups(_ all: [StatementReport.Part]) -> [StatementGroup] {
        var groups: [StatementGroup] = []
        var places: [Account: Int] = [:]
        var unnamed: [StatementReport.Part] = []
        for part in all {
            guard let number = part.account else {
                unnamed.append(part)
                continue
            }
            let account = Account(account: number, currency: part.currency)
            if let place = places[account] {
                groups[place].parts.append(part)
            } else {
                places[account] = groups.count
                groups.append(StatementGroup(parts: [part]))
            }
        }
        for index in groups.indices { groups[index].arrange() }
        return groups + chained(unnamed)
    }

    /// Statements without an account: each goes to the group it carries on, or begins one.
    private static func chained(_ parts: [StatementReport.Part]) -> [StatementGroup] {
        var whole = StatementGroup(parts: parts)
        whole.arrange()
        var groups: [StatementGroup] = []
        for part in whole.parts {
            let place = groups.firstIndex { group in
                guard let last = group.parts.last, last.currency == part.currency, last.activity.closing != nil else {
                    return false
                }
                return link(last.activity, part.activity) == .ok
            }
            if let place { groups[place].parts.append(part) } else { groups.append(StatementGroup(parts: [part])) }
        }
        return groups
    }

    /// Sorts by period, keeping the order of the file within one, and drops exact duplicates.
    private mutating func arrange() {
        let order = parts.indices.sorted { left, right in
            let (a, b) = (parts[left].activity, parts[right].activity)
            let keys = ((a.from ?? Day(number: 0)).number, (a.to ?? Day(number: 0)).number, left)
            return keys < ((b.from ?? Day(number: 0)).number, (b.to ?? Day(number: 0)).number, right)
        }
        var seen = Set<StatementReport.Part>()
        parts = order.map { parts[$0] }.filter { part in
            var bare = part
            bare.entries = nil
            return seen.insert(bare).inserted
        }
    }

    /// How the statements follow each other; the first break decides.
    var chain: AccountReport.Chain {
        for (previous, next) in zip(parts, parts.dropFirst()) {
            let link = StatementGroup.link(previous.activity, next.activity)
            if link != .ok { return link }
        }
        return .ok
    }

    private static func link(_ previous: Activity, _ next: Activity) -> AccountReport.Chain {
        guard let end = previous.to, let start = next.from else { return .gap }
        let days = start - end
        let goesOn = previous.closing == nil || next.opening == nil || previous.closing == next.opening
        if (days == 0 || days == 1) && goesOn { return .ok }
        return days > 0 ? .gap : .overlap
    }

    /// The credits of one account whose money left another one at most two days before or after.
    static func ownTransfers(into index: Int, of groups: [StatementGroup]) -> Set<TransferLeg> {
        guard groups.count > 1 else { return [] }
        var sent: [Amount: [Day]] = [:]
        for (other, group) in groups.enumerated() where other != index {
            guard group.parts.first?.currency == groups[index].parts.first?.currency else { continue }
            group.forEachEntry { day, amount in if amount < .zero { sent[-amount, default: []].append(day) } }
        }
        var legs = Set<TransferLeg>()
        groups[index].forEachEntry { day, amount in
            guard amount > .zero, let days = sent[amount], days.contains(where: { abs($0 - day) <= 2 }) else { return }
            legs.insert(TransferLeg(day: day, amount: amount))
        }
        return legs
    }

    private func forEachEntry(_ body: (Day, Amount) -> Void) {
        for activity in parts.map(\.activity) {
            guard let from = activity.from else { continue }
            let unit = Amount.power(9 - activity.scale)
            let last = max(activity.dayCount - 1, 0)
            for entry in activity.amounts.indices {
                let offset = min(max(activity.days[entry], 0), last)
                body(from + offset, Amount(billionths: activity.amounts[entry] * unit))
            }
        }
    }
}
