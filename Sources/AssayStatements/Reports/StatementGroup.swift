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
            bare.source = nil
            return seen.insert(bare).inserted
        }
        dropInterim()
        passBalancesOn()
    }

    /// Interim reports yield to final statements of the same days.
    private mutating func dropInterim() {
        guard parts.contains(where: { $0.activity.flags.contains(.interim) }) else { return }
        let final = parts.filter { !$0.activity.flags.contains(.interim) }
        parts = parts.filter { part in
            guard part.activity.flags.contains(.interim), let from = part.activity.from, let to = part.activity.to
            else {
                return true
            }
            return !final.contains { other in
                other.activity.from.map { $0 <= from } ?? false && other.activity.to.map { $0 >= to } ?? false
            }
        }
    }

    /// A statement without a usable balance takes its closing one from the next statement, and its opening one from the
    /// one before, where no day lies between; so files that were downloaded in one sitting all get theirs from the last.
    private mutating func passBalancesOn() {
        for index in parts.indices.dropLast().reversed() where parts[index].activity.closing == nil {
            let next = parts[index + 1].activity
            guard let end = parts[index].activity.to, let start = next.from, start - end == 1,
                let opening = next.opening
            else { continue }
            parts[index].activity.close(with: opening)
        }
        for index in parts.indices.dropFirst() where parts[index].activity.opening == nil {
            let before = parts[index - 1].activity
            guard let end = before.to, let start = parts[index].activity.from, start - end == 1,
                let closing = before.closing
            else { continue }
            parts[index].activity.open(with: closing)
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

    static func link(_ previous: Activity, _ next: Activity) -> AccountReport.Chain {
        guard let end = previous.to, let start = next.from else { return .gap }
        let days = start - end
        let goesOn = previous.closing == nil || next.opening == nil || previous.closing == next.opening
        if (days == 0 || days == 1) && goesOn { return .ok }
        if days > 1, StatementGroup.goesOn(over: days - 1, from: previous.closing, to: next.opening) { return .ok }
        return days > 0 ? .gap : .overlap
    }

    /// Whether a balance shows that nothing moved on the days between two statements; at zero, on a few days only.
    static func goesOn(over days: Int, from closing: Amount?, to opening: Amount?) -> Bool {
        guard let closing, closing == opening else { return false }
        return closing != .zero || days <= 4
    }

    /// For each group, the credits whose money left another group of the same currency at most two days before or after.
    ///
    /// Takes time in proportion to the number of entries.
    static func ownTransfers(of groups: [StatementGroup]) -> [Set<TransferLeg>] {
        var legs = groups.map { _ in Set<TransferLeg>() }
        guard groups.count > 1 else { return legs }
        var sent: [Sum: [Leg]] = [:]
        for (index, group) in groups.enumerated() {
            let currency = group.parts.first?.currency
            group.forEachEntry { day, amount in
                guard amount < .zero else { return }
                sent[Sum(amount: -amount, currency: currency), default: []].append(Leg(day: day, group: index))
            }
        }
        for key in sent.keys { sent[key]?.sort { $0.day < $1.day } }
        for (index, group) in groups.enumerated() {
            let currency = group.parts.first?.currency
            group.forEachEntry { day, amount in
                guard amount > .zero, let candidates = sent[Sum(amount: amount, currency: currency)] else { return }
                var place = candidates.partitioningIndex { $0.day - day >= -2 }
                while place < candidates.count, candidates[place].day - day <= 2 {
                    if candidates[place].group != index {
                        legs[index].insert(TransferLeg(day: day, amount: amount))
                        return
                    }
                    place += 1
                }
            }
        }
        return legs
    }

    /// An amount of a currency.
    private struct Sum: Hashable {
        var amount: Amount
        var currency: String?
    }

    /// When money left a group.
    private struct Leg {
        var day: Day
        var group: Int
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

extension Array {
    /// The first place from which on `belongs` holds; everything before it must not.
    fileprivate func partitioningIndex(where belongs: (Element) -> Bool) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if belongs(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
